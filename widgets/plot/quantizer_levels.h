#pragma once

#include "core/quant/quantizer.h"

#include <cstddef>
#include <vector>

namespace qs {

/// Values that codes of the quantizer of `group` stand for, ascending, in tensor units: (q - z) s for uniform
/// quantizers, 0 and d 2^(-q) or d 2^(-q/2) for logarithmic ones. With more than maximumCount levels every
/// k-th is given, the outermost two always. Empty when maximumCount < 2.
[[nodiscard]] std::vector<double> quantizerLevels(
    const QuantParams& params, std::int64_t group, std::size_t maximumCount);
/// Values outside are clipped. Logarithmic quantizers begin at 0, whatever else their bounds say.
[[nodiscard]] Bounds clippingBounds(const QuantParams& params, std::size_t index);
[[nodiscard]] std::vector<Bounds> clippingBounds(const QuantParams& params); ///< of every scale
/// Number of distinct levels: codes of a uniform quantizer, codes and zero of a logarithmic one.
[[nodiscard]] std::int64_t levelCount(const QuantParams& params);
/// Logarithmic quantizers: values below this become 0 (in the interval of code 2^b - 1 and 2^b, half way in
/// the exponent). 0 for uniform quantizers.
[[nodiscard]] double zeroingCutoff(const QuantParams& params, std::int64_t group);

} // namespace qs
