#include "widgets/views/quantizer_inspector.h"

#include "widgets/common/display_names.h"
#include "widgets/common/empty_label.h"
#include "widgets/common/icons.h"
#include "widgets/common/number_format.h"
#include "widgets/plot/quantizer_levels.h"
#include "widgets/views/error_split_bar.h"

#include <QCheckBox>
#include <QComboBox>
#include <QEvent>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLocale>
#include <QScopedValueRollback>
#include <QScrollArea>
#include <QSpinBox>
#include <QStackedWidget>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>
#include <utility>

using namespace Qt::StringLiterals;

namespace qs {

namespace {

constexpr std::array kQuickBits {4, 6, 8};
constexpr int kMixedBits = kMinBits - 1; ///< spin box value that shows "mixed"

/// The common value of a field of all sites, or nullopt.
template<typename Field>
auto commonValue(const std::vector<SiteRow>& sites, Field field)
    -> std::optional<decltype(field(sites.front()))>
{
    const auto value = field(sites.front());
    const bool same
        = std::all_of(sites.begin(), sites.end(), [&](const SiteRow& site) { return field(site) == value; });
    return same ? std::optional(value) : std::nullopt;
}

/// Index -1 with a placeholder stands for "mixed".
template<typename Enum>
void showIn(QComboBox& box, const std::optional<Enum>& value)
{
    box.setCurrentIndex(value ? box.findData(static_cast<int>(*value)) : -1);
}

SiteChoice withoutBounds(SiteChoice choice)
{
    choice.manualBounds.clear();
    return choice;
}

QLabel* makeValueLabel(QWidget* parent)
{
    auto* label = new QLabel(parent);
    label->setTextInteractionFlags(Qt::TextSelectableByMouse);
    label->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    return label;
}

QString rangeText(double lower, double upper)
{
    return lower == upper ? formatNumber(lower)
                          : formatNumber(lower, 3) + u" \u2026 "_s + formatNumber(upper, 3);
}

} // namespace

QuantizerInspector::QuantizerInspector(QWidget* parent)
    : QWidget(parent)
    , m_stack(new QStackedWidget(this))
    , m_title(new QLabel(this))
    , m_subtitle(new QLabel(this))
    , m_enabled(new QCheckBox(tr("Quantize"), this))
    , m_kind(new QComboBox(this))
    , m_symmetry(new QComboBox(this))
    , m_granularity(new QComboBox(this))
    , m_bits(new QSpinBox(this))
    , m_method(new QComboBox(this))
    , m_applyToRole(new QToolButton(this))
    , m_result(nullptr)
    , m_scale(makeValueLabel(this))
    , m_zeroPoint(makeValueLabel(this))
    , m_base(makeValueLabel(this))
    , m_codes(makeValueLabel(this))
    , m_bounds(makeValueLabel(this))
    , m_scaleCount(makeValueLabel(this))
    , m_error(makeValueLabel(this))
    , m_errorState(new QLabel(this))
    , m_split(new ErrorSplitBar(this))
{
    auto* page = new QWidget(this);
    auto* pageLayout = new QVBoxLayout(page);
    pageLayout->setContentsMargins(10, 8, 10, 8);
    pageLayout->setSpacing(8);
    QFont title = font();
    title.setWeight(QFont::DemiBold);
    m_title->setFont(title);
    m_title->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_title->setWordWrap(true);
    m_subtitle->setForegroundRole(QPalette::PlaceholderText);
    m_subtitle->setWordWrap(true);
    m_result = buildResult();
    pageLayout->addWidget(m_title);
    pageLayout->addWidget(m_subtitle);
    pageLayout->addWidget(buildForm());
    pageLayout->addWidget(m_result);
    pageLayout->addStretch(1);
    auto* scroll = new QScrollArea(this);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setWidgetResizable(true);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setWidget(page);
    auto* empty = new EmptyLabel(tr("Select a site to choose its quantizer."), this);
    empty->setBackgroundRole(QPalette::Window);
    m_stack->addWidget(empty);
    m_stack->addWidget(scroll);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_stack);
    setMinimumWidth(250);
    setQuantizer(std::nullopt);
    setTensorError(std::nullopt, ResultState::None);
}

