#include "widgets/views/distribution_view.h"

#include "widgets/common/display_names.h"
#include "widgets/common/elided_label.h"
#include "widgets/common/empty_label.h"
#include "widgets/common/icons.h"
#include "widgets/common/number_format.h"
#include "widgets/plot/channel_map.h"
#include "widgets/plot/distribution_plot.h"
#include "widgets/plot/error_density.h"
#include "widgets/plot/quantizer_levels.h"
#include "widgets/views/distribution_controls.h"
#include "widgets/views/ghost_menu.h"

#include <QEvent>
#include <QHBoxLayout>
#include <QLabel>
#include <QLocale>
#include <QSplitter>
#include <QStackedLayout>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

using namespace Qt::StringLiterals;

namespace qs {

namespace {

constexpr std::size_t kMaximumBins = 4096; ///< more than pixels, so that zooming in still shows detail
constexpr std::size_t kMinimumBins = 96;
constexpr std::uint64_t kValuesPerBin = 16; ///< fewer would show the noise of counting
constexpr std::size_t kShownLevels = 8192;

/// Bins worth drawing for so many values.
std::size_t shownBins(std::uint64_t values)
{
    return std::clamp(static_cast<std::size_t>(values / kValuesPerBin), kMinimumBins, kMaximumBins);
}

/// The smallest interval that holds all of them; there is at least one.
Bounds hullOf(const std::vector<Bounds>& parts)
{
    Bounds hull = parts.front();
    for (const Bounds& part : parts) {
        hull.lower = std::min(hull.lower, part.lower);
        hull.upper = std::max(hull.upper, part.upper);
    }
    return hull;
}

} // namespace

DistributionView::DistributionView(QWidget* parent)
    : QWidget(parent)
    , m_empty(new EmptyLabel(tr("Open a model and data to begin."), this))
    , m_stack(new QStackedLayout(this))
    , m_icon(new QLabel(this))
    , m_name(new QLabel(this))
    , m_summary(new ElidedLabel(Qt::ElideRight, this))
    , m_splitter(new QSplitter(Qt::Vertical, this))
    , m_map(new ChannelMap(this))
    , m_plot(new DistributionPlot(this))
    , m_controls(new DistributionControls(this))
{
    auto* content = new QWidget(this);
    auto* lower = new QWidget(content);
    auto* lowerLayout = new QVBoxLayout(lower);
    lowerLayout->setContentsMargins(0, 0, 0, 0);
    lowerLayout->setSpacing(2);
    lowerLayout->addWidget(m_controls);
    lowerLayout->addWidget(m_plot, 1);
    m_splitter->addWidget(m_map);
    m_splitter->addWidget(lower);
    m_splitter->setStretchFactor(0, 2);
    m_splitter->setStretchFactor(1, 3);
    m_splitter->setSizes({400, 600});
    auto* layout = new QVBoxLayout(content);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addLayout(buildTitle());
    layout->addWidget(m_splitter, 1);
    m_stack->addWidget(m_empty);
    m_stack->addWidget(content);
    m_emptyText = m_empty->text();
    constexpr int kPageDelayMs = 150;
    m_pageDelay.setSingleShot(true);
    m_pageDelay.setInterval(kPageDelayMs);
    connect(&m_pageDelay, &QTimer::timeout, this, [this] { m_stack->setCurrentIndex(0); });
    connectPlots();
    restyle();
    updateToggles();
}

QLayout* DistributionView::buildTitle()
{
    m_icon->setFixedSize(18, 18);
    m_name->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_summary->setForegroundRole(QPalette::PlaceholderText);
    auto* title = new QHBoxLayout;
    title->setContentsMargins(8, 6, 8, 4);
    title->setSpacing(8);
    title->addWidget(m_icon);
    title->addWidget(m_name);
    title->addWidget(m_summary, 1);
    return title;
}

void DistributionView::connectPlots()
{
    connect(m_plot, &DistributionPlot::boundsEdited, this, [this](const Bounds& bounds, EditPhase phase) {
        if (phase == EditPhase::Begin) {
            m_groupGesture = m_plot->gestureModifiers().testFlag(Qt::AltModifier);
        }
        syncNumbers(bounds);
        emit boundsEdited(bounds, phase);
    });
    connect(m_controls->ghostMenu(), &GhostMenu::ticksChanged, this, &DistributionView::ghostsRequested);
    connect(m_plot, &DistributionPlot::automaticRequested, this,
        [this] { emit automaticRequested(m_controls->method()); });
    connect(m_map, &ChannelMap::channelSelected, this, &DistributionView::selectGroupByUser);
    connect(m_map, &ChannelMap::brushChanged, this, &DistributionView::showBrush);
    connect(m_controls, &DistributionControls::groupChosen, this, &DistributionView::selectGroupByUser);
    connect(
        m_controls, &DistributionControls::automaticRequested, this, &DistributionView::automaticRequested);
    connect(m_controls, &DistributionControls::lowerEntered, this, [this](double value) {
        editNumerically({value, m_plot->bounds().upper});
    });
    connect(m_controls, &DistributionControls::upperEntered, this, [this](double value) {
        editNumerically({m_plot->bounds().lower, value});
    });
    connect(m_controls, &DistributionControls::countScaleChosen, m_plot, &DistributionPlot::setCountScale);
    connect(m_controls, &DistributionControls::valueScaleChosen, this, [this](AxisScale scale) {
        m_plot->setValueScale(scale);
        updateToggles();
    });
    connect(m_controls, &DistributionControls::resetRequested, m_plot, &DistributionPlot::resetView);
}

void DistributionView::setSite(const std::optional<SiteRow>& site)
{
    const bool other = !site || !m_site || site->name != m_site->name;
    const bool isShifted = !other && site->shift != m_site->shift;
    m_site = site;
    if (m_site) {
        m_controls->ghostMenu()->setSite(*m_site);
    }
    if (other) {
        m_group = -1;
        m_params.reset();
        m_ghosts.clear();
        setStatistics(nullptr);
    }
    if (m_site && m_site->choice.method != BoundMethod::Manual) {
        m_controls->setMethod(m_site->choice.method);
    }
    if (other) {
        showTitle();
        showQuantizer();
    } else if (isShifted) {
        showTitle();
    }
}

void DistributionView::setStatistics(std::shared_ptr<const SiteStatistics> statistics)
{
    m_statistics = std::move(statistics);
    m_tensorHistogram = nullptr;
    if (m_statistics) {
        m_tensorHistogram = std::make_shared<const Histogram>(
            m_statistics->tensorHistogram(shownBins(m_statistics->count())));
    }
    const int groups = m_statistics ? static_cast<int>(m_statistics->groups.size()) : 0;
    if (m_group >= groups) {
        m_group = -1;
    }
    m_brush.clear(); // the map gives its own up as well
    m_lastBrush.clear();
    m_map->setStatistics(m_statistics);
    m_controls->setGroups(m_statistics.get());
    showTitle();
    showGroup();
}

void DistributionView::setQuantizer(const std::optional<QuantParams>& params)
{
    if (params != m_params) { // the same arrives again when the slower errors do
        m_params = params;
        showQuantizer();
    }
}

void DistributionView::setReadOnly(bool readOnly)
{
    if (readOnly != m_readOnly) {
        m_readOnly = readOnly;
        showQuantizer();
    }
}

void DistributionView::setGroupErrors(std::vector<double> errors)
{
    m_map->setChannelErrors(std::move(errors));
}

void DistributionView::setSelectedGroup(int group)
{
    const int groups = m_statistics ? static_cast<int>(m_statistics->groups.size()) : 0;
    const int chosen = group >= 0 && group < groups ? group : -1;
    if (chosen != m_group) {
        m_group = chosen;
        showGroup();
    }
}

QVector<int> DistributionView::editedGroups() const
{
    if (!hasGroupBounds()) {
        return {};
    }
    if (m_group < 0) {
        return m_brush;
    }
    if (!m_groupGesture) {
        return {m_group};
    }
    if (m_lastBrush.contains(m_group)) {
        return m_lastBrush;
    }
    QVector<int> all(static_cast<qsizetype>(m_params->scales.size()));
    std::iota(all.begin(), all.end(), 0);
    return all;
}

std::vector<GhostChoice> DistributionView::ghostChoices() const
{
    return m_site ? m_controls->ghostMenu()->choices() : std::vector<GhostChoice> {};
}

void DistributionView::setGhosts(std::vector<GhostQuantizer> ghosts)
{
    m_ghosts = std::move(ghosts);
    showGhosts();
}

void DistributionView::showGhosts()
{
    std::vector<GhostRail> rails;
    for (const GhostQuantizer& ghost : m_ghosts) {
        GhostRail rail;
        rail.text = u"%1  %2"_s.arg(ghost.label, formatDecibel(ghost.sqnrDb));
        const bool common = ghost.params.scales.size() == 1;
        if (common || m_group >= 0) {
            const std::size_t index = ghost.params.index(std::max(m_group, 0));
            rail.bounds = clippingBounds(ghost.params, index);
            rail.levels = quantizerLevels(ghost.params, std::max(m_group, 0), kShownLevels);
        } else { // every channel its own: what they cover together
            rail.bounds = hullOf(clippingBounds(ghost.params));
        }
        rails.push_back(std::move(rail));
    }
    m_plot->setGhosts(std::move(rails));
}

void DistributionView::showPercentiles()
{
    std::vector<PercentileMark> marks;
    if (const auto& histogram = m_plot->histogram(); histogram && histogram->total() > 0) {
        const auto [lower, upper] = m_plot->valueRange();
        for (const double percent : {0.01, 0.1, 1.0, 99.0, 99.9, 99.99}) {
            marks.push_back({quantile(*histogram, percent / 100.0, lower, upper),
                u"%1 %"_s.arg(QLocale().toString(percent, 'g', 4))});
        }
        std::erase_if(marks, [&](const PercentileMark& mark) {
            return mark.value <= lower || mark.value >= upper; // the ends of the data are seen without
        });
    }
    m_plot->setPercentileMarks(std::move(marks));
}

NumberEdit* DistributionView::lowerEdit() const
{
    return m_controls->lowerEdit();
}

NumberEdit* DistributionView::upperEdit() const
{
    return m_controls->upperEdit();
}

QString DistributionView::summary() const
{
    return m_summary->fullText();
}

bool DistributionView::isInGesture() const
{
    return m_plot->isInGesture();
}

void DistributionView::setEmptyText(const QString& text)
{
    m_emptyText = text;
    showPage();
}

QByteArray DistributionView::saveState() const
{
    return m_splitter->saveState();
}

void DistributionView::restoreState(const QByteArray& state)
{
    m_splitter->restoreState(state);
}

void DistributionView::changeEvent(QEvent* event)
{
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange) {
        restyle();
        showTitle();
    }
}

