#pragma once

#include "app/jobs/autosave.h"
#include "app/ui/workbench.h"

#include <QObject>
#include <QString>

namespace qs {

/// Session files: opening, saving, the copy that is kept while working, what a crash left, and sessions whose
/// model is not at hand.
class SessionFileController : public QObject
{
    Q_OBJECT
public:
    explicit SessionFileController(const Workbench& bench);

    /// Says so when a crash left a session behind.
    void offerRecovery();

private:
    void open();
    void save();
    void findModel(); ///< of a read-only session
    void onOpened(const QString& file, const QString& site);
    void onNoticed(const QString& sentence);

    const Workbench m_bench;
    Autosave m_autosave;
    QString m_file; ///< where the session was saved last; "" before
    QString m_recovered; ///< the file a crash left, until it is opened
};

} // namespace qs
