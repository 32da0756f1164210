#pragma once

#include "core/quant/quantizer.h"

#include <cstdint>
#include <optional>
#include <string>

namespace qs {

/// How codes of a uniform quantizer of at most 8 bits lie in ONNX's int8: stored = code - shift, and the zero
/// point moves with them, so that dequantization gives the same numbers.
struct Int8Form
{
    std::int32_t shift = 0; ///< 128 for asymmetric 8 bits (codes 0..255), else 0
    std::int32_t minimum = -128; ///< stored codes the quantizer uses
    std::int32_t maximum = 127;
    bool clipped = false; ///< fewer codes than int8 has: QuantizeLinear alone would use more of them

    [[nodiscard]] std::int32_t stored(std::int32_t code) const { return code - shift; }
};

/// The form, or the reason as the end of a sentence ("uses 12 bits, …") in `problem`.
[[nodiscard]] std::optional<Int8Form> int8FormOf(const QuantParams& params, std::string& problem);

} // namespace qs
