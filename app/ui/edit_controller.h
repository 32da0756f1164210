#pragma once

#include "app/session/session.h"
#include "widgets/common/edit_phase.h"
#include "widgets/common/site_choice_patch.h"

#include <QObject>
#include <QStringList>

namespace qs {

/// Turns what the views ask for into edits of the session: one undo step each, with a text that names the
/// object.
class EditController : public QObject
{
    Q_OBJECT
public:
    explicit EditController(Session* session, QObject* parent = nullptr);

    /// A bound in the user's hand. `groups` are the channels or heads that get the bounds; empty: the one
    /// scale of the site. The first Update after Begin makes the site's method Manual, with its present
    /// bounds for all other groups.
    void dragBounds(
        const std::string& site, const QVector<int>& groups, const Bounds& bounds, EditPhase phase);
    /// The touched fields for all sites.
    void patch(const QStringList& sites, const SiteChoicePatch& patch);
    /// The site's choice for every site of the same role and kind.
    void applyToRole(const std::string& site);
    /// A preset for the whole model.
    void applyPreset(const PresetOptions& options, const QString& name);

    /// The site's choice to the clipboard, as the JSON of a plan of one site.
    void copy(const std::string& site) const;
    /// The copied choice for all these sites; bounds set by hand come along only where the site has as many
    /// groups as there are bounds. Refuses a clipboard that holds no choice.
    void paste(const QStringList& sites);

signals:
    void refused(const QString& sentence);

private:
    /// The choice with manual bounds for its granularity, taken from what it resolves to now.
    [[nodiscard]] SiteChoice withManualBounds(const Site& site, SiteChoice choice) const;
    [[nodiscard]] SiteChoice patched(const Site& site, const SiteChoicePatch& patch) const;

    Session* m_session;
    int m_gesture = 0;
    std::string m_gestureSite;
};

} // namespace qs
