#pragma once

#include "core/methods/loss_point.h"
#include "core/methods/method.h"

#include <QString>
#include <QWidget>

#include <optional>
#include <vector>

class QLabel;
class QProgressBar;
class QPushButton;
class QStackedLayout;
class QTableWidget;

namespace qs {

class ElidedLabel;
class EmptyLabel;
class LossCurve;

/// Where a running reconstruction stands.
struct ReconstructionProgress
{
    QString stage; ///< "train"
    std::int64_t done = 0; ///< work items of the stage
    std::int64_t total = 0; ///< 0: unknown
    double elapsedSeconds = 0.0;
    std::optional<double> remainingSeconds; ///< of the stage, estimate
};

/// A quantization method at work: the section being trained, the loss curve, times and Cancel. What it has
/// shown stays readable after the end; the next run replaces it. A method without training shows its stage
/// while it runs, and the error of every layer before and after at the end.
class ReconstructionView : public QWidget
{
    Q_OBJECT
public:
    explicit ReconstructionView(QWidget* parent = nullptr);

    /// A run begins: what the last one left goes.
    void begin(const QString& title);
    void addPoints(const std::vector<LossPoint>& points);
    void setProgress(const ReconstructionProgress& progress);
    /// Output error of the layers, for methods that do not train.
    void setLayers(const std::vector<LayerReport>& layers);
    /// The run is over; `sentence` says how.
    void end(const QString& sentence);

    [[nodiscard]] LossCurve* curve() const { return m_curve; }
    [[nodiscard]] QTableWidget* table() const { return m_table; }
    [[nodiscard]] QPushButton* cancelButton() const { return m_cancel; }
    [[nodiscard]] QString status() const;

signals:
    void cancelRequested();
    void sectionChosen(const QString& section); ///< a block or layer, to look at

private:
    void fillSections();
    void setRow(int row, const QString& name, double before, double after);

    EmptyLabel* m_empty;
    QLabel* m_title;
    ElidedLabel* m_status;
    QLabel* m_times;
    QProgressBar* m_bar;
    QPushButton* m_cancel;
    LossCurve* m_curve;
    QTableWidget* m_table;
    QStackedLayout* m_stack;
    QString m_name; ///< of the run
    double m_elapsedSeconds = 0.0;
    int m_sectionCount = 0;
};

} // namespace qs
