#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/io/npz_file.h"
#include "core/stats/moment_kernels.h"
#include "core/stats/site_accumulator.h"

#include <QTest>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

using namespace qs;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

/// Dense [batch, heads, rows, width].
ActivationView viewOf(
    const float* data, std::int64_t batch, std::int64_t heads, std::int64_t rows, std::int64_t width)
{
    return {.data = data,
        .batch = batch,
        .heads = heads,
        .rows = rows,
        .width = width,
        .batchStride = heads * rows * width,
        .headStride = rows * width,
        .rowStride = width};
}

/// One channel that sees these values as rows of one sample.
GroupStatistics channelOf(const std::vector<float>& values)
{
    SiteAccumulator accumulator("x", GroupAxis::Channel, Role::Other, 1);
    accumulator.observe(viewOf(values.data(), 1, 1, static_cast<std::int64_t>(values.size()), 1));
    return accumulator.finish()->groups.front();
}

GroupStatistics probabilitiesOf(const std::vector<float>& values)
{
    SiteAccumulator accumulator("p", GroupAxis::Head, Role::Softmax, 1);
    accumulator.observe(viewOf(values.data(), 1, 1, 1, static_cast<std::int64_t>(values.size())));
    return accumulator.finish()->groups.front();
}

std::shared_ptr<const SiteStatistics> observed(const std::vector<float>& values, std::int64_t samples,
    std::int64_t batch, GroupAxis axis, Role role, ActivationView view, std::int64_t groups)
{
    SiteAccumulator accumulator("x", axis, role, groups);
    for (std::int64_t first = 0; first < samples; first += batch) {
        view.data = values.data() + first * view.batchStride;
        view.batch = std::min(batch, samples - first);
        accumulator.observe(view);
    }
    return accumulator.finish();
}

/// Values whose range grows from sample to sample, with a few that are not finite.
std::vector<float> growing(std::int64_t samples, std::int64_t size)
{
    std::mt19937 generator(11);
    std::normal_distribution<float> normal;
    std::vector<float> values;
    for (std::int64_t sample = 0; sample < samples; ++sample) {
        for (std::int64_t i = 0; i < size; ++i) {
            values.push_back(normal(generator) * std::exp2(static_cast<float>(sample)));
        }
    }
    values[static_cast<std::size_t>(2 * size + 5)] = kNan;
    values[static_cast<std::size_t>(4 * size + 17)] = -kInfinity;
    return values;
}

bool isClose(double actual, double expected, double relative)
{
    return std::fabs(actual - expected) <= relative * std::max(std::fabs(expected), 1e-300);
}

/// How far a sum of squares may be off because places are rounded to 1/1024 of a bin: every value is moved by
/// at most half of that.
double squaresRounding(const GroupStatistics& group)
{
    const double farthest = std::max(std::fabs(double {group.minimum}), std::fabs(double {group.maximum}));
    const double moved = group.histogram.width / 2048;
    return static_cast<double>(group.count) * moved * (2 * farthest + moved);
}

using Counts = std::vector<std::uint64_t>;

} // namespace

class TestSiteAccumulator : public QObject
{
    Q_OBJECT
private slots:
    void cleanup() { setThreadCount(2); }