void DistributionView::restyle()
{
    QFont name = font();
    name.setWeight(QFont::DemiBold);
    name.setPointSizeF(name.pointSizeF() * 1.1);
    m_name->setFont(name);
}

void DistributionView::selectGroupByUser(int group)
{
    if (group == m_group) {
        return;
    }
    setSelectedGroup(group);
    emit groupSelected(m_group);
}

void DistributionView::showPage()
{
    const bool ready = m_site && m_statistics;
    m_empty->setText(m_site ? tr("%1\n\nNo statistics yet.").arg(m_site->name) : m_emptyText);
    if (ready || !m_site) {
        m_pageDelay.stop();
        m_stack->setCurrentIndex(ready ? 1 : 0);
    } else if (m_stack->currentIndex() != 0) {
        m_pageDelay.start(); // they may be here in a moment: no page flashes up in between
    }
}

void DistributionView::showTitle()
{
    showPage();
    if (!m_site) {
        return;
    }
    m_name->setText(m_site->name);
    m_icon->setPixmap(
        roleIcon(m_site->role, m_site->kind, palette()).pixmap(QSize(18, 18), devicePixelRatio()));
    QStringList parts {displayName(m_site->role), displayName(m_site->kind)};
    if (m_site->shift != 0.0) {
        parts << tr("values + %1").arg(formatNumber(m_site->shift));
    }
    if (m_statistics) {
        const auto groups = static_cast<qulonglong>(m_statistics->groups.size());
        parts << (m_statistics->axis == GroupAxis::Head ? tr("%1 heads") : tr("%1 channels"))
                     .arg(QLocale().toString(groups));
        parts << tr("min %1, max %2")
                     .arg(formatNumber(static_cast<double>(m_statistics->minimum())),
                         formatNumber(static_cast<double>(m_statistics->maximum())));
        parts << tr("%1 values").arg(QLocale().toString(static_cast<qulonglong>(m_statistics->count())));
    }
    m_summary->setFullText(parts.join(u"  \u00B7  "_s));
}

