#include "core/graph/activation_recognition.h"

#include "core/graph/graph_queries.h"
#include "core/graph/replace_matches.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numbers>
#include <optional>
#include <set>

namespace qs {

namespace {

constexpr double kTolerance = 5e-5; // of constants, relative
constexpr int kLongest = 12; // nodes between the function and the end of the activation

/// Coefficients of 1, x, x^2, x^3.
using Polynomial = std::array<double, 4>;

/// plain(x) + gated(x) * f, where f is the value of the Erf, Tanh or Sigmoid.
struct Expression
{
    Polynomial plain {};
    Polynomial gated {};
};

bool isZero(const Polynomial& p)
{
    return p == Polynomial {};
}

std::optional<Polynomial> product(const Polynomial& a, const Polynomial& b)
{
    Polynomial result {};
    for (std::size_t i = 0; i < a.size(); ++i) {
        for (std::size_t j = 0; j < b.size(); ++j) {
            const double term = a[i] * b[j];
            if (i + j < result.size()) {
                result[i + j] += term;
            } else if (term != 0.0) {
                return std::nullopt;
            }
        }
    }
    return result;
}

std::optional<Expression> product(const Expression& a, const Expression& b)
{
    if (!isZero(a.gated) && !isZero(b.gated)) {
        return std::nullopt;
    }
    const auto plain = product(a.plain, b.plain);
    const auto left = product(a.gated, b.plain);
    const auto right = product(a.plain, b.gated);
    if (!plain || !left || !right) {
        return std::nullopt;
    }
    Expression result {*plain, *left};
    for (std::size_t i = 0; i < result.gated.size(); ++i) {
        result.gated[i] += (*right)[i];
    }
    return result;
}

Expression sum(const Expression& a, const Expression& b, double sign)
{
    Expression result = a;
    for (std::size_t i = 0; i < result.plain.size(); ++i) {
        result.plain[i] += sign * b.plain[i];
        result.gated[i] += sign * b.gated[i];
    }
    return result;
}

bool matches(const Polynomial& actual, const Polynomial& expected)
{
    for (std::size_t i = 0; i < actual.size(); ++i) {
        if (!(std::abs(actual[i] - expected[i]) <= kTolerance * std::abs(expected[i]))) {
            return false;
        }
    }
    return true;
}

/// Reads values as expressions of x and, where given, of the function's value.
class ExpressionReader
{
public:
    ExpressionReader(const Graph& graph, ValueId x, ValueId function)
        : m_graph(graph)
        , m_x(x)
        , m_function(function)
    {
    }

    std::optional<Expression> read(ValueId value, int depth = 0);
    /// The nodes read so far.
    [[nodiscard]] const std::set<NodeId>& nodes() const { return m_nodes; }

private:
    std::optional<Expression> combine(const Node& node, int depth);

    const Graph& m_graph;
    ValueId m_x;
    ValueId m_function;
    std::set<NodeId> m_nodes;
};

std::optional<Expression> ExpressionReader::read(ValueId value, int depth)
{
    if (value == kNoValue) {
        return std::nullopt;
    }
    if (value == m_x) {
        return Expression {{0.0, 1.0, 0.0, 0.0}, {}};
    }
    if (value == m_function) {
        return Expression {{}, {1.0, 0.0, 0.0, 0.0}};
    }
    if (const auto constant = scalarOf(m_graph, value)) {
        return Expression {{*constant, 0.0, 0.0, 0.0}, {}};
    }
    const NodeId maker = m_graph.value(value).producer;
    if (maker == kNoNode || depth > kLongest) {
        return std::nullopt;
    }
    m_nodes.insert(maker);
    return combine(m_graph.node(maker), depth + 1);
}

std::optional<Expression> ExpressionReader::combine(const Node& node, int depth)
{
    if (node.inputs.size() != 2) {
        return std::nullopt;
    }
    const std::optional<double> constant = scalarOf(m_graph, node.inputs[1]);
    const auto left = read(node.inputs[0], depth);
    if (!left) {
        return std::nullopt;
    }
    if (node.op == "Pow") {
        std::optional<Expression> power = left;
        const bool whole = constant && (*constant == 2.0 || *constant == 3.0);
        for (int i = 1; whole && power && i < static_cast<int>(*constant); ++i) {
            power = product(*power, *left);
        }
        return whole ? power : std::nullopt;
    }
    if (node.op == "Div") {
        const bool valid = constant && *constant != 0.0;
        return valid ? product(*left, Expression {{1.0 / *constant, 0.0, 0.0, 0.0}, {}}) : std::nullopt;
    }
    if (!isOneOf(node.op, {"Add", "Sub", "Mul"})) {
        return std::nullopt;
    }
    const auto right = read(node.inputs[1], depth);
    if (!right) {
        return std::nullopt;
    }
    return node.op == "Mul" ? product(*left, *right)
                            : std::optional(sum(*left, *right, node.op == "Sub" ? -1.0 : 1.0));
}

struct Activation
{
    std::string op;
    std::map<std::string, Attribute> attributes;
    ValueId x = kNoValue;
    ValueId result = kNoValue;
    std::set<NodeId> nodes;
};

class ActivationMatcher
{
public:
    explicit ActivationMatcher(const Graph& graph)
        : m_graph(graph)
    {
    }

