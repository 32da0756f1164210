#include "app/jobs/autosave.h"

#include "core/base/error.h"

#include <QCoreApplication>
#include <QDir>
#include <QFile>
#include <QPointer>

#include <utility>

namespace qs {

namespace {

const QString kPattern = QStringLiteral("*.qscope");

QString lockOf(const QString& file)
{
    return file + QStringLiteral(".lock");
}

} // namespace

Autosave::Autosave(Session* session, QString folder, int delayMs)
    : m_session(session)
    , m_folder(std::move(folder))
    , m_file(QDir(m_folder).filePath(QStringLiteral("%1.qscope").arg(QCoreApplication::applicationPid())))
{
    m_pool.setMaxThreadCount(1);
    m_timer.setSingleShot(true);
    m_timer.setInterval(delayMs);
    connect(&m_timer, &QTimer::timeout, this, &Autosave::write);
    for (const auto signal : {&Session::calibrationChanged, &Session::evaluationChanged,
             &Session::sensitivityChanged, &Session::snapshotsChanged}) {
        connect(session, signal, this, &Autosave::touch);
    }
    connect(session, &Session::choicesChanged, this, &Autosave::touch);
    connect(session, &Session::documentChanged, &m_timer, &QTimer::stop);
}

Autosave::~Autosave()
{
    const bool unsaved = m_session->model() && !m_session->isReadOnly() && !m_session->undoStack()->isClean();
    if (unsaved) {
        write();
    }
    m_pool.waitForDone();
    if (m_lock && !unsaved) {
        QFile::remove(m_file);
    }
}

QStringList Autosave::leftovers(const QString& folder)
{
    QStringList files;
    for (const QString& name : QDir(folder).entryList({kPattern}, QDir::Files, QDir::Time)) {
        const QString file = QDir(folder).filePath(name);
        QLockFile lock(lockOf(file));
        lock.setStaleLockTime(0); // stale only when its process is gone
        if (lock.tryLock(0)) {
            files.append(file);
        }
    }
    return files;
}

void Autosave::discard(const QString& file)
{
    QFile::remove(file);
    QFile::remove(lockOf(file));
}

void Autosave::touch()
{
    if (m_session->model() && !m_session->isReadOnly() && !m_timer.isActive()) {
        m_timer.start();
    }
}

void Autosave::write()
{
    if (!m_session->model()) {
        return;
    }
    if (m_lock && !QFile::exists(lockOf(m_file))) {
        m_lock.reset(); // somebody cleared the folder away
    }
    if (!m_lock) {
        QDir().mkpath(m_folder);
        m_lock = std::make_unique<QLockFile>(lockOf(m_file));
        m_lock->setStaleLockTime(0);
        if (!m_lock->tryLock(0)) {
            m_lock.reset();
            emit failed(tr("The session cannot be kept in %1.").arg(m_folder));
            return;
        }
    }
    m_pool.start([self = QPointer(this), session = m_session->toFile(m_selectedSite), file = m_file] {
        QString failure;
        try {
            saveSession(session, file.toStdString());
        } catch (const std::exception& error) {
            failure = QString::fromStdString(error.what());
        }
        if (self) {
            QMetaObject::invokeMethod(
                self.data(),
                [self, failure] {
                    if (failure.isEmpty()) {
                        emit self->written();
                    } else {
                        emit self->failed(failure);
                    }
                },
                Qt::QueuedConnection);
        }
    });
}

} // namespace qs
