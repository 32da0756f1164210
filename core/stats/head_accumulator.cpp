#include "core/stats/head_accumulator.h"

#include "core/base/error.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

namespace qs {

namespace {

/// Values taken at once; they find room in packets that are half full.
constexpr std::int64_t kBlockValues = 1024;
static_assert(kBlockValues <= kMostInPacket - kMostInPacket / 2);
constexpr float kLog2Limit = 2.0F; // first value above the logarithmic bins

} // namespace

HeadAccumulator::HeadAccumulator(std::int64_t head, std::int64_t share, BinScale scale, std::int64_t bins)
    : m_head(head)
    , m_share(share)
    , m_scale(scale)
    , m_bins(scale == BinScale::Linear ? bins : 2, scale == BinScale::Linear ? kMomentTables : 0)
    , m_slots(scale == BinScale::Linear ? 0 : static_cast<std::size_t>(kLog2Slots))
    , m_tables(static_cast<std::size_t>(kMomentTables * (scale == BinScale::Linear ? bins : kLog2Slots)))
{
}

std::int64_t HeadAccumulator::tableSize() const
{
    return static_cast<std::int64_t>(m_tables.size()) / kMomentTables;
}

void HeadAccumulator::observe(const ActivationView& view, std::span<ValueRange> ranges)
{
    const std::int64_t begin = view.rows * m_share / kShares;
    const std::int64_t end = view.rows * (m_share + 1) / kShares;
    const std::int64_t blockRows
        = std::max<std::int64_t>(1, kBlockValues / std::max<std::int64_t>(1, view.width));
    for (std::int64_t sample = 0; sample < view.batch; ++sample) {
        for (std::int64_t row = begin; row < end; row += blockRows) {
            const float* values = view.row(sample, m_head, row);
            const std::int64_t rows = std::min(blockRows, end - row);
            for (std::int64_t column = 0; column < view.width; column += kBlockValues) {
                observeBlock(values + column, view.rowStride, rows,
                    std::min(kBlockValues, view.width - column), ranges[static_cast<std::size_t>(sample)]);
            }
        }
    }
}

void HeadAccumulator::observeBlock(
    const float* values, std::int64_t stride, std::int64_t rows, std::int64_t width, ValueRange& range)
{
    const std::int64_t most = rows * ((width + kMomentTables - 1) / kMomentTables); // into one packet
    if (most > m_room) {
        makeRoom();
    }
    m_room -= most;
    const MomentKernels& kernels = momentKernels();
    const bool isLinear = m_scale == BinScale::Linear;
    float low = 0.0F;
    float high = 0.0F;
    const auto move = [&](auto onLinearBins, auto onLog2Bins) {
        return isLinear ? onLinearBins(
                   values, stride, rows, width, m_bins.scale(), m_bins.mask(), m_tables.data(), &low, &high)
                        : onLog2Bins(values, stride, rows, width, m_tables.data(), &low, &high);
    };
    const bool isFinite = move(kernels.addRows, kernels.addRowsLog2);
    const bool stays = isFinite && (!isLinear || m_bins.fits(low, high));
    if (!stays) {
        move(kernels.takeBackRows, kernels.takeBackRowsLog2);
    }
    if (!isFinite) {
        observeNonFinite(values, stride, rows, width, range);
        return;
    }
    include(low, high);
    range.include(low, high);
    if (!stays) {
        move(kernels.addRows, kernels.addRowsLog2);
    }
}

void HeadAccumulator::include(float low, float high)
{
    if (m_scale == BinScale::Log2 && high >= kLog2Limit) {
        throw Error(ErrorCode::InvalidArgument,
            "attention probabilities of head " + std::to_string(m_head) + " reach " + std::to_string(high)
                + "; they must be below 2");
    }
    m_bins.include(low, high, m_tables.data());
}

void HeadAccumulator::observeNonFinite(
    const float* values, std::int64_t stride, std::int64_t rows, std::int64_t width, ValueRange& range)
{
    float low = std::numeric_limits<float>::max();
    float high = std::numeric_limits<float>::lowest();
    std::uint64_t finite = 0;
    for (std::int64_t row = 0; row < rows; ++row) {
        for (std::int64_t column = 0; column < width; ++column) {
            const float value = values[row * stride + column];
            if (std::isfinite(value)) {
                low = std::min(low, value);
                high = std::max(high, value);
                ++finite;
            }
        }
    }
    m_nonFinite += static_cast<std::uint64_t>(rows * width) - finite;
    if (finite == 0) {
        return;
    }
    include(low, high);
    range.include(low, high);
    for (std::int64_t row = 0; row < rows; ++row) {
        for (std::int64_t column = 0; column < width; ++column) {
            const float value = values[row * stride + column];
            MomentPacket* table = m_tables.data() + column % kMomentTables * tableSize();
            if (std::isfinite(value) && m_scale == BinScale::Linear) {
                binValue(value, m_bins.scale(), m_bins.mask(), table);
            } else if (std::isfinite(value)) {
                binValueLog2(value, table);
            }
        }
    }
}

void HeadAccumulator::makeRoom()
{
    const std::int64_t bound = boundOn(m_tables);
    if (bound > kMostInPacket / 2) {
        emptyTables();
        m_room = kMostInPacket;
    } else {
        m_room = kMostInPacket - bound;
    }
}

void HeadAccumulator::emptyTables()
{
    if (m_scale == BinScale::Linear) {
        m_bins.empty(m_tables.data());
        return;
    }
    addPackets(m_slots);
    std::ranges::fill(m_tables, MomentPacket {0});
}

void HeadAccumulator::addPackets(std::vector<BinMoments>& slots) const
{
    for (std::size_t i = 0; i < m_tables.size(); ++i) {
        addPacket(slots[i % slots.size()], m_tables[i]);
    }
}

GroupStatistics HeadAccumulator::combined(std::span<const HeadAccumulator> shares)
{
    if (shares.front().m_scale == BinScale::Log2) {
        return logarithmic(shares);
    }
    RingBins sum(shares.front().tableSize(), 0);
    std::uint64_t nonFinite = 0;
    for (const HeadAccumulator& share : shares) {
        sum.add(share.m_bins, share.m_tables.data());
        nonFinite += share.m_nonFinite;
    }
    GroupStatistics group = sum.statistics(nullptr);
    group.nonFinite = nonFinite;
    return group;
}

GroupStatistics HeadAccumulator::logarithmic(std::span<const HeadAccumulator> shares)
{
    std::vector<BinMoments> slots(static_cast<std::size_t>(kLog2Slots));
    RingBins range(2, 0);
    std::uint64_t nonFinite = 0;
    for (const HeadAccumulator& share : shares) {
        std::vector<BinMoments> own = share.m_slots;
        share.addPackets(own);
        range.add(share.m_bins, nullptr);
        nonFinite += share.m_nonFinite;
        for (std::size_t slot = 0; slot < slots.size(); ++slot) {
            slots[slot].count += own[slot].count;
            slots[slot].sum += own[slot].sum;
            slots[slot].squares += own[slot].squares;
        }
    }
    GroupStatistics group = range.statistics(nullptr); // the range; the rest is overwritten
    group.nonFinite = nonFinite;
    const auto filled = [](const BinMoments& slot) { return slot.count > 0.0; };
    const auto first = std::find_if(slots.begin() + 1, slots.end(), filled);
    const auto last = std::find_if(slots.rbegin(), slots.rend() - 1, filled);
    const auto bins = first == slots.end() ? 0 : last.base() - first;
    group.histogram = {};
    group.histogram.scale = BinScale::Log2;
    group.histogram.width = 1.0 / (1 << kLog2PartBits);
    group.histogram.firstBin = kLog2LowestOctave * (1 << kLog2PartBits) + (first - slots.begin()) - 1;
    group.histogram.zeros = static_cast<std::uint64_t>(slots.front().count);
    group.histogram.counts.resize(static_cast<std::size_t>(bins));
    group.histogram.sums.resize(static_cast<std::size_t>(bins));
    group.histogram.squares.resize(static_cast<std::size_t>(bins));
    group.count = group.histogram.zeros;
    group.sum = slots.front().sum; // of values too small for a bin
    group.sumOfSquares = slots.front().squares;
    for (std::size_t i = 0; i < group.histogram.size(); ++i) {
        const BinMoments& slot = first[static_cast<std::ptrdiff_t>(i)];
        setBin(group.histogram, i, static_cast<std::uint64_t>(slot.count), static_cast<float>(slot.sum),
            static_cast<float>(slot.squares));
        group.count += group.histogram.counts[i];
        group.sum += group.histogram.sums[i];
        group.sumOfSquares += group.histogram.squares[i];
    }
    if (bins == 0) {
        group.histogram.firstBin = 0;
    }
    return group;
}

} // namespace qs
