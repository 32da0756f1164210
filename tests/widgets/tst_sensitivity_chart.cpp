#include "tests/widgets/synthetic.h"
#include "widgets/plot/sensitivity_chart.h"

#include <qcustomplot.h>

#include <QSignalSpy>
#include <QTest>

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
    void resultsArriveOneByOne()
    {
        m_chart->setResults({});
        m_chart->setExpectedCount(3);
        m_chart->addResult(result("x", 1.0, 1.0, 1.0));
        m_chart->addResult(result("y", 2.0, 1.0, 1.0));
        m_chart->addResult(result("x", 3.0, 1.0, 1.0));
        QCOMPARE(m_chart->siteAt(1), u"y"_s);
        QCOMPARE(m_chart->valueAt(0), 3.0);
        QCOMPARE(m_chart->siteAt(2), QString());
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
