#include "core/graph/contrib_attention.h"

#include "core/graph/attention_assembly.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace qs {

namespace {

constexpr double kMaskFilter = -10000.0;

std::int64_t requireHeads(const ContribCall& call)
{
    const std::int64_t heads = call.node().intAttribute("num_heads", 0);
    if (heads < 1) {
        call.refuse("with num_heads = " + std::to_string(heads));
    }
    return heads;
}

void refuseWhere(const ContribCall& call, bool present, const char* what)
{
    if (present) {
        call.refuse(what);
    }
}

double scaleOf(const ContribCall& call, std::int64_t headSize)
{
    const double given = call.node().floatAttribute("scale", 0.0);
    return given != 0.0 ? given : 1.0 / std::sqrt(static_cast<double>(headSize));
}

/// Keys of the past in front of the new ones, both [B, N, T, d].
ValueId behindPast(ContribCall& call, const std::string& suffix, ValueId past, ValueId now)
{
    return call.op("Concat", suffix, {past, now}, {{"axis", std::int64_t {2}}});
}

void addPresent(ContribCall& call, std::size_t output, const AttentionOperands& operands)
{
    const ValueId key = call.unsqueeze("present.key", operands.key, {0});
    const ValueId value = call.unsqueeze("present.value", operands.value, {0});
    call.result(output, "Concat", "present", {key, value}, {{"axis", std::int64_t {0}}});
}

/// Widths of query, key and value within the packed product.
std::array<std::int64_t, 3> packedWidths(const ContribCall& call, std::int64_t heads)
{
    const Tensor weight = call.constantInput(1);
    if (!weight.valid() || weight.shape().rank() != 2) {
        call.refuse("whose weights are no stored matrix");
    }
    const std::int64_t all = weight.shape()[1];
    const std::vector<std::int64_t> given = call.node().intsAttribute("qkv_hidden_sizes");
    std::array<std::int64_t, 3> widths {all / 3, all / 3, all / 3};
    if (given.size() == 3) {
        widths = {given[0], given[1], given[2]};
    }
    const bool small
        = std::ranges::all_of(widths, [&](std::int64_t width) { return width > 0 && width <= all; });
    const bool fit = small && widths[0] == widths[1] && widths[0] + widths[1] + widths[2] == all
        && widths[0] % heads == 0 && widths[2] % heads == 0;
    if (!fit) {
        call.refuse("whose weights of " + std::to_string(all) + " columns do not make "
            + std::to_string(heads) + " heads of query, key and value");
    }
    return widths;
}

/// The bias of query, key or value: a slice of the packed constant.
ValueId biasSlice(ContribCall& call, const char* name, std::int64_t first, std::int64_t count)
{
    const Tensor bias = call.constantInput(3);
    if (!bias.valid() || count > bias.elementCount() - first) {
        call.refuse("whose bias is no stored vector of query, key and value");
    }
    const Tensor all = bias.toF32();
    return call.constant(std::string(name) + ".bias",
        Tensor::of<float>(Shape {count},
            all.data<float>().subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count))));
}

/// Query, key or value of a MultiHeadAttention as [B, N, T, d], with its part of the bias.
class Operand
{
public:
    Operand(ContribCall& call, std::int64_t heads)
        : m_call(call)
        , m_heads(heads)
    {
    }

    /// From [B, S, N d]; moves on in the packed bias.
    ValueId fromRows(const char* name, std::size_t input)
    {
        ValueId x = m_call.input(input);
        if (m_call.has(3)) {
            const std::int64_t width = widthOf(x);
            x = m_call.op(
                "Add", std::string(name) + ".biased", {x, biasSlice(m_call, name, m_offset, width)});
            m_offset += width;
        }
        return splitHeads(m_call, name, x, m_heads);
    }
    /// From [B, S, N, parts, d].
    ValueId fromPacked(const char* name, std::size_t input, std::int64_t part)
    {
        const ValueId rows = m_call.op("Gather", std::string(name) + ".part",
            {m_call.input(input), m_call.integer(std::string(name) + ".index", part)},
            {{"axis", std::int64_t {3}}});
        return m_call.transpose(name, rows, {0, 2, 1, 3});
    }

private:
    [[nodiscard]] std::int64_t widthOf(ValueId x) const
    {
        const std::size_t rank = m_call.rank(x);
        const std::int64_t width = rank == 0 ? -1 : m_call.value(x).dims.back();
        if (width < 1) {
            m_call.refuse("and the file does not tell the width of '" + m_call.value(x).name + "'");
        }
        return width;
    }

