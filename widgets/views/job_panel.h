#pragma once

#include <QHash>
#include <QString>
#include <QWidget>

#include <optional>
#include <vector>

class QLabel;
class QVBoxLayout;

namespace qs {

class JobRowWidget;

/// One running job as the JobPanel shows it.
struct JobInfo
{
    enum class State { Waiting, Running, Cancelling };

    QString key; ///< unique
    QString title; ///< "Calibrate on 256 images"
    QString stage; ///< "block 3 of 12"
    std::int64_t done = 0; ///< work items
    std::int64_t total = 0; ///< 0: unknown, the bar is busy
    double elapsedSeconds = 0.0;
    std::optional<double> remainingSeconds; ///< estimate
    State state = State::Running;
};

/// Running jobs with progress, times and Cancel. Rows are kept by key, so that a focused Cancel button stays
/// focused.
class JobPanel : public QWidget
{
    Q_OBJECT
public:
    explicit JobPanel(QWidget* parent = nullptr);

    void setJobs(const std::vector<JobInfo>& jobs);

signals:
    void cancelRequested(const QString& key);

private:
    QVBoxLayout* m_rowsLayout;
    QLabel* m_empty;
    QHash<QString, JobRowWidget*> m_rowOf;
};

} // namespace qs
