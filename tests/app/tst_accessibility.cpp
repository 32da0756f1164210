// Everything that can be clicked can be reached by keyboard and has a name that a screen reader can say.
#include "app/ui/data_dialog.h"
#include "app/ui/export_dialog.h"
#include "app/ui/main_window.h"
#include "app/ui/method_dialog.h"
#include "app/ui/preset_dialog.h"
#include "core/quant/resolve.h"
#include "tests/app/fresh_window.h"

#include <qcustomplot.h>

#include <QAbstractButton>
#include <QAbstractItemView>
#include <QAbstractSpinBox>
#include <QAccessible>
#include <QAction>
#include <QApplication>
#include <QComboBox>
#include <QDockWidget>
#include <QHeaderView>
#include <QLineEdit>
#include <QMap>
#include <QMenu>
#include <QMenuBar>
#include <QSplitter>
#include <QTabBar>
#include <QTest>
#include <QTextEdit>

using namespace qs;
using namespace qs::test;
using namespace Qt::StringLiterals;

namespace {

constexpr int kPatienceMs = 120000;

/// A part of one of Qt's own controls, which answers for it.
bool isInternal(const QWidget* widget)
{
    for (const QWidget* up = widget; up != nullptr; up = up->parentWidget()) {
        if (up->objectName().startsWith(u"qt_"_s) || up->objectName().startsWith(u"Scroll"_s)
            || up->inherits("QComboBoxPrivateContainer") || qobject_cast<const QHeaderView*>(up)) {
            return true;
        }
        const QWidget* parent = up->parentWidget();
        if (qobject_cast<const QLineEdit*>(parent) || qobject_cast<const QComboBox*>(parent)
            || qobject_cast<const QAbstractSpinBox*>(parent) || qobject_cast<const QTabBar*>(parent)
            || qobject_cast<const QMenuBar*>(parent)
            || (parent != nullptr && parent->inherits("QTableView")
                && qobject_cast<const QAbstractButton*>(up))) { // the corner of a table
            return true;
        }
    }
    return false;
}

bool isInteractive(const QWidget* widget)
{
    return (qobject_cast<const QAbstractButton*>(widget) || qobject_cast<const QAbstractItemView*>(widget)
               || qobject_cast<const QAbstractSpinBox*>(widget) || qobject_cast<const QComboBox*>(widget)
               || qobject_cast<const QLineEdit*>(widget) || qobject_cast<const QTextEdit*>(widget)
               || qobject_cast<const QCustomPlot*>(widget) || qobject_cast<const QTabBar*>(widget))
        && !isInternal(widget);
}

QString described(const QWidget* widget)
{
    QString path;
    for (const QWidget* up = widget; up != nullptr; up = up->parentWidget()) {
        path.prepend(u'/' + QString::fromLatin1(up->metaObject()->className()));
    }
    return path + u" \""_s + widget->objectName() + u'"' + u' ' + widget->toolTip();
}

QString spokenName(QWidget* widget)
{
    QAccessibleInterface* interface = QAccessible::queryAccessibleInterface(widget);
    return interface == nullptr ? QString() : interface->text(QAccessible::Name);
}

/// Those without a name.
QStringList nameless(QWidget* top)
{
    QStringList found;
    for (QWidget* widget : top->findChildren<QWidget*>()) {
        if (isInteractive(widget) && !widget->isHidden() && spokenName(widget).trimmed().isEmpty()) {
            found << described(widget);
        }
    }
    return found;
}

} // namespace

