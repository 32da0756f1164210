#include "core/graph/contrib_group_query_attention.h"

#include "core/graph/attention_assembly.h"

#include <cmath>

namespace qs {

namespace {

struct Heads
{
    std::int64_t query = 0;
    std::int64_t key = 0;
    std::int64_t size = 0;
};

void refuseModes(const ContribCall& call)
{
    if (call.node().floatAttribute("softcap", 0.0) != 0.0) {
        call.refuse("with softcap");
    }
    if (call.node().intAttribute("local_window_size", -1) > 0) {
        call.refuse("with a local window");
    }
    if (call.node().intAttribute("smooth_softmax", 0) > 0 || call.has(11)) {
        call.refuse("with a smooth softmax");
    }
    for (const char* quantized : {"k_quant_type", "v_quant_type"}) {
        const std::string type = call.node().stringAttribute(quantized, "NONE");
        if (type != "NONE" && !type.empty()) {
            call.refuse("with quantized keys and values");
        }
    }
}

Heads headsOf(ContribCall& call)
{
    Heads heads {call.node().intAttribute("num_heads", 0), call.node().intAttribute("kv_num_heads", 0), 0};
    constexpr std::int64_t kMost = 65536;
    if (heads.query < 1 || heads.query > kMost || heads.key < 1 || heads.query % heads.key != 0) {
        call.refuse(
            "with " + std::to_string(heads.query) + " query and " + std::to_string(heads.key) + " key heads");
    }
    const ValueId query = call.input(0);
    const std::int64_t width = call.rank(query) == 3 ? call.value(query).dims[2] : -1;
    const std::int64_t parts = call.has(1) ? heads.query : heads.query + 2 * heads.key;
    if (width < 1 || width % parts != 0) {
        call.refuse("and the file does not tell the size of a head");
    }
    heads.size = width / parts;
    return heads;
}

/// cos or sin of the positions of the S new rows: [S, d/2].
ValueId anglesOf(ContribCall& call, const char* name, std::size_t input, ValueId past, ValueId query)
{
    const std::string suffix(name);
    const ValueId count = call.unsqueeze(suffix + ".count", call.sizeOf(suffix + ".rows", query, 2), {0});
    ValueId first = call.integers(suffix + ".first", {0});
    if (past != kNoValue) {
        first = call.unsqueeze(suffix + ".past", call.sizeOf(suffix + ".past_rows", past, 2), {0});
    }
    const ValueId end = call.op("Add", suffix + ".end", {first, count});
    return call.op("Slice", suffix, {call.input(input), first, end, call.integers(suffix + ".axes", {0})});
}

/// x [B, N, S, d] turned by the angles; pairs are halves of a head, or neighbours when interleaved.
ValueId rotated(
    ContribCall& call, const std::string& name, ValueId x, ValueId cosine, ValueId sine, const Heads& heads)
{
    const bool neighbours = call.node().intAttribute("rotary_interleaved", 0) != 0;
    std::vector<ValueId> halves;
    if (neighbours) {
        const ValueId pairs = call.reshape(name + ".pairs", x, {0, 0, 0, -1, 2});
        for (std::int64_t i = 0; i < 2; ++i) {
            const std::string part = name + ".part" + std::to_string(i);
            halves.push_back(call.op(
                "Gather", part, {pairs, call.integer(part + ".index", i)}, {{"axis", std::int64_t {-1}}}));
        }
    } else {
        halves = call.split(name + ".halves", x, {heads.size / 2, heads.size / 2});
    }
    const auto product = [&](const char* suffix, ValueId half, ValueId angle) {
        return call.op("Mul", name + suffix, {half, angle});
    };
    ValueId real = call.op("Sub", name + ".real",
        {product(".real_cos", halves[0], cosine), product(".imaginary_sin", halves[1], sine)});
    ValueId imaginary = call.op("Add", name + ".imaginary",
        {product(".imaginary_cos", halves[1], cosine), product(".real_sin", halves[0], sine)});
    if (!neighbours) {
        return call.op("Concat", name + ".rotated", {real, imaginary}, {{"axis", std::int64_t {-1}}});
    }
    real = call.unsqueeze(name + ".real_pairs", real, {-1});
    imaginary = call.unsqueeze(name + ".imaginary_pairs", imaginary, {-1});
    const ValueId pairs
        = call.op("Concat", name + ".rotated_pairs", {real, imaginary}, {{"axis", std::int64_t {-1}}});
    return call.reshape(name + ".rotated", pairs, {0, 0, 0, heads.size});
}

/// [B, K, T, d] with every head repeated for its group of query heads.
ValueId repeated(ContribCall& call, const std::string& name, ValueId x, const Heads& heads)
{
    const std::int64_t group = heads.query / heads.key;
    if (group == 1) {
        return x;
    }
    const ValueId shape = call.integers(name + ".group_shape", {1, 1, group, 1, 1});
    const ValueId wide
        = call.op("Expand", name + ".groups", {call.unsqueeze(name + ".group", x, {2}), shape});
    return call.reshape(name + ".repeated", wide, {0, heads.query, -1, heads.size});
}

} // namespace

void decomposeGroupQueryAttention(ContribCall& call)
{
    refuseModes(call);
    const Heads heads = headsOf(call);
    std::vector<ValueId> rows;
    if (call.has(1)) {
        rows = {call.input(0), call.input(1), call.input(2)};
    } else {
        rows = call.split("split", call.input(0),
            {heads.query * heads.size, heads.key * heads.size, heads.key * heads.size});
    }
    AttentionOperands operands;
    operands.query = splitHeads(call, "query", rows[0], heads.query);
    operands.key = splitHeads(call, "key", rows[1], heads.key);
    operands.value = splitHeads(call, "value", rows[2], heads.key);
    const ValueId past = call.has(3) ? call.input(3) : kNoValue;
    if (call.node().intAttribute("do_rotary", 0) != 0) {
        if (call.has(9)) {
            call.refuse("with position numbers of its own");
        }
        const ValueId cosine = anglesOf(call, "cos", 7, past, operands.query);
        const ValueId sine = anglesOf(call, "sin", 8, past, operands.query);
        operands.query = rotated(call, "query", operands.query, cosine, sine, heads);
        operands.key = rotated(call, "key", operands.key, cosine, sine, heads);
    }
    if (past != kNoValue) {
        operands.key = call.op("Concat", "all_keys", {past, operands.key}, {{"axis", std::int64_t {2}}});
        operands.value
            = call.op("Concat", "all_values", {call.input(4), operands.value}, {{"axis", std::int64_t {2}}});
    }
    if (call.wants(1)) {
        call.result(1, "Identity", "present_key", {operands.key});
    }
    if (call.wants(2)) {
        call.result(2, "Identity", "present_value", {operands.value});
    }
    operands.key = repeated(call, "key", operands.key, heads);
    operands.value = repeated(call, "value", operands.value, heads);
    const double given = call.node().floatAttribute("scale", 0.0);
    operands.scale = given != 0.0 ? given : 1.0 / std::sqrt(static_cast<double>(heads.size));
    operands.bias = call.has(10) ? call.input(10) : kNoValue;
    operands.causal = true;
    addAttention(call, operands);
}

} // namespace qs