    /// The activation whose function (Erf, Tanh, Sigmoid) this node is.
    [[nodiscard]] std::optional<Activation> around(NodeId function) const;

private:
    /// Values that the function's argument may be a polynomial of, nearest first.
    [[nodiscard]] std::vector<ValueId> candidates(ValueId argument) const;
    [[nodiscard]] bool argumentFits(
        const Node& function, const Polynomial& argument, Activation& found) const;
    [[nodiscard]] bool findEnd(const Node& function, Activation& found) const;

    const Graph& m_graph;
};

std::vector<ValueId> ActivationMatcher::candidates(ValueId argument) const
{
    std::vector<ValueId> found {argument};
    for (std::size_t i = 0; i < found.size() && found.size() < kLongest; ++i) {
        const NodeId maker = m_graph.value(found[i]).producer;
        if (maker == kNoNode || !isOneOf(m_graph.node(maker).op, {"Add", "Sub", "Mul", "Div", "Pow"})) {
            continue;
        }
        for (const ValueId input : m_graph.node(maker).inputs) {
            if (input != kNoValue && !isConstant(m_graph, input)
                && std::ranges::find(found, input) == found.end()) {
                found.push_back(input);
            }
        }
    }
    return found;
}

bool ActivationMatcher::argumentFits(
    const Node& function, const Polynomial& argument, Activation& found) const
{
    constexpr double kRootTwoByPi = std::numbers::sqrt2 * std::numbers::inv_sqrtpi;
    if (function.op == "Erf") {
        found.op = "Gelu";
        found.attributes = {{"approximate", std::string("none")}};
        return matches(argument, {0.0, std::numbers::sqrt2 / 2.0, 0.0, 0.0});
    }
    if (function.op == "Tanh") {
        found.op = "Gelu";
        found.attributes = {{"approximate", std::string("tanh")}};
        return matches(argument, {0.0, kRootTwoByPi, 0.0, 0.044715 * kRootTwoByPi});
    }
    found.op = "Swish";
    found.attributes = {{"alpha", argument[1]}};
    return argument[1] > 0.0 && matches(argument, {0.0, argument[1], 0.0, 0.0});
}

bool ActivationMatcher::findEnd(const Node& function, Activation& found) const
{
    const ValueId gate = function.outputs.front();
    const bool isSigmoid = function.op == "Sigmoid";
    const double half = isSigmoid ? 0.0 : 0.5;
    const double slope = isSigmoid ? 1.0 : 0.5;
    ValueId value = gate;
    for (int step = 0; step < kLongest; ++step) {
        const NodeId reader = onlyReader(m_graph, value);
        if (reader == kNoNode || m_graph.node(reader).outputs.empty()) {
            return false;
        }
        value = m_graph.node(reader).outputs.front();
        ExpressionReader expressions(m_graph, found.x, gate);
        const auto expression = expressions.read(value);
        if (!expression) {
            return false;
        }
        if (matches(expression->plain, {0.0, half, 0.0, 0.0})
            && matches(expression->gated, {0.0, slope, 0.0, 0.0})) {
            found.result = value;
            found.nodes.insert(expressions.nodes().begin(), expressions.nodes().end());
            return true;
        }
    }
    return false;
}

std::optional<Activation> ActivationMatcher::around(NodeId id) const
{
    const Node& function = m_graph.node(id);
    if (!isOneOf(function.op, {"Erf", "Tanh", "Sigmoid"}) || function.inputs.size() != 1
        || function.inputs.front() == kNoValue) {
        return std::nullopt;
    }
    for (const ValueId x : candidates(function.inputs.front())) {
        ExpressionReader argument(m_graph, x, kNoValue);
        const auto expression = argument.read(function.inputs.front());
        Activation found;
        found.x = x;
        if (!expression || !argumentFits(function, expression->plain, found) || !findEnd(function, found)) {
            continue;
        }
        found.nodes.insert(argument.nodes().begin(), argument.nodes().end());
        found.nodes.insert(id);
        if (isPrivate(m_graph, found.nodes, found.result)) {
            return found;
        }
    }
    return std::nullopt;
}

} // namespace

std::shared_ptr<const Graph> recogniseActivations(const Graph& graph)
{
    const ActivationMatcher matcher(graph);
    return replaceMatches(graph, matcher, [&graph](GraphRewriter& rewriter, const Activation& activation) {
        const Node& last = graph.node(graph.value(activation.result).producer);
        rewriter.releaseName(last);
        rewriter.addFor(activation.result, activation.op, last.name, {rewriter.made(activation.x)},
            activation.attributes);
    });
}

} // namespace qs
