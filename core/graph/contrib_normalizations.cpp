#include "core/graph/contrib_normalizations.h"

namespace qs {

namespace {

constexpr double kContribEpsilon = 1e-12; // the contrib operators' default
constexpr std::int64_t kOnnxInt32 = 6;

void requireNoStatistics(const ContribCall& call, std::size_t first, std::size_t last)
{
    for (std::size_t output = first; output <= last; ++output) {
        if (call.wants(output)) {
            call.refuse("whose mean and deviation outputs are read");
        }
    }
}

} // namespace

void decomposeSkipLayerNormalization(ContribCall& call)
{
    requireNoStatistics(call, 1, 2);
    const bool simplified = call.node().op == "com.microsoft.SkipSimplifiedLayerNormalization";
    const std::size_t bias = simplified ? 3 : 4;
    ValueId sum = kNoValue;
    if (call.has(bias)) {
        // The bias belongs to the linear in front, which makes the first input.
        const ValueId shifted = call.op("Add", "bias", {call.input(0), call.input(bias)});
        sum = call.op("Add", "sum", {shifted, call.input(1)});
    } else {
        sum = call.op("Add", "sum", {call.input(0), call.input(1)});
    }
    std::vector<ValueId> inputs {sum, call.input(2)};
    if (!simplified && call.has(3)) {
        inputs.push_back(call.input(3));
    }
    call.result(0, simplified ? "RMSNormalization" : "LayerNormalization", "", std::move(inputs),
        {{"axis", std::int64_t {-1}}, {"epsilon", call.node().floatAttribute("epsilon", kContribEpsilon)}});
    if (call.wants(3)) {
        call.result(3, "Identity", "residual", {sum});
    }
}

void decomposeSimplifiedLayerNormalization(ContribCall& call)
{
    requireNoStatistics(call, 1, 1);
    call.result(0, "RMSNormalization", "", {call.input(0), call.input(1)},
        {{"axis", call.node().intAttribute("axis", -1)},
            {"epsilon", call.node().floatAttribute("epsilon", 1e-5)}});
}

void decomposeEmbedLayerNormalization(ContribCall& call)
{
    const auto rows = [&](const char* suffix, std::size_t table, ValueId indices) {
        return call.op("Gather", suffix, {call.input(table), indices}, {{"axis", std::int64_t {0}}});
    };
    ValueId sum = rows("word", 2, call.input(0));
    ValueId positions = kNoValue;
    if (call.has(8)) {
        positions = rows("position", 3, call.input(8));
    } else {
        const ValueId length = call.op("Slice", "length",
            {call.op("Shape", "shape", {call.input(0)}), call.integers("length.starts", {1}),
                call.integers("length.ends", {2}), call.integers("length.axes", {0})});
        positions = call.op("Slice", "position",
            {call.input(3), call.integers("position.starts", {0}), length,
                call.integers("position.axes", {0})});
    }
    sum = call.op("Add", "word_and_position", {sum, positions});
    if (call.has(1)) {
        sum = call.op("Add", "sum", {sum, rows("segment", 4, call.input(1))});
    }
    call.result(0, "LayerNormalization", "", {sum, call.input(5), call.input(6)},
        {{"axis", std::int64_t {-1}}, {"epsilon", call.node().floatAttribute("epsilon", kContribEpsilon)}});
    if (call.wants(1)) {
        if (!call.has(7)) {
            call.refuse("whose mask index is read though there is no mask");
        }
        const ValueId mask = call.op("Cast", "mask", {call.input(7)}, {{"to", kOnnxInt32}});
        call.result(1, "ReduceSum", "mask_index", {mask, call.integers("mask_index.axes", {1})},
            {{"keepdims", std::int64_t {0}}});
    }
    if (call.wants(2)) {
        call.result(2, "Identity", "embedding_sum", {sum});
    }
}

} // namespace qs