void DistributionView::showGroup()
{
    m_controls->setGroup(m_group);
    m_map->setSelectedChannel(m_group);
    m_plot->setBounds(std::nullopt); // the next ones are of another part
    showHistogram();
    showPercentiles();
    showQuantizer();
    showGhosts();
}

void DistributionView::showHistogram()
{
    if (!m_statistics) {
        m_plot->setHistogram(nullptr, 0.0, 1.0);
        return;
    }
    if (m_group < 0 && !m_brush.isEmpty()) {
        showBrushedHistogram();
    } else if (m_group < 0) {
        m_plot->setHistogram(m_tensorHistogram, static_cast<double>(m_statistics->minimum()),
            static_cast<double>(m_statistics->maximum()));
    } else {
        const GroupStatistics& group = m_statistics->groups[static_cast<std::size_t>(m_group)];
        m_plot->setHistogram(
            std::make_shared<const Histogram>(merged({&group.histogram}, shownBins(group.count))),
            static_cast<double>(group.minimum), static_cast<double>(group.maximum));
    }
    const QString axis = displayName(m_statistics->axis);
    m_plot->setValueLabel(m_group >= 0              ? tr("value of %1 %2").arg(axis).arg(m_group)
            : m_brush.isEmpty()                     ? tr("value")
            : m_statistics->axis == GroupAxis::Head ? tr("value of %1 marked heads").arg(m_brush.size())
                                                    : tr("value of %1 marked channels").arg(m_brush.size()));
    updateToggles();
}