class TestAccessibility : public QObject
{
    Q_OBJECT
private slots:
    void initTestCase()
    {
        m_window = freshWindow(u"Accessibility"_s);
        QVERIFY(QTest::qWaitForWindowActive(m_window.get()));
        m_window->openDemo();
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session()->calibration() != nullptr, kPatienceMs);
        QTRY_VERIFY_WITH_TIMEOUT(m_window->jobs()->isIdle(), kPatienceMs);
    }
    void cleanupTestCase() { m_window.reset(); }

    void everythingInteractiveHasAName() { QCOMPARE(nameless(m_window.get()).join(u'\n'), QString()); }
    void aLetterChoosesOneEntryOfAMenu()
    {
        QStringList clashes;
        for (const QMenu* menu : m_window->menuBar()->findChildren<QMenu*>()) {
            QMap<QKeySequence, QString> taken;
            for (const QAction* entry : menu->actions()) {
                const QKeySequence letter = QKeySequence::mnemonic(entry->text());
                if (letter.isEmpty()) {
                    continue;
                }
                if (taken.contains(letter)) {
                    clashes << menu->title() + u": "_s + taken[letter] + u", "_s + entry->text();
                }
                taken[letter] = entry->text();
            }
        }
        QCOMPARE(clashes.join(u'\n'), QString());
    }
    void theDialogsToo()
    {
        for (const QString& text : {u"&Guide"_s, u"&Search Actions and Sites…"_s, u"&Tour of the Window"_s}) {
            trigger(text);
            QCOMPARE(nameless(m_window.get()).join(u'\n'), QString());
        }
        const Session& session = *m_window->session();
        const ExportInput input {session.model(), session.plan(),
            resolvePlan(*session.model(), session.plan(), *session.calibration()),
            session.calibration()->dataHash, "test"};
        ExportDialog dialog(input, 8);
        dialog.show();
        QCOMPARE(nameless(&dialog).join(u'\n'), QString());
        PresetDialog preset({});
        MethodRequest request;
        request.method = u"repquant"_s;
        MethodDialog method(request, 8);
        DataDialog data(u"Data"_s, *session.model(), {}, {});
        for (QWidget* each : std::initializer_list<QWidget*> {&preset, &method, &data}) {
            each->show();
            QCOMPARE(nameless(each).join(u'\n'), QString());
        }
        for (QWidget* widget : QApplication::topLevelWidgets()) {
            if (widget != m_window.get()) {
                widget->close();
            }
        }
        m_window->activateWindow();
        QVERIFY(QTest::qWaitForWindowActive(m_window.get()));
        QTest::keyClick(m_window.get(), Qt::Key_Escape);
    }
    void everyActionOfTheMenusHasAText()
    {
        QList<QAction*> left = m_window->menuBar()->actions();
        while (!left.isEmpty()) {
            const QAction* action = left.takeFirst();
            if (action->isSeparator()) {
                continue;
            }
            QVERIFY(!action->text().isEmpty());
            if (action->menu() != nullptr) {
                left << action->menu()->actions();
            }
        }
    }
    void everythingInteractiveIsReachedWithTab()
    {
        // Every tab of the docks in turn: what is hidden behind another one cannot have the focus.
        QStringList unreached;
        QStringList unseen; // the focus must not go where nobody sees it
        for (QDockWidget* dock : m_window->findChildren<QDockWidget*>()) {
            dock->raise();
            QTest::qWait(50);
            QSet<const QWidget*> reached;
            m_window->setFocus();
            constexpr int kRounds = 400; // a plot keeps Tab while it goes through its bounds
            for (int i = 0; i < kRounds; ++i) {
                QTest::keyClick(m_window->focusWidget() != nullptr ? m_window->focusWidget() : m_window.get(),
                    Qt::Key_Tab);
                const QWidget* now = m_window->focusWidget();
                reached.insert(now);
                if (now != nullptr && !isInSight(*now)) {
                    unseen << described(now);
                }
            }
            for (const QWidget* widget : m_window->findChildren<QWidget*>()) {
                if (isInteractive(widget) && widget->isVisible() && widget->isEnabled()
                    && widget->window() == m_window.get()) {
                    const bool found = std::any_of(reached.begin(), reached.end(), [&](const QWidget* each) {
                        return each == widget || (each != nullptr && widget->isAncestorOf(each));
                    });
                    if (!found) {
                        unreached << described(widget);
                    }
                }
            }
        }
        unreached.removeDuplicates();
        QVERIFY2(unreached.isEmpty(), qPrintable(unreached.join(u'\n')));
        unseen.removeDuplicates();
        QVERIFY2(unseen.isEmpty(), qPrintable(unseen.join(u'\n')));
    }

private:
    /// Views behind another tab lie outside of the window.
    [[nodiscard]] bool isInSight(const QWidget& widget) const
    {
        const QRect place(widget.mapTo(m_window.get(), QPoint(0, 0)), widget.size());
        return widget.isVisible() && place.intersects(m_window->rect());
    }
    void trigger(const QString& text)
    {
        for (QAction* action : m_window->findChildren<QAction*>()) {
            if (action->text() == text) {
                action->trigger();
            }
        }
    }

    std::unique_ptr<MainWindow> m_window;
};

QTEST_MAIN(TestAccessibility)
#include "tst_accessibility.moc"
