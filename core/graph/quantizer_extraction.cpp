#include "core/graph/quantizer_extraction.h"

#include "core/base/error.h"
#include "core/graph/graph_queries.h"
#include "core/graph/graph_rewriter.h"
#include "core/runtime/node_evaluator.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numbers>
#include <optional>
#include <utility>

namespace qs {

namespace {

/// What the constants made here may take: codes of 8 bits become floats, and a file whose nodes share one
/// constant must not become many of it.
constexpr std::size_t kFoldedBytes = std::size_t {256} << 20U;
constexpr std::size_t kFoldedShare = 8;

std::optional<std::pair<std::int32_t, std::int32_t>> codeRange(DType type)
{
    switch (type) {
    case DType::I8: return std::pair {-128, 127};
    case DType::U8: return std::pair {0, 255};
    case DType::I16: return std::pair {-32768, 32767};
    case DType::U16: return std::pair {0, 65535};
    default: return std::nullopt;
    }
}

/// Integers of at most 24 bits, whatever type they are stored in.
std::vector<std::int32_t> integersOf(const Tensor& tensor)
{
    const Tensor floats = tensor.toF32();
    std::vector<std::int32_t> result;
    for (const float value : floats.data<float>()) {
        result.push_back(static_cast<std::int32_t>(value));
    }
    return result;
}

class QuantizerExtractor
{
public:
    explicit QuantizerExtractor(const Graph& graph)
        : m_graph(graph)
        , m_rewriter(graph)
        , m_evaluator(kFoldedBytes + kFoldedShare * constantBytes(graph))
    {
    }

    ExtractedQuantizers extract();

private:
    [[nodiscard]] bool readParameters(const Node& node, StoredQuantizer& quantizer) const;
    [[nodiscard]] Tensor ran(const Node& node, const Tensor& first);
    [[nodiscard]] bool takeWeight(const Node& dequantize);
    [[nodiscard]] bool takeBias(const Node& dequantize);
    [[nodiscard]] bool takeActivation(const Node& dequantize);
    [[nodiscard]] bool takeLogarithm(const Node& last);
    [[nodiscard]] bool isOneQuantizerOf(ValueId raw, const StoredQuantizer& quantizer);
    [[nodiscard]] bool setWeight(const Node& dequantize, const Tensor& codes, StoredQuantizer quantizer);

