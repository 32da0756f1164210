#pragma once

#include <optional>

namespace qs {

/// Floating-point formats narrower than F32, as ONNX has them. Arithmetic happens in F32; these say how
/// values are stored (decoded) and what a conversion to them keeps (rounded).
enum class SmallFloat {
    Half, ///< IEEE binary16
    BFloat16,
    E4M3FN, ///< 8 bits, no infinity, largest 448 (arXiv:2209.05433)
    E4M3FNUZ, ///< 8 bits, no infinity, no negative zero, largest 240 (arXiv:2206.02915)
    E5M2, ///< 8 bits, IEEE-like, largest 57344 (arXiv:2209.05433)
    E5M2FNUZ, ///< 8 bits, no infinity, no negative zero, largest 57344 (arXiv:2206.02915)
    E2M1, ///< 4 bits, neither infinity nor NaN, largest 6 (OCP microscaling formats 1.0)
    E8M0 ///< 8 bits, powers of two 2^-127..2^127, no sign, no zero (OCP microscaling formats 1.0)
};

/// What becomes of values beyond the largest.
enum class Overflow {
    Saturate, ///< the largest; Half and BFloat16 have infinity all the same
    Spill ///< infinity where the format has it, else NaN
};

/// How E8M0 rounds what is no power of two; Nearest rounds halves up.
enum class PowerRounding { Up, Down, Nearest };

/// The value of a stored code: 4 bits of E2M1, 8 of the others. Not for Half and BFloat16 (see dtype.h).
[[nodiscard]] float decodeSmallFloat(SmallFloat format, unsigned code);
/// The value nearest to x, half to even; NaN stays NaN where the format has it, else becomes 0. E8M0: see
/// roundedToPower().
[[nodiscard]] float roundedToSmallFloat(SmallFloat format, float x, Overflow overflow);
/// The E8M0 value of x >= 0; NaN for x < 0 and NaN. Below 2^-127 it is 2^-127, beyond 2^127 as `overflow`
/// says.
[[nodiscard]] float roundedToPower(float x, PowerRounding rounding, Overflow overflow);
/// The format of a TensorProto data type number, where it is one of these.
[[nodiscard]] std::optional<SmallFloat> smallFloatOfOnnx(long long dataType);

} // namespace qs
