#include "widgets/plot/distribution_plot.h"
#include "widgets/plot/draggable_bound.h"

#include <qcustomplot.h>

#include <QSignalSpy>
#include <QTest>

#include <cmath>

using namespace qs;

namespace {

/// [-4, 4) in 128 bins of 1/16 with 100 values each.
std::shared_ptr<const Histogram> flatHistogram()
{
    Histogram histogram;
    histogram.width = 0.0625;
    histogram.firstBin = -64;
    histogram.counts.assign(128, 100);
    histogram.sums.assign(128, 0.0);
    histogram.squares.assign(128, 0.0);
    return std::make_shared<const Histogram>(histogram);
}

/// 2^-12 .. 1 in bins of a quarter octave.
std::shared_ptr<const Histogram> logHistogram()
{
    Histogram histogram;
    histogram.scale = BinScale::Log2;
    histogram.width = 0.25;
    histogram.firstBin = -48;
    histogram.counts.assign(48, 10);
    histogram.sums.assign(48, 0.01);
    histogram.squares.assign(48, 0.001);
    return std::make_shared<const Histogram>(histogram);
}

} // namespace

class TestDistributionPlot : public QObject
{
    Q_OBJECT
private slots:
    void init()
    {
        m_plot = std::make_unique<DistributionPlot>();
        m_plot->resize(900, 400);
        m_plot->setHistogram(flatHistogram(), -4.0, 4.0);
        m_plot->setBounds(Bounds {-2.0, 2.0});
        m_plot->show();
        QVERIFY(QTest::qWaitForWindowExposed(m_plot.get()));
        settle();
    }
    void cleanup() { m_plot.reset(); }

