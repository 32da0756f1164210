#include "core/graph/constant_folding.h"

#include "core/base/error.h"
#include "core/graph/graph_queries.h"
#include "core/graph/graph_rewriter.h"
#include "core/runtime/node_evaluator.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace qs {

namespace {

using Dims = std::vector<std::int64_t>;

/// Operators whose time goes with the bytes they read and write.
constexpr std::array<std::string_view, 62> kFolded {"Abs", "Add", "And", "ArgMax", "ArgMin", "Cast",
    "CastLike", "Ceil", "Clip", "Concat", "Constant", "ConstantOfShape", "Cos", "Div", "Equal", "Erf", "Exp",
    "Expand", "Flatten", "Floor", "Gather", "GatherElements", "GatherND", "Greater", "GreaterOrEqual",
    "Identity", "Less", "LessOrEqual", "Log", "Max", "Min", "Mod", "Mul", "Neg", "Not", "Or", "Pad", "Pow",
    "Range", "Reciprocal", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", "Reshape",
    "Round", "Shape", "Sign", "Sin", "Size", "Slice", "Split", "Sqrt", "Squeeze", "Sub", "Sum", "Tile",
    "Transpose", "Trilu", "Unsqueeze", "Where"};

std::size_t indexOf(int id)
{
    return static_cast<std::size_t>(id);
}

class Folder
{
public:
    Folder(const Graph& graph, const FoldingLimits& limits)
        : m_graph(graph)
        , m_rewriter(graph)
        , m_budget(limits.bytes + 2 * constantBytes(graph))
        , m_evaluator(m_budget)
        , m_folded(graph.values().size())
    {
        for (ValueId id = 0; indexOf(id) < graph.values().size(); ++id) {
            m_folded[indexOf(id)] = graph.value(id).constant;
        }
    }

    std::shared_ptr<const Graph> fold();

private:
    [[nodiscard]] bool foldAny(const Node& node);
    [[nodiscard]] bool foldShape(const Node& node);
    [[nodiscard]] bool foldPickedDims(const Node& node);
    [[nodiscard]] bool foldNode(const Node& node);
    /// Dimensions [start, end) of what a Shape node reads, where they are inferred; -1 where one is free.
    [[nodiscard]] std::optional<Dims> dimsReadBy(const Node& shape);
    [[nodiscard]] bool spend(std::size_t bytes);

