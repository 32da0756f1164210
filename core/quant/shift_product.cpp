#include "core/quant/shift_product.h"

#include "core/base/error.h"
#include "core/quant/row_kernels.h"

#include <bit>
#include <cmath>
#include <limits>
#include <string>

namespace qs {

namespace {

LogScale scaleOf(const QuantParams& params)
{
    if ((params.kind != QuantizerKind::Log2 && params.kind != QuantizerKind::LogSqrt2)
        || params.scales.size() != 1) {
        throw Error(ErrorCode::InvalidArgument,
            "a product by shifts needs a log2 or log-sqrt2 quantizer with one scale");
    }
    return logScale(params.scales.front(),
        params.kind == QuantizerKind::Log2 ? LogBase::Two : LogBase::SqrtTwo, params.maximumCode());
}

/// Octaves from a value's bits up to a threshold's, rounded up; 0 from the threshold on.
std::int32_t octavesBelow(std::int32_t bits, std::int32_t threshold)
{
    return threshold <= bits ? 0 : (threshold - bits + ((1 << 23) - 1)) >> 23;
}

/// Codes per octave.
int perOctave(QuantizerKind kind)
{
    return kind == QuantizerKind::Log2 ? 1 : 2;
}

} // namespace

std::vector<std::uint8_t> logCodes(std::span<const float> values, const QuantParams& params)
{
    const LogScale scale = scaleOf(params);
    const bool isSqrt = params.kind == QuantizerKind::LogSqrt2;
    if (scale.topCode >= kZeroedCode) {
        throw Error(ErrorCode::Unsupported,
            "a logarithmic quantizer of " + std::to_string(params.bits)
                + " bits has more codes than fit a byte");
    }
    std::vector<std::uint8_t> codes(values.size(), kZeroedCode);
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (!(values[i] >= std::numeric_limits<float>::min())) {
            continue;
        }
        const auto bits = std::bit_cast<std::int32_t>(values[i]);
        const std::int32_t q
            = octavesBelow(bits, scale.evenThreshold) + (isSqrt ? octavesBelow(bits, scale.oddThreshold) : 0);
        if (q <= scale.topCode) {
            codes[i] = static_cast<std::uint8_t>(q);
        }
    }
    return codes;
}

ShiftSums shiftProduct(std::span<const std::uint8_t> probabilities, const QuantParams& probabilityParams,
    std::span<const std::int32_t> values, std::int32_t zeroPoint, std::int64_t width)
{
    constexpr int kLargestShift = 32;
    const int perOct = perOctave(probabilityParams.kind);
    ShiftSums sums;
    sums.shift = (probabilityParams.maximumCode() + perOct - 1) / perOct;
    if (sums.shift > kLargestShift) {
        throw Error(ErrorCode::Unsupported,
            "probabilities of " + std::to_string(probabilityParams.bits) + " bits shift by up to "
                + std::to_string(sums.shift) + " bits, which no accumulator holds");
    }
    sums.even.assign(static_cast<std::size_t>(width), 0);
    sums.odd.assign(static_cast<std::size_t>(width), 0);
    for (std::size_t key = 0; key < probabilities.size(); ++key) {
        const int code = probabilities[key];
        if (code == kZeroedCode) {
            continue;
        }
        const int octaves = (code + perOct - 1) / perOct; // ceil(q / 2), or q
        std::vector<std::int64_t>& accumulator = code % perOct == 1 ? sums.odd : sums.even;
        for (std::size_t c = 0; c < static_cast<std::size_t>(width); ++c) {
            const std::int64_t value = values[key * static_cast<std::size_t>(width) + c] - zeroPoint;
            accumulator[c] += value * (std::int64_t {1} << (sums.shift - octaves));
        }
    }
    return sums;
}

std::vector<double> scaledProduct(
    const ShiftSums& sums, const QuantParams& probabilityParams, float valueStep)
{
    const LogScale scale = scaleOf(probabilityParams);
    const double unit = static_cast<double>(valueStep) * std::exp2(-sums.shift);
    const double even = unit * static_cast<double>(std::bit_cast<float>(scale.evenLevel));
    // The level of code 1 is one octave down: 2^-1 d'.
    const double odd = probabilityParams.kind == QuantizerKind::LogSqrt2
        ? 2.0 * unit * static_cast<double>(std::bit_cast<float>(scale.oddLevel))
        : 0.0;
    std::vector<double> product(sums.even.size());
    for (std::size_t c = 0; c < product.size(); ++c) {
        product[c] = even * static_cast<double>(sums.even[c]) + odd * static_cast<double>(sums.odd[c]);
    }
    return product;
}

} // namespace qs