    void countsByHand()
    {
        // Range [-1, 3] on at most 1024 bins: w = 1/128 gives 513 bins, w = 1/256 would give 1025.
        const GroupStatistics group = channelOf({-1.0F, 0.0F, 1.0F / 256.0F, 3.0F, 3.0F});
        QCOMPARE(group.count, std::uint64_t {5});
        QCOMPARE(group.minimum, -1.0F);
        QCOMPARE(group.maximum, 3.0F);
        QCOMPARE(group.sum, 5.0 + 1.0 / 256.0);
        QCOMPARE(group.sumOfSquares, 19.0 + 1.0 / 65536.0);
        const Histogram& histogram = group.histogram;
        QCOMPARE(histogram.width, 1.0 / 128.0);
        QCOMPARE(histogram.firstBin, std::int64_t {-128});
        QCOMPARE(histogram.size(), std::size_t {513});
        QCOMPARE(histogram.counts[0], std::uint64_t {1});
        QCOMPARE(histogram.counts[128], std::uint64_t {2});
        QCOMPARE(histogram.sums[128], 1.0 / 256.0);
        QCOMPARE(histogram.squares[128], 1.0 / 65536.0);
        QCOMPARE(histogram.counts[512], std::uint64_t {2});
        QCOMPARE(histogram.sums[512], 6.0);
        QCOMPARE(histogram.total(), std::uint64_t {5});
    }
    void constantZeroAndSingleValuesAreOrdinary()
    {
        const GroupStatistics zero = channelOf({0.0F, -0.0F, 0.0F});
        QCOMPARE(zero.count, std::uint64_t {3});
        QCOMPARE(zero.minimum, 0.0F);
        QVERIFY(!std::signbit(zero.minimum) && !std::signbit(zero.maximum));
        QCOMPARE(zero.sum, 0.0);
        QCOMPARE(zero.histogram.counts, (Counts {3}));
        QCOMPARE(zero.histogram.firstBin, std::int64_t {0});

        const GroupStatistics constant = channelOf(std::vector<float>(1000, -1.7F));
        QCOMPARE(constant.histogram.counts, (Counts {1000}));
        QCOMPARE(constant.histogram.edge(0), double {-1.7F}); // bins no narrower than floats are spaced
        QCOMPARE(constant.sum, 1000.0 * double {-1.7F});
        QCOMPARE(quantile(constant.histogram, 0.3, constant.minimum, constant.maximum), double {-1.7F});

        const GroupStatistics one = channelOf({0.1F});
        QCOMPARE(one.count, std::uint64_t {1});
        QCOMPARE(one.sum, double {0.1F});
        QCOMPARE(one.sumOfSquares, double {0.1F} * double {0.1F});
    }
    void nanAndInfinityAreCountedApart()
    {
        const GroupStatistics group = channelOf({kNan, 1.0F, kInfinity, 2.0F, -kInfinity, -kNan});
        QCOMPARE(group.count, std::uint64_t {2});
        QCOMPARE(group.nonFinite, std::uint64_t {4});
        QCOMPARE(group.minimum, 1.0F);
        QCOMPARE(group.maximum, 2.0F);
        QCOMPARE(group.sum, 3.0);
        QCOMPARE(group.histogram.total(), std::uint64_t {2});

        const GroupStatistics none = channelOf({kNan, kInfinity});
        QCOMPARE(none.count, std::uint64_t {0});
        QCOMPARE(none.nonFinite, std::uint64_t {2});
        QCOMPARE(none.histogram.size(), std::size_t {0});
        QCOMPARE(none.minimum, 0.0F);

        const GroupStatistics heads = probabilitiesOf({0.5F, kNan, 0.0F, kInfinity});
        QCOMPARE(heads.count, std::uint64_t {2});
        QCOMPARE(heads.nonFinite, std::uint64_t {2});
        QCOMPARE(heads.histogram.zeros, std::uint64_t {1});
    }
    void extremeAndDenormalValuesFindABin()
    {
        const float huge = std::numeric_limits<float>::max();
        const float tiny = std::numeric_limits<float>::denorm_min();
        for (const std::vector<float>& values :
            {std::vector<float> {-huge, huge, 0.0F, -tiny}, std::vector<float> {tiny, 2 * tiny, -3 * tiny},
                std::vector<float> {-tiny, -huge}, std::vector<float> {tiny}, std::vector<float> {huge},
                std::vector<float> {0.0F, 1e-30F, 1e-20F, 1e-10F, 1.0F, 1e10F, 1e20F, 1e30F}}) {
            const GroupStatistics group = channelOf(values);
            QCOMPARE(group.histogram.total(), std::uint64_t {values.size()});
            QCOMPARE(group.count, std::uint64_t {values.size()});
            QVERIFY(std::isfinite(group.sum) && std::isfinite(group.sumOfSquares));
            QCOMPARE(group.minimum, *std::min_element(values.begin(), values.end()));
            QCOMPARE(group.maximum, *std::max_element(values.begin(), values.end()));
        }
        const GroupStatistics denormal = channelOf({tiny, 2 * tiny, -3 * tiny, tiny});
        QCOMPARE(denormal.sum, double {tiny});
        QCOMPARE(denormal.histogram.firstBin, std::int64_t {-1});
        QCOMPARE(denormal.histogram.counts, (Counts {1, 3}));
    }

