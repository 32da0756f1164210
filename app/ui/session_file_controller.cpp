#include "app/ui/session_file_controller.h"

#include "app/jobs/session_tasks.h"
#include "app/session/session.h"
#include "app/ui/actions.h"
#include "app/ui/notices.h"
#include "app/ui/selection.h"
#include "app/ui/settings.h"

#include <QAction>
#include <QDateTime>
#include <QFileDialog>
#include <QFileInfo>
#include <QLocale>
#include <QMainWindow>

namespace qs {

SessionFileController::SessionFileController(const Workbench& bench)
    : QObject(bench.controllers)
    , m_bench(bench)
    , m_autosave(bench.session, Settings::autosaveFolder())
{
    connect(m_bench.actions->openSession, &QAction::triggered, this, &SessionFileController::open);
    connect(m_bench.actions->saveSession, &QAction::triggered, this, &SessionFileController::save);
    connect(m_bench.tasks, &SessionTasks::sessionOpened, this, &SessionFileController::onOpened);
    connect(m_bench.tasks, &SessionTasks::noticed, this, &SessionFileController::onNoticed);
    connect(&m_autosave, &Autosave::failed, this,
        [this](const QString& why) { m_bench.notices->fail(tr("Keeping a copy of the session"), why); });
    connect(m_bench.selection, &Selection::changed, this,
        [this] { m_autosave.setSelectedSite(m_bench.selection->first()); });
}

void SessionFileController::offerRecovery()
{
    const QStringList files = Autosave::leftovers(Settings::autosaveFolder());
    if (files.isEmpty()) {
        return;
    }
    m_recovered = files.front();
    m_bench.notices->offer(BannerKind::Notice,
        tr("A session of %1 was not saved before the program ended.")
            .arg(QLocale().toString(QFileInfo(m_recovered).lastModified(), QLocale::ShortFormat)),
        tr("Recover"), [this] { m_bench.tasks->openSession(m_recovered); });
}

void SessionFileController::open()
{
    const QString file
        = QFileDialog::getOpenFileName(m_bench.window, tr("Open Session"), {}, tr("Sessions (*.qscope)"));
    if (!file.isEmpty()) {
        m_bench.tasks->openSession(file);
    }
}

void SessionFileController::save()
{
    const QString file
        = QFileDialog::getSaveFileName(m_bench.window, tr("Save Session"), m_file, tr("Sessions (*.qscope)"));
    if (!file.isEmpty()) {
        m_file = QFileInfo(file).suffix().isEmpty() ? file + QStringLiteral(".qscope") : file;
        m_bench.tasks->saveSession(m_file, m_bench.selection->first());
    }
}

void SessionFileController::findModel()
{
    const QString folder
        = QFileDialog::getExistingDirectory(m_bench.window, tr("Find the Model of the Session"));
    if (!folder.isEmpty()) {
        m_bench.tasks->openSession(m_file, folder);
    }
}

void SessionFileController::onOpened(const QString& file, const QString& site)
{
    if (file == m_recovered) {
        Autosave::discard(std::exchange(m_recovered, {}));
    } else {
        m_file = file;
    }
    if (!site.isEmpty()) {
        m_bench.selection->select({site});
    }
}

void SessionFileController::onNoticed(const QString& sentence)
{
    if (m_bench.session->isReadOnly()) {
        m_bench.notices->offer(BannerKind::Warning, sentence, tr("Find the model…"), [this] { findModel(); });
    } else {
        m_bench.notices->warn(sentence);
    }
}

} // namespace qs