    const Graph& m_graph;
    GraphRewriter m_rewriter;
    std::size_t m_budget;
    NodeEvaluator m_evaluator;
    std::vector<Tensor> m_folded; ///< per value of the graph: valid() where it is constant
};

bool Folder::spend(std::size_t bytes)
{
    const bool affordable = bytes <= m_budget;
    m_budget = affordable ? m_budget - bytes : 0;
    return affordable;
}

std::optional<Dims> Folder::dimsReadBy(const Node& shape)
{
    if (shape.op != "Shape" || shape.inputs.size() != 1 || shape.inputs[0] == kNoValue) {
        return std::nullopt;
    }
    const ValueId read = shape.inputs[0];
    const Dims* dims = nullptr;
    if (m_folded[indexOf(read)].valid()) {
        dims = &m_folded[indexOf(read)].shape().dims();
    } else if (m_rewriter.dimsAreInferred(read)) {
        dims = &m_rewriter.builder().value(m_rewriter.made(read)).dims;
    }
    if (dims == nullptr) {
        return std::nullopt;
    }
    const auto rank = static_cast<std::int64_t>(dims->size());
    const auto position
        = [rank](std::int64_t p) { return std::clamp<std::int64_t>(p < 0 ? p + rank : p, 0, rank); };
    const std::int64_t start = position(shape.intAttribute("start", 0));
    const std::int64_t end = std::max(start, position(shape.intAttribute("end", rank)));
    return Dims(dims->begin() + start, dims->begin() + end);
}

bool Folder::foldShape(const Node& node)
{
    const auto dims = dimsReadBy(node);
    if (!dims || std::ranges::find(*dims, -1) != dims->end()) {
        return false;
    }
    m_folded[indexOf(node.outputs[0])] = Tensor::of<std::int64_t>(
        Shape {static_cast<std::int64_t>(dims->size())}, std::span<const std::int64_t>(*dims));
    return true;
}

/// Gather or Slice of a Shape of which only some dimensions are known: runs it on all of them, with -1 for
/// those that are free, and keeps the result when no free one was picked.
bool Folder::foldPickedDims(const Node& node)
{
    if ((node.op != "Gather" && node.op != "Slice") || node.inputs.empty() || node.inputs[0] == kNoValue) {
        return false;
    }
    const NodeId maker = m_graph.value(node.inputs[0]).producer;
    const auto dims = maker == kNoNode ? std::nullopt : dimsReadBy(m_graph.node(maker));
    if (!dims) {
        return false;
    }
    std::vector<Tensor> inputs {Tensor::of<std::int64_t>(
        Shape {static_cast<std::int64_t>(dims->size())}, std::span<const std::int64_t>(*dims))};
    for (std::size_t i = 1; i < node.inputs.size(); ++i) {
        const ValueId input = node.inputs[i];
        inputs.push_back(input == kNoValue ? Tensor() : m_folded[indexOf(input)]);
        if (input != kNoValue && !inputs.back().valid()) {
            return false;
        }
    }
    const Tensor picked = m_evaluator.run(node, inputs).front();
    const auto values = picked.data<std::int64_t>();
    if (std::ranges::find(values, -1) != values.end()) {
        return false;
    }
    m_folded[indexOf(node.outputs[0])] = picked;
    return true;
}

bool Folder::foldNode(const Node& node)
{
    if (std::ranges::find(kFolded, node.op) == kFolded.end()) {
        return false;
    }
    std::vector<Tensor> inputs;
    std::size_t bytes = 0;
    for (const ValueId input : node.inputs) {
        inputs.push_back(input == kNoValue ? Tensor() : m_folded[indexOf(input)]);
        if (input != kNoValue && !inputs.back().valid()) {
            return false;
        }
        bytes += inputs.back().valid() ? inputs.back().byteCount() : 0;
    }
    constexpr std::int64_t kOnnxFloat = 1;
    const bool isWidened = node.op == "Cast" && node.intAttribute("to", 0) == kOnnxFloat && inputs.size() == 1
        && (inputs[0].dtype() == DType::F16 || inputs[0].dtype() == DType::BF16);
    if (isWidened) {
        m_folded[indexOf(node.outputs[0])] = inputs[0];
        return true;
    }
    if (!spend(bytes)) {
        return false;
    }
    std::vector<Tensor> outputs = m_evaluator.run(node, inputs);
    const bool complete = outputs.size() >= node.outputs.size()
        && std::ranges::all_of(
            outputs, [&](const Tensor& output) { return output.valid() && spend(output.byteCount()); });
    if (!complete) {
        return false;
    }
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
        m_folded[indexOf(node.outputs[i])] = std::move(outputs[i]);
    }
    return true;
}

bool Folder::foldAny(const Node& node)
{
    try {
        return foldShape(node) || foldPickedDims(node) || foldNode(node);
    } catch (const Error&) {
        return false; // running the graph names what is wrong
    }
}

std::shared_ptr<const Graph> Folder::fold()
{
    for (const Node& node : m_graph.nodes()) {
        if (!foldAny(node)) {
            m_rewriter.copy(node);
            continue;
        }
        for (const ValueId output : node.outputs) {
            m_rewriter.replaceByConstant(output, m_folded[indexOf(output)]);
        }
    }
    return m_rewriter.finish();
}

/// A copy without the nodes and constants that no output needs.
std::shared_ptr<const Graph> pruned(const Graph& graph)
{
    std::vector<bool> isNeeded(graph.nodes().size(), false);
    const auto need = [&](ValueId id) {
        if (id != kNoValue && graph.value(id).producer != kNoNode) {
            isNeeded[indexOf(graph.value(id).producer)] = true;
        }
    };
    std::ranges::for_each(graph.outputs(), need);
    for (std::size_t i = graph.nodes().size(); i-- > 0;) {
        if (isNeeded[i]) {
            std::ranges::for_each(graph.nodes()[i].inputs, need);
        }
    }
    GraphRewriter rewriter(graph);
    for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
        if (isNeeded[i]) {
            rewriter.copy(graph.nodes()[i]);
        }
    }
    return rewriter.finish();
}

} // namespace

std::shared_ptr<const Graph> foldConstants(const Graph& graph, const FoldingLimits& limits)
{
    return pruned(*Folder(graph, limits).fold());
}

} // namespace qs
