#include "core/quant/fake_quantizer.h"

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/quant/ada_log.h"
#include "core/quant/row_kernels.h"
#include "core/quant/weight_layout.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace qs {

namespace {

void requireRunnable(const QuantParams& params)
{
    if (params.bits < kMinBits || params.bits > kMaxBits) {
        throw Error(ErrorCode::InvalidArgument,
            "a quantizer of " + std::to_string(params.bits) + " bits is outside " + std::to_string(kMinBits)
                + " to " + std::to_string(kMaxBits));
    }
    if (params.scales.empty() || params.zeroPoints.size() != params.scales.size()) {
        throw Error(ErrorCode::InvalidArgument,
            "a quantizer has " + std::to_string(params.scales.size()) + " scales and "
                + std::to_string(params.zeroPoints.size()) + " zero points");
    }
    if (!params.zeroPointFractions.empty() && params.zeroPointFractions.size() != params.scales.size()) {
        throw Error(ErrorCode::InvalidArgument,
            "a quantizer has " + std::to_string(params.scales.size()) + " scales and "
                + std::to_string(params.zeroPointFractions.size()) + " fractions of zero points");
    }
    if (params.kind == QuantizerKind::AdaLog && params.bounds.size() != params.scales.size()) {
        throw Error(ErrorCode::InvalidArgument,
            "an AdaLog quantizer has " + std::to_string(params.scales.size()) + " scales and "
                + std::to_string(params.bounds.size()) + " bounds");
    }
    const auto bad = std::ranges::find_if(
        params.scales, [](float scale) { return !std::isnormal(scale) || scale < 0.0F; });
    if (bad != params.scales.end()) {
        throw Error(ErrorCode::InvalidArgument,
            "scale " + std::to_string(bad - params.scales.begin()) + " of a quantizer is "
                + std::to_string(*bad));
    }
}

LogBase baseOf(QuantizerKind kind)
{
    return kind == QuantizerKind::Log2 ? LogBase::Two : LogBase::SqrtTwo;
}

/// For zero points beyond the kernels' reach, which come from foreign files only, and for those with a
/// fraction: the code is rounded before the fraction is added, and clamped afterwards.
void farRow(const float* in, float* out, std::size_t size, float step, double lowest, double highest)
{
    for (std::size_t i = 0; i < size; ++i) {
        const float t = in[i] / step;
        const double rounded = std::isnan(t) ? 0.0 : std::nearbyint(static_cast<double>(t));
        out[i] = static_cast<float>(std::clamp(rounded, lowest, highest) + 0.0) * step;
    }
}

} // namespace

struct FakeQuantizer::Tables
{
    explicit Tables(const QuantParams& params);
    void uniformRow(std::size_t index, std::span<const float> in, float* out) const;

    std::vector<float> steps;
    std::vector<float> lowest;
    std::vector<float> highest;
    std::vector<LogScale> logarithmic;
    std::vector<AdaLogRow> adaLog;
    std::vector<double> lowestExact; ///< qmin - z with the fraction of z
    std::vector<double> highestExact;
    bool isNear = true; ///< all codes whole and within kMaxExactCode
};

FakeQuantizer::Tables::Tables(const QuantParams& params)
{
    for (std::size_t i = 0; i < params.scales.size(); ++i) {
        if (params.kind == QuantizerKind::AdaLog) {
            adaLog.emplace_back(params.scales[i], adaLogBase(params.bounds[i]), params.bits);
            continue;
        }
        if (params.kind != QuantizerKind::Uniform) {
            logarithmic.push_back(logScale(params.scales[i], baseOf(params.kind), params.maximumCode()));
            continue;
        }
        const UniformScale scale = uniformScale(params, i);
        steps.push_back(scale.step);
        lowest.push_back(scale.lowest);
        highest.push_back(scale.highest);
        isNear = isNear && std::abs(lowest.back()) <= kMaxExactCode
            && std::abs(highest.back()) <= kMaxExactCode && params.zeroPointFractions.empty();
        lowestExact.push_back(params.minimumCode() - params.zeroPoint(i));
        highestExact.push_back(params.maximumCode() - params.zeroPoint(i));
    }
}

void FakeQuantizer::Tables::uniformRow(std::size_t index, std::span<const float> in, float* out) const
{
    if (isNear) {
        rowKernels().uniform(in.data(), out, in.size(), {steps[index], lowest[index], highest[index]});
    } else {
        farRow(in.data(), out, in.size(), steps[index], lowestExact[index], highestExact[index]);
    }
}

