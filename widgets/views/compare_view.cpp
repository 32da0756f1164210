#include "widgets/views/compare_view.h"

#include <QHBoxLayout>
#include <QPushButton>
#include <QSplitter>
#include <QVBoxLayout>

namespace qs {

CompareView::CompareView(QWidget* parent)
    : QWidget(parent)
    , m_metrics(new MetricsTable(this))
    , m_chart(new LayerSqnrChart(this))
    , m_flips(new FlipList(this))
    , m_snapshot(new QPushButton(tr("&Keep Plan…"), this))
    , m_restore(new QPushButton(tr("Res&tore Plan"), this))
    , m_rename(new QPushButton(tr("Re&name…"), this))
    , m_remove(new QPushButton(tr("Remo&ve"), this))
{
    m_snapshot->setToolTip(tr("Keep the present plan under a name"));
    m_restore->setToolTip(tr("Make the selected plan the present one; Undo takes it back"));
    auto* buttons = new QHBoxLayout;
    buttons->setContentsMargins(6, 2, 6, 4);
    for (QPushButton* button : {m_snapshot, m_restore, m_rename, m_remove}) {
        buttons->addWidget(button);
    }
    buttons->addStretch(1);
    connect(m_snapshot, &QPushButton::clicked, this, &CompareView::snapshotRequested);
    connect(m_restore, &QPushButton::clicked, this, &CompareView::restoreRequested);
    connect(m_rename, &QPushButton::clicked, this, &CompareView::renameRequested);
    connect(m_remove, &QPushButton::clicked, this, &CompareView::removeRequested);

    auto* left = new QWidget(this);
    auto* leftLayout = new QVBoxLayout(left);
    leftLayout->setContentsMargins(0, 0, 0, 0);
    leftLayout->setSpacing(0);
    leftLayout->addWidget(m_metrics, 1);
    leftLayout->addLayout(buttons);
    auto* splitter = new QSplitter(this);
    splitter->addWidget(left);
    splitter->addWidget(m_chart);
    splitter->addWidget(m_flips);
    splitter->setStretchFactor(0, 5);
    splitter->setStretchFactor(1, 3);
    splitter->setStretchFactor(2, 2);
    splitter->setSizes({640, 420, 280});
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(splitter);
    setAvailable(false, false, false);
}

void CompareView::setAvailable(bool canSnapshot, bool canRestore, bool canEdit)
{
    m_snapshot->setEnabled(canSnapshot);
    m_restore->setEnabled(canRestore);
    m_rename->setEnabled(canEdit);
    m_remove->setEnabled(canEdit);
}

} // namespace qs
