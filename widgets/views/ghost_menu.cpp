#include "widgets/views/ghost_menu.h"

#include "widgets/common/display_names.h"

#include <QMenu>

#include <algorithm>

namespace qs {

GhostMenu::GhostMenu(QWidget* parent)
    : QToolButton(parent)
{
    setText(tr("Overlay"));
    setToolTip(tr("Lay up to four other quantizers over the distribution"));
    setAccessibleName(toolTip());
    setPopupMode(QToolButton::InstantPopup);
    setFocusPolicy(Qt::TabFocus);
    auto* menu = new QMenu(this);
    using enum Variation;
    for (const Variation variation : {MinMax, Percentile, Mse, Kl, OtherSymmetry, OtherGranularity, Uniform,
             Log2, LogSqrt2, AdaLog, MoreBits, FewerBits}) {
        QAction* action = menu->addAction(QString());
        action->setCheckable(true);
        m_actions.emplace_back(variation, action);
        connect(action, &QAction::triggered, this, [this] {
            showSite();
            emit ticksChanged();
        });
    }
    setMenu(menu);
    showSite();
}

void GhostMenu::setSite(const SiteRow& site)
{
    m_site = site;
    showSite();
}

std::vector<GhostChoice> GhostMenu::choices() const
{
    std::vector<GhostChoice> ticked;
    for (const auto& [variation, action] : m_actions) {
        if (action->isChecked() && makesSense(variation)) {
            ticked.push_back(varied(variation));
        }
    }
    return ticked;
}

GhostChoice GhostMenu::varied(Variation variation) const
{
    GhostChoice ghost {QString(), m_site.choice};
    SiteChoice& choice = ghost.choice;
    choice.enabled = true;
    const auto byMethod = [&](BoundMethod method) {
        choice.method = method;
        ghost.label = displayName(method);
    };
    const auto byKind = [&](QuantizerKind kind) {
        choice.kind = kind;
        ghost.label = displayName(kind);
    };
    const auto byBits = [&](int bits) {
        choice.bits = bits;
        ghost.label = tr("%1 bits").arg(bits);
    };
    switch (variation) {
    case Variation::MinMax: byMethod(BoundMethod::MinMax); break;
    case Variation::Percentile: byMethod(BoundMethod::Percentile); break;
    case Variation::Mse: byMethod(BoundMethod::Mse); break;
    case Variation::Kl: byMethod(BoundMethod::Kl); break;
    case Variation::OtherSymmetry:
        choice.symmetry = choice.symmetry == Symmetry::Symmetric ? Symmetry::Asymmetric : Symmetry::Symmetric;
        ghost.label = displayName(choice.symmetry);
        break;
    case Variation::OtherGranularity:
        choice.granularity
            = choice.granularity == Granularity::Tensor ? Granularity::Group : Granularity::Tensor;
        ghost.label = displayName(choice.granularity, m_site.groupAxis);
        break;
    case Variation::Uniform: byKind(QuantizerKind::Uniform); break;
    case Variation::Log2: byKind(QuantizerKind::Log2); break;
    case Variation::LogSqrt2: byKind(QuantizerKind::LogSqrt2); break;
    case Variation::AdaLog: byKind(QuantizerKind::AdaLog); break;
    case Variation::MoreBits: byBits(std::min(choice.bits + 1, kMaxBits)); break;
    case Variation::FewerBits: byBits(std::max(choice.bits - 1, kMinBits)); break;
    }
    const bool keepsShape = variation == Variation::MoreBits || variation == Variation::FewerBits;
    if (choice.method == BoundMethod::Manual && !keepsShape) {
        choice.method = BoundMethod::MinMax; // bounds set by hand are for another shape of quantizer
    }
    if (choice.method != BoundMethod::Manual) {
        choice.manualBounds.clear();
    }
    return ghost;
}

bool GhostMenu::makesSense(Variation variation) const
{
    const SiteChoice& present = m_site.choice;
    const SiteChoice other = varied(variation).choice;
    const bool logarithmic = other.kind != QuantizerKind::Uniform;
    if (logarithmic && (m_site.role != Role::Softmax || m_site.kind == SiteKind::Weight)) {
        return false; // these quantizers have no negative values
    }
    if (logarithmic && variation == Variation::OtherSymmetry) {
        return false;
    }
    return !(other.kind == present.kind && other.symmetry == present.symmetry
        && other.granularity == present.granularity && other.bits == present.bits
        && other.method == present.method);
}

void GhostMenu::showSite()
{
    const auto ticked = std::ranges::count_if(m_actions, [](const auto& a) { return a.second->isChecked(); });
    for (const auto& [variation, action] : m_actions) {
        action->setText(varied(variation).label);
        const bool full = static_cast<std::size_t>(ticked) >= kGhostLimit && !action->isChecked();
        action->setEnabled(makesSense(variation) && !full);
    }
}

} // namespace qs