    void log2BinsByHand()
    {
        // Octave [0.5, 1) has bins of 1/32: 0.5 -> 0, 0.53125 -> 1, just below 1 -> 15; 1 opens the next
        // octave.
        const float belowOne = std::nextafter(1.0F, 0.0F);
        const float lowest = std::exp2(-32.0F);
        const GroupStatistics group = probabilitiesOf(
            {0.0F, -0.0F, std::nextafter(lowest, 0.0F), lowest, 0.5F, 0.53125F, 0.55F, belowOne, 1.0F});
        QCOMPARE(group.count, std::uint64_t {9});
        QCOMPARE(group.minimum, 0.0F);
        QCOMPARE(group.maximum, 1.0F);
        const Histogram& histogram = group.histogram;
        QCOMPARE(histogram.scale, BinScale::Log2);
        QCOMPARE(histogram.width, 1.0 / 16.0);
        QCOMPARE(histogram.zeros, std::uint64_t {3});
        QCOMPARE(histogram.firstBin, std::int64_t {-32 * 16});
        QCOMPARE(histogram.size(), std::size_t {32 * 16 + 1});
        QCOMPARE(histogram.counts[0], std::uint64_t {1});
        QCOMPARE(histogram.edge(0), double {lowest});
        const std::size_t half = 31 * 16;
        QCOMPARE(histogram.edge(half), 0.5);
        QCOMPARE(histogram.counts[half], std::uint64_t {1});
        QCOMPARE(histogram.edge(half + 1), 0.53125);
        QCOMPARE(histogram.counts[half + 1], std::uint64_t {2});
        // 0.55 lies at 0.6 of its bin, which is rounded to 614/1024.
        QCOMPARE(histogram.sums[half + 1], 0.53125 + (0.53125 + 614.0 / 1024 / 32));
        QCOMPARE(histogram.counts[half + 15], std::uint64_t {1});
        QCOMPARE(histogram.edge(half + 16), 1.0);
        QCOMPARE(histogram.counts[half + 16], std::uint64_t {1});
        QCOMPARE(histogram.total(), std::uint64_t {9});
    }
    void probabilitiesOfTwoAreRefused()
    {
        try {
            (void)probabilitiesOf({0.5F, 2.0F});
            QFAIL("nothing was thrown");
        } catch (const Error& error) {
            QCOMPARE(error.code(), ErrorCode::InvalidArgument);
        }
    }
    void onlyZerosLeaveNoLog2Bins()
    {
        const GroupStatistics group = probabilitiesOf({0.0F, 0.0F});
        QCOMPARE(group.histogram.size(), std::size_t {0});
        QCOMPARE(group.histogram.zeros, std::uint64_t {2});
        QCOMPARE(group.count, std::uint64_t {2});
        QCOMPARE(quantile(group.histogram, 0.5, 0.0, 0.0), 0.0);
    }

