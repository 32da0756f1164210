#include "widgets/views/job_row_widget.h"

#include "widgets/common/elided_label.h"
#include "widgets/common/icons.h"
#include "widgets/common/number_format.h"
#include "widgets/common/progress_bar.h"

#include <QEvent>
#include <QGridLayout>
#include <QLabel>
#include <QLocale>
#include <QToolButton>

#include <algorithm>

using namespace Qt::StringLiterals;

namespace qs {

namespace {

constexpr int kBarSteps = 1000;

} // namespace

JobRowWidget::JobRowWidget(QWidget* parent)
    : QWidget(parent)
    , m_title(new QLabel(this))
    , m_stage(new ElidedLabel(Qt::ElideRight, this))
    , m_times(new QLabel(this))
    , m_bar(new ProgressBar(this))
    , m_cancel(new QToolButton(this))
{
    QFont title = font();
    title.setWeight(QFont::DemiBold);
    m_title->setFont(title);
    m_stage->setForegroundRole(QPalette::PlaceholderText);
    m_times->setForegroundRole(QPalette::PlaceholderText);
    m_bar->setTextVisible(false);
    m_bar->setFixedHeight(10);
    m_cancel->setText(tr("Cancel"));
    m_cancel->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    m_cancel->setFocusPolicy(Qt::StrongFocus);
    connect(m_cancel, &QToolButton::clicked, this, &JobRowWidget::cancelClicked);
    auto* layout = new QGridLayout(this);
    layout->setContentsMargins(10, 6, 10, 6);
    layout->setHorizontalSpacing(10);
    layout->setVerticalSpacing(3);
    layout->addWidget(m_title, 0, 0);
    layout->addWidget(m_stage, 0, 1);
    layout->addWidget(m_times, 0, 2, Qt::AlignRight);
    layout->addWidget(m_bar, 1, 0, 1, 3);
    layout->addWidget(m_cancel, 0, 3, 2, 1);
    layout->setColumnStretch(1, 1);
    restyle();
}

void JobRowWidget::setJob(const JobInfo& job)
{
    m_title->setText(job.title);
    const bool counted = job.total > 0 && job.state == JobInfo::State::Running;
    QString stage = job.stage;
    if (job.state == JobInfo::State::Waiting) {
        stage = tr("waiting");
    } else if (job.state == JobInfo::State::Cancelling) {
        stage = tr("cancelling");
    } else if (counted) {
        const QString count = tr("%1 of %2")
                                  .arg(QLocale().toString(static_cast<qlonglong>(job.done)),
                                      QLocale().toString(static_cast<qlonglong>(job.total)));
        stage = stage.isEmpty() ? count : tr("%1, %2").arg(stage, count);
    }
    m_stage->setFullText(stage);
    QString times = tr("%1 elapsed").arg(formatDuration(job.elapsedSeconds));
    if (job.remainingSeconds && job.state == JobInfo::State::Running) {
        times += tr(", about %1 left").arg(formatDuration(*job.remainingSeconds));
    }
    m_times->setText(times);
    if (counted) {
        const double fraction = static_cast<double>(job.done) / static_cast<double>(job.total);
        m_bar->setProgress(static_cast<int>(std::clamp(fraction, 0.0, 1.0) * kBarSteps), kBarSteps);
    } else {
        m_bar->setProgress(0, job.state == JobInfo::State::Waiting ? kBarSteps : 0);
    }
    m_cancel->setEnabled(job.state != JobInfo::State::Cancelling);
    m_cancel->setAccessibleName(tr("Cancel %1").arg(job.title));
    m_cancel->setToolTip(tr("Cancel \"%1\"").arg(job.title));
    m_bar->setAccessibleName(job.title);
    m_bar->setAccessibleDescription(stage);
}

void JobRowWidget::changeEvent(QEvent* event)
{
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange) {
        restyle();
    }
}

void JobRowWidget::restyle()
{
    m_cancel->setIcon(themedIcon(u"cancel"_s, palette()));
}

} // namespace qs
