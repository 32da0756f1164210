#include "core/quant/fake_quantizer.h"

#include "core/base/error.h"
#include "core/base/parallel.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace qs {

namespace {

// The same source is compiled for several instruction sets; every operation is a single correctly rounded
// IEEE one (division, round half to even, comparison, subtraction, multiplication), so all versions give the
// same bits.
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define QS_VECTOR_VERSIONS __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define QS_VECTOR_VERSIONS
#endif

/// Codes of logarithmic quantizers deeper than this many octaves below d are taken as zero: x / d is a normal
/// float above.
constexpr float kDeepestOctave = 120.0F;

inline float quantized(float value, float scale, float zeroPoint, float lowest, float highest)
{
    float code = std::nearbyintf(value / scale) + zeroPoint;
    code = code > lowest ? code
                         : lowest; // NaN fails both comparisons' true branch and becomes the lowest code
    code = code < highest ? code : highest;
    return (code - zeroPoint) * scale;
}

QS_VECTOR_VERSIONS
void uniformRow(
    const float* in, float* out, std::size_t size, float scale, float zeroPoint, float lowest, float highest)
{
    for (std::size_t i = 0; i < size; ++i) {
        out[i] = quantized(in[i], scale, zeroPoint, lowest, highest);
    }
}

QS_VECTOR_VERSIONS
void uniformRowPerChannel(const float* in, float* out, std::size_t size, const float* scales,
    const float* zeroPoints, float lowest, float highest)
{
    for (std::size_t i = 0; i < size; ++i) {
        out[i] = quantized(in[i], scales[i], zeroPoints[i], lowest, highest);
    }
}

/// Levels of one logarithmic scale, ascending: level j holds edges[j] <= x < edges[j + 1]. levels[0] is zero;
/// edges[0] and the last edge are infinite.
struct LogTable
{
    std::vector<float> edges;
    std::vector<float> levels;
    float scale = 1.0F;
    float perOctave = 1.0F;
};

/// The exponent and mantissa bits of x / d, read as one fixed-point number, are log2(x / d) less 0 to 0.0861.
/// That gives the level or its lower neighbour; the edge between the two, computed in double, decides.
QS_VECTOR_VERSIONS
void logRow(const float* in, float* out, std::size_t size, const float* edges, const float* levels,
    std::int32_t top, float scale, float perOctave)
{
    const auto last = static_cast<float>(top);
    for (std::size_t i = 0; i < size; ++i) {
        const float value = in[i];
        const float ratio = value / scale;
        std::int32_t bits = 0;
        std::memcpy(&bits, &ratio, sizeof bits);
        const float octaves = static_cast<float>(bits - 0x3F800000) * 0x1p-23F;
        float position = last + std::nearbyintf(octaves * perOctave - 0.25F);
        position = position > 0.0F ? position : 0.0F;
        position = position < last ? position : last;
        auto level = static_cast<std::int32_t>(position);
        level += value >= edges[level + 1] ? 1 : 0;
        out[i] = value > 0.0F ? levels[level] : 0.0F; // NaN is not greater than zero
    }
}

LogTable makeLogTable(float d, float perOctave, std::int32_t codes)
{
    LogTable table;
    table.scale = d;
    table.perOctave = perOctave;
    table.edges.push_back(-std::numeric_limits<float>::infinity());
    table.levels.push_back(0.0F);
    for (std::int32_t q = codes; q >= 0; --q) {
        const double scale = static_cast<double>(d);
        table.edges.push_back(
            static_cast<float>(scale * std::exp2(-(q + 0.5) / static_cast<double>(perOctave))));
        table.levels.push_back(static_cast<float>(scale * std::exp2(-q / static_cast<double>(perOctave))));
    }
    table.edges.push_back(std::numeric_limits<float>::infinity());
    return table;
}

void applyLogTable(const LogTable& table, const float* in, float* out, std::size_t size)
{
    logRow(in, out, size, table.edges.data(), table.levels.data(),
        static_cast<std::int32_t>(table.levels.size()) - 1, table.scale, table.perOctave);
}

} // namespace

struct FakeQuantizer::Tables
{
    std::vector<float> zeroPoints;
    std::vector<LogTable> logarithmic; ///< per scale
};

FakeQuantizer::FakeQuantizer(QuantParams params)
    : m_params(std::move(params))
{
    auto tables = std::make_shared<Tables>();
    if (m_params.kind == QuantizerKind::Uniform) {
        for (const std::int32_t zeroPoint : m_params.zeroPoints) {
            tables->zeroPoints.push_back(static_cast<float>(zeroPoint));
        }
    } else {
        const float perOctave = m_params.kind == QuantizerKind::LogSqrt2 ? 2.0F : 1.0F;
        const auto deepest = static_cast<std::int32_t>(kDeepestOctave * perOctave);
        for (const float d : m_params.scales) {
            tables->logarithmic.push_back(
                makeLogTable(d, perOctave, std::min(m_params.maximumCode(), deepest)));
        }
    }
    m_tables = std::move(tables);
}