void DistributionView::showBrush(const QVector<int>& groups)
{
    m_brush = groups;
    if (!groups.isEmpty()) {
        m_lastBrush = groups;
    }
    if (m_group >= 0 && !groups.isEmpty()) {
        selectGroupByUser(-1); // the marked ones together take the place of the single one
        return;
    }
    showGroup();
}

void DistributionView::showBrushedHistogram()
{
    std::vector<const Histogram*> parts;
    std::uint64_t values = 0;
    float lower = std::numeric_limits<float>::max();
    float upper = std::numeric_limits<float>::lowest();
    for (const int index : m_brush) {
        const GroupStatistics& group = m_statistics->groups[static_cast<std::size_t>(index)];
        parts.push_back(&group.histogram);
        values += group.count;
        lower = std::min(lower, group.minimum);
        upper = std::max(upper, group.maximum);
    }
    m_plot->setHistogram(std::make_shared<const Histogram>(merged(parts, shownBins(values))),
        static_cast<double>(lower), static_cast<double>(upper));
}

bool DistributionView::hasGroupBounds() const
{
    return m_params && m_params->scales.size() > 1;
}

std::optional<Bounds> DistributionView::shownBounds() const
{
    if (!m_params || m_params->bounds.empty()) {
        return std::nullopt;
    }
    if (hasGroupBounds() && m_group < 0) {
        std::vector<Bounds> marked;
        for (const int group : m_brush) {
            marked.push_back(clippingBounds(*m_params, static_cast<std::size_t>(group)));
        }
        return marked.empty() ? std::nullopt : std::optional(hullOf(marked));
    }
    return clippingBounds(
        *m_params, std::min(m_params->index(std::max(m_group, 0)), m_params->bounds.size() - 1));
}

bool DistributionView::shownGroupsAgree() const
{
    if (!hasGroupBounds() || m_group >= 0) {
        return true;
    }
    return std::ranges::all_of(m_brush, [this](int group) {
        return m_params->bounds.at(static_cast<std::size_t>(group))
            == m_params->bounds.at(static_cast<std::size_t>(m_brush.front()));
    });
}

