#pragma once

#include "app/session/session.h"

#include <QLockFile>
#include <QObject>
#include <QStringList>
#include <QThreadPool>
#include <QTimer>

#include <memory>

namespace qs {

/// Keeps a copy of the session in a folder of its own while it changes, and removes it when the program ends
/// well. A file that is left behind by a program that no longer runs is what a crash took.
class Autosave : public QObject
{
    Q_OBJECT
public:
    /// `folder` is made when first needed. Writing happens on a thread of its own, `delayMs` after a change.
    Autosave(Session* session, QString folder, int delayMs = 20000);
    /// Removes the own file.
    ~Autosave() override;

    /// Session files that crashed programs left, latest first.
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