    void columnsMatchNumPy()
    {
        const NpzFile reference = NpzFile::open(QS_TEST_DATA "/stats.npz");
        const Tensor columns = reference.read("columns");
        const Tensor momentTensor = reference.read("columns_moments");
        const Tensor percentileTensor = reference.read("columns_percentiles");
        const Tensor gridTensor = reference.read("columns_grid");
        const Tensor binTensor = reference.read("columns_bins");
        SiteAccumulator accumulator("x", GroupAxis::Channel, Role::Other, 21);
        accumulator.observe(viewOf(columns.data<float>().data(), 5, 1, 37, 21));
        const auto site = accumulator.finish();
        for (std::size_t c = 0; c < 21; ++c) {
            const GroupStatistics& group = site->groups[c];
            const auto moments = momentTensor.data<double>().subspan(c * 4, 4);
            QCOMPARE(group.count, std::uint64_t {185});
            QCOMPARE(double {group.minimum}, moments[0]);
            QCOMPARE(double {group.maximum}, moments[1]);
            const double rounding = 1e-7 * std::sqrt(185 * moments[3]) + 185 * group.histogram.width / 2048;
            QVERIFY2(std::fabs(group.sum - moments[2]) <= rounding, std::to_string(c).c_str());
            QVERIFY2(std::fabs(group.sumOfSquares - moments[3])
                        <= squaresRounding(group) + 1e-6 * std::fabs(moments[3])
                    || moments[3] < 1e-70,
                std::to_string(c).c_str());

            const Histogram& histogram = group.histogram;
            QCOMPARE(histogram.width, gridTensor.data<double>()[c * 2]);
            QCOMPARE(static_cast<double>(histogram.firstBin), gridTensor.data<double>()[c * 2 + 1]);
            for (std::size_t i = 0; i < 128; ++i) {
                const auto bin = binTensor.data<double>().subspan((c * 128 + i) * 3, 3);
                const bool has = i < histogram.size();
                QCOMPARE(has ? static_cast<double>(histogram.counts[i]) : 0.0, bin[0]);
                if (has) {
                    const double reach = histogram.width * bin[0];
                    QVERIFY(std::fabs(histogram.sums[i] - bin[1]) <= 1e-7 * std::fabs(bin[1]) + reach / 2047);
                    const double largest
                        = std::max(std::fabs(histogram.edge(i)), std::fabs(histogram.edge(i + 1)));
                    QVERIFY(std::fabs(histogram.squares[i] - bin[2])
                        <= reach / 1023 * largest + 1e-6 * bin[0] * largest * largest);
                }
            }
            const double percents[] = {0.01, 0.25, 0.5, 0.75, 0.99};
            for (std::size_t p = 0; p < 5; ++p) {
                const double found = quantile(histogram, percents[p], group.minimum, group.maximum);
                QVERIFY(std::fabs(found - percentileTensor.data<double>()[c * 5 + p]) <= histogram.width);
            }
        }
    }
    void headsMatchNumPy()
    {
        const NpzFile reference = NpzFile::open(QS_TEST_DATA "/stats.npz");
        const Tensor heads = reference.read("heads");
        const Tensor binTensor = reference.read("heads_bins");
        const Tensor zeros = reference.read("heads_zeros");
        SiteAccumulator accumulator("p", GroupAxis::Head, Role::Softmax, 4);
        accumulator.observe(viewOf(heads.data<float>().data(), 3, 4, 19, 23));
        const auto site = accumulator.finish();
        for (std::size_t h = 0; h < 4; ++h) {
            const Histogram& histogram = site->groups[h].histogram;
            QCOMPARE(static_cast<double>(histogram.zeros), zeros.data<double>()[h]);
            QVERIFY(h != 3 || histogram.zeros > 0);
            for (std::int64_t i = 0; i < 528; ++i) {
                const auto bin
                    = binTensor.data<double>().subspan((h * 528 + static_cast<std::size_t>(i)) * 3, 3);
                const std::int64_t index = i - 512 - histogram.firstBin;
                const bool has = index >= 0 && index < static_cast<std::int64_t>(histogram.size());
                const auto at = static_cast<std::size_t>(index);
                QCOMPARE(has ? static_cast<double>(histogram.counts[at]) : 0.0, bin[0]);
                if (has && bin[0] > 0.0) {
                    // A bin is at most 1/16 of its values wide.
                    QVERIFY(isClose(histogram.sums[at], bin[1], 1.0 / 16 / 2047));
                    QVERIFY(isClose(histogram.squares[at], bin[2], 1.0 / 16 / 1023));
                }
            }
        }
    }

