#include "core/graph/shape_inference.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace qs {

namespace {

using Dims = std::vector<std::int64_t>;
using MaybeDims = std::optional<Dims>;

template<std::size_t N>
bool isOneOf(std::string_view op, const std::array<std::string_view, N>& list)
{
    return std::ranges::find(list, op) != list.end();
}

constexpr std::array<std::string_view, 38> kSameShape {"Abs", "BatchNormalization", "CumSum",
    "GroupNormalization", "InstanceNormalization", "RMSNormalization", "RotaryEmbedding", "Swish", "Trilu",
    "Cast", "Ceil", "Clip", "Cos", "DequantizeLinear", "Dropout", "Elu", "Erf", "Exp", "Floor", "Gelu",
    "HardSigmoid", "HardSwish", "Identity", "LayerNormalization", "LeakyRelu", "Log", "LogSoftmax", "Neg",
    "QuantizeLinear", "Reciprocal", "Relu", "Round", "Sigmoid", "Sin", "Softmax", "Sqrt", "Tanh", "Not"};
constexpr std::array<std::string_view, 15> kBroadcast {"Add", "Sub", "Mul", "Div", "Pow", "Where", "And",
    "Or", "Equal", "Greater", "Less", "GreaterOrEqual", "LessOrEqual", "Max", "Min"};

// Files are hostile: what is larger is left unknown, so that no sum or product below overflows.
constexpr std::int64_t kLargest = std::int64_t {1} << 40;
constexpr std::int64_t kLargestStep = std::int64_t {1} << 20;

class ShapeRules
{
public:
    ShapeRules(const GraphBuilder& builder, const Node& node)
        : m_builder(builder)
        , m_node(node)
    {
    }

    /// Dimensions of every output; fewer when the last ones are unknown.
    [[nodiscard]] std::vector<MaybeDims> outputs() const;

private:
    [[nodiscard]] MaybeDims dims(std::size_t input) const;
    /// Values of an integer constant input.
    [[nodiscard]] MaybeDims integers(std::size_t input) const;
    [[nodiscard]] MaybeDims broadcastOf(std::size_t first, std::size_t count) const;
    [[nodiscard]] MaybeDims matMul() const;
    [[nodiscard]] MaybeDims linear() const;
    [[nodiscard]] MaybeDims convolution() const;
    [[nodiscard]] MaybeDims transpose() const;
    [[nodiscard]] MaybeDims reshape() const;
    [[nodiscard]] MaybeDims gather() const;
    [[nodiscard]] MaybeDims concat() const;
    [[nodiscard]] MaybeDims squeeze() const;
    [[nodiscard]] MaybeDims unsqueeze() const;
    [[nodiscard]] MaybeDims expand() const;
    [[nodiscard]] MaybeDims reduce() const;
    [[nodiscard]] MaybeDims slice() const;
    [[nodiscard]] std::vector<MaybeDims> split() const;

