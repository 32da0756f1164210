#include "widgets/views/job_panel.h"

#include <QLabel>
#include <QProgressBar>
#include <QSignalSpy>
#include <QTest>
#include <QToolButton>

using namespace qs;
using namespace Qt::StringLiterals;

class TestJobPanel : public QObject
{
    Q_OBJECT
private slots:
    void cancelNamesItsJob()
    {
        JobPanel panel;
        panel.setJobs({job(u"a"_s, 1, 4), job(u"b"_s, 3, 4)});
        panel.show();
        QSignalSpy spy(&panel, &JobPanel::cancelRequested);
        const auto buttons = panel.findChildren<QToolButton*>();
        QCOMPARE(buttons.size(), 2);
        QTest::keyClick(buttons.at(1), Qt::Key_Space);
        QCOMPARE(spy.first().first().toString(), u"b"_s);
    }
    void rowsAreKeptByKey()
    {
        JobPanel panel;
        panel.setJobs({job(u"a"_s, 1, 4), job(u"b"_s, 3, 4)});
        QToolButton* second = panel.findChildren<QToolButton*>().at(1);
        panel.setJobs({job(u"b"_s, 4, 4)});
        QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
        QCOMPARE(panel.findChildren<QToolButton*>(), QList<QToolButton*> {second});
        QCOMPARE(panel.findChild<QProgressBar*>()->value(), panel.findChild<QProgressBar*>()->maximum());
    }
    void unknownTotalsAreBusyAndCancellingCannotBeCancelled()
    {
        JobPanel panel;
        JobInfo info = job(u"a"_s, 0, 0);
        info.state = JobInfo::State::Cancelling;
        panel.setJobs({info});
        QCOMPARE(panel.findChild<QProgressBar*>()->maximum(), 0);
        QVERIFY(!panel.findChild<QToolButton*>()->isEnabled());
    }
    void progressIsPaintedWithTheNextFrame()
    {
        JobPanel panel;
        panel.setJobs({job(u"a"_s, 1, 4)});
        panel.show();
        QVERIFY(QTest::qWaitForWindowExposed(&panel));
        QTest::qWait(50);
        PaintCount paints;
        panel.findChild<QProgressBar*>()->installEventFilter(&paints);
        panel.setJobs({job(u"a"_s, 3, 4)});
        QCOMPARE(paints.count, 0); // not before the others of this turn
        QTRY_VERIFY(paints.count > 0);
    }

private:
    class PaintCount : public QObject
    {
    public:
        int count = 0;

    protected:
        bool eventFilter(QObject* watched, QEvent* event) override
        {
            count += event->type() == QEvent::Paint ? 1 : 0;
            return QObject::eventFilter(watched, event);
        }
    };
    static JobInfo job(const QString& key, std::int64_t done, std::int64_t total)
    {
        JobInfo info;
        info.key = key;
        info.title = u"Job "_s + key;
        info.done = done;
        info.total = total;
        return info;
    }
};

QTEST_MAIN(TestJobPanel)
#include "tst_job_panel.moc"
