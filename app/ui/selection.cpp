#include "app/ui/selection.h"

#include "app/session/session.h"

namespace qs {

Selection::Selection(Session* session, QObject* parent)
    : QObject(parent)
    , m_session(session)
{
    connect(session, &Session::documentChanged, this, [this] { select(m_sites); });
}

void Selection::select(const QStringList& sites)
{
    QStringList known;
    for (const QString& site : sites) {
        if (m_session->model() && indexOfSite(m_session->model()->sites, site.toStdString()) >= 0) {
            known << site;
        }
    }
    if (known != m_sites) {
        m_sites = known;
        emit changed();
    }
}

} // namespace qs
