#include "tests/widgets/synthetic.h"
#include "widgets/plot/channel_map.h"

#include <qcustomplot.h>

#include <QComboBox>
#include <QSignalSpy>
#include <QTest>

#include <algorithm>
#include <numeric>

using namespace qs;

class TestChannelMap : public QObject
{
    Q_OBJECT
private slots:
    void init()
    {
        m_map = std::make_unique<ChannelMap>();
        m_map->resize(900, 300);
        m_statistics = synthetic::layerNormSite(48, 200);
        m_map->setStatistics(m_statistics);
        m_map->show();
        QVERIFY(QTest::qWaitForWindowExposed(m_map.get()));
        settle();
    }
    void cleanup() { m_map.reset(); }

    void clickSelectsTheChannelUnderEachSorting_data()
    {
        QTest::addColumn<int>("order");
        QTest::newRow("index") << static_cast<int>(ChannelOrder::Index);
        QTest::newRow("range") << static_cast<int>(ChannelOrder::Range);
        QTest::newRow("magnitude") << static_cast<int>(ChannelOrder::Magnitude);
        QTest::newRow("error") << static_cast<int>(ChannelOrder::Error);
    }
    void clickSelectsTheChannelUnderEachSorting()
    {
        QFETCH(int, order);
        std::vector<double> errors(48);
        for (std::size_t i = 0; i < errors.size(); ++i) {
            errors[i] = static_cast<double>((i * 7) % 48); // 7 and 48 have no common factor: all differ
        }
        m_map->setChannelErrors(errors);
        m_map->setOrder(static_cast<ChannelOrder>(order));
        settle();
        // The expected order by a plain sort on the statistics.
        std::vector<int> expected(48);
        std::iota(expected.begin(), expected.end(), 0);
        const auto key = [&](int channel) {
            const GroupStatistics& group = m_statistics->groups[static_cast<std::size_t>(channel)];
            switch (static_cast<ChannelOrder>(order)) {
            case ChannelOrder::Range:
                return static_cast<double>(group.maximum) - static_cast<double>(group.minimum);
            case ChannelOrder::Magnitude:
                return static_cast<double>(std::max(std::abs(group.minimum), std::abs(group.maximum)));
            case ChannelOrder::Error: return errors[static_cast<std::size_t>(channel)];
            case ChannelOrder::Index: break;
            }
            return static_cast<double>(-channel);
        };
        std::stable_sort(expected.begin(), expected.end(), [&](int a, int b) { return key(a) > key(b); });
        for (const int position : {0, 1, 17, 46, 47}) {
            QSignalSpy spy(m_map.get(), &ChannelMap::channelSelected);
            QTest::mouseClick(canvas(), Qt::LeftButton, {}, at(position));
            QCOMPARE(spy.size(), 1);
            QCOMPARE(spy.first().first().toInt(), expected[static_cast<std::size_t>(position)]);
            QCOMPARE(m_map->selectedChannel(), expected[static_cast<std::size_t>(position)]);
        }
    }
    void setterIsSilent()
    {
        QSignalSpy spy(m_map.get(), &ChannelMap::channelSelected);
        m_map->setSelectedChannel(5);
        QCOMPARE(m_map->selectedChannel(), 5);
        m_map->setSelectedChannel(4800);
        QCOMPARE(m_map->selectedChannel(), -1);
        QCOMPARE(spy.size(), 0);
    }
    void dragBrushesChannels()
    {
        QSignalSpy brush(m_map.get(), &ChannelMap::brushChanged);
        QSignalSpy select(m_map.get(), &ChannelMap::channelSelected);
        QTest::mousePress(canvas(), Qt::LeftButton, {}, at(10));
        QTest::mouseMove(canvas(), at(12));
        QTest::mouseMove(canvas(), at(14));
        QTest::mouseRelease(canvas(), Qt::LeftButton, {}, at(14));
        QCOMPARE(m_map->brushedChannels(), (QVector<int> {10, 11, 12, 13, 14}));
        QCOMPARE(brush.last().first().value<QVector<int>>(), m_map->brushedChannels());
        QCOMPARE(select.size(), 0);
    }
    void arrowsWalkInTheShownOrderAndEscapeGivesUp()
    {
        m_map->setOrder(ChannelOrder::Range);
        m_map->setSelectedChannel(m_map->channelAt(3));
        canvas()->setFocus();
        QSignalSpy spy(m_map.get(), &ChannelMap::channelSelected);
        QTest::keyClick(canvas(), Qt::Key_Right);
        QCOMPARE(m_map->selectedChannel(), m_map->channelAt(4));
        QTest::keyClick(canvas(), Qt::Key_Home);
        QCOMPARE(m_map->selectedChannel(), m_map->channelAt(0));
        QTest::keyClick(canvas(), Qt::Key_Left); // the first has nothing on its left
        QCOMPARE(spy.size(), 2);
        QTest::keyClick(canvas(), Qt::Key_Escape);
        QCOMPARE(m_map->selectedChannel(), -1);
        QCOMPARE(spy.last().first().toInt(), -1);
    }
    void manyChannelsShareColumnsButClicksStayExact()
    {
        m_map->setStatistics(synthetic::layerNormSite(3000, 40));
        settle();
        canvas()->xAxis->setRange(
            1500.0 - 0.5, 1520.0 - 0.5); // zoom in so that a channel is several pixels wide
        settle();
        QTest::mouseClick(canvas(), Qt::LeftButton, {}, at(1507));
        QCOMPARE(m_map->selectedChannel(), 1507);
    }
    void emptyStatisticsAreFine()
    {
        m_map->setStatistics(nullptr);
        QCOMPARE(m_map->channelAt(0), -1);
        m_map->setStatistics(std::make_shared<SiteStatistics>());
        QCOMPARE(m_map->selectedChannel(), -1);
    }

private:
    QCustomPlot* canvas() const { return m_map->plot(); }
    void settle()
    {
        canvas()->replot(QCustomPlot::rpImmediateRefresh);
        QCoreApplication::processEvents();
    }
    QPoint at(int position) const
    {
        return {qRound(canvas()->xAxis->coordToPixel(position)), canvas()->axisRect()->rect().center().y()};
    }

    std::unique_ptr<ChannelMap> m_map;
    std::shared_ptr<const SiteStatistics> m_statistics;
};

QTEST_MAIN(TestChannelMap)
#include "tst_channel_map.moc"