FakeQuantizer::FakeQuantizer(QuantParams params)
    : m_params(std::move(params))
{
    requireRunnable(m_params);
    m_tables = std::make_shared<const Tables>(m_params);
}

void FakeQuantizer::transformRow(std::int64_t head, std::span<const float> in, float* out) const
{
    const std::size_t scales = m_params.scales.size();
    const bool perElement = scales > 1 && m_params.axis == GroupAxis::Channel;
    if (perElement ? scales != in.size() : scales > 1 && static_cast<std::size_t>(head) >= scales) {
        throw Error(ErrorCode::ShapeMismatch,
            std::to_string(scales) + " scales do not fit a row of " + std::to_string(in.size())
                + " values in head " + std::to_string(head));
    }
    const RowKernels& kernels = rowKernels();
    const Tables& tables = *m_tables;
    const std::size_t index = perElement ? 0 : m_params.index(head);
    const auto logRow = m_params.kind == QuantizerKind::Log2 ? kernels.log2 : kernels.logSqrt2;
    if (m_params.kind != QuantizerKind::Uniform) {
        const std::size_t run = perElement ? 1 : in.size();
        for (std::size_t first = 0; first < in.size(); first += run) {
            const std::size_t scale = perElement ? first : index;
            if (m_params.kind == QuantizerKind::AdaLog) {
                tables.adaLog[scale].transform(in.data() + first, out + first, run);
            } else {
                logRow(in.data() + first, out + first, run, tables.logarithmic[scale]);
            }
        }
    } else if (!perElement) {
        tables.uniformRow(index, in, out);
    } else if (tables.isNear) {
        kernels.uniformPerElement(
            in.data(), out, in.size(), tables.steps.data(), tables.lowest.data(), tables.highest.data());
    } else {
        for (std::size_t i = 0; i < in.size(); ++i) {
            tables.uniformRow(i, in.subspan(i, 1), out + i);
        }
    }
}

Tensor fakeQuantizedWeight(const Tensor& weight, const QuantParams& params, int axis)
{
    const WeightLayout layout = layoutOfWeight(weight, axis, params.scales.size());
    QuantParams perRow = params;
    perRow.axis = layout.rowsAreChannels ? GroupAxis::Head : GroupAxis::Channel;
    const FakeQuantizer quantizer(std::move(perRow));
    Tensor result(DType::F32, weight.shape());
    const auto in = weight.data<float>();
    const auto out = result.mutableData<float>();
    parallelFor(layout.rows, layout.rowGrain(), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
            const std::size_t first = static_cast<std::size_t>(row * layout.width);
            const auto values = in.subspan(first, static_cast<std::size_t>(layout.width));
            quantizer.transformRow(layout.channelOfRow(row), values, out.data() + first);
        }
    });
    return result;
}

std::vector<std::int32_t> weightCodes(const Tensor& weight, const QuantParams& params, int axis)
{
    requireRunnable(params);
    if (params.kind != QuantizerKind::Uniform) {
        throw Error(ErrorCode::Unsupported,
            "a weight has integer codes with a uniform quantizer only, not with "
                + std::string(nameOf(params.kind)));
    }
    if (!params.zeroPointFractions.empty()) {
        throw Error(ErrorCode::Unsupported, "a weight with fractional zero points has no integer codes");
    }
    const WeightLayout layout = layoutOfWeight(weight, axis, params.scales.size());
    const auto in = weight.data<float>();
    std::vector<std::int32_t> codes(in.size());
    const double lowest = params.minimumCode();
    const double highest = params.maximumCode();
    parallelFor(layout.rows, layout.rowGrain(), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin * layout.width; i < end * layout.width; ++i) {
            const std::int64_t row = i / layout.width;
            const std::int64_t channel = layout.rowsAreChannels ? layout.channelOfRow(row) : i % layout.width;
            const std::size_t index = params.index(channel);
            const float t = in[static_cast<std::size_t>(i)] / params.scales[index];
            const double rounded = std::isnan(t) ? 0.0 : std::nearbyint(static_cast<double>(t));
            codes[static_cast<std::size_t>(i)]
                = static_cast<std::int32_t>(std::clamp(rounded + params.zeroPoints[index], lowest, highest));
        }
    });
    return codes;
}

} // namespace qs
