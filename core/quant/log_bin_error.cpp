#include "core/quant/log_bin_error.h"

#include "core/quant/ada_log.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

namespace qs {

namespace {

/// Cells of a bin that are looked at one by one; only bins next to zero hold more.
constexpr std::int64_t kManyCells = 12;

/// Lower and upper hull, at `x`, of line pieces given by their end points in ascending order.
std::pair<double, double> hullAt(const std::vector<std::pair<double, double>>& points, double x)
{
    double low = std::numeric_limits<double>::infinity();
    double high = -low;
    for (const auto& [x1, y1] : points) {
        for (const auto& [x2, y2] : points) {
            if (x1 > x || x2 < x) {
                continue;
            }
            const double y = x2 > x1 ? y1 + (y2 - y1) * ((x - x1) / (x2 - x1)) : y1;
            low = std::min(low, y);
            high = std::max(high, y);
        }
    }
    return {low, high};
}

} // namespace

LogBinError::LogBinError(const QuantParams& params, std::int64_t group)
    : m_base(static_cast<double>(params.scales[params.index(group)]))
    , m_oddLevel(
          static_cast<double>(0.5F * static_cast<float>(std::sqrt(2.0)) * params.scales[params.index(group)]))
    , m_perOctave(codesPerOctave(params, params.index(group)))
    , m_adaLogBase(params.kind == QuantizerKind::AdaLog ? adaLogBase(params.bounds[params.index(group)]) : 0)
    , m_bits(params.bits)
    , m_topCode(params.maximumCode())
{
}

std::int64_t LogBinError::cellOf(double x) const
{
    if (x < static_cast<double>(std::numeric_limits<float>::min())) {
        return m_topCode + 1;
    }
    const double q = std::nearbyint(-m_perOctave * std::log2(x / m_base));
    return static_cast<std::int64_t>(std::clamp(q, -1.0, static_cast<double>(m_topCode + 1)));
}

double LogBinError::lowerEdge(std::int64_t cell) const
{
    return m_base * std::exp2(-(static_cast<double>(cell) + 0.5) / m_perOctave);
}

double LogBinError::level(std::int64_t cell) const
{
    if (cell > m_topCode) {
        return 0.0;
    }
    const auto q = static_cast<int>(std::max<std::int64_t>(cell, 0));
    if (m_adaLogBase != 0) {
        return static_cast<double>(adaLogLevel(m_base, m_adaLogBase, m_bits, q));
    }
    if (m_perOctave == 1.0) {
        return std::ldexp(m_base, -q);
    }
    return std::ldexp((q & 1) != 0 ? m_oddLevel : m_base, -(q >> 1));
}

void LogBinError::add(const BinMoments& bin, QuantizationError& error) const
{
    if (bin.count == 1.0) {
        addInside(cellOf(bin.sum), bin, error);
        return;
    }
    const std::int64_t deepest = cellOf(bin.lower);
    const std::int64_t highest = cellOf(bin.upper);
    if (deepest <= highest) {
        addInside(deepest, bin, error);
    } else if (deepest - highest < kManyCells) {
        addAcross(deepest, highest, bin, error);
    } else {
        addMany(bin, error);
    }
}

void LogBinError::addInside(std::int64_t cell, const BinMoments& bin, QuantizationError& error) const
{
    const double value = level(cell);
    const double sum = std::max(0.0, bin.squares - value * (2.0 * bin.sum - bin.count * value));
    const auto count = static_cast<std::uint64_t>(bin.count);
    if (cell < 0) {
        error.clipping += sum;
        error.clipped += count;
        return;
    }
    error.rounding += sum;
    if (cell > m_topCode) {
        error.zeroed += count;
        error.zeroedMass += bin.sum;
    }
}

void LogBinError::addClamped(
    const QuantizationError& guess, double least, double most, QuantizationError& error) const
{
    const double total = std::clamp(guess.total(), least, std::max(least, most));
    const double clipping = guess.total() > 0.0 ? guess.clipping * (total / guess.total()) : 0.0;
    error.clipping += clipping;
    error.rounding += total - clipping;
    error.clipped += guess.clipped;
    error.zeroed += guess.zeroed;
    error.zeroedMass += guess.zeroedMass;
    error.uncertainty += std::max(total - least, most - total);
}

void LogBinError::addAcross(
    std::int64_t deepest, std::int64_t highest, const BinMoments& bin, QuantizationError& error) const
{
    const LinearDensity density(bin);
    QuantizationError guess;
    std::vector<std::pair<double, double>> points;
    double from = bin.lower;
    for (std::int64_t cell = deepest; cell >= highest; --cell) {
        const double to = cell == highest ? bin.upper : std::clamp(lowerEdge(cell - 1), from, bin.upper);
        const double value = level(cell);
        points.emplace_back(from, value * (2.0 * from - value));
        points.emplace_back(to, value * (2.0 * to - value));
        const auto part = density.part(from, to, value);
        (cell < 0 ? guess.clipping : guess.rounding) += part.error;
        const auto count = static_cast<std::uint64_t>(std::llround(part.count));
        if (cell < 0) {
            guess.clipped += count;
        } else if (cell > m_topCode) {
            guess.zeroed += count;
            guess.zeroedMass += part.sum;
        }
        from = to;
    }
    const auto [low, high] = hullAt(points, bin.mean());
    addClamped(guess, std::max(0.0, bin.squares - bin.count * high),
        std::max(0.0, bin.squares - bin.count * low), error);
}

void LogBinError::addMany(const BinMoments& bin, QuantizationError& error) const
{
    const LinearDensity density(bin);
    const double half = 0.5 / m_perOctave;
    const double scale = half * std::log(4.0); // of u evenly spread in +-half, in 2^u
    const double meanRatio = (std::exp2(half) - std::exp2(-half)) / scale;
    const double meanSquare = (std::exp2(2.0 * half) - std::exp2(-2.0 * half)) / (2.0 * scale);
    // AdaLog's mantissas are off by half a part of at least half of all parts.
    const double off = m_adaLogBase != 0 ? 1.0 + 1.0 / (std::exp2(m_bits + 1.0) - 2.0) : 1.0;
    const double worst = (std::exp2(half) * off - 1.0) * (std::exp2(half) * off - 1.0);
    const double zeroEdge = std::clamp(lowerEdge(m_topCode), bin.lower, bin.upper);
    const double clipEdge = std::clamp(lowerEdge(-1), zeroEdge, bin.upper);
    const auto zero = density.part(bin.lower, zeroEdge, 0.0);
    const auto coded = density.part(zeroEdge, clipEdge, 0.0);
    const auto clipped = density.part(clipEdge, bin.upper, m_base);
    QuantizationError guess;
    guess.clipping = clipped.error;
    guess.rounding = zero.error + coded.error * (1.0 - 2.0 * meanRatio + meanSquare);
    guess.clipped = static_cast<std::uint64_t>(std::llround(clipped.count));
    guess.zeroed = static_cast<std::uint64_t>(std::llround(zero.count));
    guess.zeroedMass = zero.sum;
    // No error exceeds x^2; coded values err by `worst` x^2 at most, zeroed ones by their square.
    const double largestZeroed = std::max(std::abs(bin.lower), lowerEdge(m_topCode));
    double most = bin.squares;
    if (clipEdge >= bin.upper) {
        most = std::min(most, worst * bin.squares + bin.count * largestZeroed * largestZeroed);
    }
    addClamped(guess, 0.0, most, error);
}

} // namespace qs
