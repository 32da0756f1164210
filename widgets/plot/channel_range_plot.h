#pragma once

#include "core/quant/quantizer.h"
#include "widgets/plot/plot_style.h"
#include "widgets/plot/plot_widget.h"

#include <QString>

#include <vector>

class QCPGraph;
class QCPItemStraightLine;

namespace qs {

class ElidedLabel;
class PlotLegend;

/// A line of bounds, one pair per channel.
struct ChannelBoundsLine
{
    QString name; ///< of the legend
    PlotRole role = PlotRole::Selection;
    std::vector<Bounds> bounds; ///< infinite ones are not drawn
};

/// Least and largest value of every channel as one band, with the bounds of a scale for the whole tensor
/// across it and, where there are some, bounds per channel. Hover tells the figures, the wheel zooms, R shows
/// all.
class ChannelRangePlot : public PlotWidget
{
    Q_OBJECT
public:
    explicit ChannelRangePlot(const QString& title, QWidget* parent = nullptr);
    ~ChannelRangePlot() override;

    /// `tensor`: of the one scale. At most two lines.
    void setChannels(std::vector<Bounds> ranges, const Bounds& tensor, std::vector<ChannelBoundsLine> lines);
    /// channel,minimum,maximum and the lines' bounds.
    [[nodiscard]] QString csv() const;
    [[nodiscard]] QSize sizeHint() const override;

protected:
    void applyStyle(const PlotStyle& style) override;
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void showAll();
    void showReadout(double pixel);
    void addPair(const std::vector<Bounds>& bounds, const QPen& pen, const QBrush& brush);
    void addLine(double value, const QPen& pen);

    ElidedLabel* m_title;
    PlotLegend* m_legend;
    std::vector<Bounds> m_ranges;
    Bounds m_tensor;
    std::vector<ChannelBoundsLine> m_lines;
};

} // namespace qs
