#include "core/quant/uniform_bin_error.h"

#include <algorithm>
#include <cmath>

namespace qs {

namespace {

/// Cells of a bin that are integrated one by one; beyond, rounding errors are taken as spread evenly in
/// +-s/2.
constexpr double kManyCells = 8.0;
/// An edge this close to a cell's border, in steps, counts as the border: both levels are equally far from
/// it.
constexpr double kBorder = 1e-9;
/// Division, rounding of levels: how far float arithmetic moves a border, relative to x.
constexpr double kFloatBlur = 1.0 / (1 << 22);

} // namespace

UniformBinError::UniformBinError(const QuantParams& params, std::int64_t group)
    : m_step(params.scales[params.index(group)])
    , m_lowest(static_cast<double>(params.minimumCode()) - params.zeroPoint(params.index(group)))
    , m_highest(static_cast<double>(params.maximumCode()) - params.zeroPoint(params.index(group)))
{
}

double UniformBinError::level(double code) const
{
    return static_cast<double>(static_cast<float>(std::clamp(code, m_lowest, m_highest)) * m_step);
}

double UniformBinError::line(double code, double x) const
{
    const double value = level(code);
    return value * (2.0 * x - value);
}

double UniformBinError::codeOf(double x) const
{
    const double t = static_cast<double>(static_cast<float>(x) / m_step);
    return std::clamp(std::nearbyint(t), std::floor(m_lowest) - 1.0, std::ceil(m_highest) + 1.0);
}

void UniformBinError::add(const BinMoments& bin, QuantizationError& error) const
{
    if (bin.count == 1.0) { // the value itself is known
        addInside(codeOf(bin.sum), bin, error);
        return;
    }
    const double step = m_step;
    const double lowest = std::floor(m_lowest) - 1.0;
    const double highest = std::ceil(m_highest) + 1.0;
    const double first = std::clamp(std::floor(bin.lower / step + (0.5 + kBorder)), lowest, highest);
    const double last = std::clamp(std::ceil(bin.upper / step - (0.5 + kBorder)), lowest, highest);
    if (first >= last) {
        addInside(first, bin, error);
    } else {
        addAcross(first, last, bin, error);
    }
}

void UniformBinError::addInside(double code, const BinMoments& bin, QuantizationError& error) const
{
    const double value = level(code);
    const double sum = std::max(0.0, bin.squares - value * (2.0 * bin.sum - bin.count * value));
    if (code < m_lowest || code > m_highest) {
        error.clipping += sum;
        error.clipped += static_cast<std::uint64_t>(bin.count);
    } else {
        error.rounding += sum;
    }
}

QuantizationError UniformBinError::estimate(double first, double last, const BinMoments& bin) const
{
    const LinearDensity density(bin);
    const double step = m_step;
    QuantizationError result;
    double from = bin.lower;
    double to = bin.upper;
    if (first < m_lowest) {
        const double border = std::clamp((m_lowest - 0.5) * step, from, to);
        const auto part = density.part(from, border, level(m_lowest));
        result.clipping += part.error;
        result.clipped += static_cast<std::uint64_t>(std::llround(part.count));
        from = border;
    }
    if (last > m_highest) {
        const double border = std::clamp((m_highest + 0.5) * step, from, to);
        const auto part = density.part(border, to, level(m_highest));
        result.clipping += part.error;
        result.clipped += static_cast<std::uint64_t>(std::llround(part.count));
        to = border;
    }
    first = std::max(first, m_lowest);
    last = std::min(last, m_highest);
    if (last - first >= kManyCells) {
        result.rounding += density.part(from, to, 0.0).count * step * step / 12.0;
        return result;
    }
    for (double code = first; code <= last; code += 1.0) {
        const double border = code == last ? to : std::clamp((code + 0.5) * step, from, to);
        result.rounding += density.part(from, border, level(code)).error;
        from = border;
    }
    return result;
}

void UniformBinError::addAcross(
    double first, double last, const BinMoments& bin, QuantizationError& error) const
{
    const double step = m_step;
    const double n = bin.count;
    const double mean = bin.mean();
    const double left = line(first, bin.lower);
    const double right = line(last, bin.upper);
    const double chord = left + (right - left) * ((mean - bin.lower) / (bin.upper - bin.lower));
    double least = std::max(0.0, bin.squares - n * chord);
    double most = bin.squares - n * line(std::nearbyint(mean / step), mean);
    if (first >= m_lowest && last <= m_highest) {
        most = std::min(most, 0.25 * n * step * step);
    }
    most = std::max(most, least);
    const QuantizationError guess = estimate(first, last, bin);
    const double total = std::clamp(guess.total(), least, most);
    const double clipping = guess.total() > 0.0 ? guess.clipping * (total / guess.total()) : 0.0;
    error.clipping += clipping;
    error.rounding += total - clipping;
    error.clipped += std::min(guess.clipped, static_cast<std::uint64_t>(n));
    if (level(first) != level(last)) {
        const double farthest = std::max(std::abs(bin.lower), std::abs(bin.upper));
        error.uncertainty += std::max(total - least, most - total) + n * step * farthest * kFloatBlur;
    }
}

} // namespace qs