    const Graph& m_graph;
    GraphRewriter m_rewriter;
    NodeEvaluator m_evaluator;
    std::map<ValueId, std::size_t> m_activations; ///< raw value -> its index in m_found
    std::vector<StoredQuantizer> m_found;
};

/// Scale, zero point, axis and code range of a QuantizeLinear or DequantizeLinear whose parameters are
/// stored.
bool QuantizerExtractor::readParameters(const Node& node, StoredQuantizer& quantizer) const
{
    if (node.inputs.size() < 2 || !isConstant(m_graph, node.inputs[1])
        || node.intAttribute("block_size", 0) != 0) {
        return false;
    }
    const Tensor& scale = m_graph.value(node.inputs[1]).constant;
    const Tensor floats = scale.toF32();
    quantizer.scales.assign(floats.data<float>().begin(), floats.data<float>().end());
    quantizer.zeroPoints.assign(quantizer.scales.size(), 0);
    quantizer.axis = node.intAttribute("axis", 1);
    DType type = node.op == "QuantizeLinear" ? DType::U8 : DType::I8;
    if (node.inputs.size() > 2 && node.inputs[2] != kNoValue) {
        if (!isConstant(m_graph, node.inputs[2])) {
            return false;
        }
        const Tensor& zeroPoint = m_graph.value(node.inputs[2]).constant;
        type = zeroPoint.dtype();
        if (!codeRange(type)) {
            return false;
        }
        quantizer.zeroPoints = integersOf(zeroPoint);
    } else if (node.op == "DequantizeLinear" && isConstant(m_graph, node.inputs[0])) {
        type = m_graph.value(node.inputs[0]).constant.dtype();
    }
    const auto range = codeRange(type);
    const bool sound = range && scale.shape().rank() <= 1 && !quantizer.scales.empty()
        && quantizer.zeroPoints.size() == quantizer.scales.size()
        && std::ranges::all_of(quantizer.scales,
            [](float s) { return std::isfinite(s) && s >= std::numeric_limits<float>::min(); });
    if (sound) {
        quantizer.minimumCode = range->first;
        quantizer.maximumCode = range->second;
    }
    return sound;
}

/// What the node makes of `first` and its other inputs, all constants; invalid where it fails on them.
Tensor QuantizerExtractor::ran(const Node& node, const Tensor& first)
{
    std::vector<Tensor> inputs {first};
    for (std::size_t i = 1; i < node.inputs.size(); ++i) {
        const ValueId input = node.inputs[i];
        inputs.push_back(input == kNoValue ? Tensor() : m_graph.value(input).constant);
    }
    try {
        return m_evaluator.run(node, inputs).front();
    } catch (const Error&) {
        return {}; // the node stays, and running it names the error
    }
}

bool QuantizerExtractor::setWeight(const Node& dequantize, const Tensor& codes, StoredQuantizer quantizer)
{
    const Tensor values = codes.valid() && codes.elementCount() > 0 ? ran(dequantize, codes) : Tensor();
    if (!values.valid()) {
        return false;
    }
    const std::vector<std::int32_t> all = integersOf(codes);
    const auto [least, greatest] = std::ranges::minmax(all);
    const ValueId output = dequantize.outputs.front();
    const auto rank = static_cast<std::int64_t>(values.shape().rank());
    quantizer.isWeight = true;
    quantizer.leastCode = least;
    quantizer.greatestCode = greatest;
    quantizer.axis = quantizer.axis < 0 ? quantizer.axis + rank : quantizer.axis;
    quantizer.value = m_graph.value(output).name;
    m_rewriter.replaceByConstant(output, values);
    const NodeId reader = onlyReader(m_graph, output);
    if (reader != kNoNode && rank == 2 && m_graph.node(reader).op == "Transpose") {
        // The constant that the product will read once folding has turned it.
        quantizer.value = m_graph.value(m_graph.node(reader).outputs.front()).name;
        quantizer.axis = 1 - quantizer.axis;
    }
    m_found.push_back(std::move(quantizer));
    return true;
}

bool QuantizerExtractor::takeWeight(const Node& dequantize)
{
    StoredQuantizer quantizer;
    if (!isConstant(m_graph, dequantize.inputs[0]) || !readParameters(dequantize, quantizer)) {
        return false;
    }
    const Tensor& codes = m_graph.value(dequantize.inputs[0]).constant;
    return codeRange(codes.dtype()) && setWeight(dequantize, codes, std::move(quantizer));
}

/// Biases are stored as 32-bit codes: constants like any other.
bool QuantizerExtractor::takeBias(const Node& dequantize)
{
    if (!isConstant(m_graph, dequantize.inputs[0]) || !isConstant(m_graph, dequantize.inputs[1])) {
        return false;
    }
    const Tensor& codes = m_graph.value(dequantize.inputs[0]).constant;
    const bool hasZeroPoint = dequantize.inputs.size() > 2 && dequantize.inputs[2] != kNoValue;
    const bool isBias = codes.dtype() == DType::I32 && codes.shape().rank() <= 1
        && (!hasZeroPoint || isConstant(m_graph, dequantize.inputs[2]));
    const Tensor values = isBias ? ran(dequantize, codes) : Tensor();
    if (values.valid()) {
        m_rewriter.replaceByConstant(dequantize.outputs.front(), values);
    }
    return values.valid();
}

bool QuantizerExtractor::isOneQuantizerOf(ValueId raw, const StoredQuantizer& quantizer)
{
    const auto [known, isNew] = m_activations.try_emplace(raw, m_found.size());
    if (isNew) {
        m_found.push_back(quantizer);
        return true;
    }
    const StoredQuantizer& other = m_found[known->second];
    return other.kind == quantizer.kind && other.scales == quantizer.scales
        && other.zeroPoints == quantizer.zeroPoints && other.minimumCode == quantizer.minimumCode
        && other.maximumCode == quantizer.maximumCode;
}

bool QuantizerExtractor::takeActivation(const Node& dequantize)
{
    StoredQuantizer back;
    if (isGraphOutput(m_graph, dequantize.outputs.front()) || !readParameters(dequantize, back)) {
        return false;
    }
    ValueId codes = dequantize.inputs[0];
    std::optional<std::pair<std::int32_t, std::int32_t>> clipped;
    const NodeId clip = makerOf(m_graph, codes, "Clip");
    if (clip != kNoNode) {
        const Node& node = m_graph.node(clip);
        const auto least = node.inputs.size() == 3 ? scalarOf(m_graph, node.inputs[1]) : std::nullopt;
        const auto greatest = node.inputs.size() == 3 ? scalarOf(m_graph, node.inputs[2]) : std::nullopt;
        const double limit = 65535.0; // of codes here
        if (!least || !greatest || !(std::abs(*least) <= limit) || !(std::abs(*greatest) <= limit)) {
            return false;
        }
        clipped.emplace(static_cast<std::int32_t>(*least), static_cast<std::int32_t>(*greatest));
        codes = node.inputs[0];
    }
    const NodeId maker = makerOf(m_graph, codes, "QuantizeLinear");
    StoredQuantizer quantizer;
    if (maker == kNoNode || !readParameters(m_graph.node(maker), quantizer) || quantizer.scales != back.scales
        || quantizer.zeroPoints != back.zeroPoints || m_graph.node(maker).inputs[0] == kNoValue) {
        return false;
    }
    const ValueId raw = m_graph.node(maker).inputs[0];
    if (clipped) {
        quantizer.minimumCode = std::max(quantizer.minimumCode, clipped->first);
        quantizer.maximumCode = std::min(quantizer.maximumCode, clipped->second);
    }
    if (isConstant(m_graph, raw)) {
        const Tensor stored = ran(m_graph.node(maker), m_graph.value(raw).constant);
        return setWeight(dequantize, clipped && stored.valid() ? ran(m_graph.node(clip), stored) : stored,
            std::move(quantizer));
    }
    quantizer.value = m_graph.value(raw).name;
    if (!isOneQuantizerOf(raw, quantizer)) {
        return false;
    }
    m_rewriter.replaceByValue(dequantize.outputs.front(), m_rewriter.made(raw));
    return true;
}

/// The levels of a logarithmic quantizer by table: Mul(Gather(table, Cast(Clip(Round(Add(Mul(Log(x), -k / ln
/// 2), k log2 d))))), d), where the table's last entry is 0.
bool QuantizerExtractor::takeLogarithm(const Node& last)
{
    const auto input = [&](NodeId node, std::size_t index) {
        return node == kNoNode || m_graph.node(node).inputs.size() <= index
            ? kNoValue
            : m_graph.node(node).inputs[index];
    };
    if (last.op != "Mul" || last.inputs.size() != 2 || !isConstant(m_graph, last.inputs[1])
        || isGraphOutput(m_graph, last.outputs.front())) {
        return false;
    }
    const NodeId gather = makerOf(m_graph, last.inputs[0], "Gather");
    const NodeId cast = makerOf(m_graph, input(gather, 1), "Cast");
    const NodeId clip = makerOf(m_graph, input(cast, 0), "Clip");
    const NodeId round = makerOf(m_graph, input(clip, 0), "Round");
    const NodeId shift = makerOf(m_graph, input(round, 0), "Add");
    const NodeId scaled = makerOf(m_graph, input(shift, 0), "Mul");
    const NodeId logarithm = makerOf(m_graph, input(scaled, 0), "Log");
    const auto levels = scalarOf(m_graph, input(clip, 2));
    const auto factor = scalarOf(m_graph, input(scaled, 1));
    if (logarithm == kNoNode || !levels || !factor || !isConstant(m_graph, input(gather, 0))) {
        return false;
    }
    StoredQuantizer quantizer;
    const double k = -*factor * std::numbers::ln2;
    const bool isSqrt = std::abs(k - 2.0) < 1e-5;
    if ((!isSqrt && !(std::abs(k - 1.0) < 1e-5)) || !(*levels >= 2.0 && *levels <= 65536.0)) {
        return false;
    }
    quantizer.kind = isSqrt ? StoredQuantizer::Kind::LogSqrt2 : StoredQuantizer::Kind::Log2;
    const Tensor bases = m_graph.value(last.inputs[1]).constant.toF32();
    quantizer.scales.assign(bases.data<float>().begin(), bases.data<float>().end());
    quantizer.zeroPoints.assign(quantizer.scales.size(), 0);
    if (!std::ranges::all_of(
            quantizer.scales, [](float base) { return std::isfinite(base) && base > 0.0F; })) {
        return false;
    }
    quantizer.axis = 1;
    quantizer.maximumCode = static_cast<std::int32_t>(*levels) - 1;
    ValueId raw = input(logarithm, 0);
    if (raw == kNoValue || isConstant(m_graph, raw)) {
        return false;
    }
    if (const NodeId positive = makerOf(m_graph, raw, "Relu");
        positive != kNoNode && onlyReader(m_graph, raw) == logarithm && input(positive, 0) != kNoValue) {
        raw = input(positive, 0);
    }
    quantizer.value = m_graph.value(raw).name;
    if (!isOneQuantizerOf(raw, quantizer)) {
        return false;
    }
    m_rewriter.replaceByValue(last.outputs.front(), m_rewriter.made(raw));
    return true;
}

ExtractedQuantizers QuantizerExtractor::extract()
{
    for (const Node& node : m_graph.nodes()) {
        const bool isPair = node.op == "DequantizeLinear" && node.inputs.size() >= 2;
        const bool taken
            = isPair ? takeWeight(node) || takeBias(node) || takeActivation(node) : takeLogarithm(node);
        if (!taken) {
            m_rewriter.copy(node);
        }
    }
    return {m_rewriter.finish(), std::move(m_found)};
}

} // namespace

ExtractedQuantizers extractQuantizers(const Graph& graph)
{
    return QuantizerExtractor(graph).extract();
}

} // namespace qs