void FakeQuantizer::transformRow(std::int64_t head, std::span<const float> in, float* out) const
{
    const auto lowest = static_cast<float>(m_params.minimumCode());
    const auto highest = static_cast<float>(m_params.maximumCode());
    const bool perChannel = m_params.scales.size() > 1 && m_params.axis == GroupAxis::Channel;
    const std::size_t index = perChannel ? 0 : m_params.index(head);
    if (m_params.kind != QuantizerKind::Uniform) {
        if (perChannel) {
            for (std::size_t i = 0; i < in.size(); ++i) {
                applyLogTable(m_tables->logarithmic[i], &in[i], out + i, 1);
            }
        } else {
            applyLogTable(m_tables->logarithmic[index], in.data(), out, in.size());
        }
    } else if (perChannel) {
        uniformRowPerChannel(
            in.data(), out, in.size(), m_params.scales.data(), m_tables->zeroPoints.data(), lowest, highest);
    } else {
        uniformRow(
            in.data(), out, in.size(), m_params.scales[index], m_tables->zeroPoints[index], lowest, highest);
    }
}

namespace {

struct WeightLayout
{
    std::int64_t outer;
    std::int64_t channels;
    std::int64_t inner;
};

WeightLayout layoutOf(const Tensor& weight, const QuantParams& params, int axis)
{
    const Shape& shape = weight.shape();
    if (axis < 0 || static_cast<std::size_t>(axis) >= shape.rank()) {
        throw Error(ErrorCode::ShapeMismatch,
            "a weight of shape " + shape.text() + " has no output channels along axis "
                + std::to_string(axis));
    }
    const auto position = static_cast<std::size_t>(axis);
    const WeightLayout layout {
        shape.product(0, position), shape[position], shape.product(position + 1, shape.rank())};
    if (params.scales.size() != 1 && params.scales.size() != static_cast<std::size_t>(layout.channels)) {
        throw Error(ErrorCode::ShapeMismatch,
            std::to_string(params.scales.size()) + " scales do not fit a weight of shape " + shape.text());
    }
    return layout;
}

/// Calls body(channel, first element, element count) for every contiguous run of one output channel.
template<typename Body>
void forEachRun(const WeightLayout& layout, Body body)
{
    parallelFor(layout.channels, 16, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t channel = begin; channel < end; ++channel) {
            for (std::int64_t o = 0; o < layout.outer; ++o) {
                body(channel, static_cast<std::size_t>((o * layout.channels + channel) * layout.inner),
                    static_cast<std::size_t>(layout.inner));
            }
        }
    });
}

} // namespace

Tensor fakeQuantizedWeight(const Tensor& weight, const QuantParams& params, int axis)
{
    const WeightLayout layout = layoutOf(weight, params, axis);
    QuantParams perHead = params;
    perHead.axis = GroupAxis::Head; // a run belongs to one output channel as a row belongs to one head
    const FakeQuantizer quantizer(std::move(perHead));
    Tensor result(DType::F32, weight.shape());
    const auto in = weight.data<float>();
    const auto out = result.mutableData<float>();
    forEachRun(layout, [&](std::int64_t channel, std::size_t first, std::size_t size) {
        quantizer.transformRow(channel, in.subspan(first, size), out.data() + first);
    });
    return result;
}

std::vector<std::int32_t> weightCodes(const Tensor& weight, const QuantParams& params, int axis)
{
    if (params.kind != QuantizerKind::Uniform) {
        throw Error(ErrorCode::Unsupported, "weights have integer codes with uniform quantizers only");
    }
    const WeightLayout layout = layoutOf(weight, params, axis);
    const auto in = weight.data<float>();
    std::vector<std::int32_t> codes(in.size());
    const auto lowest = static_cast<float>(params.minimumCode());
    const auto highest = static_cast<float>(params.maximumCode());
    forEachRun(layout, [&](std::int64_t channel, std::size_t first, std::size_t size) {
        const std::size_t index = params.index(channel);
        const auto zeroPoint = static_cast<float>(params.zeroPoints[index]);
        for (std::size_t i = first; i < first + size; ++i) {
            float code = std::nearbyintf(in[i] / params.scales[index]) + zeroPoint;
            code = code > lowest ? code : lowest;
            codes[i] = static_cast<std::int32_t>(code < highest ? code : highest);
        }
    });
    return codes;
}

} // namespace qs
