#include "tests/widgets/synthetic.h"
#include "widgets/plot/sensitivity_chart.h"
#include "widgets/plot/sensitivity_menu.h"

#include <qcustomplot.h>

#include <QAction>
#include <QMenu>
#include <QSignalSpy>
#include <QTest>
#include <QToolButton>

#include <cmath>

using namespace qs;
using namespace Qt::StringLiterals;

namespace {

SiteSensitivity result(const char* site, double kl, double sqnrDb, double agreement)
{
    SiteSensitivity made;
    made.site = site;
    made.klNats = kl;
    made.logitsSqnrDb = sqnrDb;
    made.agreementPercent = agreement;
    made.bits = 4;
    return made;
}

} // namespace

class TestSensitivityChart : public QObject
{
    Q_OBJECT
private slots:
    void init()
    {
        m_chart = std::make_unique<SensitivityChart>();
        m_chart->resize(800, 300);
        m_chart->setResults({result("blocks.0.a", 0.1, 20.0, 98.0), result("blocks.0.b", 0.5, 40.0, 99.0),
            result("blocks.1.a", 0.2, 10.0, 90.0)});
        m_chart->show();
        QVERIFY(QTest::qWaitForWindowExposed(m_chart.get()));
        settle();
    }
    void cleanup() { m_chart.reset(); }

