#include "widgets/plot/channel_range_plot.h"
#include "widgets/views/reparameterization_view.h"

#include <qcustomplot.h>

#include <QCheckBox>
#include <QPushButton>
#include <QSignalSpy>
#include <QTableWidget>
#include <QTest>

#include <limits>

using namespace qs;
using namespace Qt::StringLiterals;

namespace {

/// Two channels of very unlike width, by hand.
ReparameterizationEffect effect()
{
    ReparameterizationEffect effect;
    QuantParams channels;
    channels.bits = 4;
    channels.granularity = Granularity::Group;
    channels.scales = {0.1F, 2.0F};
    channels.zeroPoints = {5, 7};
    channels.bounds = {{-0.5, 1.0}, {-14.0, 16.0}};
    effect.change = meanReparameterization("n", channels);
    effect.before.bits = 4;
    effect.before.scales = {2.0F};
    effect.before.zeroPoints = {7};
    effect.ranges = {{-0.5, 1.0}, {-14.0, 16.0}};
    effect.rewrittenRanges = {{-6.0, 9.0}, {-6.0, 9.5}};
    effect.errorBefore.signal = 1000.0;
    effect.errorBefore.rounding = 100.0; // 10 dB
    effect.errorAfter.signal = 1000.0;
    effect.errorAfter.rounding = 1.0; // 30 dB
    effect.linears = {{"blocks.0.mlp.fc1", 20.0, 17.5, 9.0, 16.0}};
    effect.largestRelativeDifference = 3.4e-7;
    effect.samples = 8;
    return effect;
}

} // namespace

class TestReparameterizationView : public QObject
{
    Q_OBJECT

    std::unique_ptr<ReparameterizationView> m_view;

    [[nodiscard]] QString cell(int row, int column) const
    {
        return m_view->table()->item(row, column)->text();
    }

private slots:
    void init()
    {
        m_view = std::make_unique<ReparameterizationView>();
        m_view->resize(1300, 260);
        m_view->show();
        QVERIFY(QTest::qWaitForWindowExposed(m_view.get()));
        m_view->setSite(u"blocks.0.mlp.fc1.input"_s);
        m_view->setEffect(effect(), {});
    }
    void everyErrorIsShownBeforeAndAfter()
    {
        QCOMPARE(m_view->table()->rowCount(), 4);
        QCOMPARE(cell(0, 1), u"10.0 dB"_s);
        QCOMPARE(cell(0, 2), u"30.0 dB"_s);
        QCOMPARE(cell(0, 3), u"▲ 20.0 dB"_s);
        QCOMPARE(cell(1, 0), u"Weight of fc1"_s);
        QCOMPARE(cell(1, 3), u"▼ 2.5 dB"_s);
        QCOMPARE(cell(2, 3), u"▲ 7.0 dB"_s);
        QVERIFY(m_view->table()->item(3, 0)->toolTip().contains(u"8 samples"_s));
        QCOMPARE(cell(3, 2), u"Δ 3.4e−7"_s);
    }
    void theOneScalesBoundsAreThoseOfItsCodes()
    {
        // codes 0 … 15 at step 2 and zero point 7
        QTest::mouseMove(m_view->before()->plot(),
            QPoint(static_cast<int>(m_view->before()->plot()->xAxis->coordToPixel(1.0)),
                m_view->before()->plot()->axisRect()->center().y()));
        const QString text = m_view->before()->plot()->toolTip();
        QVERIFY2(text.contains(u"channel 1: −14 … 16"_s), qPrintable(text));
        QVERIFY2(text.contains(u"one scale: −14 … 16"_s), qPrintable(text));
        QVERIFY2(text.contains(u"per channel: −14 … 16"_s), qPrintable(text));
    }
    void learnedBoundsAreALineOfTheirOwnAndInfiniteOnesAreNotDrawn()
    {
        constexpr double kInfinity = std::numeric_limits<double>::infinity();
        const int graphs = m_view->before()->plot()->graphCount();
        m_view->setEffect(effect(), {{-0.25, 0.75}, {-kInfinity, kInfinity}});
        QCustomPlot* plot = m_view->before()->plot();
        QCOMPARE(plot->graphCount(), graphs + 2);
        const auto learned = plot->graph(plot->graphCount() - 2)->data();
        QCOMPARE(learned->at(0)->value, 0.75);
        QVERIFY(std::isnan(learned->at(1)->value));
        QVERIFY(m_view->before()->csv().startsWith(
            u"channel,minimum,maximum,\"calibrated, lower\",\"calibrated, upper\",\"learned, lower\""_s));
        plot->replot();
    }
    void switchesAreSilentUntilTheUsersHand()
    {
        QSignalSpy one(m_view.get(), &ReparameterizationView::thisToggled);
        QSignalSpy all(m_view.get(), &ReparameterizationView::allToggled);
        m_view->setSwitches({false, 1, 24, {}, false});
        QCOMPARE(m_view->allSwitch()->checkState(), Qt::PartiallyChecked);
        QVERIFY(!m_view->boundsButton()->isVisible());
        QCOMPARE(one.size() + all.size(), 0);
        QTest::mouseClick(
            m_view->thisSwitch(), Qt::LeftButton, {}, QPoint(8, m_view->thisSwitch()->height() / 2));
        QCOMPARE(one.size(), 1);
        QCOMPARE(one.first().first().toBool(), true);
        m_view->setSwitches({true, 24, 24, {}, true});
        QVERIFY(m_view->boundsButton()->isVisible());
        QTest::keyClick(m_view->allSwitch(), Qt::Key_Space);
        QCOMPARE(all.size(), 1);
        QCOMPARE(all.first().first().toBool(), false);
        m_view->setSwitches({true, 24, 24, u"trained"_s, true});
        QVERIFY(!m_view->thisSwitch()->isEnabled() && !m_view->allSwitch()->isEnabled());
    }
    void anotherSiteLosesTheFigures()
    {
        m_view->setSite(u"blocks.0.mlp.fc1.input"_s);
        QCOMPARE(m_view->table()->rowCount(), 4);
        m_view->setSite(u"blocks.1.mlp.fc1.input"_s);
        QCOMPARE(m_view->table()->rowCount(), 0);
    }
};

QTEST_MAIN(TestReparameterizationView)
#include "tst_reparameterization_view.moc"
