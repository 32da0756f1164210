#include "widgets/views/distribution_controls.h"

#include "widgets/common/display_names.h"
#include "widgets/common/icons.h"
#include "widgets/common/number_edit.h"
#include "widgets/views/ghost_menu.h"

#include <QComboBox>
#include <QEvent>
#include <QHBoxLayout>
#include <QLabel>
#include <QMenu>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>
#include <limits>

using namespace Qt::StringLiterals;

namespace qs {

namespace {

constexpr double kFar = 1e30;

QToolButton* makeToggle(const QString& text, const QString& tip, QWidget* parent)
{
    auto* button = new QToolButton(parent);
    button->setText(text);
    button->setToolTip(tip);
    button->setAccessibleName(tip);
    button->setCheckable(true);
    button->setFocusPolicy(Qt::TabFocus);
    button->setAutoRaise(true);
    return button;
}

AxisScale scaleOf(bool log)
{
    return log ? AxisScale::Log : AxisScale::Linear;
}

} // namespace

DistributionControls::DistributionControls(QWidget* parent)
    : QWidget(parent)
    , m_groupBox(new QComboBox(this))
    , m_lowerEdit(new NumberEdit(this))
    , m_upperEdit(new NumberEdit(this))
    , m_auto(new QToolButton(this))
    , m_ghostMenu(new GhostMenu(this))
    , m_countLog(makeToggle(tr("log count"), tr("Logarithmic count axis"), this))
    , m_valueLog(makeToggle(tr("log value"), tr("Logarithmic value axis"), this))
    , m_reset(new QToolButton(this))
    , m_legend(new PlotLegend(this))
{
    describe();
    buildMethods();
    arrange();
    restyle();
    connect(m_groupBox, &QComboBox::activated, this,
        [this](int index) { emit groupChosen(m_groupBox->itemData(index).toInt()); });
    connect(m_lowerEdit, &NumberEdit::valueEdited, this, &DistributionControls::lowerEntered);
    connect(m_upperEdit, &NumberEdit::valueEdited, this, &DistributionControls::upperEntered);
    connect(
        m_countLog, &QToolButton::clicked, this, [this](bool log) { emit countScaleChosen(scaleOf(log)); });
    connect(
        m_valueLog, &QToolButton::clicked, this, [this](bool log) { emit valueScaleChosen(scaleOf(log)); });
    connect(m_reset, &QToolButton::clicked, this, &DistributionControls::resetRequested);
}

void DistributionControls::describe()
{
    m_groupBox->setAccessibleName(tr("Shown part"));
    m_groupBox->setToolTip(tr("Histogram of the whole tensor, of a channel or of a head"));
    m_groupBox->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    m_groupBox->setMinimumContentsLength(6);
    m_groupBox->setMaxVisibleItems(24);
    m_lowerEdit->setAccessibleName(tr("Lower bound"));
    m_upperEdit->setAccessibleName(tr("Upper bound"));
    m_lowerEdit->setToolTip(tr("Lower bound: smaller values are clipped"));
    m_upperEdit->setToolTip(tr("Upper bound: larger values are clipped"));
    m_auto->setText(tr("Auto"));
    m_auto->setToolTip(tr("Let a method set the bounds"));
    m_auto->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    m_auto->setPopupMode(QToolButton::MenuButtonPopup);
    m_auto->setFocusPolicy(Qt::TabFocus);
    m_reset->setToolTip(tr("Show all values (R)"));
    m_reset->setAccessibleName(tr("Show all values"));
    m_reset->setAutoRaise(true);
    m_reset->setFocusPolicy(Qt::TabFocus);
}

void DistributionControls::buildMethods()
{
    auto* menu = new QMenu(m_auto);
    for (const BoundMethod method : kAutomaticMethods) {
        connect(menu->addAction(displayName(method)), &QAction::triggered, this, [this, method] {
            m_method = method;
            emit automaticRequested(method);
        });
    }
    m_auto->setMenu(menu);
    connect(m_auto, &QToolButton::clicked, this, [this] { emit automaticRequested(m_method); });
}

void DistributionControls::arrange()
{
    auto* line = new QHBoxLayout;
    line->setContentsMargins(8, 3, 6, 0);
    line->setSpacing(3); // the tree beside it wants its columns in a window of 1280 pixels
    line->addWidget(m_groupBox);
    line->addWidget(m_lowerEdit);
    line->addWidget(new QLabel(u"\u2026"_s, this));
    line->addWidget(m_upperEdit);
    line->addWidget(m_auto);
    line->addWidget(m_ghostMenu);
    line->addStretch(1);
    line->addWidget(m_countLog);
    line->addWidget(m_valueLog);
    line->addWidget(m_reset);
    auto* legend = new QHBoxLayout;
    legend->setContentsMargins(10, 0, 8, 0);
    legend->addWidget(m_legend);
    legend->addStretch(1);
    auto* both = new QVBoxLayout(this);
    both->setContentsMargins(0, 0, 0, 0);
    both->setSpacing(1);
    both->addLayout(line);
    both->addLayout(legend);
}

void DistributionControls::setGroups(const SiteStatistics* statistics)
{
    m_groupBox->clear();
    m_groupBox->addItem(tr("tensor"), -1);
    if (statistics == nullptr) {
        return;
    }
    const QString word = displayName(statistics->axis);
    for (int group = 0; group < static_cast<int>(statistics->groups.size()); ++group) {
        m_groupBox->addItem(u"%1 %2"_s.arg(word).arg(group), group);
    }
}

void DistributionControls::setGroup(int group)
{
    m_groupBox->setCurrentIndex(group + 1);
}

void DistributionControls::setBounds(
    const std::optional<Bounds>& bounds, const Histogram* histogram, bool isLogarithmic)
{
    if (!bounds) {
        m_lowerEdit->showNothing();
        m_upperEdit->showNothing();
        return;
    }
    const double step = histogram == nullptr ? 1.0 : histogram->width;
    const bool logBins = histogram != nullptr && histogram->scale == BinScale::Log2;
    m_lowerEdit->setRange(-kFar, bounds->upper);
    m_upperEdit->setRange(isLogarithmic ? std::numeric_limits<float>::min() : bounds->lower, kFar);
    m_lowerEdit->setStep(step);
    m_upperEdit->setStep(logBins ? std::max(bounds->upper * (std::exp2(step) - 1.0), 1e-12) : step);
    m_lowerEdit->setValue(bounds->lower);
    m_upperEdit->setValue(bounds->upper);
}

void DistributionControls::setEnabledParts(bool lower, bool upper, bool automatic)
{
    m_lowerEdit->setEnabled(lower);
    m_upperEdit->setEnabled(upper);
    m_auto->setEnabled(automatic);
}

void DistributionControls::setScales(AxisScale count, AxisScale value, bool canUseLogValues)
{
    m_countLog->setChecked(count == AxisScale::Log);
    m_valueLog->setChecked(value == AxisScale::Log);
    m_valueLog->setEnabled(canUseLogValues);
}

void DistributionControls::changeEvent(QEvent* event)
{
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange) {
        restyle();
    }
}

void DistributionControls::restyle()
{
    m_auto->setIcon(themedIcon(u"automatic"_s, palette()));
    m_reset->setIcon(themedIcon(u"reset-view"_s, palette()));
}

} // namespace qs