    void batchSizeAndThreadsDoNotChangeABit_data()
    {
        QTest::addColumn<int>("kind");
        QTest::newRow("channels") << 0;
        QTest::newRow("heads") << 1;
        QTest::newRow("probabilities") << 2;
        QTest::newRow("image channels") << 3;
    }
    void batchSizeAndThreadsDoNotChangeABit()
    {
        QFETCH(int, kind);
        constexpr std::int64_t kSamples = 12;
        std::vector<float> values = growing(kSamples, 3 * 300 * 35);
        if (kind == 2) {
            for (float& value : values) {
                value = std::isfinite(value) ? 1.0F / (1.0F + std::fabs(value)) : value;
            }
        }
        const ActivationView view
            = kind == 0 ? viewOf(nullptr, 1, 1, 900, 35) : viewOf(nullptr, 1, 3, 300, 35);
        const GroupAxis axis = kind == 1 || kind == 2 ? GroupAxis::Head : GroupAxis::Channel;
        const Role role = kind == 2 ? Role::Softmax : Role::Other;
        const std::int64_t groups = kind == 0 ? 35 : 3;
        setThreadCount(1);
        const auto expected = observed(values, kSamples, 1, axis, role, view, groups);
        QCOMPARE(expected->count(), std::uint64_t {kSamples * 3 * 300 * 35 - 2});
        for (const int threads : {1, 2, 5}) {
            setThreadCount(threads);
            for (const std::int64_t batch : {1, 3, 8, 12}) {
                QVERIFY(*observed(values, kSamples, batch, axis, role, view, groups) == *expected);
            }
        }
    }
    void theOrderOfSamplesDoesNotChangeGridsOrCounts()
    {
        constexpr std::int64_t kSize = 200 * 20;
        std::vector<float> values = growing(8, kSize);
        const auto ascending
            = observed(values, 8, 4, GroupAxis::Channel, Role::Other, viewOf(nullptr, 1, 1, 200, 20), 20);
        std::vector<float> reversed;
        for (int sample = 7; sample >= 0; --sample) {
            reversed.insert(
                reversed.end(), values.begin() + sample * kSize, values.begin() + (sample + 1) * kSize);
        }
        const auto descending
            = observed(reversed, 8, 4, GroupAxis::Channel, Role::Other, viewOf(nullptr, 1, 1, 200, 20), 20);
        for (std::size_t c = 0; c < 20; ++c) {
            const GroupStatistics& a = ascending->groups[c];
            const GroupStatistics& b = descending->groups[c];
            QCOMPARE(a.histogram.width, b.histogram.width);
            QCOMPARE(a.histogram.firstBin, b.histogram.firstBin);
            QCOMPARE(a.histogram.counts, b.histogram.counts);
            QVERIFY(std::fabs(a.sumOfSquares - b.sumOfSquares) <= 2 * squaresRounding(a));
        }
    }
    void instructionSetsGiveTheSameBits()
    {
        std::mt19937 generator(3);
        std::normal_distribution<float> normal;
        std::vector<float> values(211 * 80);
        for (float& value : values) {
            value = normal(generator) * 1e-3F;
        }
        for (const InstructionSet set : {InstructionSet::Avx2, InstructionSet::Avx512}) {
            if (!isSupported(set)) {
                continue;
            }
            std::vector<std::vector<float>> results;
            std::vector<std::vector<MomentPacket>> tables;
            for (const MomentKernels* kernels :
                {&momentKernels(InstructionSet::Baseline), &momentKernels(set)}) {
                std::vector<float> packed(211 * 16);
                std::vector<float> result(36);
                std::vector<MomentPacket> all;
                QVERIFY(kernels->columnRange(
                    values.data() + 3, 80, 211, packed.data(), result.data(), result.data() + 16));
                const std::vector<float> scales(16, 16384.0F);
                std::vector<MomentPacket> columns(16 * 256);
                std::vector<MomentPacket> rows(kMomentTables * 512);
                std::vector<MomentPacket> logs(kMomentTables * kLog2Slots);
                kernels->binColumns(packed.data(), 211, scales.data(), 255, columns.data());
                QVERIFY(kernels->addRows(
                    values.data() + 1, 80, 50, 71, 16384.0F, 511, rows.data(), &result[32], &result[33]));
                QVERIFY(kernels->addRowsLog2(
                    values.data() + 1, 80, 50, 71, logs.data(), &result[34], &result[35]));
                result.insert(result.end(), packed.begin(), packed.end());
                for (const std::vector<MomentPacket>& packets : {columns, rows, logs}) {
                    std::int64_t count = 0;
                    for (const MomentPacket packet : packets) {
                        count += countIn(packet);
                    }
                    QCOMPARE(count, std::int64_t {packets.size() == columns.size() ? 211 * 16 : 50 * 71});
                    all.insert(all.end(), packets.begin(), packets.end());
                }
                results.push_back(result);
                tables.push_back(all);
            }
            QVERIFY(results[0] == results[1]);
            QVERIFY(tables[0] == tables[1]);
        }
    }
    void noPacketEverOverflows()
    {
        // All values at the end of one bin, many times what a packet holds: [-1, 1] has bins of 1/64 in a
        // channel of 20 and of 1/512 in a head.
        constexpr std::int64_t kRows = 9001;
        const float top = std::nextafter(1.0F / 64, 0.0F);
        std::vector<float> values(20 * kRows, top);
        values[0] = -1.0F;
        values[20] = 1.0F;
        SiteAccumulator channels("x", GroupAxis::Channel, Role::Other, 20);
        channels.observe(viewOf(values.data(), 1, 1, kRows, 20));
        const GroupStatistics first = channels.finish()->groups.front();
        QCOMPARE(first.count, static_cast<std::uint64_t>(kRows));
        QCOMPARE(first.histogram.width, 1.0 / 32);
        QCOMPARE(first.histogram.counts[32], static_cast<std::uint64_t>(kRows - 2));
        QCOMPARE(first.histogram.sums[32], (kRows - 2) / 64.0); // rounded to the half of its bin
        SiteAccumulator head("q", GroupAxis::Head, Role::Query, 1);
        head.observe(viewOf(values.data(), 1, 1, kRows, 20));
        const GroupStatistics whole = head.finish()->groups.front();
        QCOMPARE(whole.count, std::uint64_t {20 * kRows});
        QCOMPARE(*std::max_element(whole.histogram.counts.begin(), whole.histogram.counts.end()),
            std::uint64_t {20 * kRows - 2});
        QVERIFY(std::fabs(whole.sum - (20 * kRows - 2) * double {top}) <= 20 * kRows * 0x1p-29);
    }
    void stridesAreFollowed()
    {
        // Two heads of width 2 inside rows of 6 floats: the last two belong to something else.
        const std::vector<float> fused {1, 2, 10, 20, -9, -9, 3, 4, 30, 40, -9, -9};
        SiteAccumulator accumulator("q", GroupAxis::Head, Role::Query, 2);
        accumulator.observe({.data = fused.data(),
            .batch = 1,
            .heads = 2,
            .rows = 2,
            .width = 2,
            .batchStride = 12,
            .headStride = 2,
            .rowStride = 6});
        const auto site = accumulator.finish();
        QCOMPARE(site->groups[0].sum, 10.0);
        QCOMPARE(site->groups[0].maximum, 4.0F);
        QCOMPARE(site->groups[1].sum, 100.0);
        QCOMPARE(site->groups[1].minimum, 10.0F);
    }
    void groupsThatDoNotFitAreRefused()
    {
        const std::vector<float> values(24);
        SiteAccumulator accumulator("x", GroupAxis::Channel, Role::Other, 5);
        try {
            accumulator.observe(viewOf(values.data(), 1, 1, 4, 6));
            QFAIL("nothing was thrown");
        } catch (const Error& error) {
            QCOMPARE(error.code(), ErrorCode::ShapeMismatch);
        }
    }
    void nothingSeenGivesEmptyGroups()
    {
        const auto site = SiteAccumulator("x", GroupAxis::Head, Role::Key, 3).finish();
        QCOMPARE(site->groups.size(), std::size_t {3});
        QCOMPARE(site->count(), std::uint64_t {0});
    }

