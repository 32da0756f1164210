#pragma once

#include "app/session/session.h"

#include <QLockFile>
#include <QObject>
#include <QStringList>
#include <QThreadPool>
#include <QTimer>

#include <memory>

namespace qs {

/// Keeps a copy of the session in a folder of its own while it changes. When the program ends well and
/// nothing is unsaved, the copy goes; a file that is left behind is what a crash took, or what was closed
/// unsaved.
class Autosave : public QObject
{
    Q_OBJECT
public:
    /// `folder` is made when first needed. Writing happens on a thread of its own, `delayMs` after a change.
    Autosave(Session* session, QString folder, int delayMs = 20000);
    /// Writes what is not written yet when the plan has unsaved changes, else removes the own file.
    ~Autosave() override;

    /// Session files left by programs that no longer run, latest first.
    [[nodiscard]] static QStringList leftovers(const QString& folder);
    /// Deletes such a file.
    static void discard(const QString& file);
    [[nodiscard]] QString file() const { return m_file; }
    void setSelectedSite(const QString& site) { m_selectedSite = site; }

signals:
    void written();
    void failed(const QString& sentence);

private:
    void touch();
    void write();

    Session* m_session;
    QString m_folder;
    QString m_file;
    QString m_selectedSite;
    std::unique_ptr<QLockFile> m_lock; ///< says that this process lives
    QTimer m_timer;
    QThreadPool m_pool;
};

} // namespace qs
