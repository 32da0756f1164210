#include "widgets/views/budget_view.h"

#include "widgets/common/elided_label.h"
#include "widgets/plot/plot_legend.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QVBoxLayout>

namespace qs {

BudgetView::BudgetView(QWidget* parent)
    : QWidget(parent)
    , m_kind(new QComboBox(this))
    , m_readout(new ElidedLabel(Qt::ElideRight, this))
    , m_legend(new PlotLegend(this))
    , m_chart(new BudgetChart(this))
{
    m_kind->addItem(tr("weights"));
    m_kind->addItem(tr("activations"));
    m_kind->setAccessibleName(tr("What the budget is for"));
    m_kind->setToolTip(tr("Whose bits are chosen; the others stay as they are"));
    m_legend->setEntries({{PlotRole::Activation, tr("best plans")},
        {PlotRole::Selection, tr("within the budget")}, {PlotRole::Bound, tr("present plan")}});
    auto* header = new QHBoxLayout;
    header->setContentsMargins(8, 3, 8, 0);
    header->setSpacing(10);
    header->addWidget(m_kind);
    header->addWidget(m_readout, 1);
    header->addWidget(m_legend);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(2);
    layout->addLayout(header);
    layout->addWidget(m_chart, 1);
    connect(m_kind, &QComboBox::activated, this, &BudgetView::kindChanged);
}

bool BudgetView::isForActivations() const
{
    return m_kind->currentIndex() == 1;
}

void BudgetView::setReadout(const QString& text, const QString& shorter)
{
    m_readout->setFullText(text, shorter);
}

QString BudgetView::readout() const
{
    return m_readout->fullText();
}

} // namespace qs
