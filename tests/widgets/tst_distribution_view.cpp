#include "core/quant/resolve.h"
#include "tests/widgets/synthetic.h"
#include "widgets/common/display_names.h"
#include "widgets/common/number_edit.h"
#include "widgets/plot/channel_map.h"
#include "widgets/plot/distribution_plot.h"
#include "widgets/plot/plot_legend.h"
#include "widgets/views/distribution_view.h"
#include "widgets/views/ghost_menu.h"

#include <qcustomplot.h>

#include <QAction>
#include <QComboBox>
#include <QMenu>
#include <QSignalSpy>
#include <QTest>
#include <QToolButton>

#include <algorithm>
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
    void whatIsReadOnlyDoesNotMove()
    {
        show(Granularity::Tensor);
        m_view->setReadOnly(true);
        QVERIFY(!m_view->lowerEdit()->isEnabled() && !m_view->upperEdit()->isEnabled());
        QSignalSpy spy(m_view.get(), &DistributionView::boundsEdited);
        DistributionPlot* plot = m_view->distributionPlot();
        plot->plot()->replot(QCustomPlot::rpImmediateRefresh);
        const Bounds before = plot->bounds();
        const auto at = [plot](double value) {
            return QPoint(qRound(plot->plot()->xAxis->coordToPixel(value)),
                plot->plot()->axisRect(0)->rect().center().y());
        };
        QTest::mousePress(plot->plot(), Qt::LeftButton, {}, at(before.upper));
        QTest::mouseMove(plot->plot(), at(before.upper * 0.5));
        QTest::mouseRelease(plot->plot(), Qt::LeftButton, {}, at(before.upper * 0.5));
        QCOMPARE(spy.size(), 0);
        QCOMPARE(plot->bounds(), before);
        m_view->setReadOnly(false);
        QVERIFY(m_view->upperEdit()->isEnabled());
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
        QVERIFY(m_view->editedGroups().isEmpty());
        QVERIFY(!m_view->upperEdit()->isEnabled()); // the tensor has no bounds of its own
        QCOMPARE(m_view->upperEdit()->text(), QString());
        QVERIFY(m_view->distributionPlot()->errorNote().contains(u"has its own bounds"_s));
        QSignalSpy spy(m_view.get(), &DistributionView::groupSelected);
        m_view->setSelectedGroup(7);
        QCOMPARE(spy.size(), 0);
        QCOMPARE(m_view->editedGroups(), QVector<int> {7});
        QCOMPARE(m_view->upperEdit()->value(), m_params.bounds[7].upper);
        QVERIFY(m_view->upperEdit()->text() != QString());
        QCOMPARE(m_view->distributionPlot()->errorNote(), QString());
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
        QVERIFY(m_view->editedGroups().isEmpty()); // one scale for all
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
    void markedChannelsAreEditedTogether()
    {
        show(Granularity::Group);
        brush(4, 6);
        QCOMPARE(m_view->editedGroups(), (QVector<int> {4, 5, 6}));
        const Bounds shown = m_view->distributionPlot()->bounds();
        for (const std::size_t group : {4U, 5U, 6U}) { // the hull of what they have
            QVERIFY(
                shown.lower <= m_params.bounds[group].lower && shown.upper >= m_params.bounds[group].upper);
        }
    }
    void altTakesTheGroupMarkedLast()
    {
        show(Granularity::Group);
        brush(4, 6);
        m_view->setSelectedGroup(5);
        QCOMPARE(m_view->editedGroups(), QVector<int> {5});
        dragUpper(Qt::AltModifier);
        QCOMPARE(m_view->editedGroups(), (QVector<int> {4, 5, 6}));
        dragUpper(Qt::NoModifier);
        QCOMPARE(m_view->editedGroups(), QVector<int> {5});
        m_view->setSelectedGroup(9); // not one of the marked
        dragUpper(Qt::AltModifier);
        QCOMPARE(m_view->editedGroups().size(), qsizetype {24});
    }
    void percentileMarksAreQuantilesOfWhatIsShown()
    {
        show(Granularity::Tensor);
        QSignalSpy spy(m_view.get(), &DistributionView::boundsEdited);
        const auto& histogram = *m_view->distributionPlot()->histogram();
        const double p99 = quantile(histogram, 0.99, static_cast<double>(m_statistics->minimum()),
            static_cast<double>(m_statistics->maximum()));
        QCustomPlot* canvas = m_view->distributionPlot()->plot();
        canvas->replot(QCustomPlot::rpImmediateRefresh);
        const int y = canvas->axisRect(0)->rect().center().y();
        const auto x = [&](double value) { return qRound(canvas->xAxis->coordToPixel(value)); };
        const double upper = m_params.bounds.front().upper;
        QTest::mousePress(canvas, Qt::LeftButton, {}, {x(upper), y});
        QTest::mouseMove(canvas, {x(p99) + 2, y});
        QTest::mouseRelease(canvas, Qt::LeftButton, {}, {x(p99) + 2, y});
        QCOMPARE(spy.last().at(0).value<Bounds>().upper, p99);
    }
    void automaticMethodsAreInTheMenuAndAmongTheOverlays()
    {
        show(Granularity::Tensor);
        QSignalSpy spy(m_view.get(), &DistributionView::automaticRequested);
        QStringList offered;
        for (const QToolButton* button : m_view->findChildren<QToolButton*>()) {
            if (button->text() == u"Auto"_s) {
                for (QAction* action : button->menu()->actions()) {
                    offered << action->text();
                    action->trigger();
                }
            }
        }
        QCOMPARE(static_cast<std::size_t>(spy.size()), kAutomaticMethods.size());
        QStringList ghosts;
        for (const QAction* action : m_view->findChild<GhostMenu*>()->menu()->actions()) {
            ghosts << action->text();
        }
        for (std::size_t i = 0; i < kAutomaticMethods.size(); ++i) {
            const QString name = displayName(kAutomaticMethods[i]);
            QCOMPARE(spy.at(static_cast<qsizetype>(i)).first().value<BoundMethod>(), kAutomaticMethods[i]);
            QVERIFY(offered.contains(name));
            QVERIFY(ghosts.contains(name));
        }
    }
    void overlaysAreVariationsOfThePlannedQuantizer()
    {
        show(Granularity::Tensor);
        QSignalSpy spy(m_view.get(), &DistributionView::ghostsRequested);
        auto* menu = m_view->findChild<GhostMenu*>();
        QVERIFY(menu);
        QVERIFY(m_view->ghostChoices().empty());
        for (QAction* action : menu->menu()->actions()) {
            if (action->text() == displayName(BoundMethod::Percentile) || action->text() == u"7 bits"_s) {
                action->trigger();
            }
            if (action->text() == displayName(BoundMethod::MinMax)
                || action->text() == displayName(QuantizerKind::Log2)) {
                QVERIFY(!action->isEnabled()); // what the plan holds already; no negative values
            }
        }
        QCOMPARE(spy.size(), 2);
        const std::vector<GhostChoice> ghosts = m_view->ghostChoices();
        QCOMPARE(ghosts.size(), std::size_t {2});
        QCOMPARE(ghosts[0].choice.method, BoundMethod::Percentile);
        QCOMPARE(ghosts[0].choice.bits, 6);
        QCOMPARE(ghosts[1].choice.bits, 7);
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

        // AdaLog tells its base, and what lies below its smallest levels is zeroed, not clipped.
        choice.kind = QuantizerKind::AdaLog;
        row.choice = choice;
        m_view->setSite(row);
        const QuantParams params = resolveActivation(choice, *softmax);
        QVERIFY(params.bounds.front().lower > 0.0);
        m_view->setQuantizer(params);
        QCOMPARE(m_view->distributionPlot()->bounds(), (Bounds {0.0, params.bounds.front().upper}));
        const auto& legend = m_view->findChild<PlotLegend*>()->entries();
        QVERIFY(std::ranges::any_of(legend, [&](const PlotLegend::Entry& entry) {
            return entry.role == PlotRole::Level && entry.text.endsWith(u"base "_s + baseText(params));
        }));
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
        QVERIFY(m_view->editedGroups().isEmpty());
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
    void brush(int from, int to)
    {
        QCustomPlot* map = m_view->channelMap()->plot();
        map->replot(QCustomPlot::rpImmediateRefresh);
        const auto at = [&](int position) {
            return QPoint(qRound(map->xAxis->coordToPixel(position)), map->axisRect()->rect().center().y());
        };
        QTest::mousePress(map, Qt::LeftButton, {}, at(from));
        QTest::mouseMove(map, at(to));
        QTest::mouseRelease(map, Qt::LeftButton, {}, at(to));
    }
    void dragUpper(Qt::KeyboardModifiers modifiers)
    {
        QCustomPlot* canvas = m_view->distributionPlot()->plot();
        canvas->replot(QCustomPlot::rpImmediateRefresh);
        const int y = canvas->axisRect(0)->rect().center().y();
        const int x = qRound(canvas->xAxis->coordToPixel(m_view->distributionPlot()->bounds().upper));
        QTest::mousePress(canvas, Qt::LeftButton, modifiers, {x, y});
        QTest::mouseMove(canvas, {x - 30, y});
        QTest::mouseRelease(canvas, Qt::LeftButton, modifiers, {x - 30, y});
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
