#pragma once

#include <QObject>
#include <QStringList>

namespace qs {

class Session;

/// The sites being looked at; every view follows it. Sites that another document does not have fall out of
/// it.
class Selection : public QObject
{
    Q_OBJECT
public:
    explicit Selection(Session* session, QObject* parent = nullptr);

    [[nodiscard]] const QStringList& sites() const { return m_sites; }
    /// The site shown in the centre; "" without a selection.
    [[nodiscard]] QString first() const { return m_sites.value(0); }
    /// Names that the model does not have are left out.
    void select(const QStringList& sites);

signals:
    void changed(); ///< only when the sites are others than before

private:
    Session* m_session;
    QStringList m_sites;
};

} // namespace qs
