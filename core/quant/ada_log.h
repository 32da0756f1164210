#pragma once

#include "core/quant/quantizer.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace qs {

// AdaLog (methods.md 4.3): a logarithmic quantizer of base 2^(q/37), the whole number q being searched.
// Two numbers say what it does, d and q; as Bounds they are {d 2^(-q/37), d}: the values of codes 1 and 0
// before the mantissa is rounded.

inline constexpr int kAdaLogUnit = 37; ///< q of log2
inline constexpr int kLeastAdaLogBase = 10;
inline constexpr int kMostAdaLogBase = 138;

/// q of such bounds; where they give none, 18, next to sqrt2.
[[nodiscard]] int adaLogBase(const Bounds& bounds);
[[nodiscard]] Bounds adaLogBounds(double d, int base);

/// Codes per octave of a logarithmic quantizer: 1, 2, or 37 / q. index: of the scale.
[[nodiscard]] double codesPerOctave(const QuantParams& params, std::size_t index);
/// What a code of an AdaLog quantizer becomes: d 2^(-floor(code q / 37)) T, with T = 2^(-((code q) mod 37) /
/// 37) rounded to whole parts of 2^(b+1) - 2.
[[nodiscard]] float adaLogLevel(double d, int base, int bits, std::int64_t code);

/// One scale of an AdaLog quantizer, ready to run: x belongs to the code that exact arithmetic gives, half to
/// even. x above d gives d; x below the smallest normal float, negative or NaN gives 0.
class AdaLogRow
{
public:
    AdaLogRow(float d, int base, int bits);
    void transform(const float* in, float* out, std::size_t size) const;

private:
    std::vector<float> m_borders; ///< ascending: the least value of each code
    std::vector<float> m_levels; ///< one more: [i] of what lies above i of the borders
};

} // namespace qs
