#pragma once

#include "core/stats/site_statistics.h"

#include <vector>

class QCPColorMap;
class QCustomPlot;

namespace qs {

class PlotStyle;

/// The colours of a channel map: how the values of every channel are spread, one column per channel or, where
/// there are many, per few of them. Draws on the axes of a plot, and sets the value axis.
class ChannelColourMap
{
public:
    /// The plot owns what is drawn.
    explicit ChannelColourMap(QCustomPlot* plot);

    /// Channels (or heads) from left to right; there is at least one.
    void show(const SiteStatistics& statistics, const std::vector<int>& channels);
    void applyStyle(const PlotStyle& style);

private:
    /// What the value axis covers.
    struct Span
    {
        double lower = 0.0;
        double upper = 0.0;
        bool log = false;
    };
    [[nodiscard]] static Span spanOf(const SiteStatistics& statistics);
    void setRanges(const Span& span, int columns, int rows, std::size_t channels);

    QCustomPlot* m_plot;
    QCPColorMap* m_map;
};

} // namespace qs
