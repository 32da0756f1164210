#pragma once

#include "core/methods/loss_point.h"
#include "widgets/plot/plot_widget.h"

#include <QString>

#include <vector>

class QCPGraph;
class QCPRange;

namespace qs {

/// What is known of one section of a reconstruction.
struct SectionLoss
{
    QString name; ///< "blocks.3"
    int index = 0;
    double first = 0.0; ///< loss of the first iteration
    double last = 0.0; ///< mean loss of the latest iterations, at most kLossWindow
    std::int64_t iterations = 0; ///< done so far
    std::int64_t total = 0;
    std::int64_t begin = 0; ///< where it stands on the axis of all iterations
};

/// Iterations that a smoothed loss is the mean of: single ones are of a few samples each and jump about.
inline constexpr std::size_t kLossWindow = 10;

/// The loss of a block reconstruction while it runs: iterations of one section after the other on a linear
/// axis, loss on a logarithmic one. Every iteration is a pale point, the line is the mean of the latest ten;
/// sections are told apart by bands with their names. The view follows the run until the user zooms; R shows
/// all again. Hover tells the figures, a click the section.
class LossCurve : public PlotWidget
{
    Q_OBJECT
public:
    explicit LossCurve(QWidget* parent = nullptr);
    ~LossCurve() override;

    void clear();
    /// Points that follow those already there.
    void addPoints(const std::vector<LossPoint>& points);
    [[nodiscard]] const std::vector<SectionLoss>& sections() const { return m_sections; }
    /// block,iteration,loss: as `quantize --loss-curve` writes it.
    [[nodiscard]] QString csv() const;
    [[nodiscard]] QSize sizeHint() const override;

signals:
    void sectionClicked(const QString& section);

protected:
    void applyStyle(const PlotStyle& style) override;
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void beginSection(const LossPoint& point);
    void styleGraphs();
    void followRun();
    void showAll();
    void chooseTicks(const QCPRange& range);
    void showReadout(double pixel);
    [[nodiscard]] double position(const LossPoint& point) const; ///< on the axis of all iterations
    [[nodiscard]] int sectionAt(double pixel) const; ///< index into m_sections; -1 for none

    std::vector<LossPoint> m_points;
    std::vector<SectionLoss> m_sections;
    std::vector<std::size_t> m_starts; ///< first point of each section
    std::vector<QCPGraph*> m_raw; ///< one per section
    std::vector<QCPGraph*> m_smooth;
    bool m_follows = true;
    bool m_isNarrow = false; ///< the loss axis spans little more than a decade
};

} // namespace qs