    void mergingIsAsOnePassOverBoth()
    {
        const std::vector<float> values = growing(10, 50 * 20);
        const ActivationView view = viewOf(nullptr, 1, 1, 50, 20);
        const auto whole = observed(values, 10, 5, GroupAxis::Channel, Role::Other, view, 20);
        const std::vector<float> tail(values.begin() + 4 * 1000, values.end());
        const auto first = observed(values, 4, 4, GroupAxis::Channel, Role::Other, view, 20);
        const auto second = observed(tail, 6, 4, GroupAxis::Channel, Role::Other, view, 20);
        const SiteStatistics sum = mergedStatistics({first.get(), second.get()});
        QCOMPARE(sum.site, whole->site);
        for (std::size_t c = 0; c < 20; ++c) {
            QCOMPARE(sum.groups[c].count, whole->groups[c].count);
            QCOMPARE(sum.groups[c].nonFinite, whole->groups[c].nonFinite);
            QCOMPARE(sum.groups[c].minimum, whole->groups[c].minimum);
            QCOMPARE(sum.groups[c].maximum, whole->groups[c].maximum);
            QCOMPARE(sum.groups[c].histogram.width, whole->groups[c].histogram.width);
            QCOMPARE(sum.groups[c].histogram.firstBin, whole->groups[c].histogram.firstBin);
            QCOMPARE(sum.groups[c].histogram.counts, whole->groups[c].histogram.counts);
            QVERIFY(std::fabs(sum.groups[c].sumOfSquares - whole->groups[c].sumOfSquares)
                <= 2 * squaresRounding(whole->groups[c]));
        }
        SiteStatistics other = *second;
        other.groups.pop_back();
        QVERIFY_EXCEPTION_THROWN((void)mergedStatistics({first.get(), &other}), Error);
    }
};

QTEST_GUILESS_MAIN(TestSiteAccumulator)
#include "tst_site_accumulator.moc"
