#pragma once

#include "core/quant/quantizer.h"

#include <cstdint>
#include <span>
#include <vector>

namespace qs {

/// Codes that a logarithmic quantizer gives values, kZeroedCode for those that become 0. Same decisions as
/// FakeQuantizer, bit for bit. Throws Error(InvalidArgument) when the quantizer is uniform or has several
/// scales.
inline constexpr std::uint8_t kZeroedCode = 255;
[[nodiscard]] std::vector<std::uint8_t> logCodes(std::span<const float> values, const QuantParams& params);

/// Sums of one row of attention probabilities times the values, as integer hardware makes them: every code of
/// a value, zero point taken off, is shifted left by kShift minus the octaves of its probability and added to
/// one of two accumulators by the parity of the probability's code (RepQ-ViT's parity-selected scale, arXiv
/// 2212.08254; methods.md 1.4). Log2 has no odd codes. With d the base and s the step of the values, the
/// product is
///   s 2^-shift (d even + d' odd),    d' = d sqrt2
struct ShiftSums
{
    std::vector<std::int64_t> even; ///< [width]
    std::vector<std::int64_t> odd;
    int shift = 0; ///< bits by which a probability of d shifts
};

/// probabilities [keys] codes of logCodes(); values [keys, width] codes of a uniform quantizer with one zero
/// point, row- major. Throws Error(Unsupported) when the code range needs more bits than an accumulator of 64
/// has (log2 beyond 5, log-sqrt2 beyond 6 bits).
[[nodiscard]] ShiftSums shiftProduct(std::span<const std::uint8_t> probabilities,
    const QuantParams& probabilityParams, std::span<const std::int32_t> values, std::int32_t zeroPoint,
    std::int64_t width);

/// The product [width] in tensor units: one multiplication for each accumulator.
[[nodiscard]] std::vector<double> scaledProduct(
    const ShiftSums& sums, const QuantParams& probabilityParams, float valueStep);

} // namespace qs
