#include "core/graph/normalization_recognition.h"

#include "core/graph/graph_queries.h"
#include "core/graph/replace_matches.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace qs {

namespace {

using Dims = std::vector<std::int64_t>;

/// A normalization, or the part of one found so far.
struct Normalization
{
    ValueId x = kNoValue;
    ValueId mean = kNoValue; ///< kNoValue: root mean square, nothing is subtracted
    std::size_t dimensions = 0; ///< normalized over that many last ones
    double epsilon = 0.0;
    ValueId gamma = kNoValue;
    ValueId beta = kNoValue;
    ValueId result = kNoValue;
    std::set<NodeId> nodes;
};

/// Finds the normalization around one Sqrt or Pow -0.5.
class NormalizationMatcher
{
public:
    explicit NormalizationMatcher(const Graph& graph)
        : m_graph(graph)
    {
    }

    /// The largest one whose inner values nobody else reads.
    std::optional<Normalization> around(NodeId root);

private:
    [[nodiscard]] bool isRoot(NodeId root) const;
    [[nodiscard]] bool findVariance(NodeId root, Normalization& found) const;
    [[nodiscard]] std::optional<std::size_t> reducedDimensions(NodeId reduction) const;
    /// Whether the value is what gets divided: x - mean, or x itself.
    [[nodiscard]] bool isNumerator(ValueId value, Normalization& found) const;
    void divide(NodeId root, Normalization found);
    void multiplyByInverse(ValueId inverse, Normalization found);
    void spread(ValueId factor, Normalization found);
    void takeAffine(Normalization found);
    [[nodiscard]] bool isParameter(ValueId value, const Normalization& found) const;

