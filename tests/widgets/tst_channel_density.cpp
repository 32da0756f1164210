#include "widgets/plot/channel_density.h"
#include "widgets/plot/channel_order.h"

#include <QTest>

#include <numeric>

using namespace qs;

namespace {

GroupStatistics group(float minimum, float maximum, std::vector<std::uint64_t> counts, std::int64_t firstBin)
{
    GroupStatistics made;
    made.minimum = minimum;
    made.maximum = maximum;
    made.count = std::accumulate(counts.begin(), counts.end(), std::uint64_t {0});
    made.histogram.firstBin = firstBin;
    made.histogram.sums.assign(counts.size(), 0.0);
    made.histogram.squares.assign(counts.size(), 0.0);
    made.histogram.counts = std::move(counts);
    return made;
}

} // namespace

class TestChannelDensity : public QObject
{
    Q_OBJECT
private slots:
    void spreadsABinOverTheRowsItOverlaps()
    {
        SiteStatistics site;
        site.groups = {group(0, 2, {3, 1}, 0)}; // [0, 1): 3, [1, 2): 1
        const ChannelDensity density
            = channelDensity(site, {0}, {.maximumColumns = 8, .rows = 4, .lower = 0.0, .upper = 2.0});
        QCOMPARE(density.columns, 1);
        QCOMPARE(density.at(0, 0), 0.375F);
        QCOMPARE(density.at(0, 1), 0.375F);
        QCOMPARE(density.at(0, 2), 0.125F);
        QCOMPARE(density.at(0, 3), 0.125F);
    }
    void addsUpBinsFinerThanARow()
    {
        SiteStatistics site;
        site.groups = {group(0, 4, {1, 1, 1, 5}, 0)};
        const ChannelDensity density
            = channelDensity(site, {0}, {.maximumColumns = 8, .rows = 2, .lower = 0.0, .upper = 4.0});
        QCOMPARE(density.at(0, 0), 0.25F);
        QCOMPARE(density.at(0, 1), 0.75F);
    }
    void keepsTheLargestOfTheChannelsInAColumn()
    {
        SiteStatistics site;
        site.groups = {
            group(0, 1, {1, 0}, 0), group(1, 2, {0, 1}, 0), group(0, 1, {1, 0}, 0), group(0, 1, {1, 0}, 0)};
        const ChannelDensity density = channelDensity(
            site, {0, 1, 2, 3}, {.maximumColumns = 2, .rows = 2, .lower = 0.0, .upper = 2.0});
        QCOMPARE(density.columns, 2);
        QCOMPARE(density.at(0, 0), 1.0F);
        QCOMPARE(density.at(0, 1), 1.0F);
        QCOMPARE(density.at(1, 1), 0.0F);
    }
    void ordersByRangeMagnitudeAndError()
    {
        SiteStatistics site;
        site.groups = {group(-1, 1, {1}, 0), group(-9, -8, {1}, 0), group(0, 4, {1}, 0)};
        QCOMPARE(channelOrder(site, ChannelOrder::Index, {}), (std::vector<int> {0, 1, 2}));
        QCOMPARE(channelOrder(site, ChannelOrder::Range, {}), (std::vector<int> {2, 0, 1}));
        QCOMPARE(channelOrder(site, ChannelOrder::Magnitude, {}), (std::vector<int> {1, 2, 0}));
        QCOMPARE(channelOrder(site, ChannelOrder::Error, {0.5, 0.1, 0.7}), (std::vector<int> {2, 0, 1}));
        QCOMPARE(channelOrder(site, ChannelOrder::Error, {}), (std::vector<int> {0, 1, 2}));
    }
};

QTEST_GUILESS_MAIN(TestChannelDensity)
#include "tst_channel_density.moc"