QWidget* QuantizerInspector::buildForm()
{
    const auto fill
        = [](QComboBox& box, const QString& name, const QString& tip, auto values, auto nameOfValue) {
              for (const auto value : values) {
                  box.addItem(nameOfValue(value), static_cast<int>(value));
              }
              box.setPlaceholderText(tr("mixed"));
              box.setAccessibleName(name);
              box.setToolTip(tip);
              box.setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
          };
    const auto plainName = [](auto value) { return displayName(value); };
    fill(*m_kind, tr("Quantizer"), tr("The map from values to codes"), kQuantizerKinds, plainName);
    fill(*m_symmetry, tr("Symmetry"), tr("Asymmetric has a zero point; symmetric keeps 0 at code 0"),
        std::array {Symmetry::Asymmetric, Symmetry::Symmetric}, plainName);
    fill(*m_granularity, tr("Granularity"), tr("Which values share a scale"),
        std::array {Granularity::Tensor, Granularity::Group},
        [](Granularity value) { return displayName(value, GroupAxis::Channel); });
    fill(*m_method, tr("Bounds"), tr("How the clipping bounds come about"), kAutomaticMethods, plainName);
    m_method->addItem(displayName(BoundMethod::Manual), static_cast<int>(BoundMethod::Manual));
    m_enabled->setToolTip(tr("Off: the site stays in floating point"));
    m_bits->setRange(kMixedBits, kMaxBits);
    m_bits->setSpecialValueText(tr("mixed"));
    m_bits->setKeyboardTracking(false);
    m_bits->setAccessibleName(tr("Bits"));
    m_bits->setToolTip(tr("Bits of a code, %1 to %2").arg(kMinBits).arg(kMaxBits));

    auto* form = new QWidget(this);
    auto* layout = new QFormLayout(form);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setVerticalSpacing(6);
    layout->setLabelAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    layout->setFieldGrowthPolicy(QFormLayout::ExpandingFieldsGrow);
    auto* first = new QHBoxLayout;
    first->addWidget(m_enabled, 1);
    first->addWidget(m_applyToRole);
    layout->addRow(first);
    auto* bits = new QHBoxLayout;
    bits->setSpacing(4);
    bits->addWidget(m_bits, 1);
    for (std::size_t i = 0; i < kQuickBits.size(); ++i) {
        auto* button = new QToolButton(form);
        button->setText(QString::number(kQuickBits[i]));
        button->setCheckable(true);
        button->setAccessibleName(tr("%1 bits").arg(kQuickBits[i]));
        button->setToolTip(tr("%1 bits").arg(kQuickBits[i]));
        button->setFocusPolicy(Qt::TabFocus);
        m_quickBits[i] = button;
        bits->addWidget(button);
        connect(button, &QToolButton::clicked, this, [this, width = kQuickBits[i]] {
            request({.bits = width});
            showChoice(); // the button shows the plan, not the click
        });
    }
    layout->addRow(tr("Bi&ts"), bits);
    layout->addRow(tr("Quanti&zer"), m_kind);
    layout->addRow(tr("&Symmetry"), m_symmetry);
    layout->addRow(tr("&Granularity"), m_granularity);
    layout->addRow(tr("&Bounds"), m_method);
    if (auto* label = qobject_cast<QLabel*>(layout->labelForField(bits))) {
        label->setBuddy(m_bits);
    }

    m_applyToRole->setText(tr("Apply to role"));
    m_applyToRole->setToolTip(tr("Give this choice to all sites of the same role and kind"));
    m_applyToRole->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    m_applyToRole->setIcon(themedIcon(u"role-apply"_s, palette()));
    m_applyToRole->setFocusPolicy(Qt::TabFocus);
    connect(m_applyToRole, &QToolButton::clicked, this, [this] {
        if (m_sites.size() == 1) {
            emit applyToRoleRequested(m_sites.front().name);
        }
    });
    connect(m_enabled, &QCheckBox::clicked, this, [this] {
        m_enabled->setTristate(false);
        request({.enabled = m_enabled->isChecked()});
    });
    connect(m_kind, &QComboBox::activated, this,
        [this] { request({.kind = static_cast<QuantizerKind>(m_kind->currentData().toInt())}); });
    connect(m_symmetry, &QComboBox::activated, this,
        [this] { request({.symmetry = static_cast<Symmetry>(m_symmetry->currentData().toInt())}); });
    connect(m_granularity, &QComboBox::activated, this,
        [this] { request({.granularity = static_cast<Granularity>(m_granularity->currentData().toInt())}); });
    connect(m_method, &QComboBox::activated, this,
        [this] { request({.method = static_cast<BoundMethod>(m_method->currentData().toInt())}); });
    connect(m_bits, &QSpinBox::valueChanged, this, [this](int width) {
        if (!m_silent && width >= kMinBits) {
            request({.bits = width});
        }
    });
    return form;
}

