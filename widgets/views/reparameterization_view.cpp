#include "widgets/views/reparameterization_view.h"

#include "widgets/common/display_names.h"
#include "widgets/common/elided_label.h"
#include "widgets/common/empty_label.h"
#include "widgets/common/number_format.h"
#include "widgets/common/table_setup.h"
#include "widgets/plot/channel_range_plot.h"

#include <QCheckBox>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QPushButton>
#include <QSplitter>
#include <QStackedLayout>
#include <QTableWidget>
#include <QVBoxLayout>

#include <cmath>

using namespace Qt::StringLiterals;

namespace qs {

namespace {

enum Column { Name, Before, After, Change, ColumnCount };

/// What the lowest and the top code of a scale stand for.
Bounds codeBounds(const QuantParams& params, std::size_t index)
{
    const double scale = static_cast<double>(params.scales[index]);
    return {(params.minimumCode() - params.zeroPoint(index)) * scale,
        (params.maximumCode() - params.zeroPoint(index)) * scale};
}

std::vector<Bounds> codeBoundsPerChannel(const QuantParams& params)
{
    std::vector<Bounds> bounds;
    for (std::size_t c = 0; c < params.scales.size(); ++c) {
        bounds.push_back(codeBounds(params, c));
    }
    return bounds;
}

} // namespace

ReparameterizationView::ReparameterizationView(QWidget* parent)
    : QWidget(parent)
    , m_empty(new EmptyLabel(tr("Select the input of a linear behind a normalization."), this))
    , m_title(new ElidedLabel(Qt::ElideMiddle, this))
    , m_state(new QLabel(this))
    , m_this(new QCheckBox(tr("Apply to &this norm"), this))
    , m_all(new QCheckBox(tr("Apply to a&ll norms"), this))
    , m_bounds(new QPushButton(tr("&Edit Bounds"), this))
    , m_before(new ChannelRangePlot(tr("Before rewriting"), this))
    , m_after(new ChannelRangePlot(tr("After rewriting"), this))
    , m_table(new QTableWidget(0, ColumnCount, this))
    , m_figures(new QWidget(this))
    , m_stack(new QStackedLayout(this))
{
    QFont bold = font();
    bold.setWeight(QFont::DemiBold);
    m_title->setFont(bold);
    m_state->setForegroundRole(QPalette::PlaceholderText);
    m_this->setToolTip(tr("Gamma, beta and the linears behind are rewritten so that one scale does for all "
                          "channels; one undo step"));
    m_bounds->setToolTip(tr("The original weights with these bounds per channel as manual ones: drag them on "
                            "the channel map"));
    m_table->setAccessibleName(tr("Errors before and after"));
    m_table->setHorizontalHeaderLabels({tr("SQNR"), tr("Before"), tr("After"), tr("Change")});
    makeFigureTable(*m_table, Name);
    m_table->setSelectionMode(QAbstractItemView::NoSelection);
    auto* header = new QHBoxLayout;
    header->setContentsMargins(8, 4, 8, 0);
    header->setSpacing(14);
    header->addWidget(m_title, 1);
    header->addWidget(m_state);
    header->addWidget(m_this);
    header->addWidget(m_all);
    header->addWidget(m_bounds);
    auto* splitter = new QSplitter(m_figures);
    splitter->addWidget(m_before);
    splitter->addWidget(m_after);
    splitter->addWidget(m_table);
    splitter->setSizes({480, 480, 420});
    auto* body = new QVBoxLayout(m_figures);
    body->setContentsMargins(0, 0, 0, 0);
    body->addWidget(splitter);
    auto* content = new QWidget(this);
    auto* layout = new QVBoxLayout(content);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(3);
    layout->addLayout(header);
    layout->addWidget(m_figures, 1);
    m_stack->addWidget(m_empty);
    m_stack->addWidget(content);
    connect(m_this, &QCheckBox::clicked, this, &ReparameterizationView::thisToggled);
    connect(
        m_all, &QCheckBox::clicked, this, [this] { emit allToggled(m_all->checkState() != Qt::Unchecked); });
    connect(m_bounds, &QPushButton::clicked, this, &ReparameterizationView::boundsRequested);
}

void ReparameterizationView::setEmptyText(const QString& text)
{
    m_empty->setText(text);
    m_stack->setCurrentIndex(0);
}

void ReparameterizationView::setSite(const QString& site)
{
    m_stack->setCurrentIndex(1);
    m_title->setFullText(site);
    if (site != m_site) {
        m_site = site;
        m_table->setRowCount(0);
        m_before->setChannels({}, {}, {});
        m_after->setChannels({}, {}, {});
    }
}

void ReparameterizationView::addRow(const QString& name, const QString& tip, const QString& before,
    const QString& after, const QString& change)
{
    const int row = m_table->rowCount();
    m_table->setRowCount(row + 1);
    const QStringList texts {name, before, after, change};
    for (int column = 0; column < ColumnCount; ++column) {
        auto* item = new QTableWidgetItem(texts[column]);
        item->setTextAlignment((column == Name ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter);
        item->setToolTip(tip);
        m_table->setItem(row, column, item);
    }
}

void ReparameterizationView::addDecibels(
    const QString& name, const QString& layer, double before, double after)
{
    QString change = u"–"_s;
    if (std::isfinite(before) && std::isfinite(after)) {
        const QString mark = after > before ? u"▲ "_s : after < before ? u"▼ "_s : QString();
        change = mark + formatDecibel(std::abs(after - before));
    }
    const bool hasLayer = !layer.isEmpty();
    addRow(hasLayer ? name.arg(layer.section(u'.', -1)) : name, hasLayer ? name.arg(layer) : name,
        formatDecibel(before), formatDecibel(after), change);
}

void ReparameterizationView::setEffect(
    const ReparameterizationEffect& effect, const std::vector<Bounds>& learned)
{
    std::vector<ChannelBoundsLine> lines;
    lines.push_back({learned.empty() ? tr("per channel") : tr("calibrated"), PlotRole::Selection,
        codeBoundsPerChannel(effect.change.channels)});
    if (!learned.empty()) {
        lines.push_back({tr("learned"), PlotRole::ClippingError, learned});
    }
    m_before->setChannels(effect.ranges, codeBounds(effect.before, 0), std::move(lines));
    m_after->setChannels(effect.rewrittenRanges, codeBounds(effect.change.tensor, 0), {});
    m_table->setRowCount(0);
    addDecibels(tr("Activation"), QString(), effect.errorBefore.sqnrDb(), effect.errorAfter.sqnrDb());
    for (const LinearEffect& linear : effect.linears) {
        addDecibels(tr("Weight of %1"), QString::fromStdString(linear.layer), linear.weightDbBefore,
            linear.weightDbAfter);
    }
    for (const LinearEffect& linear : effect.linears) {
        addDecibels(tr("Output of %1"), QString::fromStdString(linear.layer), linear.outputDbBefore,
            linear.outputDbAfter);
    }
    addRow(tr("Model in FP32"),
        tr("Largest difference of the model's outputs in floating point before and after, relative to the "
           "largest of them; %1 samples")
            .arg(effect.samples),
        QString(), tr("Δ %1").arg(formatNumber(effect.largestRelativeDifference, 2)), QString());
}

void ReparameterizationView::setState(ResultState state)
{
    m_state->setText(state == ResultState::Live ? QString() : displayName(state));
    m_figures->setEnabled(state != ResultState::Stale);
}

void ReparameterizationView::setSwitches(const ReparameterizationSwitches& switches)
{
    m_this->setChecked(switches.thisOne);
    m_all->setTristate(switches.on > 0 && switches.on < switches.total);
    m_all->setCheckState(switches.on == 0  ? Qt::Unchecked
            : switches.on < switches.total ? Qt::PartiallyChecked
                                           : Qt::Checked);
    m_all->setText(tr("Apply to a&ll norms (%1 of %2)").arg(switches.on).arg(switches.total));
    for (QCheckBox* box : {m_this, m_all}) {
        box->setEnabled(switches.locked.isEmpty());
    }
    m_all->setToolTip(switches.locked);
    m_bounds->setVisible(switches.hasBounds);
}

void ReparameterizationView::showEvent(QShowEvent* event)
{
    QWidget::showEvent(event);
    emit shown();
}

} // namespace qs