    const GraphBuilder& m_builder;
    const Node& m_node;
};

/// The axis as an index into `rank` dimensions, or nothing.
std::optional<std::size_t> axisIn(std::int64_t axis, std::size_t rank)
{
    const auto count = static_cast<std::int64_t>(rank);
    const std::int64_t index = axis < 0 ? axis + count : axis;
    return index >= 0 && index < count ? std::optional(static_cast<std::size_t>(index)) : std::nullopt;
}

Dims broadcast(const Dims& a, const Dims& b)
{
    Dims result(std::max(a.size(), b.size()), 1);
    for (std::size_t back = 1; back <= result.size(); ++back) {
        const std::int64_t left = back <= a.size() ? a[a.size() - back] : 1;
        const std::int64_t right = back <= b.size() ? b[b.size() - back] : 1;
        // -1 next to a number above 1 can only be 1 or that number.
        const std::int64_t both = left == 1 ? right : (right == 1 || right == -1) ? left : right;
        result[result.size() - back] = both;
    }
    return result;
}

MaybeDims ShapeRules::dims(std::size_t input) const
{
    if (input >= m_node.inputs.size() || m_node.inputs[input] == kNoValue) {
        return std::nullopt;
    }
    const Value& value = m_builder.value(m_node.inputs[input]);
    const bool sane = value.dims.size() <= Shape::kMaxRank
        && std::ranges::all_of(value.dims, [](std::int64_t dim) { return dim >= -1 && dim <= kLargest; });
    return value.dimsKnown && sane ? MaybeDims(value.dims) : std::nullopt;
}

MaybeDims ShapeRules::integers(std::size_t input) const
{
    if (input >= m_node.inputs.size() || m_node.inputs[input] == kNoValue) {
        return std::nullopt;
    }
    const Tensor& constant = m_builder.value(m_node.inputs[input]).constant;
    if (!constant.valid() || constant.dtype() != DType::I64 || constant.shape().rank() > 1) {
        return std::nullopt;
    }
    const auto data = constant.data<std::int64_t>();
    return Dims(data.begin(), data.end());
}

MaybeDims ShapeRules::broadcastOf(std::size_t first, std::size_t count) const
{
    MaybeDims result = dims(first);
    for (std::size_t i = first + 1; i < count && result; ++i) {
        const MaybeDims next = dims(i);
        result = next ? MaybeDims(broadcast(*result, *next)) : std::nullopt;
    }
    return result;
}

MaybeDims ShapeRules::matMul() const
{
    const MaybeDims a = dims(0);
    const MaybeDims b = dims(1);
    if (!a || !b || a->size() < 2 || b->size() < 2) {
        return std::nullopt;
    }
    Dims result = broadcast(Dims(a->begin(), a->end() - 2), Dims(b->begin(), b->end() - 2));
    result.push_back((*a)[a->size() - 2]);
    result.push_back(b->back());
    return result;
}

MaybeDims ShapeRules::linear() const
{
    MaybeDims result = dims(0);
    const MaybeDims weight = dims(1);
    if (!result || !weight || result->empty() || weight->size() != 2) {
        return std::nullopt;
    }
    if (m_node.op == "Gemm" && m_node.intAttribute("transA", 0) != 0) {
        return std::nullopt;
    }
    result->back() = (*weight)[m_node.intAttribute("transB", 0) != 0 ? 0 : 1];
    return result;
}

MaybeDims ShapeRules::convolution() const
{
    const MaybeDims x = dims(0);
    const MaybeDims weight = dims(1);
    const std::string padding = m_node.stringAttribute("auto_pad", "NOTSET");
    if (!x || !weight || x->size() < 3 || weight->size() != x->size() || padding != "NOTSET") {
        return std::nullopt;
    }
    const std::size_t spatial = x->size() - 2;
    const auto attribute = [&](const char* name, std::size_t count, std::int64_t fallback) {
        Dims given = m_node.intsAttribute(name);
        return given.size() == count ? given : Dims(count, fallback);
    };
    const Dims strides = attribute("strides", spatial, 1);
    const Dims dilations = attribute("dilations", spatial, 1);
    const Dims pads = attribute("pads", 2 * spatial, 0);
    for (const Dims& list : {strides, dilations, pads}) {
        if (std::ranges::any_of(
                list, [](std::int64_t number) { return number < 0 || number > kLargestStep; })) {
            return std::nullopt;
        }
    }
    Dims result {(*x)[0], (*weight)[0]};
    for (std::size_t i = 0; i < spatial; ++i) {
        const std::int64_t size = (*x)[i + 2];
        const std::int64_t kernel = dilations[i] * ((*weight)[i + 2] - 1) + 1;
        const bool known = size >= 0 && strides[i] > 0;
        result.push_back(known ? (size + pads[i] + pads[i + spatial] - kernel) / strides[i] + 1 : -1);
    }
    return result;
}

MaybeDims ShapeRules::transpose() const
{
    const MaybeDims x = dims(0);
    if (!x) {
        return std::nullopt;
    }
    const Dims order = m_node.intsAttribute("perm");
    if (order.empty()) {
        return Dims(x->rbegin(), x->rend());
    }
    Dims result;
    for (const std::int64_t axis : order) {
        const auto index = axisIn(axis, x->size());
        if (!index || order.size() != x->size()) {
            return std::nullopt;
        }
        result.push_back((*x)[*index]);
    }
    return result;
}

MaybeDims ShapeRules::reshape() const
{
    const MaybeDims x = dims(0);
    const MaybeDims wanted = integers(1);
    if (!wanted) {
        const MaybeDims shape = dims(1); // at least the rank is known
        const bool vector = shape && shape->size() == 1 && (*shape)[0] >= 0 && (*shape)[0] <= 32;
        return vector ? MaybeDims(Dims(static_cast<std::size_t>((*shape)[0]), -1)) : std::nullopt;
    }
    const bool zeroIsZero = m_node.intAttribute("allowzero", 0) != 0;
    Dims result;
    std::int64_t left = 1; // elements of the input over those the result already has
    bool countable = x.has_value();
    for (std::size_t i = 0; x && i < x->size(); ++i) {
        const bool copied = !zeroIsZero && i < wanted->size() && (*wanted)[i] == 0;
        if (!copied) {
            countable = countable && (*x)[i] >= 0 && !__builtin_mul_overflow(left, (*x)[i], &left);
        }
    }
    for (std::size_t i = 0; i < wanted->size(); ++i) {
        const std::int64_t dim = (*wanted)[i];
        if (dim == 0 && !zeroIsZero) {
            result.push_back(x && i < x->size() ? (*x)[i] : -1);
        } else {
            result.push_back(dim);
            countable = countable && (dim == -1 || (dim > 0 && left % dim == 0));
            left = countable && dim > 0 ? left / dim : left;
        }
    }
    const auto open = std::ranges::find(*wanted, -1);
    if (open != wanted->end() && countable) {
        result[static_cast<std::size_t>(open - wanted->begin())] = left;
    }
    return result;
}

MaybeDims ShapeRules::gather() const
{
    const MaybeDims x = dims(0);
    const MaybeDims indices = dims(1);
    const auto axis = x ? axisIn(m_node.intAttribute("axis", 0), x->size()) : std::nullopt;
    if (!axis || !indices) {
        return std::nullopt;
    }
    const auto at = static_cast<std::ptrdiff_t>(*axis);
    Dims result(x->begin(), x->begin() + at);
    result.insert(result.end(), indices->begin(), indices->end());
    result.insert(result.end(), x->begin() + at + 1, x->end());
    return result;
}

MaybeDims ShapeRules::concat() const
{
    MaybeDims result = dims(0);
    const auto axis = result ? axisIn(m_node.intAttribute("axis", 0), result->size()) : std::nullopt;
    for (std::size_t i = 1; axis && i < m_node.inputs.size(); ++i) {
        const MaybeDims next = dims(i);
        if (!next || next->size() != result->size()) {
            return std::nullopt;
        }
        const std::int64_t a = (*result)[*axis];
        const std::int64_t b = (*next)[*axis];
        (*result)[*axis] = a < 0 || b < 0 ? -1 : a + b;
    }
    return axis ? result : std::nullopt;
}

MaybeDims ShapeRules::squeeze() const
{
    const MaybeDims x = dims(0);
    const MaybeDims axes = integers(1);
    if (!x || !axes) {
        return std::nullopt;
    }
    Dims marked = *x;
    for (const std::int64_t axis : *axes) {
        const auto index = axisIn(axis, x->size());
        if (!index) {
            return std::nullopt;
        }
        marked[*index] = -2;
    }
    std::erase(marked, -2);
    return marked;
}

MaybeDims ShapeRules::unsqueeze() const
{
    const MaybeDims x = dims(0);
    const MaybeDims axes = integers(1);
    if (!x || !axes) {
        return std::nullopt;
    }
    Dims result(x->size() + axes->size(), -2);
    for (const std::int64_t axis : *axes) {
        const auto index = axisIn(axis, result.size());
        if (!index || result[*index] == 1) {
            return std::nullopt;
        }
        result[*index] = 1;
    }
    std::size_t next = 0;
    for (std::int64_t& dim : result) {
        dim = dim == -2 ? (*x)[next++] : dim;
    }
    return result;
}

MaybeDims ShapeRules::expand() const
{
    const MaybeDims x = dims(0);
    const MaybeDims shape = dims(1);
    if (!x || !shape || shape->size() != 1 || (*shape)[0] < 0 || (*shape)[0] > 32) {
        return std::nullopt;
    }
    const Dims target = integers(1).value_or(Dims(static_cast<std::size_t>((*shape)[0]), -1));
    return broadcast(*x, target);
}

MaybeDims ShapeRules::reduce() const
{
    const MaybeDims x = dims(0);
    const Dims axes = m_node.op == "ReduceSum" ? integers(1).value_or(Dims {}) : m_node.intsAttribute("axes");
    if (!x || axes.empty()) {
        return std::nullopt;
    }
    const bool keep = m_node.intAttribute("keepdims", 1) != 0;
    Dims result = *x;
    for (const std::int64_t axis : axes) {
        const auto index = axisIn(axis, x->size());
        if (!index) {
            return std::nullopt;
        }
        result[*index] = keep ? 1 : -2;
    }
    std::erase(result, -2);
    return result;
}

/// Elements of a dimension of n (-1: free) that a slice keeps, as ONNX clamps it.
std::int64_t slicedLength(std::int64_t n, std::int64_t start, std::int64_t end, std::int64_t step)
{
    if (n < 0 || step == 0 || step < -kLargest || step > kLargest) {
        return -1;
    }
    const auto position = [n, step](std::int64_t p) {
        const std::int64_t fromStart = p < 0 ? std::max(p, -n - 1) + n : p;
        return step > 0 ? std::clamp<std::int64_t>(fromStart, 0, n)
                        : std::clamp<std::int64_t>(fromStart, -1, n - 1);
    };
    const std::int64_t length = step > 0 ? position(end) - position(start) : position(start) - position(end);
    return length <= 0 ? 0 : (length - 1) / std::abs(step) + 1;
}

MaybeDims ShapeRules::slice() const
{
    const MaybeDims x = dims(0);
    const MaybeDims starts = integers(1);
    const MaybeDims ends = integers(2);
    const bool hasAxes = m_node.inputs.size() > 3 && m_node.inputs[3] != kNoValue;
    const bool hasSteps = m_node.inputs.size() > 4 && m_node.inputs[4] != kNoValue;
    const MaybeDims axes = integers(3);
    const MaybeDims steps = integers(4);
    if (!x) {
        return std::nullopt;
    }
    const bool known = starts && ends && starts->size() == ends->size() && (!hasAxes || axes)
        && (!hasSteps || (steps && steps->size() == starts->size()))
        && (axes ? axes->size() == starts->size() : starts->size() <= x->size());
    if (!known) {
        return Dims(x->size(), -1);
    }
    Dims result = *x;
    for (std::size_t i = 0; i < starts->size(); ++i) {
        const auto axis = axisIn(axes ? (*axes)[i] : static_cast<std::int64_t>(i), x->size());
        if (!axis) {
            return std::nullopt;
        }
        result[*axis] = slicedLength((*x)[*axis], (*starts)[i], (*ends)[i], steps ? (*steps)[i] : 1);
    }
    return result;
}

std::vector<MaybeDims> ShapeRules::split() const
{
    const MaybeDims x = dims(0);
    const auto axis = x ? axisIn(m_node.intAttribute("axis", 0), x->size()) : std::nullopt;
    if (!axis) {
        return {};
    }
    const auto count = static_cast<std::int64_t>(m_node.outputs.size());
    const MaybeDims sizes = integers(1);
    const std::int64_t whole = (*x)[*axis];
    std::vector<MaybeDims> result;
    for (std::int64_t i = 0; i < count; ++i) {
        Dims part = *x;
        const bool listed = sizes && static_cast<std::int64_t>(sizes->size()) == count;
        part[*axis] = listed                   ? (*sizes)[static_cast<std::size_t>(i)]
            : whole >= 0 && whole % count == 0 ? whole / count
                                               : -1;
        result.emplace_back(std::move(part));
    }
    return result;
}

std::vector<MaybeDims> ShapeRules::outputs() const
{
    const std::string& op = m_node.op;
    if (isOneOf(op, kSameShape)) {
        return {dims(0)};
    }
    if (isOneOf(op, kBroadcast)) {
        return {broadcastOf(0, m_node.inputs.size())};
    }
    if (op == "Shape") {
        const MaybeDims x = dims(0);
        const bool whole = m_node.attributes.empty();
        return {x && whole ? MaybeDims(Dims {static_cast<std::int64_t>(x->size())}) : MaybeDims(Dims {-1})};
    }
    if (op == "ConstantOfShape") {
        const MaybeDims shape = dims(0);
        const bool vector = shape && shape->size() == 1 && (*shape)[0] >= 0 && (*shape)[0] <= 32;
        return {vector ? MaybeDims(integers(0).value_or(Dims(static_cast<std::size_t>((*shape)[0]), -1)))
                       : std::nullopt};
    }
    if (op == "Slice") {
        return {slice()};
    }
    if (op == "Split") {
        return split();
    }
    constexpr std::array kRules {std::pair {"MatMul", &ShapeRules::matMul},
        std::pair {"Linear", &ShapeRules::linear}, std::pair {"Gemm", &ShapeRules::linear},
        std::pair {"Conv", &ShapeRules::convolution}, std::pair {"Transpose", &ShapeRules::transpose},
        std::pair {"Reshape", &ShapeRules::reshape}, std::pair {"Gather", &ShapeRules::gather},
        std::pair {"Concat", &ShapeRules::concat}, std::pair {"Squeeze", &ShapeRules::squeeze},
        std::pair {"Unsqueeze", &ShapeRules::unsqueeze}, std::pair {"Expand", &ShapeRules::expand},
        std::pair {"ReduceMean", &ShapeRules::reduce}, std::pair {"ReduceSum", &ShapeRules::reduce}};
    for (const auto& [name, rule] : kRules) {
        if (op == name) {
            return {(this->*rule)()};
        }
    }
    return {};
}

/// Element type of a node's outputs, as far as it differs from the first input's.
DType outputType(const GraphBuilder& builder, const Node& node)
{
    constexpr std::array<std::string_view, 8> kTruth {
        "Equal", "Greater", "Less", "GreaterOrEqual", "LessOrEqual", "And", "Or", "Not"};
    const auto typeOf = [&](std::size_t input) {
        return input < node.inputs.size() && node.inputs[input] != kNoValue
            ? builder.value(node.inputs[input]).dtype
            : DType::F32;
    };
    if (node.op == "Shape" || node.op == "Size") {
        return DType::I64;
    }
    if (node.op == "QuantizeLinear") {
        return node.inputs.size() > 2 ? typeOf(2) : DType::U8;
    }
    if (node.op == "Where") {
        return typeOf(1);
    }
    if (isOneOf(node.op, kTruth)) {
        return DType::Bool;
    }
    return node.op == "DequantizeLinear" ? DType::F32 : typeOf(0);
}

} // namespace

void inferShapes(GraphBuilder& builder, const Node& node)
{
    const std::vector<MaybeDims> shapes = ShapeRules(builder, node).outputs();
    for (std::size_t i = 0; i < shapes.size() && i < node.outputs.size(); ++i) {
        const Value& value = builder.value(node.outputs[i]);
        if (!shapes[i] || shapes[i]->size() > Shape::kMaxRank || value.dimsKnown) {
            continue;
        }
        const DType type = node.op == "Cast" ? value.dtype : outputType(builder, node);
        builder.setDims(node.outputs[i], *shapes[i], type);
    }
}

} // namespace qs