QWidget* QuantizerInspector::buildResult()
{
    auto* result = new QWidget(this);
    auto* form = new QFormLayout;
    m_resultRows = form;
    form->setContentsMargins(0, 0, 0, 0);
    form->setVerticalSpacing(3);
    form->setLabelAlignment(Qt::AlignLeft);
    const auto add = [&](const QString& caption, QLabel* value, const QString& tip) {
        auto* label = new QLabel(caption, result);
        label->setForegroundRole(QPalette::PlaceholderText);
        label->setToolTip(tip);
        value->setToolTip(tip);
        value->setAccessibleName(caption);
        form->addRow(label, value);
    };
    add(tr("Bounds"), m_bounds, tr("Values outside are clipped"));
    add(tr("Scale"), m_scale, tr("Step between levels; for logarithmic quantizers the largest level"));
    add(tr("Zero point"), m_zeroPoint, tr("Code that stands for 0"));
    add(tr("Base"), m_base, tr("Each level is this many times the next smaller one"));
    add(tr("Codes"), m_codes, tr("Smallest and largest code"));
    add(tr("Scales"), m_scaleCount, tr("How many scales the site has"));
    add(tr("Tensor error"), m_error, tr("Signal-to-noise ratio and mean squared error of the values"));
    auto* layout = new QVBoxLayout(result);
    layout->setContentsMargins(0, 10, 0, 0);
    layout->setSpacing(6);
    layout->addLayout(form);
    layout->addWidget(m_split);
    layout->addWidget(m_errorState, 0, Qt::AlignRight);
    m_errorState->setForegroundRole(QPalette::PlaceholderText);
    return result;
}

void QuantizerInspector::setSites(std::vector<SiteRow> sites)
{
    const bool same = sites.size() == 1 && m_sites.size() == 1 && sites.front().name == m_sites.front().name;
    const bool onlyBoundsMoved
        = same && withoutBounds(sites.front().choice) == withoutBounds(m_sites.front().choice);
    m_sites = std::move(sites);
    if (onlyBoundsMoved) {
        return; // as with every move of a drag
    }
    m_stack->setCurrentIndex(m_sites.empty() ? 0 : 1);
    if (!same) {
        setQuantizer(std::nullopt);
        setTensorError(std::nullopt, ResultState::None);
    }
    if (!m_sites.empty()) {
        showTitle();
        showChoice();
    }
}

