#include "core/quant/resolve.h"
#include "tests/widgets/synthetic.h"
#include "widgets/common/number_edit.h"
#include "widgets/plot/channel_map.h"
#include "widgets/plot/distribution_plot.h"
#include "widgets/views/distribution_view.h"

#include <qcustomplot.h>

#include <QComboBox>
#include <QSignalSpy>
#include <QTest>

#include <cmath>

using namespace qs;
using namespace Qt::StringLiterals;

class TestDistributionView : public QObject
{
    Q_OBJECT
private slots:
    void init()
    {
        m_view = std::make_unique<DistributionView>();
        m_view->resize(900, 640);
        m_statistics = synthetic::layerNormSite(24, 2000);
        m_view->show();
        QVERIFY(QTest::qWaitForWindowExposed(m_view.get()));
    }
    void cleanup() { m_view.reset(); }

    void numbersAndLinesAgreeAfterTheSetter()
    {
        QSignalSpy spy(m_view.get(), &DistributionView::boundsEdited);
        show(Granularity::Tensor);
        QCOMPARE(m_view->lowerEdit()->value(), m_view->distributionPlot()->bounds().lower);
        QCOMPARE(m_view->upperEdit()->value(), m_view->distributionPlot()->bounds().upper);
        QCOMPARE(m_view->upperEdit()->value(), m_params.bounds.front().upper);
        QCOMPARE(spy.size(), 0);
    }
    void numericEntryIsOneGesture()
    {
        show(Granularity::Tensor);
        const Bounds before = m_view->distributionPlot()->bounds();
        QSignalSpy spy(m_view.get(), &DistributionView::boundsEdited);
        NumberEdit* edit = m_view->upperEdit();
        edit->setFocus();
        edit->selectAll();
        QTest::keyClicks(edit, u"1.5"_s);
        QTest::keyClick(edit, Qt::Key_Return);
        QCOMPARE(spy.size(), 3);
        QCOMPARE(spy.at(0).at(0).value<Bounds>(), before);
        QCOMPARE(spy.at(0).at(1).value<EditPhase>(), EditPhase::Begin);
        QCOMPARE(spy.at(1).at(1).value<EditPhase>(), EditPhase::Update);
        QCOMPARE(spy.at(2).at(1).value<EditPhase>(), EditPhase::End);
        QCOMPARE(spy.at(2).at(0).value<Bounds>(), (Bounds {before.lower, 1.5}));
        QCOMPARE(m_view->distributionPlot()->bounds().upper, 1.5);
    }
    void numbersFollowADrag()
    {
        show(Granularity::Tensor);
        QSignalSpy spy(m_view.get(), &DistributionView::boundsEdited);
        QCustomPlot* canvas = m_view->distributionPlot()->plot();
        canvas->replot(QCustomPlot::rpImmediateRefresh);
        const int y = canvas->axisRect(0)->rect().center().y();
        const auto x = [&](double value) { return qRound(canvas->xAxis->coordToPixel(value)); };
        const double upper = m_params.bounds.front().upper;
        QTest::mousePress(canvas, Qt::LeftButton, {}, {x(upper), y});
        QTest::mouseMove(canvas, {x(upper * 0.5), y});
        QVERIFY(m_view->isInGesture());
        QCOMPARE(m_view->upperEdit()->value(), m_view->distributionPlot()->bounds().upper);
        QVERIFY(m_view->upperEdit()->value() < upper * 0.6);
        m_view->setQuantizer(m_params); // a late result of the old bounds
        QVERIFY(m_view->distributionPlot()->bounds().upper < upper * 0.6);
        QTest::mouseRelease(canvas, Qt::LeftButton, {}, {x(upper * 0.5), y});
        QCOMPARE(spy.last().at(1).value<EditPhase>(), EditPhase::End);
    }
    void groupBoundsBelongToTheSelectedGroup()
    {
        show(Granularity::Group);
        QCOMPARE(m_view->editedGroup(), -1);
        QVERIFY(!m_view->upperEdit()->isEnabled()); // the tensor has no bounds of its own
        QSignalSpy spy(m_view.get(), &DistributionView::groupSelected);
        m_view->setSelectedGroup(7);
        QCOMPARE(spy.size(), 0);
        QCOMPARE(m_view->editedGroup(), 7);
        QCOMPARE(m_view->upperEdit()->value(), m_params.bounds[7].upper);
        QCOMPARE(m_view->channelMap()->selectedChannel(), 7);
    }
    void theSelectorAndTheMapSelectGroups()
    {
        show(Granularity::Tensor);
        QSignalSpy spy(m_view.get(), &DistributionView::groupSelected);
        QComboBox* box = groupBox();
        QVERIFY(box);
        box->setFocus();
        QTest::keyClick(box, Qt::Key_Down);
        QCOMPARE(spy.last().first().toInt(), 0);
        QCOMPARE(m_view->channelMap()->selectedChannel(), 0);
        QCOMPARE(m_view->editedGroup(), -1); // one scale for all
        m_view->channelMap()->plot()->setFocus();
        QTest::keyClick(m_view->channelMap()->plot(), Qt::Key_End);
        QCOMPARE(spy.last().first().toInt(), 23);
        QCOMPARE(box->currentIndex(), 24);
        QTest::keyClick(m_view->channelMap()->plot(), Qt::Key_Escape);
        QCOMPARE(m_view->selectedGroup(), -1);
    }
    void markedChannelsAreShownTogether()
    {
        show(Granularity::Tensor);
        QCustomPlot* map = m_view->channelMap()->plot();
        map->replot(QCustomPlot::rpImmediateRefresh);
        const auto at = [&](int position) {
            return QPoint(qRound(map->xAxis->coordToPixel(position)), map->axisRect()->rect().center().y());
        };
        QTest::mousePress(map, Qt::LeftButton, {}, at(4));
        QTest::mouseMove(map, at(6));
        QTest::mouseRelease(map, Qt::LeftButton, {}, at(6));
        QCOMPARE(m_view->distributionPlot()->histogram()->total(), std::uint64_t {3 * 2000});
        QTest::keyClick(map, Qt::Key_Escape);
        QCOMPARE(m_view->distributionPlot()->histogram()->total(), std::uint64_t {24 * 2000});
    }
    void softmaxShowsTheCutoffAndLocksTheLowerBound()
    {
        SiteChoice choice;
        choice.enabled = true;
        choice.bits = 3;
        choice.kind = QuantizerKind::Log2;
        const auto softmax = synthetic::softmaxSite(4, 4000);
        SiteRow row;
        row.name = u"softmax"_s;
        row.choice = choice;
        m_view->setSite(row);
        m_view->setStatistics(softmax);
        m_view->setQuantizer(resolveActivation(choice, *softmax));
        QCOMPARE(m_view->distributionPlot()->valueScale(), AxisScale::Log);
        QVERIFY(!m_view->lowerEdit()->isEnabled());
        QVERIFY(m_view->upperEdit()->isEnabled());
    }
    void anotherSiteGivesUpWhatWasKnown()
    {
        show(Granularity::Tensor);
        m_view->setSelectedGroup(3);
        SiteRow other;
        other.name = u"other"_s;
        m_view->setSite(other);
        QCOMPARE(m_view->selectedGroup(), -1);
        QVERIFY(!m_view->distributionPlot()->histogram());
        m_view->setSite(std::nullopt);
        m_view->setQuantizer(std::nullopt);
        QCOMPARE(m_view->editedGroup(), -1);
    }

private:
    void show(Granularity granularity)
    {
        SiteChoice choice;
        choice.enabled = true;
        choice.bits = 6;
        choice.granularity = granularity;
        SiteRow row;
        row.name = u"site"_s;
        row.choice = choice;
        m_view->setSite(row);
        m_view->setStatistics(m_statistics);
        m_params = resolveActivation(choice, *m_statistics);
        m_view->setQuantizer(m_params);
        QCoreApplication::processEvents();
    }
    QComboBox* groupBox() const
    {
        for (QComboBox* box : m_view->findChildren<QComboBox*>()) {
            if (box->accessibleName() == u"Shown part"_s) {
                return box;
            }
        }
        return nullptr;
    }

    std::unique_ptr<DistributionView> m_view;
    std::shared_ptr<const SiteStatistics> m_statistics;
    QuantParams m_params;
};

QTEST_MAIN(TestDistributionView)
#include "tst_distribution_view.moc"
