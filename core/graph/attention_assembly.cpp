#include "core/graph/attention_assembly.h"

#include <limits>

namespace qs {

namespace {

constexpr std::int64_t kOnnxInt64 = 7;
constexpr std::int64_t kSequenceAxis = 2; // of [B, N, S, d]

/// first, first + 1, ... end - 1.
ValueId positions(ContribCall& call, const std::string& suffix, ValueId first, ValueId end)
{
    return call.op("Range", suffix, {first, end, call.integer(suffix + ".step", 1)});
}

/// [S, T] of truth values: whether the key lies no later than the query.
ValueId causalMask(ContribCall& call, const AttentionOperands& operands)
{
    const ValueId keys = call.sizeOf("causal.keys", operands.key, kSequenceAxis);
    const ValueId queries = call.sizeOf("causal.queries", operands.query, kSequenceAxis);
    const ValueId first = call.op("Sub", "causal.first", {keys, queries});
    const ValueId rows
        = call.unsqueeze("causal.rows", positions(call, "causal.query_positions", first, keys), {1});
    const ValueId columns = positions(call, "causal.key_positions", call.integer("causal.zero", 0), keys);
    return call.op("LessOrEqual", "causal.mask", {columns, rows});
}

} // namespace

ValueId splitHeads(ContribCall& call, const std::string& suffix, ValueId x, std::int64_t heads)
{
    return call.transpose(suffix, call.reshape(suffix + ".heads", x, {0, 0, heads, -1}), {0, 2, 1, 3});
}

void addAttention(ContribCall& call, const AttentionOperands& operands)
{
    const ValueId turned = call.transpose("key.transpose", operands.key, {0, 1, 3, 2});
    ValueId scores = call.op("MatMul", "scores", {operands.query, turned});
    scores = call.op("Mul", "scale", {scores, call.scalar("scale.factor", operands.scale)});
    if (operands.bias != kNoValue) {
        scores = call.op("Add", "bias", {scores, operands.bias});
    }
    if (operands.mask != kNoValue) {
        scores = call.op("Add", "mask", {scores, operands.mask});
    }
    if (operands.causal) {
        const ValueId lowest = call.scalar("causal.lowest", std::numeric_limits<float>::lowest());
        scores = call.op("Where", "causal", {causalMask(call, operands), scores, lowest});
    }
    const ValueId probabilities = call.op("Softmax", "softmax", {scores}, {{"axis", std::int64_t {-1}}});
    const ValueId context = call.op("MatMul", "context", {probabilities, operands.value});
    const ValueId rows = call.transpose("join.transpose", context, {0, 2, 1, 3});
    call.result(0, "Reshape", "join", {rows, call.integers("join.shape", {0, 0, -1})});
}

ValueId additiveMask(ContribCall& call, ValueId mask, ValueId query, ValueId key, double filter)
{
    const std::size_t rank = call.rank(mask);
    const std::vector<std::int64_t> dims = call.value(mask).dims;
    ValueId seen = kNoValue; // truth values that broadcast to [B, 1, S, T]
    if (rank == 1) {
        const std::int64_t batch = call.value(query).dimsKnown ? call.value(query).dims.front() : -1;
        if (dims[0] > 0 && batch > 0 && dims[0] != batch) {
            call.refuse("whose mask gives first and last positions");
        }
        const ValueId keys = call.sizeOf("mask.keys", key, kSequenceAxis);
        const ValueId columns = positions(call, "mask.positions", call.integer("mask.zero", 0), keys);
        const ValueId lengths = call.op("Cast", "mask.lengths", {mask}, {{"to", kOnnxInt64}});
        seen = call.op("Less", "mask.seen", {columns, call.unsqueeze("mask.rows", lengths, {1, 2, 3})});
    } else {
        ValueId ones = call.op("Cast", "mask.ones", {mask}, {{"to", kOnnxInt64}});
        if (rank == 2) {
            ones = call.unsqueeze("mask.rows", ones, {1, 2});
        } else if (rank == 3) {
            ones = call.unsqueeze("mask.heads", ones, {1});
        } else if (rank == 4) {
            const ValueId keys
                = call.unsqueeze("mask.end", call.sizeOf("mask.keys", key, kSequenceAxis), {0});
            const ValueId queries
                = call.unsqueeze("mask.rows", call.sizeOf("mask.queries", query, kSequenceAxis), {0});
            const ValueId first = call.op("Sub", "mask.first", {keys, queries});
            ones = call.op(
                "Slice", "mask.of_queries", {ones, first, keys, call.integers("mask.row_axis", {2})});
            ones = call.op("Slice", "mask.of_keys",
                {ones, call.integers("mask.start", {0}), keys, call.integers("mask.column_axis", {3})});
        } else {
            call.refuse("whose mask has " + std::to_string(rank) + " dimensions");
        }
        seen = call.op("Greater", "mask.seen", {ones, call.integer("mask.zero", 0)});
    }
    return call.op(
        "Where", "mask.added", {seen, call.scalar("mask.nothing", 0.0), call.scalar("mask.filter", filter)});
}

} // namespace qs