void DistributionView::showQuantizer()
{
    const std::optional<Bounds> bounds = shownBounds();
    const bool isLog = m_params && m_params->kind != QuantizerKind::Uniform;
    m_plot->setDraggableSides(m_readOnly ? DraggableSides::None
            : isLog                      ? DraggableSides::Upper
                                         : DraggableSides::Both);
    m_plot->setBounds(bounds);
    m_map->setChannelBounds(m_params ? clippingBounds(*m_params) : std::vector<Bounds> {});
    m_map->setZeroedShares(
        m_params && m_statistics ? zeroedShares(*m_statistics, *m_params) : std::vector<double> {});
    m_controls->setEnabledParts(
        bounds && !isLog && !m_readOnly, bounds && !m_readOnly, m_params && !m_readOnly);
    std::vector<PlotLegend::Entry> legend {{PlotRole::Distribution, tr("count")}};
    if (bounds && m_plot->histogram() && shownGroupsAgree()) {
        const Histogram& histogram = *m_plot->histogram();
        const std::int64_t group
            = m_group >= 0 || m_brush.isEmpty() || !hasGroupBounds() ? std::max(m_group, 0) : m_brush.front();
        m_plot->setLevels(quantizerLevels(*m_params, group, kShownLevels));
        ErrorDensity density = errorDensity(histogram, *m_params, group);
        m_plot->setErrorDensity(std::move(density.clipping), std::move(density.rounding));
        const double cutoff = zeroingCutoff(*m_params, group);
        m_plot->setZeroingCutoff(cutoff > 0.0
                ? std::optional(ZeroingCutoff {cutoff, zeroedMassShare(histogram, cutoff)})
                : std::nullopt);
        const QString levels = tr("levels (%1)").arg(QLocale().toString(levelCount(*m_params)));
        legend.push_back({PlotRole::Level,
            m_params->kind == QuantizerKind::AdaLog ? tr("%1, base %2").arg(levels, baseText(paramsOf(group)))
                                                    : levels});
        legend.push_back({PlotRole::ClippingError, tr("clipping error")});
        legend.push_back({PlotRole::RoundingError, tr("rounding error")});
        if (isLog) {
            legend.push_back({PlotRole::Cutoff, tr("becomes zero")});
        }
    } else {
        m_plot->setLevels({});
        m_plot->setErrorDensity({}, {});
        m_plot->setZeroingCutoff(std::nullopt);
    }
    syncNumbers(bounds ? std::optional(m_plot->bounds()) : std::nullopt);
    m_controls->setLegend(std::move(legend));
    const bool needsGroup = hasGroupBounds() && m_group < 0 && m_brush.isEmpty();
    m_plot->setErrorNote(needsGroup
            ? tr("Each %1 has its own bounds: select one, or mark several, to edit them.")
                  .arg(displayName(m_params->axis))
            : !shownGroupsAgree() ? tr("The marked ones differ: moving a bound sets all of them.")
            : m_params            ? QString()
                                  : tr("In floating point: no bounds."));
}

QuantParams DistributionView::paramsOf(std::int64_t group) const
{
    QuantParams one = *m_params;
    one.bounds = {m_params->bounds.at(m_params->index(group))};
    return one;
}

void DistributionView::editNumerically(const Bounds& bounds)
{
    // One entry is one gesture, as a drag is.
    m_groupGesture = false;
    emit boundsEdited(m_plot->bounds(), EditPhase::Begin);
    m_plot->setBounds(bounds);
    syncNumbers(bounds);
    emit boundsEdited(bounds, EditPhase::Update);
    emit boundsEdited(bounds, EditPhase::End);
}

void DistributionView::syncNumbers(const std::optional<Bounds>& bounds)
{
    const bool isLog = m_params && m_params->kind != QuantizerKind::Uniform;
    m_controls->setBounds(bounds, m_plot->histogram().get(), isLog);
}

void DistributionView::updateToggles()
{
    m_controls->setScales(m_plot->countScale(), m_plot->valueScale(), m_plot->canUseLogValues());
}

} // namespace qs