    void aDragIsBeginUpdatesEnd()
    {
        QSignalSpy spy(m_plot.get(), &DistributionPlot::boundsEdited);
        drag(2.0, 3.0);
        QVERIFY(spy.size() >= 4);
        QCOMPARE(phaseOf(spy, 0), EditPhase::Begin);
        QCOMPARE(boundsOf(spy, 0), (Bounds {-2.0, 2.0}));
        for (int i = 1; i + 1 < spy.size(); ++i) {
            QCOMPARE(phaseOf(spy, i), EditPhase::Update);
        }
        QCOMPARE(phaseOf(spy, spy.size() - 1), EditPhase::End);
        QVERIFY(std::abs(boundsOf(spy, spy.size() - 1).upper - 3.0) < 2.0 * unitsPerPixel());
        QCOMPARE(m_plot->bounds().lower, -2.0);
    }
    void theLowerBoundDragsToo()
    {
        QSignalSpy spy(m_plot.get(), &DistributionPlot::boundsEdited);
        drag(-2.0, -3.0);
        QVERIFY(spy.size() >= 4);
        QVERIFY(std::abs(m_plot->bounds().lower + 3.0) < 2.0 * unitsPerPixel());
        QCOMPARE(m_plot->bounds().upper, 2.0);
    }
    void shiftKeepsTheBoundsSymmetric()
    {
        QSignalSpy spy(m_plot.get(), &DistributionPlot::boundsEdited);
        press(2.0);
        move(1.5, Qt::ShiftModifier);
        QVERIFY(std::abs(m_plot->bounds().upper - 1.5) < 2.0 * unitsPerPixel());
        QCOMPARE(m_plot->bounds().lower, -m_plot->bounds().upper);
        move(1.25, Qt::NoModifier); // without it, the other bound is where it was
        QCOMPARE(m_plot->bounds().lower, -2.0);
        move(1.0, Qt::ShiftModifier);
        release(1.0);
        QCOMPARE(m_plot->bounds().lower, -m_plot->bounds().upper);
        QCOMPARE(phaseOf(spy, spy.size() - 1), EditPhase::End);
        QCOMPARE(boundsOf(spy, spy.size() - 1), m_plot->bounds());
    }
    void escapeTakesASymmetricDragBack()
    {
        QSignalSpy spy(m_plot.get(), &DistributionPlot::boundsEdited);
        press(2.0);
        move(1.0, Qt::ShiftModifier);
        QTest::keyClick(canvas(), Qt::Key_Escape);
        QCOMPARE(phaseOf(spy, spy.size() - 1), EditPhase::Abort);
        QCOMPARE(boundsOf(spy, spy.size() - 1), (Bounds {-2.0, 2.0}));
        QCOMPARE(m_plot->bounds(), (Bounds {-2.0, 2.0}));
        release(1.0);
    }
    void aBoundClicksIntoPercentileMarksUnlessCtrlIsHeld()
    {
        m_plot->setPercentileMarks({{1.0, QStringLiteral("99 %")}});
        const double near = 1.0 + 3.0 * unitsPerPixel();
        press(2.0);
        move(near, Qt::NoModifier);
        QCOMPARE(m_plot->bounds().upper, 1.0);
        move(near, Qt::ControlModifier);
        QVERIFY(m_plot->bounds().upper > 1.0);
        release(near);
    }
    void grabbingBesideTheLineDoesNotMakeItJump()
    {
        const QPoint start = at(2.0) + QPoint(DraggableBound::kGrabDistance - 1, 0);
        QTest::mousePress(canvas(), Qt::LeftButton, {}, start);
        QTest::mouseMove(canvas(), start);
        QTest::mouseRelease(canvas(), Qt::LeftButton, {}, start);
        QVERIFY(std::abs(m_plot->bounds().upper - 2.0) < 1e-9);
    }
    void missingTheHitStripDoesNotGrab()
    {
        QSignalSpy spy(m_plot.get(), &DistributionPlot::boundsEdited);
        const QPoint start = at(2.0) + QPoint(DraggableBound::kGrabDistance + 3, 0);
        QTest::mousePress(canvas(), Qt::LeftButton, {}, start);
        QTest::mouseMove(canvas(), start + QPoint(40, 0));
        QTest::mouseRelease(canvas(), Qt::LeftButton, {}, start + QPoint(40, 0));
        QCOMPARE(spy.size(), 0);
    }
    void theValuesCannotBePannedOutOfSight()
    {
        QCPAxis* values = m_plot->plot()->xAxis;
        for (const double width : {1.0, 8.0}) { // zoomed in, and all of it; the values end at 4
            values->setRange(50.0, 50.0 + width);
            QVERIFY(values->range().center() < 4.5);
            values->setRange(-50.0 - width, -50.0);
            QVERIFY(values->range().center() > -4.5);
        }
    }
    void boundsCannotCross()
    {
        drag(2.0, -3.5);
        QVERIFY(m_plot->bounds().upper > m_plot->bounds().lower);
        QCOMPARE(m_plot->bounds().lower, -2.0);
        QCOMPARE(m_plot->bounds().upper, -2.0 + 0.0625);
    }
    void setterIsSilent()
    {
        QSignalSpy spy(m_plot.get(), &DistributionPlot::boundsEdited);
        m_plot->setBounds(Bounds {-1.0, 1.0});
        QCOMPARE(m_plot->bounds(), (Bounds {-1.0, 1.0}));
        QCOMPARE(spy.size(), 0);
    }
    void aBoundInTheHandIgnoresTheSetter()
    {
        QTest::mousePress(canvas(), Qt::LeftButton, {}, at(2.0));
        QTest::mouseMove(canvas(), at(2.5));
        const double held = m_plot->bounds().upper;
        m_plot->setBounds(Bounds {-1.5, 0.5});
        QCOMPARE(m_plot->bounds().upper, held);
        QCOMPARE(m_plot->bounds().lower, -1.5);
        QTest::mouseRelease(canvas(), Qt::LeftButton, {}, at(2.5));
        QVERIFY(!m_plot->isInGesture());
    }
    void escapeAbortsAndRestores()
    {
        QSignalSpy spy(m_plot.get(), &DistributionPlot::boundsEdited);
        QTest::mousePress(canvas(), Qt::LeftButton, {}, at(2.0));
        QTest::mouseMove(canvas(), at(3.0));
        QTest::keyClick(canvas(), Qt::Key_Escape);
        QCOMPARE(m_plot->bounds(), (Bounds {-2.0, 2.0}));
        QCOMPARE(phaseOf(spy, spy.size() - 1), EditPhase::Abort);
        QCOMPARE(boundsOf(spy, spy.size() - 1), (Bounds {-2.0, 2.0}));
        const auto emitted = spy.size();
        QTest::mouseMove(canvas(), at(3.5));
        QTest::mouseRelease(canvas(), Qt::LeftButton, {}, at(3.5));
        QCOMPARE(spy.size(), emitted);
    }
    void arrowsNudgeByOneBinAndShiftByTen()
    {
        focusUpper();
        QSignalSpy spy(m_plot.get(), &DistributionPlot::boundsEdited);
        QTest::keyClick(canvas(), Qt::Key_Right);
        QCOMPARE(m_plot->bounds().upper, 2.0625);
        QCOMPARE(spy.size(), 3);
        QCOMPARE(phaseOf(spy, 0), EditPhase::Begin);
        QCOMPARE(phaseOf(spy, 1), EditPhase::Update);
        QCOMPARE(phaseOf(spy, 2), EditPhase::End);
        QTest::keyClick(canvas(), Qt::Key_Left, Qt::ShiftModifier);
        QCOMPARE(m_plot->bounds().upper, 2.0625 - 0.625);
    }
    void tabChangesTheBoundThatTakesTheKeys()
    {
        canvas()->clearFocus();
        canvas()->setFocus(Qt::TabFocusReason);
        QTest::keyClick(canvas(), Qt::Key_Right);
        QCOMPARE(m_plot->bounds(), (Bounds {-1.9375, 2.0}));
        QTest::keyClick(canvas(), Qt::Key_Tab);
        QTest::keyClick(canvas(), Qt::Key_Left);
        QCOMPARE(m_plot->bounds(), (Bounds {-1.9375, 1.9375}));
        QTest::keyClick(canvas(), Qt::Key_Backtab);
        QTest::keyClick(canvas(), Qt::Key_Left);
        QCOMPARE(m_plot->bounds(), (Bounds {-2.0, 1.9375}));
    }
    void doubleClickOnABoundAsksForAnAutomaticOne()
    {
        QSignalSpy spy(m_plot.get(), &DistributionPlot::automaticRequested);
        QTest::mouseDClick(canvas(), Qt::LeftButton, {}, at(2.0));
        QCOMPARE(spy.size(), 1);
        QTest::mouseDClick(canvas(), Qt::LeftButton, {}, at(0.0));
        QCOMPARE(spy.size(), 1);
    }
    void doubleClickOnEmptySpaceShowsEverything()
    {
        canvas()->xAxis->setRange(0.5, 1.0);
        settle();
        QTest::mouseDClick(canvas(), Qt::LeftButton, {}, at(0.75));
        QVERIFY(canvas()->xAxis->range().contains(-4.0));
        QVERIFY(canvas()->xAxis->range().contains(4.0));
    }
    void wheelZoomsAroundTheMouseAndRResets()
    {
        const double before = canvas()->xAxis->range().size();
        const QPointF position = at(1.0);
        QWheelEvent wheel(position, canvas()->mapToGlobal(position), {}, {0, 240}, Qt::NoButton, {},
            Qt::NoScrollPhase, false);
        QApplication::sendEvent(canvas(), &wheel);
        QVERIFY(canvas()->xAxis->range().size() < before);
        QVERIFY(std::abs(canvas()->xAxis->coordToPixel(1.0) - position.x()) < 2.0);
        QTest::keyClick(canvas(), Qt::Key_R);
        QCOMPARE(canvas()->xAxis->range().size(), before);
    }
    void lockedAndAbsentBoundsDoNotMove()
    {
        QSignalSpy spy(m_plot.get(), &DistributionPlot::boundsEdited);
        m_plot->setDraggableSides(DraggableSides::None);
        drag(2.0, 3.0);
        m_plot->setDraggableSides(DraggableSides::Both);
        m_plot->setBounds(std::nullopt);
        drag(2.0, 3.0);
        QCOMPARE(spy.size(), 0);
    }
    void logHistogramsHaveALogAxisAndOneBound()
    {
        m_plot->setHistogram(logHistogram(), 0.0, 1.0);
        m_plot->setDraggableSides(DraggableSides::Upper);
        m_plot->setBounds(Bounds {0.0, 0.5});
        settle();
        QCOMPARE(m_plot->valueScale(), AxisScale::Log);
        QSignalSpy spy(m_plot.get(), &DistributionPlot::boundsEdited);
        drag(0.5, 0.125);
        QVERIFY(spy.size() >= 4);
        QVERIFY(std::abs(std::log2(m_plot->bounds().upper / 0.125)) < 0.1);
        QCOMPARE(m_plot->bounds().lower, 0.0);
        m_plot->setBounds(Bounds {0.0, 0.5});
        focusUpper();
        QTest::keyClick(canvas(), Qt::Key_Right);
        QCOMPARE(m_plot->bounds().upper, 0.625); // a quarter of the octave from 0.5 to 1
        m_plot->setValueScale(AxisScale::Linear);
        QCOMPARE(m_plot->valueScale(), AxisScale::Linear);
    }
    void negativeValuesHaveNoLogAxis()
    {
        m_plot->setValueScale(AxisScale::Log);
        QCOMPARE(m_plot->valueScale(), AxisScale::Linear);
    }
    void hoverTellsValueAndCount()
    {
        QTest::mouseMove(canvas(), at(0.53));
        QVERIFY2(m_plot->hoverText().contains(QStringLiteral("count 100")), qPrintable(m_plot->hoverText()));
    }

private:
    QCustomPlot* canvas() const { return m_plot->plot(); }
    void settle()
    {
        canvas()->replot(QCustomPlot::rpImmediateRefresh);
        QCoreApplication::processEvents();
    }
    QPoint at(double value) const
    {
        return {qRound(canvas()->xAxis->coordToPixel(value)), canvas()->axisRect()->rect().center().y()};
    }
    void press(double value) { QTest::mousePress(canvas(), Qt::LeftButton, {}, at(value)); }
    void move(double value, Qt::KeyboardModifiers modifiers)
    {
        const QPointF pixel(at(value));
        QMouseEvent event(
            QEvent::MouseMove, pixel, canvas()->mapToGlobal(pixel), Qt::NoButton, Qt::LeftButton, modifiers);
        QCoreApplication::sendEvent(canvas(), &event);
    }
    void release(double value) { QTest::mouseRelease(canvas(), Qt::LeftButton, {}, at(value)); }
    double unitsPerPixel() const
    {
        return canvas()->xAxis->pixelToCoord(1) - canvas()->xAxis->pixelToCoord(0);
    }
    void drag(double from, double to)
    {
        QTest::mousePress(canvas(), Qt::LeftButton, {}, at(from));
        QTest::mouseMove(canvas(), at((from + to) / 2.0));
        QTest::mouseMove(canvas(), at(to));
        QTest::mouseRelease(canvas(), Qt::LeftButton, {}, at(to));
    }
    void focusUpper()
    {
        QTest::mouseClick(canvas(), Qt::LeftButton, {}, at(m_plot->bounds().upper));
        m_plot->setBounds(m_plot->bounds());
    }
    static EditPhase phaseOf(const QSignalSpy& spy, qsizetype index)
    {
        return spy.at(index).at(1).value<EditPhase>();
    }
    static Bounds boundsOf(const QSignalSpy& spy, qsizetype index)
    {
        return spy.at(index).at(0).value<Bounds>();
    }

    std::unique_ptr<DistributionPlot> m_plot;
};

QTEST_MAIN(TestDistributionPlot)
#include "tst_distribution_plot.moc"
