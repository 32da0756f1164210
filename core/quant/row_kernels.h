#pragma once

#include "core/quant/quantizer.h"

#include <cstddef>
#include <cstdint>

namespace qs {

/// One scale of a uniform quantizer in the form its row kernel takes. With lowest = qmin - z and highest =
/// qmax - z the value is clamp(round(x / s), lowest, highest) * s: the same float as (clamp(round(x / s) + z,
/// qmin, qmax) - z) * s, because all integers involved are exact in float.
struct UniformScale
{
    float step = 1.0F;
    float lowest = 0.0F; ///< |lowest|, |highest| <= kMaxExactCode
    float highest = 0.0F;
};

[[nodiscard]] UniformScale uniformScale(const QuantParams& params, std::size_t index);

/// Rounding adds and subtracts 1.5 * 2^23, which rounds to integers (half to even) up to this magnitude.
inline constexpr float kMaxExactCode = 4194304.0F; // 2^22

/// One scale of a logarithmic quantizer. The decision thresholds of one parity lie exactly one octave apart,
/// and an octave is 2^23 in a normal float's bit pattern, so codes are integer arithmetic on bit patterns:
///   q = ceil+((evenThreshold - bits(x)) / 2^23) + ceil+((oddThreshold - bits(x)) / 2^23), ceil+ = max(0,
///   ceil)
/// where the second term is absent for log2. No float rounding enters: x belongs to the code that exact
/// arithmetic gives. x below the smallest normal float, negative or NaN becomes 0.
struct LogScale
{
    std::int32_t evenThreshold = 0; ///< bits of the least float >= d 2^(-1/(2k)): from here on upwards q = 0
    std::int32_t oddThreshold = 0; ///< log-sqrt2: bits of the least float >= d 2^(-3/4)
    std::int32_t evenLevel = 0; ///< bits of d
    std::int32_t oddLevel = 0; ///< log-sqrt2: bits of d / sqrt2 as float(d sqrt2) / 2
    std::int32_t topCode = 0; ///< codes above give 0
};

enum class LogBase { Two, SqrtTwo };
[[nodiscard]] LogScale logScale(float d, LogBase base, std::int32_t topCode);

/// Instruction sets the kernels exist for. All give the same bits.
enum class Isa { Portable, Avx2, Avx512 };
/// The best that this processor has.
[[nodiscard]] Isa detectIsa();

/// Row kernels of one instruction set; in and out may be the same row. NaN quantizes like 0 (uniform).
struct RowKernels
{
    void (*uniform)(const float* in, float* out, std::size_t size, UniformScale scale);
    /// Element i has its own scale (steps[i], lowest[i], highest[i]).
    void (*uniformPerElement)(const float* in, float* out, std::size_t size, const float* steps,
        const float* lowest, const float* highest);
    void (*log2)(const float* in, float* out, std::size_t size, LogScale scale);
    void (*logSqrt2)(const float* in, float* out, std::size_t size, LogScale scale);
    /// Sum of squared errors in double, in an order that depends on size alone.
    double (*uniformError)(const float* in, std::size_t size, UniformScale scale);
};

[[nodiscard]] const RowKernels& rowKernels(Isa isa);
/// Those of detectIsa().
[[nodiscard]] const RowKernels& rowKernels();

} // namespace qs