    void clickSelectsTheBarUnderTheMouse()
    {
        QSignalSpy spy(m_chart.get(), &SensitivityChart::siteClicked);
        click(1);
        QCOMPARE(spy.size(), 1);
        QCOMPARE(spy.first().first().toString(), u"blocks.0.b"_s);
        m_chart->setOrder(SensitivityOrder::WorstFirst);
        settle();
        click(1);
        QCOMPARE(spy.last().first().toString(), u"blocks.1.a"_s);
    }
    void metricsChangeHeightsAndOrder()
    {
        m_chart->setOrder(SensitivityOrder::WorstFirst);
        QCOMPARE(m_chart->siteAt(0), u"blocks.0.b"_s);
        QCOMPARE(m_chart->valueAt(0), 0.5);
        m_chart->setMetric(SensitivityMetric::Noise);
        QCOMPARE(m_chart->siteAt(0), u"blocks.1.a"_s);
        QVERIFY(std::abs(m_chart->valueAt(0) - 31.6228) < 1e-3); // 100 * 10^(-10/20)
        QVERIFY(std::abs(m_chart->valueAt(1) - 10.0) < 1e-9);
        m_chart->setMetric(SensitivityMetric::Disagreement);
        QCOMPARE(m_chart->valueAt(0), 10.0);
        m_chart->setOrder(SensitivityOrder::Network);
        QCOMPARE(m_chart->siteAt(0), u"blocks.0.a"_s);
    }
    void widthsAreColumnsOfOneBar()
    {
        std::vector<SiteSensitivity> results;
        for (const char* site : {"blocks.0.a", "blocks.0.b"}) {
            for (const int bits : {2, 4}) {
                results.push_back(result(site, bits == 2 ? 0.5 : 0.25, 20.0, 90.0));
                results.back().bits = bits;
                results.back().intervals
                    = SensitivityIntervals {{0.1, 0.9}, {0.0, 20.0}, {10.0, 30.0}, {}, {}, {}};
            }
        }
        m_chart->setExpectedCount(2);
        m_chart->setResults(results);
        QCOMPARE(m_chart->siteAt(1), u"blocks.0.b"_s);
        QCOMPARE(m_chart->siteAt(2), QString());
        QCOMPARE(m_chart->valueAt(0), 0.5);
        QVERIFY(canvas()->yAxis->range().upper > 0.9); // the interval is in the picture
        settle();
        const QPoint inside(
            qRound(canvas()->xAxis->coordToPixel(1.0)), canvas()->axisRect()->rect().center().y());
        QTest::mouseMove(canvas(), inside);
        QTRY_VERIFY(canvas()->toolTip().contains(u"2 bit"_s));
        QVERIFY(canvas()->toolTip().contains(u"4 bit"_s));
        QVERIFY(canvas()->toolTip().contains(u"[0.1, 0.9]"_s));
    }
    void allFiguresStandBelowEachOtherInOneOrder()
    {
        auto results = std::vector {result("a", 0.1, 20.0, 98.0), result("b", 0.5, 40.0, 99.0)};
        results[0].top1DropPercent = 3.0;
        m_chart->setResults(results);
        m_chart->setOrder(SensitivityOrder::WorstFirst);
        auto* all = m_chart->findChildren<QToolButton*>().back();
        for (QToolButton* button : m_chart->findChildren<QToolButton*>()) {
            all = button->isCheckable() && button->text() == u"all figures"_s ? button : all;
        }
        QTest::mouseClick(all, Qt::LeftButton);
        QVERIFY(m_chart->isSideBySide());
        QCOMPARE(m_chart->panelCount(), 4); // KL, noise, changed, lost
        QCOMPARE(m_chart->siteAt(0), u"b"_s); // by KL
        settle();
        QSignalSpy spy(m_chart.get(), &SensitivityChart::siteClicked);
        QCPAxisRect* lowest = canvas()->axisRects().back();
        QTest::mouseClick(canvas(), Qt::LeftButton, {},
            QPoint(qRound(lowest->axis(QCPAxis::atBottom)->coordToPixel(1)), lowest->rect().center().y()));
        QCOMPARE(spy.last().first().toString(), u"a"_s);
        results[0].top1DropPercent.reset();
        m_chart->setResults(results); // unlabelled: one plot less
        QCOMPARE(m_chart->panelCount(), 3);
        m_chart->setSideBySide(false);
        QCOMPARE(m_chart->panelCount(), 1);
        settle();
    }
    void causesMeasuredAloneSetTheShares()
    {
        SiteSensitivity made = result("a", 0.4, 20.0, 90.0);
        made.clippingShare = 0.9;
        QCOMPARE(clippingShareOf(made, SensitivityMetric::Kl), 0.9);
        made.clippingAlone = CauseEffect {0.1, 4.0, 30.0};
        made.roundingAlone = CauseEffect {0.3, 4.0, 20.0};
        QCOMPARE(clippingShareOf(made, SensitivityMetric::Kl), 0.25);
        QCOMPARE(clippingShareOf(made, SensitivityMetric::Disagreement), 0.5);
        QVERIFY(
            std::abs(clippingShareOf(made, SensitivityMetric::Noise) - 1.0 / 11.0) < 1e-12); // 1e-3 to 1e-2
    }
    void theMenuSaysWhatToMeasure()
    {
        QSignalSpy spy(m_chart.get(), &SensitivityChart::measureRequested);
        SensitivityMenu& menu = *m_chart->menu();
        QVERIFY(menu.widths().empty());
        menu.setWidths({8, 3});
        QCOMPARE(menu.widths(), (std::vector {3, 8}));
        QVERIFY(menu.text().contains(u"3, 8"_s));
        for (QAction* action : menu.menu()->actions()) {
            if (action->text() == u"4 bit"_s || action->text() == u"Measure"_s) {
                action->trigger();
            }
        }
        QCOMPARE(menu.widths(), (std::vector {3, 4, 8}));
        QCOMPARE(spy.size(), 1);
        menu.menu()->actions().front()->trigger(); // as planned
        QVERIFY(menu.widths().empty());
    }
    void changedSitesArePale()
    {
        m_chart->setStale({u"blocks.0.b"_s});
        settle();
        const QImage stale = canvas()->toPixmap().toImage();
        m_chart->setStale({});
        settle();
        QVERIFY(canvas()->toPixmap().toImage() != stale);
    }
    void settersAreSilentAndEmptySpaceIsNoSite()
    {
        QSignalSpy spy(m_chart.get(), &SensitivityChart::siteClicked);
        m_chart->setHighlighted(u"blocks.1.a"_s);
        m_chart->setHighlighted(u"no such site"_s);
        m_chart->setExpectedCount(10);
        settle();
        click(7);
        QCOMPARE(spy.size(), 0);
    }
    void arrowsWalk()
    {
        m_chart->setHighlighted(u"blocks.0.a"_s);
        QSignalSpy spy(m_chart.get(), &SensitivityChart::siteClicked);
        canvas()->setFocus();
        QTest::keyClick(canvas(), Qt::Key_Right);
        QCOMPARE(spy.last().first().toString(), u"blocks.0.b"_s);
    }
    void infinitiesDoNotBreakTheScale()
    {
        m_chart->setResults({result("a", std::numeric_limits<double>::infinity(), 0.0, 100.0),
            result("b", 0.25, std::numeric_limits<double>::infinity(), 100.0)});
        QCOMPARE(m_chart->valueAt(0), 0.0);
        QCOMPARE(m_chart->valueAt(1), 0.25);
        QVERIFY(std::isfinite(canvas()->yAxis->range().upper));
    }

private:
    QCustomPlot* canvas() const { return m_chart->plot(); }
    void settle()
    {
        canvas()->replot(QCustomPlot::rpImmediateRefresh);
        QCoreApplication::processEvents();
    }
    void click(int position)
    {
        const QPoint point(
            qRound(canvas()->xAxis->coordToPixel(position)), canvas()->axisRect()->rect().bottom() - 2);
        QTest::mouseClick(canvas(), Qt::LeftButton, {}, point);
    }

    std::unique_ptr<SensitivityChart> m_chart;
};

QTEST_MAIN(TestSensitivityChart)
#include "tst_sensitivity_chart.moc"
