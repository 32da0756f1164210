#include "widgets/plot/budget_chart.h"
#include "widgets/plot/draggable_bound.h"

#include <qcustomplot.h>

#include <QSignalSpy>
#include <QTest>

#include <limits>

using namespace qs;
using namespace Qt::StringLiterals;

/// The budget line under mouse and keyboard.
class TestBudgetChart : public QObject
{
    Q_OBJECT
private slots:
    void init()
    {
        m_chart = std::make_unique<BudgetChart>();
        m_chart->resize(600, 260);
        m_chart->show();
        QVERIFY(QTest::qWaitForWindowExposed(m_chart.get()));
        m_chart->setFront(
            {{3.0, 5.0}, {4.0, 11.0}, {4.5, 15.0}, {8.0, std::numeric_limits<double>::infinity()}});
        m_chart->setPresent(BudgetPoint {4.25, 9.0});
        canvas()->replot(QCustomPlot::rpImmediateRefresh);
    }
    void cleanup() { m_chart.reset(); }

    void thePresentPlansBitsAreTheBudgetAtFirst()
    {
        QCOMPARE(m_chart->budget(), 4.25);
        QCOMPARE(m_chart->chosen(), 1); // 4.5 would be too many
        m_chart->setPresent(BudgetPoint {16.0, 20.0}); // beyond the front
        QCOMPARE(m_chart->budget(), 8.0);
        QCOMPARE(m_chart->chosen(), 3);
        m_chart->setFront({});
        QCOMPARE(m_chart->chosen(), -1);
    }
    void aPlanThatWasNotMeasuredHasNoMark()
    {
        m_chart->setPresent(BudgetPoint {4.25, -std::numeric_limits<double>::infinity()});
        QCOMPARE(canvas()->graph(1)->dataCount(), 0);
        QCOMPARE(m_chart->budget(), 4.25);
        QTest::keyClick(canvas(), Qt::Key_R);
        QVERIFY(canvas()->yAxis->range().lower > -10.0); // all that is known lies above 5 dB
    }
    void settersAreSilent()
    {
        QSignalSpy spy(m_chart.get(), &BudgetChart::budgetEdited);
        m_chart->setPresent(BudgetPoint {3.0, 5.0});
        m_chart->setFront({{2.0, 1.0}, {3.0, 4.0}});
        QCOMPARE(spy.size(), 0);
    }
    void aDragIsBeginUpdatesEnd()
    {
        QSignalSpy spy(m_chart.get(), &BudgetChart::budgetEdited);
        QTest::mousePress(canvas(), Qt::LeftButton, {}, at(4.25));
        QTest::mouseMove(canvas(), at(6.0));
        QTest::mouseMove(canvas(), at(7.0));
        QCOMPARE(m_chart->chosen(), 2);
        QTest::mouseRelease(canvas(), Qt::LeftButton, {}, at(7.0));
        QCOMPARE(spy.first().at(1).value<EditPhase>(), EditPhase::Begin);
        QCOMPARE(spy.first().at(0).toDouble(), 4.25);
        QCOMPARE(spy.last().at(1).value<EditPhase>(), EditPhase::End);
        QVERIFY(std::abs(spy.last().at(0).toDouble() - 7.0) < 0.05);
    }
    void escapeTakesADragBack()
    {
        QSignalSpy spy(m_chart.get(), &BudgetChart::budgetEdited);
        QTest::mousePress(canvas(), Qt::LeftButton, {}, at(4.25));
        QTest::mouseMove(canvas(), at(7.0));
        QTest::keyClick(canvas(), Qt::Key_Escape);
        QCOMPARE(spy.last().at(1).value<EditPhase>(), EditPhase::Abort);
        QCOMPARE(m_chart->budget(), 4.25);
        QTest::mouseRelease(canvas(), Qt::LeftButton, {}, at(7.0));
        QCOMPARE(spy.last().at(1).value<EditPhase>(), EditPhase::Abort);
    }
    void arrowsGoFromPlanToPlan()
    {
        canvas()->setFocus();
        QTest::keyClick(canvas(), Qt::Key_Right);
        QCOMPARE(m_chart->budget(), 4.5);
        QTest::keyClick(canvas(), Qt::Key_Right);
        QCOMPARE(m_chart->budget(), 8.0);
        QTest::keyClick(canvas(), Qt::Key_Right); // there is no more
        QCOMPARE(m_chart->budget(), 8.0);
        QTest::keyClick(canvas(), Qt::Key_Left);
        QTest::keyClick(canvas(), Qt::Key_Left);
        QCOMPARE(m_chart->budget(), 4.0);
        QCOMPARE(m_chart->chosen(), 1);
    }
    void theTableHoldsTheFront()
    {
        QVERIFY(m_chart->csv().startsWith(u"mean_bits,predicted_sqnr_db\n3,5\n4,11\n4.5,15\n8,inf\n"_s));
    }

private:
    [[nodiscard]] QCustomPlot* canvas() const { return m_chart->plot(); }
    [[nodiscard]] QPoint at(double bits) const
    {
        return {qRound(canvas()->xAxis->coordToPixel(bits)), canvas()->axisRect()->rect().center().y()};
    }

    std::unique_ptr<BudgetChart> m_chart;
};

QTEST_MAIN(TestBudgetChart)
#include "tst_budget_chart.moc"
