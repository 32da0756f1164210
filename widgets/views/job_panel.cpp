#include "widgets/views/job_panel.h"

#include "widgets/common/empty_label.h"
#include "widgets/views/job_row_widget.h"

#include <QScrollArea>
#include <QSet>
#include <QVBoxLayout>

namespace qs {

JobPanel::JobPanel(QWidget* parent)
    : QWidget(parent)
    , m_rowsLayout(nullptr)
    , m_empty(new EmptyLabel(tr("No jobs are running."), this))
{
    auto* page = new QWidget(this);
    page->setBackgroundRole(QPalette::Base);
    page->setAutoFillBackground(true);
    m_rowsLayout = new QVBoxLayout(page);
    m_rowsLayout->setContentsMargins(0, 0, 0, 0);
    m_rowsLayout->setSpacing(0);
    m_rowsLayout->addWidget(m_empty, 1);
    m_rowsLayout->addStretch(0);
    auto* scroll = new QScrollArea(this);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setWidgetResizable(true);
    scroll->setWidget(page);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(scroll);
    setAccessibleName(tr("Running jobs"));
}

void JobPanel::setJobs(const std::vector<JobInfo>& jobs)
{
    QSet<QString> present;
    for (const JobInfo& job : jobs) {
        present.insert(job.key);
    }
    for (const QString& key : m_rowOf.keys()) {
        if (!present.contains(key)) {
            m_rowOf.take(key)->deleteLater();
        }
    }
    m_empty->setVisible(jobs.empty());
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        JobRowWidget*& row = m_rowOf[jobs[i].key];
        if (!row) {
            row = new JobRowWidget(this);
            connect(row, &JobRowWidget::cancelClicked, this,
                [this, key = jobs[i].key] { emit cancelRequested(key); });
        }
        m_rowsLayout->insertWidget(static_cast<int>(i), row);
        row->setJob(jobs[i]);
        row->show();
    }
}

} // namespace qs
