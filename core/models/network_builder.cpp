#include "core/models/network_builder.h"

#include <cmath>
#include <limits>
#include <numeric>

namespace qs {

std::string NetworkBuilder::freeName(const std::string& name)
{
    const int count = ++m_made[name];
    return count == 1 ? name : name + "." + std::to_string(count);
}

ValueId NetworkBuilder::node(const char* op, const std::string& name, std::vector<ValueId> inputs, Dims dims,
    Attributes attributes, DType type)
{
    const ValueId value = m_builder.addNode(op, name, std::move(inputs), std::move(attributes));
    m_builder.setDims(value, std::move(dims), type);
    return value;
}

ValueId NetworkBuilder::namedNode(const char* op, const std::string& name, const std::string& value,
    std::vector<ValueId> inputs, Dims dims, Attributes attributes)
{
    const ValueId made
        = m_builder.addNodeWithOutputs(op, name, std::move(inputs), {value}, std::move(attributes)).front();
    m_builder.setDims(made, std::move(dims));
    return made;
}

ValueId NetworkBuilder::sameShape(
    const char* op, const std::string& name, std::vector<ValueId> inputs, Attributes attributes)
{
    const Dims same = dims(inputs.front());
    return node(op, name, std::move(inputs), same, std::move(attributes));
}

ValueId NetworkBuilder::weight(const std::string& name, const Shape& shape)
{
    const auto known = m_constants.find(name);
    if (known != m_constants.end() && dims(known->second) == shape.dims()) {
        return known->second;
    }
    const ValueId made = m_builder.addConstant(name, m_weights.take(name, shape));
    m_constants.emplace(name, made);
    return made;
}

ValueId NetworkBuilder::integers(const std::string& name, const Dims& values)
{
    const auto [it, isNew] = m_integers.try_emplace({name, values}, kNoValue);
    if (isNew) {
        it->second = m_builder.addConstant(freeName(name),
            Tensor::of<std::int64_t>({static_cast<std::int64_t>(values.size())}, std::span(values)));
    }
    return it->second;
}

ValueId NetworkBuilder::scalar(const std::string& name, float value)
{
    const auto [it, isNew] = m_scalars.try_emplace({name, value}, kNoValue);
    if (isNew) {
        it->second = m_builder.addConstant(freeName(name), Tensor::of<float>(Shape {}, {value}));
    }
    return it->second;
}

ValueId NetworkBuilder::table(const std::string& name, const std::vector<float>& values)
{
    const Dims dims {static_cast<std::int64_t>(values.size())};
    return node("Constant", name, {}, dims, {{"value", Tensor::of<float>(Shape(dims), std::span(values))}});
}

ValueId NetworkBuilder::reshape(const std::string& name, ValueId x, const Dims& shape)
{
    Dims result = shape;
    for (std::size_t i = 0; i < shape.size(); ++i) {
        result[i] = shape[i] == 0 ? dims(x)[i] : shape[i];
    }
    return node("Reshape", name, {x, integers("reshape.shape", shape)}, std::move(result));
}

ValueId NetworkBuilder::transpose(const std::string& name, ValueId x, const Dims& order)
{
    Dims result;
    for (const std::int64_t axis : order) {
        result.push_back(dims(x)[static_cast<std::size_t>(axis)]);
    }
    return node("Transpose", name, {x}, std::move(result), {{"perm", order}});
}

ValueId NetworkBuilder::slice(
    const std::string& name, ValueId x, std::int64_t axis, std::int64_t first, std::int64_t last)
{
    Dims result = dims(x);
    result[static_cast<std::size_t>(axis)] = last - first;
    std::vector<ValueId> inputs {
        x, integers("slice.start", {first}), integers("slice.end", {last}), integers("slice.axis", {axis})};
    return node("Slice", name, std::move(inputs), std::move(result));
}

std::vector<ValueId> NetworkBuilder::split(
    const std::string& name, ValueId x, std::int64_t axis, const std::vector<std::string>& parts)
{
    Dims result = dims(x);
    std::int64_t& divided = axis < 0 ? result.back() : result[static_cast<std::size_t>(axis)];
    divided /= static_cast<std::int64_t>(parts.size());
    std::vector<ValueId> made = m_builder.addNodeWithOutputs("Split", name, {x}, parts, {{"axis", axis}});
    for (const ValueId part : made) {
        m_builder.setDims(part, result);
    }
    return made;
}

ValueId NetworkBuilder::linear(
    const std::string& name, ValueId x, std::int64_t outputs, const LinearForm& form)
{
    const bool stored = form.layout == Layout::OutIn;
    const std::int64_t inputs = width(x);
    const Shape shape = stored ? Shape {outputs, inputs} : Shape {inputs, outputs};
    const std::string own = name + ".weight";
    // A tied matrix is a constant of its own over the same bytes: quantizing the layer leaves the embedding
    // as it is.
    const ValueId matrix = form.weight.empty() || form.weight == own
        ? weight(own, shape)
        : m_builder.addConstant(own, m_weights.take(form.weight, shape));
    std::vector<ValueId> operands {x, matrix};
    if (form.bias == Bias::Yes) {
        operands.push_back(weight(form.biasName.empty() ? name + ".bias" : form.biasName, {outputs}));
    }
    Dims result = dims(x);
    result.back() = outputs;
    return namedNode("Linear", name, form.value.empty() ? name : form.value, std::move(operands),
        std::move(result), {{"transB", std::int64_t {stored ? 1 : 0}}});
}

ValueId NetworkBuilder::layerNorm(const std::string& name, ValueId x, double epsilon)
{
    const Shape shape {width(x)};
    const bool older = !m_weights.has(name + ".weight") && m_weights.has(name + ".gamma");
    std::vector<ValueId> operands {x, weight(name + (older ? ".gamma" : ".weight"), shape),
        weight(name + (older ? ".beta" : ".bias"), shape)};
    return sameShape(
        "LayerNormalization", name, std::move(operands), {{"axis", std::int64_t {-1}}, {"epsilon", epsilon}});
}

ValueId NetworkBuilder::rmsNorm(const std::string& name, ValueId x, double epsilon)
{
    return sameShape("RMSNormalization", name, {x, weight(name + ".weight", {width(x)})},
        {{"axis", std::int64_t {-1}}, {"epsilon", epsilon}});
}

ValueId NetworkBuilder::embedding(
    const std::string& name, ValueId indices, std::int64_t rows, std::int64_t width)
{
    Dims result = dims(indices);
    result.push_back(width);
    return node("Gather", name, {weight(name + ".weight", {rows, width}), indices}, std::move(result),
        {{"axis", std::int64_t {0}}});
}

ValueId NetworkBuilder::patches(
    const std::string& name, ValueId pixels, std::int64_t outputs, const Dims& patch, Bias bias)
{
    const Dims image = dims(pixels);
    std::vector<ValueId> operands {pixels, weight(name + ".weight", {outputs, image[1], patch[0], patch[1]})};
    if (bias == Bias::Yes) {
        operands.push_back(weight(name + ".bias", {outputs}));
    }
    const std::int64_t high = image[2] / patch[0];
    const std::int64_t wide = image[3] / patch[1];
    ValueId x = node("Conv", name, std::move(operands), {-1, outputs, high, wide},
        {{"kernel_shape", patch}, {"strides", patch}});
    const std::string module = name.substr(0, name.rfind('.'));
    x = reshape(module + ".flatten", x, {0, outputs, high * wide});
    return transpose(module + ".tokens", x, {0, 2, 1});
}

ValueId NetworkBuilder::expandedToken(const std::string& name, ValueId learned, ValueId tokens)
{
    const ValueId batch = node("Shape", name + ".batch", {tokens}, {1},
        {{"start", std::int64_t {0}}, {"end", std::int64_t {1}}}, DType::I64);
    const ValueId shape = node("Concat", name + ".shape",
        {batch, integers("token.shape", {1, width(learned)})}, {3}, {{"axis", std::int64_t {0}}}, DType::I64);
    return node("Expand", name + ".expand", {learned, shape}, {-1, 1, width(learned)});
}

ValueId NetworkBuilder::token(const std::string& name, ValueId x, std::int64_t index)
{
    const ValueId position
        = m_builder.addConstant(name + ".index", Tensor::of<std::int64_t>(Shape {}, {index}));
    return node("Gather", name, {x, position}, {-1, width(x)}, {{"axis", std::int64_t {1}}});
}

ValueId NetworkBuilder::mean(const std::string& name, ValueId x)
{
    return node(
        "ReduceMean", name, {x}, {-1, width(x)}, {{"axes", Dims {1}}, {"keepdims", std::int64_t {0}}});
}

NetworkBuilder::Operands NetworkBuilder::fusedOperands(
    const std::string& path, ValueId x, std::int64_t heads, Bias bias)
{
    const Dims rows = dims(x);
    const std::int64_t headDim = width(x) / heads;
    const std::string qkv = path + ".qkv";
    x = linear(qkv, x, 3 * width(x), {.bias = bias});
    x = node("Reshape", qkv + ".reshape", {x, integers("attn.split_heads.shape", {0, 0, 3, heads, headDim})},
        {rows[0], rows[1], 3, heads, headDim});
    x = transpose(qkv + ".transpose", x, {2, 0, 3, 1, 4});
    const std::vector<ValueId> parts
        = split(qkv + ".split", x, 0, {qkv + ".split.query", qkv + ".split.key", qkv + ".split.value"});
    const auto operand = [&](const char* name, ValueId part) {
        return node("Squeeze", path + name, {part, integers("attn.squeeze.axes", {0})},
            {rows[0], heads, rows[1], headDim});
    };
    const ValueId query = operand(".query", parts[0]);
    const ValueId key = operand(".key", parts[1]);
    return {query, key, operand(".value", parts[2])};
}

ValueId NetworkBuilder::splitHeads(const std::string& name, ValueId x, std::int64_t heads)
{
    const Dims shape {0, 0, heads, width(x) / heads};
    const Dims result {dims(x)[0], dims(x)[1], shape[2], shape[3]};
    const ValueId parts
        = node("Reshape", name + ".reshape", {x, integers("attention.split_heads.shape", shape)}, result);
    return transpose(name + ".heads", parts, {0, 2, 1, 3});
}

ValueId NetworkBuilder::attention(const AttentionForm& form, const Operands& operands)
{
    const Dims query = dims(operands.query);
    const ValueId keys = transpose(form.key + ".transpose", operands.key, {0, 1, 3, 2});
    const Dims square {query[0], query[1], query[2], dims(keys)[3]};
    const double scale = form.scale != 0 ? form.scale : 1.0 / std::sqrt(static_cast<double>(query[3]));
    ValueId y = node("MatMul", form.path + ".matmul1", {operands.query, keys}, square);
    y = node("Mul", form.path + ".scale", {y, scalar("attention.scale", static_cast<float>(scale))}, square);
    for (std::size_t i = 0; i < form.masks.size(); ++i) {
        const std::string name = form.path + ".mask" + (i == 0 ? "" : std::to_string(i + 1));
        y = node("Add", name, {y, form.masks[i]}, square);
    }
    y = node("Softmax", form.path + ".softmax", {y}, square, {{"axis", std::int64_t {-1}}});
    y = node("MatMul", form.path + ".matmul2", {y, operands.value}, query);
    y = transpose(form.path + ".matmul2.transpose", y, {0, 2, 1, 3});
    const Dims joined {0, 0, query[1] * query[3]};
    const ValueId shape = integers("attention.join_heads.shape", joined);
    return node("Reshape", form.path + ".matmul2.reshape", {y, shape}, {query[0], query[2], joined[2]});
}

ValueId NetworkBuilder::length(const std::string& name, ValueId ids)
{
    return node(
        "Shape", name, {ids}, {1}, {{"start", std::int64_t {1}}, {"end", std::int64_t {2}}}, DType::I64);
}

ValueId NetworkBuilder::firstRows(const std::string& name, ValueId table, ValueId length, std::int64_t offset)
{
    Dims result = dims(table);
    result.front() = -1;
    const DType type = m_builder.value(table).dtype;
    ValueId end = length;
    if (offset != 0) {
        end = node("Add", name + ".end", {length, integers(name + ".offset", {offset})}, {1}, {}, DType::I64);
    }
    std::vector<ValueId> inputs {table, integers("slice.start", {offset}), end, integers("slice.axis", {0})};
    return node("Slice", name, std::move(inputs), std::move(result), {}, type);
}

ValueId NetworkBuilder::positions(const std::string& name, ValueId length, std::int64_t most)
{
    Dims all(static_cast<std::size_t>(most));
    std::iota(all.begin(), all.end(), 0);
    return firstRows(name, integers(name + ".all", all), length);
}

ValueId NetworkBuilder::filledLike(const std::string& name, ValueId ids, std::int64_t value)
{
    const ValueId shape = node("Shape", name + ".shape", {ids}, {2}, {}, DType::I64);
    return node("ConstantOfShape", name, {shape}, {-1, -1},
        {{"value", Tensor::of<std::int64_t>(Shape {1}, {value})}}, DType::I64);
}

ValueId NetworkBuilder::paddingMask(const std::string& name, ValueId mask)
{
    const ValueId shown
        = node("Cast", name + ".shown", {mask}, {-1, -1}, {{"to", std::int64_t {1}}}); // 1: float
    const ValueId hidden = sameShape("Sub", name + ".hidden", {shown, scalar("mask.shown", 1.0F)});
    // 0 or -1, so that the product is 0 or the lowest float
    const ValueId added
        = sameShape("Mul", name, {hidden, scalar("mask.highest", std::numeric_limits<float>::max())});
    return node(
        "Unsqueeze", name + ".broadcast", {added, integers("unsqueeze.heads", {1, 2})}, {-1, 1, 1, -1});
}

ValueId NetworkBuilder::causalMask(const std::string& path, ValueId positions)
{
    const ValueId rows = node(
        "Unsqueeze", path + ".rows", {positions, integers("unsqueeze.last", {1})}, {-1, 1}, {}, DType::I64);
    const ValueId seen = node("LessOrEqual", path + ".seen", {positions, rows}, {-1, -1}, {}, DType::Bool);
    return node("Where", path,
        {seen, scalar("mask.seen", 0.0F), scalar("mask.hidden", std::numeric_limits<float>::lowest())},
        {-1, -1});
}

} // namespace qs
