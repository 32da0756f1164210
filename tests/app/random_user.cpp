#include "tests/app/random_user.h"

#include "app/ui/main_window.h"
#include "widgets/plot/distribution_plot.h"
#include "widgets/views/distribution_view.h"

#include <qcustomplot.h>

#include <QAbstractButton>
#include <QAction>
#include <QApplication>
#include <QDialog>
#include <QDir>
#include <QDropEvent>
#include <QEventLoop>
#include <QFileDialog>
#include <QMenu>
#include <QMessageBox>
#include <QMimeData>
#include <QTabBar>
#include <QTest>
#include <QThread>
#include <QTimer>
#include <QUrl>
#include <QWindow>

#include <array>

using namespace Qt::StringLiterals;

namespace qs::test {

namespace {

constexpr int kModalSteps = 12; ///< a dialog that is still open then is closed
constexpr int kRecent = 4;
constexpr std::size_t kSlowest = 25;

/// Letters only make names inside the scratch folder: there is no separator and no dot among them.
constexpr std::array kKeys {Qt::Key_A, Qt::Key_C, Qt::Key_E, Qt::Key_Q, Qt::Key_R, Qt::Key_V, Qt::Key_Z,
    Qt::Key_0, Qt::Key_2, Qt::Key_4, Qt::Key_8, Qt::Key_Minus, Qt::Key_Plus, Qt::Key_Comma, Qt::Key_Space,
    Qt::Key_Left, Qt::Key_Right, Qt::Key_Up, Qt::Key_Down, Qt::Key_Home, Qt::Key_End, Qt::Key_PageUp,
    Qt::Key_PageDown, Qt::Key_Tab, Qt::Key_Backtab, Qt::Key_Return, Qt::Key_Enter, Qt::Key_Escape,
    Qt::Key_Delete, Qt::Key_Backspace, Qt::Key_F1, Qt::Key_F2, Qt::Key_F5, Qt::Key_F10, Qt::Key_Menu};

bool isFileDialog(const QWidget* widget)
{
    return qobject_cast<const QFileDialog*>(widget) != nullptr;
}

} // namespace

RandomUser::RandomUser(MainWindow* window, unsigned seed, QString scratch, QStringList drops, Heartbeat* beat)
    : m_window(window)
    , m_random(seed)
    , m_scratch(std::move(scratch))
    , m_drops(std::move(drops))
    , m_beat(beat)
{
}

int RandomUser::pick(int below)
{
    return static_cast<int>(m_random() % static_cast<unsigned>(below)); // the same on every platform
}

void RandomUser::note(const std::string& what, const QString& detail)
{
    ++m_counts[what];
    m_recent << QString::fromStdString(what) + (detail.isEmpty() ? QString() : u' ' + detail);
    if (m_recent.size() > kRecent) {
        m_recent.removeFirst();
    }
    if (qEnvironmentVariableIsSet("QS_RANDOM_VERBOSE")) {
        std::fprintf(stderr, "%d %s\n", m_left, qPrintable(m_recent.back()));
    }
}

void RandomUser::run(int events)
{
    m_left = events;
    QEventLoop loop;
    connect(this, &RandomUser::done, &loop, &QEventLoop::quit);
    QMetaObject::invokeMethod(this, &RandomUser::step, Qt::QueuedConnection);
    loop.exec();
}

void RandomUser::step()
{
    if (m_beat != nullptr) {
        constexpr double kLongMs = 40.0;
        if (const double busy = m_beat->takeBusiest(); busy > kLongMs) {
            m_slowest.emplace(busy, m_recent.join(u"; "_s));
        }
        if (m_slowest.size() > kSlowest) {
            m_slowest.erase(std::prev(m_slowest.end()));
        }
    }
    QWidget* modal = QApplication::activePopupWidget();
    modal = modal == nullptr ? QApplication::activeModalWidget() : modal;
    if (m_left == 0 && modal == nullptr && m_actingLevel < 0) {
        emit done();
        return;
    }
    // The next step is asked for first: what happens now may open a dialog, which runs an event loop of its
    // own. While the event being sent only lets waiting events through, nothing further is sent.
    constexpr int kPauseMs = 300; // jobs, timers and the errors of the plan get on meanwhile
    if (m_left > 0 && chance(1)) {
        QTimer::singleShot(kPauseMs, this, &RandomUser::step);
    } else {
        QMetaObject::invokeMethod(this, &RandomUser::step, Qt::QueuedConnection);
    }
    const int level = QThread::currentThread()->loopLevel();
    if (m_actingLevel >= level) {
        return;
    }
    const int outer = std::exchange(m_actingLevel, level);
    if (m_modal != modal) {
        m_modal = modal;
        m_modalSteps = 0;
    }
    if (modal != nullptr && (isFileDialog(modal) || ++m_modalSteps > kModalSteps || m_left == 0)) {
        handleModal(modal);
    } else if (m_left > 0) {
        --m_left;
        act();
    } else if (outer >= 0) { // text being dragged away: let go
        sendMouse(m_window->windowHandle(), {1, 1}, QEvent::MouseButtonRelease, Qt::LeftButton);
    }
    m_actingLevel = outer;
}

void RandomUser::handleModal(QWidget* dialog)
{
    m_modalSteps = 0;
    auto* files = qobject_cast<QFileDialog*>(dialog);
    if (files == nullptr) {
        note("close", QString::fromLatin1(dialog->metaObject()->className()));
        if (auto* asking = qobject_cast<QDialog*>(dialog)) {
            asking->reject();
        } else {
            dialog->close();
        }
        return;
    }
    // A file dialog could rename and delete anything: it is only answered, never played with.
    if (m_left == 0 || chance(60)) {
        note("file dialog rejected");
        files->reject();
        return;
    }
    note("file dialog accepted");
    if (files->acceptMode() == QFileDialog::AcceptSave) {
        files->selectFile(QDir(m_scratch).filePath(u"saved%1"_s.arg(pick(3))));
    } else {
        files->selectFile(m_drops.at(pick(static_cast<int>(m_drops.size()))));
    }
    static_cast<QDialog*>(files)->accept();
}

void RandomUser::act()
{
    if (!m_window->isVisible()) { // it was closed
        note("show");
        m_window->show();
        return;
    }
    const int what = pick(1000);
    if (what < 460) {
        mouse();
    } else if (what < 520) {
        wheel();
    } else if (what < 740) {
        key();
    } else if (what < 800) {
        shortcut();
    } else if (what < 850) {
        dragBound();
    } else if (what < 890) {
        site();
    } else if (what < 920) {
        tab();
    } else if (what < 950) {
        action();
    } else if (what < 970) {
        resize();
    } else if (what < 996) {
        runJob();
    } else {
        drop();
    }
}

QWidget* RandomUser::someTopLevel()
{
    if (QWidget* popup = QApplication::activePopupWidget()) {
        return popup;
    }
    if (QWidget* modal = QApplication::activeModalWidget()) {
        return modal;
    }
    QWidgetList visible;
    for (QWidget* widget : QApplication::topLevelWidgets()) {
        if (widget->isVisible() && widget->windowHandle() != nullptr) {
            visible << widget;
        }
    }
    constexpr int kOfOthers = 25;
    return visible.size() > 1 && chance(kOfOthers) ? visible.at(pick(static_cast<int>(visible.size())))
                                                   : m_window;
}

Qt::KeyboardModifiers RandomUser::someModifiers()
{
    switch (pick(10)) {
    case 0: return Qt::ControlModifier;
    case 1: return Qt::ShiftModifier;
    case 2: return Qt::AltModifier;
    case 3: return Qt::ControlModifier | Qt::ShiftModifier;
    default: return Qt::NoModifier;
    }
}

void RandomUser::sendMouse(QWindow* window, const QPoint& at, QEvent::Type type, Qt::MouseButton button)
{
    const Qt::KeyboardModifiers modifiers = someModifiers();
    if (type == QEvent::MouseButtonPress) {
        m_pressed = window;
        m_button = button;
    } else if (type == QEvent::MouseButtonRelease) {
        m_pressed = nullptr;
        m_button = Qt::NoButton;
    }
    const QPointer<QWindow> alive(window);
    qt_handleMouseEvent(window, at, window->mapToGlobal(at), m_button,
        type == QEvent::MouseMove ? Qt::NoButton : button, type, modifiers, ++m_timestamp);
}

void RandomUser::mouse()
{
    QWidget* top = someTopLevel();
    QWindow* window = top->windowHandle();
    if (window == nullptr) {
        return;
    }
    const QPoint at(pick(std::max(1, top->width())), pick(std::max(1, top->height())));
    if (m_pressed) { // on with the drag, or its end
        if (chance(75)) {
            note("drag");
            sendMouse(m_pressed, at, QEvent::MouseMove, m_button);
        } else {
            note("release");
            sendMouse(m_pressed, at, QEvent::MouseButtonRelease, m_button);
        }
        return;
    }
    const QWidget* child = top->childAt(at);
    const QString target = QString::fromLatin1((child == nullptr ? top : child)->metaObject()->className());
    switch (pick(10)) {
    case 0:
        note("hover", target);
        sendMouse(window, at, QEvent::MouseMove, Qt::NoButton);
        break;
    case 1:
    case 2:
    case 3:
        note("press", target);
        sendMouse(window, at, QEvent::MouseButtonPress, Qt::LeftButton);
        break;
    case 4: {
        note("right click", target);
        const QPointer<QWindow> alive(window);
        sendMouse(window, at, QEvent::MouseButtonPress, Qt::RightButton);
        if (alive) {
            sendMouse(window, at, QEvent::MouseButtonRelease, Qt::RightButton);
        }
        break;
    }
    default: {
        note("click", target);
        const QPointer<QWindow> alive(window);
        for (int clicks = chance(25) ? 2 : 1; clicks > 0 && alive; --clicks) {
            sendMouse(window, at, QEvent::MouseButtonPress, Qt::LeftButton);
            if (alive) {
                sendMouse(window, at, QEvent::MouseButtonRelease, Qt::LeftButton);
            }
        }
        break;
    }
    }
}

void RandomUser::wheel()
{
    QWidget* top = someTopLevel();
    const QPoint at(pick(std::max(1, top->width())), pick(std::max(1, top->height())));
    QWidget* child = top->childAt(at);
    QWidget* target = child == nullptr ? top : child;
    note("wheel", QString::fromLatin1(target->metaObject()->className()));
    QWheelEvent event(target->mapFrom(top, at), top->mapToGlobal(at), {}, {0, chance(50) ? 120 : -120},
        Qt::NoButton, someModifiers(), Qt::NoScrollPhase, false);
    QApplication::sendEvent(target, &event);
}

void RandomUser::key()
{
    QWidget* top = someTopLevel();
    QWidget* focus = top->focusWidget();
    const Qt::Key pressed = kKeys[static_cast<std::size_t>(pick(static_cast<int>(kKeys.size())))];
    note("key", QKeySequence(pressed).toString());
    QTest::keyClick(focus == nullptr ? top : focus, pressed, someModifiers());
}

void RandomUser::shortcut()
{
    QList<QKeySequence> sequences;
    for (const QAction* each : m_window->findChildren<QAction*>()) {
        if (each->isEnabled() && !each->shortcut().isEmpty()) {
            sequences << each->shortcut();
        }
    }
    if (sequences.isEmpty()) {
        return;
    }
    const QKeySequence chosen = sequences.at(pick(static_cast<int>(sequences.size())));
    note("shortcut", chosen.toString());
    QTest::keyClick(someTopLevel(), chosen[0].key(), chosen[0].keyboardModifiers());
}

void RandomUser::action()
{
    QList<QAction*> enabled;
    for (QAction* each : m_window->findChildren<QAction*>()) {
        if (each->isEnabled() && each->menu() == nullptr && !each->isSeparator()) {
            enabled << each;
        }
    }
    if (!enabled.isEmpty() && QApplication::activeModalWidget() == nullptr) {
        QAction* chosen = enabled.at(pick(static_cast<int>(enabled.size())));
        note("action", chosen->text());
        chosen->trigger();
    }
}

void RandomUser::runJob()
{
    if (QApplication::activeModalWidget() != nullptr) {
        return;
    }
    static const QStringList jobs {u"&Evaluate"_s, u"&Sensitivity"_s, u"&Profile"_s, u"&Calibrate"_s};
    // Calibration rarely: everything else waits for it.
    const QString wanted = jobs.at(chance(8) ? 3 : pick(3));
    for (QAction* each : m_window->findChildren<QAction*>()) {
        if (each->text() == wanted && each->isEnabled() && !each->isCheckable()) {
            note("job", wanted);
            each->trigger();
        }
    }
}

void RandomUser::drop()
{
    if (QApplication::activeModalWidget() != nullptr || QApplication::activePopupWidget() != nullptr) {
        return;
    }
    QMimeData data;
    if (chance(10)) {
        data.setText(u"no file"_s);
    } else {
        data.setUrls({QUrl::fromLocalFile(m_drops.at(pick(static_cast<int>(m_drops.size()))))});
    }
    note("drop", data.hasUrls() ? data.urls().front().fileName() : data.text());
    const QPoint at(m_window->width() / 2, m_window->height() / 2);
    QDragEnterEvent enter(at, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(m_window, &enter);
    if (enter.isAccepted()) {
        QDropEvent event(at, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
        QApplication::sendEvent(m_window, &event);
    }
}

void RandomUser::resize()
{
    note("resize");
    m_window->resize(600 + pick(1100), 400 + pick(700));
}

void RandomUser::tab()
{
    const QList<QTabBar*> bars = m_window->findChildren<QTabBar*>();
    if (!bars.isEmpty()) {
        QTabBar* bar = bars.at(pick(static_cast<int>(bars.size())));
        if (bar->count() > 0) {
            note("tab");
            bar->setCurrentIndex(pick(bar->count()));
        }
    }
}

void RandomUser::site()
{
    if (const auto& model = m_window->session()->model()) {
        note("site");
        m_window->selectSite(QString::fromStdString(
            model->sites[static_cast<std::size_t>(pick(static_cast<int>(model->sites.size())))].name));
    }
}

void RandomUser::dragBound()
{
    const DistributionPlot* plot = m_window->findChild<DistributionView*>()->distributionPlot();
    QCustomPlot* canvas = plot->plot();
    if (!plot->histogram() || !canvas->isVisible() || m_pressed) {
        return;
    }
    note("drag a bound");
    const double bound = chance(70) ? plot->bounds().upper : plot->bounds().lower;
    const auto pixel = [&](double value) {
        return QPoint(qRound(canvas->xAxis->coordToPixel(value)), canvas->axisRect(0)->rect().center().y());
    };
    const auto send = [&](QEvent::Type type, const QPointF& at, Qt::MouseButtons buttons) {
        QMouseEvent event(type, at, canvas->mapToGlobal(at),
            type == QEvent::MouseMove ? Qt::NoButton : Qt::LeftButton, buttons, someModifiers());
        QApplication::sendEvent(canvas, &event);
    };
    QPoint at = pixel(bound);
    send(QEvent::MouseButtonPress, at, Qt::LeftButton);
    for (int i = 0; i < 4; ++i) {
        at += QPoint(pick(61) - 30, 0);
        send(QEvent::MouseMove, at, Qt::LeftButton);
    }
    if (chance(15)) {
        QTest::keyClick(canvas, Qt::Key_Escape);
    }
    send(QEvent::MouseButtonRelease, at, Qt::NoButton);
}

} // namespace qs::test
