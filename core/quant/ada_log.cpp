#include "core/quant/ada_log.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace qs {

namespace {

constexpr int kDefaultBase = 18;
constexpr float kSmallest = std::numeric_limits<float>::min();

/// The least float at or above the border under a code; above it where a value on the border belongs to the
/// next, even code.
float borderUnder(double d, int base, std::int64_t code)
{
    const std::int64_t halves = (2 * code + 1) * base;
    const double exact = d * std::exp2(-static_cast<double>(halves) / (2.0 * kAdaLogUnit));
    auto border = static_cast<float>(exact);
    const bool isTie = halves % (2 * kAdaLogUnit) == 0 && code % 2 == 1;
    if (static_cast<double>(border) < exact || (isTie && static_cast<double>(border) == exact)) {
        border = std::nextafter(border, std::numeric_limits<float>::infinity());
    }
    return border;
}

} // namespace

int adaLogBase(const Bounds& bounds)
{
    if (!(bounds.lower > 0.0) || !(bounds.lower < bounds.upper)) {
        return kDefaultBase;
    }
    const double base = kAdaLogUnit * std::log2(bounds.upper / bounds.lower);
    return static_cast<int>(std::clamp(
        std::nearbyint(base), static_cast<double>(kLeastAdaLogBase), static_cast<double>(kMostAdaLogBase)));
}

Bounds adaLogBounds(double d, int base)
{
    return {d * std::exp2(-static_cast<double>(base) / kAdaLogUnit), d};
}

double codesPerOctave(const QuantParams& params, std::size_t index)
{
    switch (params.kind) {
    case QuantizerKind::LogSqrt2: return 2.0;
    case QuantizerKind::AdaLog: return static_cast<double>(kAdaLogUnit) / adaLogBase(params.bounds[index]);
    case QuantizerKind::Uniform:
    case QuantizerKind::Log2: break;
    }
    return 1.0;
}

float adaLogLevel(double d, int base, int bits, std::int64_t code)
{
    const std::int64_t parts = code * base;
    const double whole = std::exp2(static_cast<double>(bits) + 1.0) - 2.0;
    const double fraction = static_cast<double>(parts % kAdaLogUnit) / kAdaLogUnit;
    const double mantissa = std::nearbyint(std::exp2(-fraction) * whole) / whole;
    return static_cast<float>(std::ldexp(d * mantissa, -static_cast<int>(parts / kAdaLogUnit)));
}

AdaLogRow::AdaLogRow(float d, int base, int bits)
{
    const auto exact = static_cast<double>(d);
    const std::int64_t codes = std::int64_t {1} << bits;
    for (std::int64_t code = 0; code < codes; ++code) {
        const float border = borderUnder(exact, base, code);
        const float level = adaLogLevel(exact, base, bits, code);
        if (border < kSmallest || level < kSmallest) {
            break;
        }
        m_borders.push_back(border);
        m_levels.push_back(level);
    }
    std::ranges::reverse(m_borders);
    m_levels.push_back(0.0F);
    std::ranges::reverse(m_levels);
}

void AdaLogRow::transform(const float* in, float* out, std::size_t size) const
{
    for (std::size_t i = 0; i < size; ++i) {
        const float x = in[i];
        const float* first = m_borders.data();
        std::size_t left = m_borders.size();
        while (left > 1) { // without branches that depend on the values
            const std::size_t half = left / 2;
            first += first[half - 1] <= x ? half : 0;
            left -= half;
        }
        const std::size_t above = static_cast<std::size_t>(first - m_borders.data());
        out[i] = m_levels[above + (left == 1 && *first <= x ? 1 : 0)];
    }
}

} // namespace qs
