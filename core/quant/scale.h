#pragma once

#include "core/quant/quantizer.h"

namespace qs {

/// What bounds become: step s or base d, and the zero point.
struct Scale
{
    float step = 1.0F; ///< > 0 and a normal number
    std::int32_t zeroPoint = 0;

    friend bool operator==(const Scale&, const Scale&) = default;
};

/// Zero points stay within this magnitude, so that code arithmetic in float is exact.
inline constexpr std::int32_t kMaxZeroPoint = 1 << 21;

/// Scale of a quantizer whose bounds are [lower, upper], methods.md 0.2, in float as in PyTorch:
///   uniform asymmetric: s = (upper - lower) / (2^b - 1), z = round(-lower / s); 0 need not lie within the
///   bounds uniform symmetric: s = max(|lower|, |upper|) / (2^(b-1) - 1), z = 0 logarithmic: d = upper
/// A constant c (lower = upper): s = max(|c|, 1e-8) / top code, with c >= 0 on the top code (z = 0) and c < 0
/// on code 0 (asymmetric, z = 2^b - 1) or the lowest code (symmetric). Bounds so far from 0 that z would
/// exceed kMaxZeroPoint get the least step that keeps it there. Logarithmic without a positive upper bound: d
/// = 1.
[[nodiscard]] Scale scaleForBounds(QuantizerKind kind, Symmetry symmetry, int bits, const Bounds& bounds);

/// Bounds of a uniform quantizer that scaleForBounds() turns into this scale and zero point: the values of
/// its lowest and top code, moved by single floats where rounding asks for it. A step that no bounds give
/// (one in 256 or fewer of those that were not made from bounds) comes out one float off.
[[nodiscard]] Bounds boundsForScale(Symmetry symmetry, int bits, const Scale& scale);

/// The quantizer with one scale that these bounds give.
[[nodiscard]] QuantParams paramsForBounds(
    QuantizerKind kind, Symmetry symmetry, int bits, const Bounds& bounds);

} // namespace qs
