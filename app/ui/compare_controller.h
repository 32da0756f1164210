#pragma once

#include "app/jobs/job_runner.h"
#include "app/session/session.h"
#include "widgets/views/flip_list.h"

#include <QObject>

#include <optional>

namespace qs {

class CompareView;

/// Fills the comparison from the session's snapshots and carries out what its buttons ask for. Row 0 is FP32,
/// row i the snapshot i - 1. Two selected rows are compared with each other, one with FP32.
class CompareController : public QObject
{
    Q_OBJECT
public:
    CompareController(Session* session, JobRunner* runner, CompareView* view);

    /// Layers whose output is worse than this are called apart: half of the signal's bits gone at 4 bits.
    static constexpr double kApartDb = 10.0;

signals:
    void failed(const QString& what, const QString& sentence);
    void layerChosen(const QString& layer); ///< to look at

private:
    void showRows();
    void onChoicesChanged();
    void showSelected();
    /// The same rows again, with texts, where the samples are texts.
    void showTexts(std::vector<FlipRow> rows, std::vector<SampleOutcome> outcomes);
    void takeSnapshot();
    void restore();
    void rename();
    void remove();
    void trace(qint64 sample);
    void showTrace(const std::vector<LayerDistance>& trace, qint64 sample);

    /// Rows compared: the first against the second; nullopt when nothing is selected.
    [[nodiscard]] std::optional<std::pair<int, int>> pair() const;
    [[nodiscard]] QString nameOf(int row) const;
    [[nodiscard]] const Snapshot* snapshotOf(int row) const; ///< null for FP32
    [[nodiscard]] std::shared_ptr<const DataSource> data() const;
    [[nodiscard]] int presentSnapshot() const; ///< the one that is the present plan; -1: none

    Session* m_session;
    JobRunner* m_runner;
    CompareView* m_view;
    int m_current = -1; ///< presentSnapshot() as the rows show it
};

} // namespace qs