    ContribCall& m_call;
    std::int64_t m_heads;
    std::int64_t m_offset = 0;
};

void readOperands(ContribCall& call, std::int64_t heads, AttentionOperands& operands)
{
    Operand operand(call, heads);
    const std::size_t queryRank = call.rank(call.input(0));
    refuseWhere(call, call.has(3) && (queryRank == 5 || !call.has(2)), "with a bias of packed operands");
    if (queryRank == 5) {
        operands.query = operand.fromPacked("query", 0, 0);
        operands.key = operand.fromPacked("key", 0, 1);
        operands.value = operand.fromPacked("value", 0, 2);
        return;
    }
    operands.query = operand.fromRows("query", 0);
    if (call.rank(call.input(1)) == 5) {
        operands.key = operand.fromPacked("key", 1, 0);
        operands.value = operand.fromPacked("value", 1, 1);
    } else if (call.rank(call.input(1)) == 4) { // keys of the other side, already by heads
        refuseWhere(call, call.has(3), "with a bias of keys that are split by heads");
        operands.key = call.input(1);
        operands.value = call.input(2);
    } else {
        operands.key = operand.fromRows("key", 1);
        operands.value = operand.fromRows("value", 2);
    }
}

} // namespace

void decomposeContribAttention(ContribCall& call)
{
    const std::int64_t heads = requireHeads(call);
    refuseWhere(call, call.node().intAttribute("do_rotary", 0) != 0, "with rotary embedding");
    refuseWhere(
        call, call.node().intAttribute("past_present_share_buffer", 0) != 0, "with a shared past buffer");
    const std::array<std::int64_t, 3> widths = packedWidths(call, heads);
    ValueId packed = call.op("MatMul", "qkv.MatMul", {call.input(0), call.input(1)});
    if (call.has(2)) {
        packed = call.op("Add", "qkv.Add", {packed, call.input(2)});
    }
    const std::vector<ValueId> parts = call.split("split", packed, {widths[0], widths[1], widths[2]});
    AttentionOperands operands;
    operands.query = splitHeads(call, "query", parts[0], heads);
    operands.key = splitHeads(call, "key", parts[1], heads);
    operands.value = splitHeads(call, "value", parts[2], heads);
    if (call.has(4)) {
        const auto past = [&](const char* suffix, std::int64_t index) {
            return call.op("Gather", suffix,
                {call.input(4), call.integer(std::string(suffix) + ".index", index)},
                {{"axis", std::int64_t {0}}});
        };
        operands.key = behindPast(call, "all_keys", past("past.key", 0), operands.key);
        operands.value = behindPast(call, "all_values", past("past.value", 1), operands.value);
    }
    operands.scale = scaleOf(call, widths[0] / heads);
    operands.causal = call.node().intAttribute("unidirectional", 0) != 0;
    operands.bias = call.has(5) ? call.input(5) : kNoValue;
    if (call.has(3)) {
        operands.mask = additiveMask(call, call.input(3), operands.query, operands.key,
            call.node().floatAttribute("mask_filter_value", kMaskFilter));
    }
    addAttention(call, operands);
    if (call.wants(1)) {
        addPresent(call, 1, operands);
    }
}

void decomposeMultiHeadAttention(ContribCall& call)
{
    const std::int64_t heads = requireHeads(call);
    AttentionOperands operands;
    readOperands(call, heads, operands);
    if (call.has(6)) {
        operands.key = behindPast(call, "all_keys", call.input(6), operands.key);
        operands.value = behindPast(call, "all_values", call.input(7), operands.value);
    }
    refuseWhere(call, call.has(8), "with a shared past buffer");
    const std::vector<std::int64_t>& dims = call.value(operands.query).dims;
    const std::int64_t headSize = dims.size() == 4 ? dims[3] : -1;
    if (headSize < 1 && call.node().floatAttribute("scale", 0.0) == 0.0) {
        call.refuse("and the file does not tell the size of a head");
    }
    operands.scale = scaleOf(call, headSize);
    operands.causal = call.node().intAttribute("unidirectional", 0) != 0;
    operands.bias = call.has(5) ? call.input(5) : kNoValue;
    if (call.has(4)) {
        operands.mask = additiveMask(call, call.input(4), operands.query, operands.key,
            call.node().floatAttribute("mask_filter_value", kMaskFilter));
    }
    addAttention(call, operands);
    if (call.wants(1)) {
        call.result(1, "Identity", "present_key", {operands.key});
    }
    if (call.wants(2)) {
        call.result(2, "Identity", "present_value", {operands.value});
    }
}

} // namespace qs
