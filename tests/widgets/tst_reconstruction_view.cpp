#include "widgets/plot/loss_curve.h"
#include "widgets/views/reconstruction_view.h"

#include <qcustomplot.h>

#include <QPushButton>
#include <QSignalSpy>
#include <QTableWidget>
#include <QTest>

#include <cmath>

using namespace qs;
using namespace Qt::StringLiterals;

namespace {

constexpr std::int64_t kIterations = 40;
constexpr int kBlocks = 3;

/// Losses a reader works out by hand: 1/2, 1/3, 1/4, … from iteration 0 on, ten times less in every next
/// block.
double lossAt(int block, std::int64_t iteration)
{
    return std::pow(0.1, block) / static_cast<double>(iteration + 2);
}

std::vector<LossPoint> points(int block, std::int64_t from, std::int64_t to)
{
    std::vector<LossPoint> list;
    for (std::int64_t i = from; i < to; ++i) {
        list.push_back({"blocks." + std::to_string(block), block, kBlocks, i, kIterations, lossAt(block, i)});
    }
    return list;
}

} // namespace

class TestReconstructionView : public QObject
{
    Q_OBJECT

    std::unique_ptr<ReconstructionView> m_view;

    [[nodiscard]] QCustomPlot* canvas() const { return m_view->curve()->plot(); }
    [[nodiscard]] QString cell(int row, int column) const
    {
        return m_view->table()->item(row, column)->text();
    }
    [[nodiscard]] QPoint pixel(double iteration) const
    {
        return {
            static_cast<int>(canvas()->xAxis->coordToPixel(iteration)), canvas()->axisRect()->center().y()};
    }

private slots:
    void init()
    {
        m_view = std::make_unique<ReconstructionView>();
        m_view->resize(1100, 260);
        m_view->show();
        QVERIFY(QTest::qWaitForWindowExposed(m_view.get()));
        m_view->begin(u"repquant W4A4"_s);
        m_view->addPoints(points(0, 0, kIterations));
        m_view->addPoints(points(1, 0, 5));
        canvas()->replot();
    }
    void everySectionHasItsFirstAndItsLatestLoss()
    {
        const auto& sections = m_view->curve()->sections();
        QCOMPARE(sections.size(), std::size_t {2});
        QCOMPARE(sections[0].name, u"blocks.0"_s);
        QCOMPARE(sections[0].first, 0.5);
        double mean = 0.0; // of the last ten: 1/32 … 1/41
        for (int i = 32; i <= 41; ++i) {
            mean += 0.1 / i;
        }
        QVERIFY(std::abs(sections[0].last - mean) < 1e-12);
        QCOMPARE(sections[1].iterations, std::int64_t {5});
        double few = 0.0; // only five there are: 0.1/2 … 0.1/6
        for (int i = 2; i <= 6; ++i) {
            few += 0.02 / i;
        }
        QVERIFY(std::abs(sections[1].last - few) < 1e-12);
        QCOMPARE(m_view->table()->rowCount(), 2);
        QCOMPARE(cell(0, 1), u"0.5"_s);
        QCOMPARE(cell(0, 3), u"12.6 dB"_s); // 10 log10(0.5 / 0.0276)
    }
    void theLossAxisIsLogarithmicAndFollowsTheRun()
    {
        QCOMPARE(canvas()->yAxis->scaleType(), QCPAxis::stLogarithmic);
        QCOMPARE(canvas()->xAxis->range().upper, static_cast<double>(kBlocks * kIterations));
        const double lowest = canvas()->yAxis->range().lower;
        m_view->addPoints(points(2, 0, 20));
        QVERIFY(canvas()->yAxis->range().lower < lowest / 5.0);
        QVERIFY(canvas()->yAxis->range().contains(lossAt(2, 19)));
    }
    void aShorterLastSectionStandsBehindTheOthers()
    {
        m_view->addPoints(points(1, 5, kIterations));
        m_view->addPoints({{"all blocks", 2, kBlocks, 3, 10, 0.01}}); // resumed at its fourth iteration
        canvas()->replot();
        QCOMPARE(m_view->curve()->sections()[2].begin, 2 * kIterations);
        QCOMPARE(canvas()->xAxis->range().upper, 2.0 * kIterations + 10.0);
        QTest::mouseMove(canvas(), pixel(2.0 * kIterations + 3.5));
        QVERIFY2(canvas()->toolTip().contains(u"all blocks\niteration 4 of 10: loss 0.01"_s),
            qPrintable(canvas()->toolTip()));
    }
    void aZoomStaysUntilR()
    {
        const QPointF at = pixel(60.0);
        QWheelEvent wheel(at, canvas()->mapToGlobal(at), {}, {0, 240}, Qt::NoButton, Qt::NoModifier,
            Qt::NoScrollPhase, false);
        QApplication::sendEvent(canvas(), &wheel);
        const QCPRange zoomed = canvas()->xAxis->range();
        QVERIFY(zoomed.size() < 0.9 * kBlocks * kIterations);
        m_view->addPoints(points(1, 5, 10));
        QCOMPARE(canvas()->xAxis->range(), zoomed);
        QTest::keyClick(canvas(), Qt::Key_R);
        QCOMPARE(canvas()->xAxis->range().upper, static_cast<double>(kBlocks * kIterations));
    }
    void hoverTellsTheIteration()
    {
        QTest::mouseMove(canvas(), pixel(10.5));
        QVERIFY2(canvas()->toolTip().contains(u"iteration 11 of 40: loss 0.08333"_s),
            qPrintable(canvas()->toolTip()));
        QTest::mouseMove(canvas(), pixel(110.5)); // not there yet
        QCOMPARE(canvas()->toolTip(), QString());
    }
    void aClickChoosesTheSection()
    {
        QSignalSpy spy(m_view.get(), &ReconstructionView::sectionChosen);
        QTest::mouseClick(canvas(), Qt::LeftButton, {}, pixel(kIterations + 2.0));
        QCOMPARE(spy.size(), 1);
        QCOMPARE(spy.last().first().toString(), u"blocks.1"_s);
        QTableWidget* table = m_view->table();
        QTest::mouseClick(
            table->viewport(), Qt::LeftButton, {}, table->visualItemRect(table->item(0, 0)).center());
        QCOMPARE(spy.last().first().toString(), u"blocks.0"_s);
    }
    void progressNamesSectionAndTimes()
    {
        m_view->setProgress({u"train"_s, 45, 120, 65.0, 107.0});
        QCOMPARE(m_view->status(), u"training blocks.1 (section 2 of 3), iteration 5 of 40"_s);
        m_view->end(u"done"_s);
        QCOMPARE(m_view->status(), u"done"_s);
        QVERIFY(!m_view->cancelButton()->isVisible());
        QCOMPARE(m_view->table()->rowCount(), 2); // still to read
        QVERIFY(m_view->curve()->isVisible());
        QVERIFY(m_view->curve()->csv().startsWith(u"block,iteration,loss\nblocks.0,0,0.500000000\n"_s));
    }
    void cancelIsAskedOnce()
    {
        QSignalSpy spy(m_view.get(), &ReconstructionView::cancelRequested);
        QTest::mouseClick(m_view->cancelButton(), Qt::LeftButton);
        QTest::mouseClick(m_view->cancelButton(), Qt::LeftButton);
        QCOMPARE(spy.size(), 1);
        m_view->setProgress({u"train"_s, 46, 120, 66.0, {}});
        QCOMPARE(m_view->status(), u"cancelling"_s);
        m_view->begin(u"again"_s);
        QVERIFY(m_view->cancelButton()->isEnabled());
        QVERIFY(m_view->curve()->sections().empty());
    }
    void sectionsKeptFromBeforeAreCounted()
    {
        m_view->begin(u"repquant W4A4"_s);
        m_view->addPoints(points(2, 0, 3));
        const auto labels = m_view->findChildren<QLabel*>();
        QVERIFY(std::ranges::any_of(labels, [](const QLabel* label) {
            return label->text().contains(u"2 section(s) kept"_s)
                || label->text().contains(u"2 sections kept"_s);
        }));
    }
    void layersOfAMethodWithoutTrainingAreATable()
    {
        m_view->begin(u"repquant-fast W4A4"_s);
        m_view->setLayers({{"blocks.0.attn.qkv", 0.02, 0.002}, {"head", 0.5, 0.5}});
        m_view->end(u"done"_s);
        QVERIFY(!m_view->curve()->isVisible());
        QCOMPARE(m_view->table()->rowCount(), 2);
        QCOMPARE(cell(0, 3), u"10.0 dB"_s);
        QCOMPARE(cell(1, 3), u"0.0 dB"_s);
    }
};

QTEST_MAIN(TestReconstructionView)
#include "tst_reconstruction_view.moc"