    const Graph& m_graph;
    std::vector<Normalization> m_candidates; ///< each larger than the one before
};

/// The normalized dimensions; nothing where one is dynamic or unknown.
std::optional<Dims> normalizedDims(const Graph& graph, const Normalization& found)
{
    const Value& x = graph.value(found.x);
    if (!x.dimsKnown || x.dims.size() < found.dimensions) {
        return std::nullopt;
    }
    Dims dims(x.dims.end() - static_cast<std::ptrdiff_t>(found.dimensions), x.dims.end());
    const bool fixed = std::ranges::all_of(dims, [](std::int64_t dim) { return dim > 0; });
    return fixed ? std::optional(dims) : std::nullopt;
}

/// A parameter in the shape of the normalized dimensions; an invalid tensor where it has another.
Tensor parameterInShape(const Graph& graph, ValueId parameter, const Normalization& found)
{
    const Tensor& constant = graph.value(parameter).constant;
    const std::optional<Dims> dims = normalizedDims(graph, found);
    Dims own = constant.shape().dims();
    while (own.size() > found.dimensions && own.front() == 1) {
        own.erase(own.begin());
    }
    if (own.size() == found.dimensions && (dims ? own == *dims : constant.elementCount() > 1)) {
        return constant.toF32().reshaped(Shape(own));
    }
    if (!dims || constant.elementCount() != 1) {
        return {};
    }
    Tensor filled(DType::F32, Shape(*dims));
    std::ranges::fill(filled.mutableData<float>(), constant.toF32().data<float>().front());
    return filled;
}

bool NormalizationMatcher::isRoot(NodeId root) const
{
    const Node& node = m_graph.node(root);
    return (node.op == "Sqrt" && node.inputs.size() == 1)
        || (node.op == "Pow" && node.inputs.size() == 2 && scalarOf(m_graph, node.inputs[1]) == -0.5);
}

std::optional<std::size_t> NormalizationMatcher::reducedDimensions(NodeId reduction) const
{
    const Node& node = m_graph.node(reduction);
    if (node.intAttribute("keepdims", 1) == 0 || node.inputs.size() != 1) {
        return std::nullopt;
    }
    const std::optional<std::size_t> rank = rankOf(m_graph, node.inputs.front());
    Dims axes = node.intsAttribute("axes");
    if (axes.empty()) {
        return node.intAttribute("noop_with_empty_axes", 0) == 0 ? rank : std::nullopt;
    }
    for (std::int64_t& axis : axes) {
        if (axis >= 0) {
            if (!rank) {
                return std::nullopt;
            }
            axis -= static_cast<std::int64_t>(*rank);
        }
    }
    std::ranges::sort(axes);
    const auto count = static_cast<std::int64_t>(axes.size());
    for (std::int64_t i = 0; i < count; ++i) {
        if (axes[static_cast<std::size_t>(i)] != i - count) {
            return std::nullopt;
        }
    }
    return axes.size();
}

bool NormalizationMatcher::findVariance(NodeId root, Normalization& found) const
{
    ValueId variance = m_graph.node(root).inputs.front();
    found.nodes.insert(root);
    if (const NodeId sum = makerOf(m_graph, variance, "Add"); sum != kNoNode) {
        const std::vector<ValueId>& terms = m_graph.node(sum).inputs;
        if (terms.size() != 2) {
            return false;
        }
        const std::size_t constant = scalarOf(m_graph, terms[1]) ? 1 : 0;
        const std::optional<double> epsilon = scalarOf(m_graph, terms[constant]);
        if (!epsilon || *epsilon < 0.0) {
            return false;
        }
        found.epsilon = *epsilon;
        found.nodes.insert(sum);
        variance = terms[1 - constant];
    }
    const NodeId mean = makerOf(m_graph, variance, "ReduceMean");
    const std::optional<std::size_t> dimensions = mean == kNoNode ? std::nullopt : reducedDimensions(mean);
    if (!dimensions || *dimensions == 0 || m_graph.node(mean).inputs.front() == kNoValue) {
        return false;
    }
    found.dimensions = *dimensions;
    found.nodes.insert(mean);
    const NodeId square = m_graph.value(m_graph.node(mean).inputs.front()).producer;
    if (square == kNoNode || m_graph.node(square).inputs.size() != 2
        || m_graph.node(square).inputs.front() == kNoValue) {
        return false;
    }
    found.nodes.insert(square);
    const Node& product = m_graph.node(square);
    const bool isPower = product.op == "Pow" && scalarOf(m_graph, product.inputs[1]) == 2.0;
    if (!isPower && product.op != "Mul") {
        return false;
    }
    const ValueId base = product.inputs.front();
    const NodeId difference = makerOf(m_graph, base, "Sub");
    if (difference != kNoNode && m_graph.node(difference).inputs.size() == 2) {
        const Node& node = m_graph.node(difference);
        const NodeId average = makerOf(m_graph, node.inputs[1], "ReduceMean");
        if (average != kNoNode && reducedDimensions(average) == dimensions
            && m_graph.node(average).inputs.front() == node.inputs[0]) {
            found.x = node.inputs[0];
            found.mean = node.inputs[1];
            found.nodes.insert({difference, average});
        }
    }
    found.x = found.x == kNoValue ? base : found.x;
    return isPower || isNumerator(product.inputs[1], found);
}

bool NormalizationMatcher::isNumerator(ValueId value, Normalization& found) const
{
    if (found.mean == kNoValue) {
        return value == found.x;
    }
    const NodeId difference = makerOf(m_graph, value, "Sub");
    if (difference == kNoNode
        || m_graph.node(difference).inputs != std::vector<ValueId> {found.x, found.mean}) {
        return false;
    }
    found.nodes.insert(difference);
    return true;
}

std::optional<Normalization> NormalizationMatcher::around(NodeId root)
{
    m_candidates.clear();
    Normalization found;
    if (!isRoot(root) || !findVariance(root, found)) {
        return std::nullopt;
    }
    if (m_graph.node(root).op == "Pow") {
        multiplyByInverse(m_graph.node(root).outputs.front(), found);
    } else {
        divide(root, found);
    }
    const auto fits = std::find_if(m_candidates.rbegin(), m_candidates.rend(), [this](const auto& candidate) {
        const bool hasWidth = candidate.gamma != kNoValue || candidate.beta != kNoValue
            || normalizedDims(m_graph, candidate).has_value();
        return hasWidth && isPrivate(m_graph, candidate.nodes, candidate.result);
    });
    return fits == m_candidates.rend() ? std::nullopt : std::optional(*fits);
}

void NormalizationMatcher::divide(NodeId root, Normalization found)
{
    const ValueId deviation = m_graph.node(root).outputs.front();
    const NodeId reader = onlyReader(m_graph, deviation);
    if (reader == kNoNode) {
        return;
    }
    const Node& node = m_graph.node(reader);
    found.nodes.insert(reader);
    if (node.op == "Reciprocal") {
        multiplyByInverse(node.outputs.front(), found);
    } else if (node.op == "Div" && node.inputs.size() == 2 && node.inputs[1] == deviation) {
        if (scalarOf(m_graph, node.inputs[0]) == 1.0) {
            multiplyByInverse(node.outputs.front(), found);
        } else if (isNumerator(node.inputs[0], found)) {
            found.result = node.outputs.front();
            takeAffine(found);
        }
    }
}

void NormalizationMatcher::multiplyByInverse(ValueId inverse, Normalization found)
{
    const NodeId reader = onlyReader(m_graph, inverse);
    if (reader == kNoNode) {
        spread(inverse, found);
        return;
    }
    const Node& node = m_graph.node(reader);
    const ValueId other = operandBeside(node, inverse);
    if (node.op != "Mul" || other == kNoValue) {
        return;
    }
    found.nodes.insert(reader);
    if (isNumerator(other, found)) {
        found.result = node.outputs.front();
        takeAffine(found);
    } else if (isParameter(other, found)) {
        found.gamma = other;
        const ValueId factor = node.outputs.front();
        const NodeId next = onlyReader(m_graph, factor);
        if (next == kNoNode) {
            spread(factor, found);
        } else if (m_graph.node(next).op == "Mul"
            && isNumerator(operandBeside(m_graph.node(next), factor), found)) {
            found.nodes.insert(next);
            found.result = m_graph.node(next).outputs.front();
            takeAffine(found);
        }
    }
}

/// x * factor + (beta - mean * factor), or x * factor - mean * factor.
void NormalizationMatcher::spread(ValueId factor, Normalization found)
{
    const std::vector<NodeId>& readers = m_graph.value(factor).consumers;
    if (readers.size() != 2 || found.mean == kNoValue || isGraphOutput(m_graph, factor)) {
        return;
    }
    ValueId scaled = kNoValue;
    ValueId shift = kNoValue;
    for (const NodeId reader : readers) {
        const ValueId other = operandBeside(m_graph.node(reader), factor);
        if (m_graph.node(reader).op != "Mul" || (other != found.x && other != found.mean)) {
            return;
        }
        (other == found.x ? scaled : shift) = m_graph.node(reader).outputs.front();
        found.nodes.insert(reader);
    }
    const NodeId difference = onlyReader(m_graph, shift);
    if (scaled == kNoValue || shift == kNoValue || difference == kNoNode
        || m_graph.node(difference).op != "Sub" || m_graph.node(difference).inputs.size() != 2
        || m_graph.node(difference).inputs[1] != shift) {
        return;
    }
    found.nodes.insert(difference);
    const Node& sub = m_graph.node(difference);
    if (sub.inputs[0] == scaled) {
        found.result = sub.outputs.front();
        takeAffine(found);
        return;
    }
    const NodeId sum = onlyReader(m_graph, sub.outputs.front());
    if (sum != kNoNode && m_graph.node(sum).op == "Add" && isParameter(sub.inputs[0], found)
        && operandBeside(m_graph.node(sum), sub.outputs.front()) == scaled) {
        found.nodes.insert(sum);
        found.beta = sub.inputs[0];
        found.result = m_graph.node(sum).outputs.front();
        m_candidates.push_back(found);
    }
}

bool NormalizationMatcher::isParameter(ValueId value, const Normalization& found) const
{
    return isConstant(m_graph, value) && parameterInShape(m_graph, value, found).valid();
}

void NormalizationMatcher::takeAffine(Normalization found)
{
    m_candidates.push_back(found);
    if (found.gamma == kNoValue) {
        const NodeId reader = onlyReader(m_graph, found.result);
        const ValueId gamma
            = reader == kNoNode ? kNoValue : operandBeside(m_graph.node(reader), found.result);
        if (gamma != kNoValue && m_graph.node(reader).op == "Mul" && isParameter(gamma, found)) {
            found.gamma = gamma;
            found.nodes.insert(reader);
            found.result = m_graph.node(reader).outputs.front();
            m_candidates.push_back(found);
        }
    }
    const NodeId reader = onlyReader(m_graph, found.result);
    const ValueId beta = reader == kNoNode ? kNoValue : operandBeside(m_graph.node(reader), found.result);
    if (found.mean != kNoValue && beta != kNoValue && m_graph.node(reader).op == "Add"
        && isParameter(beta, found)) {
        found.beta = beta;
        found.nodes.insert(reader);
        found.result = m_graph.node(reader).outputs.front();
        m_candidates.push_back(found);
    }
}

void addNormalization(const Graph& graph, GraphRewriter& rewriter, const Normalization& found)
{
    const Node& last = graph.node(graph.value(found.result).producer);
    const auto parameter = [&](ValueId original) {
        const Tensor tensor = parameterInShape(graph, original, found);
        return tensor.shape() == graph.value(original).constant.shape()
            ? rewriter.made(original)
            : rewriter.addConstant(graph.value(original).name, tensor);
    };
    ValueId gamma = kNoValue;
    if (found.gamma != kNoValue) {
        gamma = parameter(found.gamma);
    } else {
        const Shape shape = found.beta == kNoValue ? Shape(*normalizedDims(graph, found))
                                                   : parameterInShape(graph, found.beta, found).shape();
        Tensor ones(DType::F32, shape);
        std::ranges::fill(ones.mutableData<float>(), 1.0F);
        gamma = rewriter.addConstant(last.name + ".ones", ones);
    }
    std::vector<ValueId> inputs {rewriter.made(found.x), gamma};
    if (found.beta != kNoValue) {
        inputs.push_back(parameter(found.beta));
    }
    rewriter.releaseName(last);
    rewriter.addFor(found.result, found.mean == kNoValue ? "RMSNormalization" : "LayerNormalization",
        last.name, std::move(inputs),
        {{"axis", -static_cast<std::int64_t>(found.dimensions)}, {"epsilon", found.epsilon}});
}

} // namespace

std::shared_ptr<const Graph> recogniseNormalizations(const Graph& graph)
{
    NormalizationMatcher matcher(graph);
    return replaceMatches(graph, matcher, [&graph](GraphRewriter& rewriter, const Normalization& found) {
        addNormalization(graph, rewriter, found);
    });
}

} // namespace qs
