#pragma once

#include "widgets/views/job_panel.h"

#include <QWidget>

class QLabel;
class QToolButton;

namespace qs {

class ElidedLabel;
class ProgressBar;

/// One line of the JobPanel.
class JobRowWidget : public QWidget
{
    Q_OBJECT
public:
    explicit JobRowWidget(QWidget* parent = nullptr);

    void setJob(const JobInfo& job);

signals:
    void cancelClicked();

protected:
    void changeEvent(QEvent* event) override;

private:
    void restyle();

    QLabel* m_title;
    ElidedLabel* m_stage;
    QLabel* m_times;
    ProgressBar* m_bar;
    QToolButton* m_cancel;
};

} // namespace qs
