#include "core/graph/attention_decomposition.h"

#include "core/base/error.h"
#include "core/graph/element_types.h"
#include "core/graph/graph_rewriter.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace qs {

namespace {

using Ints = std::vector<std::int64_t>;

constexpr float kNever = -std::numeric_limits<float>::infinity(); // what hides a position from the softmax

// Inputs and outputs of Attention.
enum Input : std::size_t { Query, Key, ValueInput, Mask, PastKey, PastValue, KnownLength };
enum Output : std::size_t { Result, PresentKey, PresentValue, Scores };
// What the output Scores shows: qk_matmul_output_mode.
enum Stage : std::int64_t { Product, Masked, Capped, Probabilities };

Tensor integerVector(const Ints& values)
{
    return Tensor::of<std::int64_t>(
        Shape {static_cast<std::int64_t>(values.size())}, std::span<const std::int64_t>(values));
}

/// Writes out one node; the values are those of the graph being made.
class Decomposition
{
public:
    /// types: of the graph's values.
    Decomposition(const Graph& graph, const std::vector<std::optional<DType>>& types, GraphRewriter& rewriter,
        const Node& node)
        : m_graph(graph)
        , m_rewriter(rewriter)
        , m_node(node)
        , m_inputs(rewriter.inputsOf(node))
    {
        m_inputs.resize(KnownLength + 1, kNoValue);
        if (m_inputs[Mask] != kNoValue) {
            m_maskType = types[static_cast<std::size_t>(node.inputs[Mask])];
        }
    }

    void write();

private:
    [[noreturn]] void fail(ErrorCode code, const std::string& what) const
    {
        throw Error(code, "Attention '" + m_node.name + "': " + what);
    }
    ValueId add(const char* op, const char* part, std::vector<ValueId> inputs,
        std::map<std::string, Attribute> attributes = {})
    {
        return m_rewriter.add(op, m_node.name + "." + part, std::move(inputs), std::move(attributes));
    }
    ValueId constant(const char* part, Tensor tensor)
    {
        return m_rewriter.addConstant(m_node.name + "." + part, std::move(tensor));
    }
    ValueId number(const char* part, float value)
    {
        return constant(part, Tensor::of<float>(Shape {}, {value}));
    }
    /// Dimension of a value of the new graph, -1 where it is not known.
    [[nodiscard]] std::int64_t dim(ValueId value, std::size_t axis) const;
    /// The output with that index stands for `value`, if anybody reads it.
    void giveOut(Output output, ValueId value);

    void splitHeads();
    ValueId headsOf(ValueId value, std::int64_t heads, const char* part);
    void prependPast();
    void repeatHeads();
    ValueId scaledScores();
    ValueId mask();
    ValueId causalMask();
    ValueId lengthMask();
    ValueId padded(ValueId mask);
    ValueId capped(ValueId scores);

