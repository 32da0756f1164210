#include "app/ui/edit_controller.h"

#include "core/base/error.h"
#include "core/io/plan_json.h"
#include "core/quant/ada_log.h"
#include "core/quant/resolve.h"

#include <QClipboard>
#include <QGuiApplication>

namespace qs {

namespace {

QString shortName(const std::string& site)
{
    return QString::fromStdString(site);
}

const Site* findSite(const Session& session, const std::string& name)
{
    if (!session.model()) {
        return nullptr;
    }
    const int index = indexOfSite(session.model()->sites, name);
    return index < 0 ? nullptr : &session.model()->sites[static_cast<std::size_t>(index)];
}

} // namespace

EditController::EditController(Session* session, QObject* parent)
    : QObject(parent)
    , m_session(session)
{
}

void EditController::dragBounds(
    const std::string& site, const QVector<int>& groups, const Bounds& bounds, EditPhase phase)
{
    const Site* target = findSite(*m_session, site);
    if (target == nullptr || !m_session->calibration()) {
        return;
    }
    switch (phase) {
    case EditPhase::Begin:
        m_gesture = m_session->newGesture();
        m_gestureSite = site;
        return;
    case EditPhase::Abort:
        m_session->abortGesture(m_gesture);
        m_gesture = 0;
        return;
    case EditPhase::Update:
    case EditPhase::End: break;
    }
    if (m_gesture == 0 || m_gestureSite != site) {
        m_gesture = m_session->newGesture();
        m_gestureSite = site;
    }
    try {
        SiteChoice choice = withManualBounds(*target, m_session->choice(site));
        choice.enabled = true;
        const auto move = [&](Bounds& moved) {
            moved = choice.kind == QuantizerKind::AdaLog ? adaLogBounds(bounds.upper, adaLogBase(moved))
                                                         : bounds; // the hand moves d, the base stays
        };
        if (choice.manualBounds.size() == 1) {
            move(choice.manualBounds.front());
        } else {
            for (const int group : groups) {
                move(choice.manualBounds.at(static_cast<std::size_t>(group)));
            }
        }
        m_session->edit({{site, choice}}, tr("bounds of %1").arg(shortName(site)), m_gesture);
    } catch (const Error& error) {
        emit refused(QString::fromStdString(error.what()));
    }
    if (phase == EditPhase::End) {
        m_gesture = 0;
    }
}

SiteChoice EditController::withManualBounds(const Site& site, SiteChoice choice) const
{
    if (choice.method == BoundMethod::Manual && !choice.manualBounds.empty()) {
        return choice;
    }
    choice.manualBounds = resolveSite(*m_session->model(), site, choice, *m_session->calibration()).bounds;
    choice.method = BoundMethod::Manual;
    return choice;
}

SiteChoice EditController::patched(const Site& site, const SiteChoicePatch& patch) const
{
    const SiteChoice before = m_session->choice(site.name);
    SiteChoice after = patch.appliedTo(before);
    const bool otherShape = after.kind != before.kind || after.granularity != before.granularity;
    if (before.method == BoundMethod::Manual && otherShape && !patch.method) {
        after.method = BoundMethod::MinMax; // bounds set by hand were for another shape of quantizer
        after.manualBounds.clear();
    }
    if (patch.method && *patch.method == BoundMethod::Manual && before.method != BoundMethod::Manual) {
        SiteChoice automatic = after;
        automatic.method = before.method;
        after = withManualBounds(site, automatic);
    }
    return after;
}

void EditController::patch(const QStringList& sites, const SiteChoicePatch& patch)
{
    ChoiceMap choices;
    try {
        for (const QString& name : sites) {
            const Site* site = findSite(*m_session, name.toStdString());
            const bool needsCalibration = patch.method && *patch.method == BoundMethod::Manual;
            if (site != nullptr && (!needsCalibration || m_session->calibration())) {
                choices[site->name] = patched(*site, patch);
            }
        }
    } catch (const Error& error) {
        emit refused(QString::fromStdString(error.what()));
        return;
    }
    const QString object
        = sites.size() == 1 ? shortName(sites.front().toStdString()) : tr("%1 sites").arg(sites.size());
    m_session->edit(choices, tr("quantizer of %1").arg(object));
}

void EditController::applyToRole(const std::string& name)
{
    const Site* source = findSite(*m_session, name);
    if (source == nullptr) {
        return;
    }
    SiteChoice choice = m_session->choice(name);
    if (choice.method == BoundMethod::Manual) {
        choice.method = BoundMethod::MinMax; // bounds belong to one site's values
        choice.manualBounds.clear();
    }
    ChoiceMap choices;
    for (const Site& site : m_session->model()->sites) {
        if (site.role == source->role && site.kind == source->kind && site.name != name) {
            choices[site.name] = choice;
        }
    }
    m_session->edit(choices, tr("quantizer of all %1 sites").arg(QLatin1String(nameOf(source->role).data())));
}

void EditController::copy(const std::string& site) const
{
    if (findSite(*m_session, site) != nullptr) {
        const Plan one {{{site, m_session->choice(site)}}};
        QGuiApplication::clipboard()->setText(QString::fromStdString(planToJson(one)));
    }
}

void EditController::paste(const QStringList& sites)
{
    Plan copied;
    try {
        copied = planFromJson(QGuiApplication::clipboard()->text().toStdString());
    } catch (const Error&) {
        copied = {};
    }
    if (copied.choices.size() != 1) {
        emit refused(tr("The clipboard holds no quantizer: copy one first."));
        return;
    }
    ChoiceMap choices;
    for (const QString& name : sites) {
        const Site* site = findSite(*m_session, name.toStdString());
        if (site == nullptr) {
            continue;
        }
        SiteChoice choice = copied.choices.begin()->second;
        const bool fits = choice.manualBounds.size() == 1
            || static_cast<std::int64_t>(choice.manualBounds.size()) == site->groups;
        if (choice.method == BoundMethod::Manual && !fits) {
            choice.method = BoundMethod::MinMax;
            choice.manualBounds.clear();
        }
        choices[site->name] = choice;
    }
    m_session->edit(choices, tr("paste quantizer to %1 sites").arg(choices.size()));
}

void EditController::applyPreset(const PresetOptions& options, const QString& name)
{
    if (m_session->model()) {
        m_session->replace( // presets are of the model as it was opened
            makePreset(m_session->openedModel()->sites, options), nullptr, tr("preset %1").arg(name));
    }
}

} // namespace qs
