#pragma once

#include "tests/app/heartbeat.h"

#include <QEvent>
#include <QObject>
#include <QPoint>
#include <QPointer>
#include <QStringList>

#include <functional>
#include <map>
#include <random>
#include <string>

class QDialog;
class QWidget;
class QWindow;

namespace qs {
class MainWindow;
}

namespace qs::test {

/// Somebody who does anything: clicks, drags, wheels and types anywhere in any window of the program, calls
/// actions, resizes, drops files, and answers the dialogs that come up. What is done follows from the seed;
/// what the window makes of it also from how far its jobs are. Files are written below `scratch` only.
class RandomUser : public QObject
{
    Q_OBJECT
public:
    /// `drops` are paths that are opened or dropped now and then; `beat` measures, may be null.
    RandomUser(MainWindow* window, unsigned seed, QString scratch, QStringList drops, Heartbeat* beat);

    /// Does that many things and returns when every dialog is closed again.
    void run(int events);
    /// How often each kind of thing was done.
    [[nodiscard]] const std::map<std::string, int>& counts() const { return m_counts; }
    /// What was done when the user-interface thread was busy for long, with milliseconds; the worst first.
    [[nodiscard]] const std::multimap<double, QString, std::greater<>>& slowest() const { return m_slowest; }

signals:
    void done();

private:
    void step();
    void act();
    void handleModal(QWidget* dialog);
    void mouse();
    void wheel();
    void key();
    void shortcut();
    void action();
    void runJob();
    void drop();
    void resize();
    void tab();
    void site();
    void dragBound();

    void note(const std::string& what, const QString& detail = {});
    [[nodiscard]] int pick(int below);
    [[nodiscard]] bool chance(int percent) { return pick(100) < percent; }
    [[nodiscard]] QWidget* someTopLevel();
    [[nodiscard]] Qt::KeyboardModifiers someModifiers();
    void sendMouse(QWindow* window, const QPoint& at, QEvent::Type type, Qt::MouseButton button);

    MainWindow* m_window;
    std::mt19937 m_random;
    QString m_scratch;
    QStringList m_drops;
    Heartbeat* m_beat;
    std::map<std::string, int> m_counts;
    int m_left = 0;
    int m_actingLevel = -1; ///< event loops that ran when the event being sent began; -1: none is being sent
    QPointer<QWidget> m_modal;
    int m_modalSteps = 0;
    QPointer<QWindow> m_pressed; ///< where a button is down
    Qt::MouseButton m_button = Qt::NoButton;
    int m_timestamp = 1;
    QStringList m_recent; ///< the last things done
    std::multimap<double, QString, std::greater<>> m_slowest;
};

} // namespace qs::test
