#include "widgets/plot/channel_colour_map.h"

#include "widgets/plot/channel_density.h"
#include "widgets/plot/plot_style.h"

#include <qcustomplot.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace qs {

namespace {

constexpr int kRows = 320;
constexpr int kMaximumColumns = 1024;
constexpr double kLowestShare = 1e-5; ///< of a channel's values; paler cannot be told from nothing

} // namespace

ChannelColourMap::ChannelColourMap(QCustomPlot* plot)
    : m_plot(plot)
    , m_map(new QCPColorMap(plot->xAxis, plot->yAxis))
{
    m_map->setInterpolate(false);
    m_map->setTightBoundary(false);
    m_map->setSelectable(QCP::stNone);
}

void ChannelColourMap::applyStyle(const PlotStyle& style)
{
    m_map->setGradient(style.densityGradient());
}

ChannelColourMap::Span ChannelColourMap::spanOf(const SiteStatistics& statistics)
{
    Span span {std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(),
        statistics.groups.front().histogram.scale == BinScale::Log2};
    for (const GroupStatistics& group : statistics.groups) {
        if (group.count > 0) {
            span.lower = std::min(span.lower, static_cast<double>(group.minimum));
            span.upper = std::max(span.upper, static_cast<double>(group.maximum));
        }
    }
    if (span.log) {
        // Values of a logarithmic site reach down to 0, or nearly: show the bins there are.
        span.lower = span.upper;
        for (const GroupStatistics& group : statistics.groups) {
            if (group.histogram.size() > 0) {
                span.lower = std::min(span.lower, group.histogram.edge(0));
            }
        }
    }
    if (!(span.upper > span.lower)) {
        span.upper = span.lower + std::max(std::abs(span.lower) * 1e-3, 1e-6);
    }
    return span;
}

void ChannelColourMap::show(const SiteStatistics& statistics, const std::vector<int>& channels)
{
    const Span span = spanOf(statistics);
    if (span.log) {
        useOctaveTicks(*m_plot->yAxis);
    } else {
        useLinearTicks(*m_plot->yAxis);
    }
    const ChannelDensity density = channelDensity(statistics, channels,
        {.maximumColumns = kMaximumColumns,
            .rows = kRows,
            .lower = span.lower,
            .upper = span.upper,
            .spacing = span.log ? RowSpacing::EvenInLog : RowSpacing::Even});
    setRanges(span, density.columns, density.rows, channels.size());
    QCPColorMapData& cells = *m_map->data();
    double largest = kLowestShare * 10.0;
    for (int column = 0; column < density.columns; ++column) {
        for (int row = 0; row < density.rows; ++row) {
            const double share = static_cast<double>(density.at(column, row));
            largest = std::max(largest, share);
            cells.setCell(column, row,
                share > 0.0 ? std::log10(std::max(share, kLowestShare))
                            : std::numeric_limits<double>::quiet_NaN());
        }
    }
    m_map->setDataRange({std::log10(kLowestShare), std::log10(largest)});
}

void ChannelColourMap::setRanges(const Span& span, int columns, int rows, std::size_t channels)
{
    QCPColorMapData& cells = *m_map->data();
    cells.setSize(columns, rows);
    // Ranges name the centres of the outer cells.
    const double perColumn = static_cast<double>(channels) / columns;
    cells.setKeyRange({-0.5 + perColumn / 2.0, static_cast<double>(channels) - 0.5 - perColumn / 2.0});
    if (span.log) {
        const double halfRow = std::pow(span.upper / span.lower, 0.5 / rows);
        cells.setValueRange({span.lower * halfRow, span.upper / halfRow});
        const double margin = std::pow(span.upper / span.lower, 0.03);
        m_plot->yAxis->setRange(span.lower / margin, span.upper * margin);
    } else {
        const double halfRow = (span.upper - span.lower) / rows / 2.0;
        cells.setValueRange({span.lower + halfRow, span.upper - halfRow});
        const double margin = (span.upper - span.lower) * 0.04;
        m_plot->yAxis->setRange(span.lower - margin, span.upper + margin);
    }
}

} // namespace qs
