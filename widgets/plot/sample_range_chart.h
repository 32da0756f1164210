#pragma once

#include "core/eval/calibration_microscope.h"
#include "widgets/plot/plot_widget.h"

#include <optional>

class QCPGraph;
class QCPItemLine;
class QCPItemStraightLine;

namespace qs {

class ElidedLabel;
class PlotLegend;

/// The ranges of a site's values, sample by sample (or span by span), with the range of all samples so far
/// and the bounds of the quantizer. Click selects a sample, hover tells its range.
class SampleRangeChart : public PlotWidget
{
    Q_OBJECT
public:
    explicit SampleRangeChart(QWidget* parent = nullptr);
    ~SampleRangeChart() override;

    /// Nothing known: an empty plot.
    void setSite(const SampleRanges& ranges, const std::optional<SiteMicroscope>& microscope);
    /// Drawn as lines across; nullopt for none.
    void setBounds(const std::optional<Bounds>& bounds);
    /// Marks a sample silently; -1 for none.
    void setHighlighted(qint64 sample);
    [[nodiscard]] QSize sizeHint() const override;

signals:
    void sampleClicked(qint64 sample);

protected:
    void applyStyle(const PlotStyle& style) override;
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void fitAxes();
    [[nodiscard]] int spanAt(double x) const;
    [[nodiscard]] QString csv() const;

    PlotLegend* m_legend;
    ElidedLabel* m_readout;
    QCPGraph* m_lower;
    QCPGraph* m_upper;
    QCPItemStraightLine* m_lowerBound;
    QCPItemStraightLine* m_upperBound;
    std::vector<QCPItemLine*> m_bars;
    SampleRanges m_ranges;
    std::vector<RangeProgress> m_progress;
    std::optional<Bounds> m_bounds;
    qint64 m_highlighted = -1;
};

} // namespace qs
