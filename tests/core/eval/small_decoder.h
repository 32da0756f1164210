#pragma once

#include "core/graph/graph_builder.h"
#include "core/io/data_source.h"
#include "core/models/model_task.h"

#include <cstdint>
#include <string>

namespace qs::testing {

inline constexpr std::int64_t kVocabulary = 13;

/// Small numbers, the same on every machine.
inline Tensor noise(Shape shape, std::uint32_t seed)
{
    Tensor tensor(DType::F32, std::move(shape));
    for (float& value : tensor.mutableData<float>()) {
        seed = seed * 1664525U + 1013904223U;
        value = static_cast<float>(seed >> 8U) / 8388608.0F - 1.0F;
    }
    return tensor;
}

/// A language model as an exporter writes one: int64 ids [batch, T] and a mask, positions cut to the length
/// of the ids, two blocks on a residual stream, logits [batch, T, 13]. `batch` -1: any.
inline std::shared_ptr<const Model> smallDecoder(std::int64_t batch = -1)
{
    constexpr std::int64_t kWidth = 8;
    GraphBuilder b;
    const auto integers = [&](const std::string& name, std::initializer_list<std::int64_t> values) {
        return b.addConstant(
            name, Tensor::of<std::int64_t>(Shape {static_cast<std::int64_t>(values.size())}, values));
    };
    const ValueId ids = b.addInput("input_ids", DType::I64, {batch, -1});
    const ValueId mask = b.addInput("attention_mask", DType::I64, {batch, -1});
    const ValueId table = b.addConstant("embed.weight", noise({kVocabulary, kWidth}, 1));
    ValueId x = b.addNode("Gather", "embed", {table, ids});
    const ValueId length = b.addNode("Shape", "length", {ids}, {{"start", std::int64_t {1}}});
    const ValueId positions = b.addNode("Slice", "positions",
        {b.addConstant("positions.weight", noise({16, kWidth}, 2)), integers("zero", {0}), length,
            integers("axis", {0})});
    x = b.addNode("Add", "embed.add", {x, positions});
    const ValueId seen = b.addNode("Unsqueeze", "seen",
        {b.addNode("Cast", "mask.cast", {mask}, {{"to", std::int64_t {1}}}), integers("last", {-1})});
    for (const std::string block : {"blocks.0", "blocks.1"}) {
        const std::uint32_t seed = block == "blocks.0" ? 3 : 13;
        ValueId y = b.addNode("Mul", block + ".seen", {x, seen});
        y = b.addNode("Linear", block + ".fc1",
            {y, b.addConstant(block + ".fc1.weight", noise({2 * kWidth, kWidth}, seed))},
            {{"transB", std::int64_t {1}}});
        y = b.addNode("Gelu", block + ".act", {y}, {{"approximate", std::string("none")}});
        y = b.addNode("Linear", block + ".fc2",
            {y, b.addConstant(block + ".fc2.weight", noise({kWidth, 2 * kWidth}, seed + 1))},
            {{"transB", std::int64_t {1}}});
        x = b.addNode("Add", block + ".residual", {x, y});
    }
    x = b.addNode("Linear", "head", {x, b.addConstant("head.weight", noise({kVocabulary, kWidth}, 23))},
        {{"transB", std::int64_t {1}}});
    b.setDims(x, {batch, -1, kVocabulary});
    b.addOutput(x);
    auto model = std::make_shared<Model>();
    model->name = "decoder";
    model->hash = "decoder";
    model->graph = b.build();
    model->sites = findSites(*model->graph);
    model->task = taskOf(*model->graph);
    return model;
}

/// `size` samples of six token ids.
class TokenData final : public DataSource
{
public:
    explicit TokenData(std::int64_t size)
        : m_size(size)
    {
    }
    [[nodiscard]] std::int64_t size() const override { return m_size; }
    [[nodiscard]] std::string sampleName(std::int64_t index) const override
    {
        return "#" + std::to_string(index);
    }
    [[nodiscard]] std::optional<int> label(std::int64_t) const override { return {}; }
    [[nodiscard]] std::filesystem::path samplePath(std::int64_t) const override { return {}; }
    [[nodiscard]] Tensor load(std::int64_t index) const override
    {
        Tensor ids(DType::I64, Shape {6});
        for (std::int64_t i = 0; i < 6; ++i) {
            ids.mutableData<std::int64_t>()[static_cast<std::size_t>(i)]
                = (index * 7 + i * i * 3 + i) % kVocabulary;
        }
        return ids;
    }
    [[nodiscard]] std::string hash() const override { return "tokens"; }

private:
    std::int64_t m_size;
};

} // namespace qs::testing