void QuantizerInspector::showTitle()
{
    m_result->setVisible(m_sites.size() == 1);
    m_applyToRole->setVisible(m_sites.size() == 1);
    if (m_sites.size() > 1) {
        m_title->setText(tr("%1 sites").arg(m_sites.size()));
        m_subtitle->setText(tr("An edit changes that one field for all of them."));
        return;
    }
    const SiteRow& site = m_sites.front();
    m_title->setText(site.name);
    const int groups = static_cast<int>(std::min<std::int64_t>(site.groups, 1'000'000'000));
    m_subtitle->setText(tr("%1, %2, %3 %4")
                            .arg(displayName(site.role), displayName(site.kind))
                            .arg(groups)
                            .arg(site.groupAxis == GroupAxis::Head ? tr("heads") : tr("channels")));
}

void QuantizerInspector::showChoice()
{
    const QScopedValueRollback silent(m_silent, true);
    const auto enabled = commonValue(m_sites, [](const SiteRow& site) { return site.choice.enabled; });
    m_enabled->setTristate(!enabled);
    m_enabled->setCheckState(!enabled ? Qt::PartiallyChecked : *enabled ? Qt::Checked : Qt::Unchecked);
    const auto axis = commonValue(m_sites, [](const SiteRow& site) { return site.groupAxis; });
    m_granularity->setItemText(1, axis ? displayName(Granularity::Group, *axis) : tr("per channel or head"));
    showIn(*m_kind, commonValue(m_sites, [](const SiteRow& site) { return site.choice.kind; }));
    showIn(*m_symmetry, commonValue(m_sites, [](const SiteRow& site) { return site.choice.symmetry; }));
    showIn(*m_granularity, commonValue(m_sites, [](const SiteRow& site) { return site.choice.granularity; }));
    showIn(*m_method, commonValue(m_sites, [](const SiteRow& site) { return site.choice.method; }));
    const auto bits = commonValue(m_sites, [](const SiteRow& site) { return site.choice.bits; });
    m_bits->setMinimum(bits ? kMinBits : kMixedBits);
    m_bits->setValue(bits.value_or(kMixedBits));
    for (std::size_t i = 0; i < kQuickBits.size(); ++i) {
        m_quickBits[i]->setChecked(bits == kQuickBits[i]);
        QFont face = font();
        face.setBold(bits == kQuickBits[i]);
        m_quickBits[i]->setFont(face);
    }
    updateEnabledFields();
}

void QuantizerInspector::updateEnabledFields()
{
    const bool anyEnabled = std::any_of(
        m_sites.begin(), m_sites.end(), [](const SiteRow& site) { return site.choice.enabled; });
    const bool allLog = std::all_of(m_sites.begin(), m_sites.end(),
        [](const SiteRow& site) { return site.choice.kind != QuantizerKind::Uniform; });
    for (QWidget* field : std::initializer_list<QWidget*> {m_kind, m_granularity, m_bits, m_method}) {
        field->setEnabled(anyEnabled);
    }
    for (QToolButton* button : m_quickBits) {
        button->setEnabled(anyEnabled);
    }
    m_symmetry->setEnabled(anyEnabled && !allLog); // logarithmic quantizers have none
}

void QuantizerInspector::request(const SiteChoicePatch& patch)
{
    if (!m_silent && !m_sites.empty()) {
        emit choiceEdited(patch);
    }
}

void QuantizerInspector::setQuantizer(const std::optional<QuantParams>& params)
{
    const QString none = u"\u2013"_s;
    if (!params || params->scales.empty()) {
        for (QLabel* label : {m_scale, m_zeroPoint, m_base, m_codes, m_bounds, m_scaleCount}) {
            label->setText(none);
        }
        m_resultRows->setRowVisible(m_base, false);
        m_resultRows->setRowVisible(m_zeroPoint, true);
        return;
    }
    const auto [smallest, largest] = std::minmax_element(params->scales.begin(), params->scales.end());
    m_scale->setText(rangeText(static_cast<double>(*smallest), static_cast<double>(*largest)));
    const bool isUniform = params->kind == QuantizerKind::Uniform;
    m_base->setText(baseText(*params));
    m_resultRows->setRowVisible(m_base, !isUniform);
    m_resultRows->setRowVisible(m_zeroPoint, isUniform);
    if (isUniform && !params->zeroPoints.empty()) {
        const auto [low, high] = std::minmax_element(params->zeroPoints.begin(), params->zeroPoints.end());
        m_zeroPoint->setText(*low == *high
                ? QLocale().toString(*low)
                : QLocale().toString(*low) + u" \u2026 "_s + QLocale().toString(*high));
    } else {
        m_zeroPoint->setText(none);
    }
    m_codes->setText(QLocale().toString(params->minimumCode()) + u" \u2026 "_s
        + QLocale().toString(params->maximumCode()));
    double lower = 0.0;
    double upper = 0.0;
    for (std::size_t i = 0; i < params->bounds.size(); ++i) {
        const Bounds clipping = clippingBounds(*params, i);
        lower = i == 0 ? clipping.lower : std::min(lower, clipping.lower);
        upper = i == 0 ? clipping.upper : std::max(upper, clipping.upper);
    }
    m_bounds->setText(
        params->bounds.empty() ? none : formatNumber(lower) + u" \u2026 "_s + formatNumber(upper));
    const auto count = static_cast<int>(params->scales.size());
    m_scaleCount->setText(count == 1
            ? tr("1, %1").arg(displayName(Granularity::Tensor, params->axis))
            : tr("%1, %2").arg(count).arg(displayName(Granularity::Group, params->axis)));
}

void QuantizerInspector::setTensorError(const std::optional<QuantizationError>& error, ResultState state)
{
    m_errorState->setText(displayName(state));
    if (!error) {
        m_error->setText(u"\u2013"_s);
        m_split->setParts(0.0, 0.0);
        return;
    }
    m_error->setText(
        tr("%1, MSE %2").arg(formatDecibel(error->sqnrDb()), formatNumber(error->meanSquared(), 3)));
    m_split->setParts(error->clipping, error->rounding);
}

void QuantizerInspector::changeEvent(QEvent* event)
{
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange) {
        m_applyToRole->setIcon(themedIcon(u"role-apply"_s, palette()));
    }
}

} // namespace qs