    const Graph& m_graph;
    GraphRewriter& m_rewriter;
    const Node& m_node;
    std::vector<ValueId> m_inputs;
    ValueId m_query = kNoValue; ///< [batch, heads, tokens, size], as are the next two
    ValueId m_key = kNoValue;
    ValueId m_value = kNoValue;
    std::optional<DType> m_maskType;
    bool m_headsInside = false; ///< the inputs are [batch, tokens, heads * size]
};

std::int64_t Decomposition::dim(ValueId value, std::size_t axis) const
{
    const Value& known = m_rewriter.builder().value(value);
    return known.dimsKnown && axis < known.dims.size() ? known.dims[axis] : -1;
}

void Decomposition::giveOut(Output output, ValueId value)
{
    if (output >= m_node.outputs.size()) {
        return;
    }
    const ValueId original = m_node.outputs[output];
    const bool isOutput = std::ranges::find(m_graph.outputs(), original) != m_graph.outputs().end();
    if (isOutput || !m_graph.value(original).consumers.empty()) {
        const std::string name = m_node.name + ".output." + std::to_string(output);
        m_rewriter.addFor(original, "Identity", name, {value});
    }
}

ValueId Decomposition::headsOf(ValueId value, std::int64_t heads, const char* part)
{
    const std::int64_t width = dim(value, 2);
    if (heads < 1 || (width >= 0 && width % heads != 0)) {
        fail(ErrorCode::ShapeMismatch,
            std::to_string(width) + " channels in " + std::to_string(heads) + " heads");
    }
    const std::int64_t size = width >= 0 ? width / heads : -1;
    const ValueId shape = constant("heads", integerVector({0, 0, heads, size}));
    const ValueId split = add("Reshape", part, {value, shape});
    return add("Transpose", part, {split}, {{"perm", Ints {0, 2, 1, 3}}});
}

void Decomposition::splitHeads()
{
    m_query = m_inputs[Query];
    m_key = m_inputs[Key];
    m_value = m_inputs[ValueInput];
    if (m_query == kNoValue || m_key == kNoValue || m_value == kNoValue) {
        fail(ErrorCode::CorruptFile, "query, key or value is missing");
    }
    const std::int64_t queryHeads = m_node.intAttribute("q_num_heads", 0);
    const std::int64_t heads = m_node.intAttribute("kv_num_heads", 0);
    const Value& query = m_rewriter.builder().value(m_query);
    m_headsInside = query.dimsKnown ? query.dims.size() == 3 : queryHeads > 0;
    if (m_headsInside) {
        m_query = headsOf(m_query, queryHeads, "query");
        m_key = headsOf(m_key, heads, "key");
        m_value = headsOf(m_value, heads, "value");
    }
}

void Decomposition::prependPast()
{
    if (m_inputs[PastKey] != kNoValue) {
        m_key = add("Concat", "keys", {m_inputs[PastKey], m_key}, {{"axis", std::int64_t {2}}});
    }
    if (m_inputs[PastValue] != kNoValue) {
        m_value = add("Concat", "values", {m_inputs[PastValue], m_value}, {{"axis", std::int64_t {2}}});
    }
    giveOut(PresentKey, m_key);
    giveOut(PresentValue, m_value);
}

void Decomposition::repeatHeads()
{
    const std::int64_t queries = dim(m_query, 1);
    const std::int64_t heads = std::max(dim(m_key, 1), dim(m_value, 1));
    if (queries < 1 || heads < 1) {
        fail(ErrorCode::Unsupported, "its numbers of heads are not known");
    }
    if (queries % heads != 0) {
        fail(ErrorCode::ShapeMismatch,
            std::to_string(queries) + " heads of queries for " + std::to_string(heads) + " of keys");
    }
    if (queries == heads) {
        return;
    }
    Ints order; // every head of keys serves its neighbours among the queries
    for (std::int64_t i = 0; i < queries; ++i) {
        order.push_back(i / (queries / heads));
    }
    const ValueId indices = constant("groups", integerVector(order));
    m_key = add("Gather", "keys_by_query", {m_key, indices}, {{"axis", std::int64_t {1}}});
    m_value = add("Gather", "values_by_query", {m_value, indices}, {{"axis", std::int64_t {1}}});
}

ValueId Decomposition::scaledScores()
{
    double scale = m_node.floatAttribute("scale", 0.0);
    if (!m_node.attributes.contains("scale")) {
        const std::int64_t size = std::max(dim(m_query, 3), dim(m_key, 3));
        if (size < 1) {
            fail(ErrorCode::Unsupported, "its head size is not known");
        }
        scale = 1.0 / std::sqrt(static_cast<double>(size));
    }
    const ValueId turned = add("Transpose", "key_columns", {m_key}, {{"perm", Ints {0, 1, 3, 2}}});
    const ValueId product = add("MatMul", "scores", {m_query, turned});
    return add("Mul", "scaled", {product, number("scale", static_cast<float>(scale))});
}

/// A mask may cover only the first positions: the others are hidden.
ValueId Decomposition::padded(ValueId mask)
{
    const Value& known = m_rewriter.builder().value(mask);
    const std::int64_t total = dim(m_key, 2);
    const std::int64_t covered = known.dimsKnown && !known.dims.empty() ? known.dims.back() : -1;
    if (covered <= 1 || total < 0 || covered >= total) {
        return mask;
    }
    Ints pads(2 * known.dims.size(), 0);
    pads.back() = total - covered;
    return add("Pad", "mask_padded", {mask, constant("pads", integerVector(pads)), number("hidden", kNever)});
}

/// 0 up to each query's own position, minus infinity behind it; positions of the past come first.
ValueId Decomposition::causalMask()
{
    if (m_inputs[KnownLength] != kNoValue && m_inputs[PastKey] == kNoValue) {
        fail(ErrorCode::Unsupported, "is_causal together with nonpad_kv_seqlen");
    }
    const auto length = [&](ValueId value, const char* part) {
        return add("Shape", part, {value}, {{"start", std::int64_t {2}}, {"end", std::int64_t {3}}});
    };
    const ValueId shape = add("Concat", "causal_shape",
        {length(m_query, "query_length"), length(m_key, "key_length")}, {{"axis", std::int64_t {0}}});
    const ValueId hidden = add(
        "ConstantOfShape", "causal_hidden", {shape}, {{"value", Tensor::of<float>(Shape {1}, {kNever})}});
    ValueId diagonal = constant("diagonal", integerVector({1}));
    if (m_inputs[PastKey] != kNoValue) {
        diagonal = add("Add", "causal_diagonal", {diagonal, length(m_inputs[PastKey], "past_length")});
    }
    return add("Trilu", "causal", {hidden, diagonal}, {{"upper", std::int64_t {1}}});
}

/// Hides the positions from each sample's own length on.
ValueId Decomposition::lengthMask()
{
    const ValueId total
        = add("Shape", "key_length", {m_key}, {{"start", std::int64_t {2}}, {"end", std::int64_t {3}}});
    const ValueId scalar = add("Squeeze", "key_count", {total, constant("first", integerVector({0}))});
    const ValueId positions = add("Range", "positions",
        {constant("zero", Tensor::of<std::int64_t>(Shape {}, {0})), scalar,
            constant("one", Tensor::of<std::int64_t>(Shape {}, {1}))});
    const ValueId lengths
        = add("Unsqueeze", "lengths", {m_inputs[KnownLength], constant("axes", integerVector({1, 2, 3}))});
    const ValueId seen = add("Less", "seen", {positions, lengths});
    return add("Where", "length_mask", {seen, number("shown", 0.0F), number("hidden", kNever)});
}

ValueId Decomposition::mask()
{
    ValueId result = m_inputs[Mask];
    if (result != kNoValue) {
        if (m_maskType == DType::Bool) {
            result = add("Where", "mask", {result, number("shown", 0.0F), number("hidden", kNever)});
        }
        result = padded(result);
    }
    const auto join = [&](ValueId other) {
        result = result == kNoValue ? other : add("Add", "mask_joined", {result, other});
    };
    if (m_node.intAttribute("is_causal", 0) != 0) {
        join(causalMask());
    }
    if (m_inputs[KnownLength] != kNoValue) {
        join(lengthMask());
    }
    return result;
}

ValueId Decomposition::capped(ValueId scores)
{
    const double cap = m_node.floatAttribute("softcap", 0.0);
    if (cap <= 0.0) {
        return scores;
    }
    const ValueId limit = number("cap", static_cast<float>(cap));
    const ValueId bent = add("Tanh", "bent", {add("Div", "over_cap", {scores, limit})});
    return add("Mul", "capped", {bent, limit});
}

void Decomposition::write()
{
    const std::int64_t shown = m_node.intAttribute("qk_matmul_output_mode", Product);
    if (shown < Product || shown > Probabilities) {
        fail(ErrorCode::InvalidArgument, "qk_matmul_output_mode = " + std::to_string(shown));
    }
    splitHeads();
    prependPast();
    repeatHeads();
    std::vector<ValueId> stages {scaledScores()};
    const ValueId hiding = mask();
    stages.push_back(hiding == kNoValue ? stages.back() : add("Add", "masked", {stages.back(), hiding}));
    stages.push_back(capped(stages.back()));
    stages.push_back(add("Softmax", "softmax", {stages.back()}, {{"axis", std::int64_t {-1}}}));
    giveOut(Scores, stages[static_cast<std::size_t>(shown)]);
    const ValueId result = m_node.outputs[Result];
    if (!m_headsInside) {
        m_rewriter.addFor(result, "MatMul", m_node.name + ".context", {stages.back(), m_value});
        return;
    }
    const ValueId context = add("MatMul", "context", {stages.back(), m_value});
    const ValueId turned = add("Transpose", "tokens", {context}, {{"perm", Ints {0, 2, 1, 3}}});
    m_rewriter.addFor(result, "Reshape", m_node.name + ".merged",
        {turned, constant("merged_shape", integerVector({0, 0, -1}))});
}

} // namespace

std::shared_ptr<const Graph> decomposeAttention(const Graph& graph)
{
    GraphRewriter rewriter(graph);
    const std::vector<std::optional<DType>> types = elementTypes(graph);
    for (const Node& node : graph.nodes()) {
        if (node.op == "Attention") {
            Decomposition(graph, types, rewriter, node).write();
        } else {
            rewriter.copy(node);
        }
    }
    return rewriter.finish();
}

} // namespace qs
