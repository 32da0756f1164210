#pragma once

#include "core/graph/graph_builder.h"
#include "core/models/model.h"
#include "core/quant/quantizer.h"

#include <memory>
#include <string>

namespace qs::test {

/// x [batch, 2, 3] -> Linear fc1 (weight [2, 3], bias) -> Gelu -> Linear fc2 (weight [2, 2] as [K, N]) ->
/// "logits".
inline std::shared_ptr<const Model> mlpModel(const std::string& approximate = "none")
{
    GraphBuilder builder;
    const ValueId x = builder.addInput("x", DType::F32, {-1, 2, 3});
    const ValueId weight1 = builder.addConstant(
        "fc1.weight", Tensor::of<float>(Shape {2, 3}, {1.0F, -2.0F, 0.5F, 127.0F, 0.0F, -63.5F}));
    const ValueId bias1 = builder.addConstant("fc1.bias", Tensor::of<float>(Shape {2}, {0.25F, -0.5F}));
    const ValueId weight2
        = builder.addConstant("fc2.weight", Tensor::of<float>(Shape {2, 2}, {3.0F, -1.0F, 0.5F, 2.0F}));
    const ValueId hidden
        = builder.addNode("Linear", "fc1", {x, weight1, bias1}, {{"transB", std::int64_t {1}}});
    const ValueId active = builder.addNode("Gelu", "act", {hidden}, {{"approximate", approximate}});
    const ValueId logits = builder.addNodeWithOutputs("Linear", "fc2", {active, weight2}, {"logits"}).front();
    builder.setDims(logits, {-1, 2, 2});
    builder.addOutput(logits);
    auto model = std::make_shared<Model>();
    model->name = "mlp";
    model->hash = "0123";
    model->graph = builder.build();
    model->sites = findSites(*model->graph);
    return model;
}

/// query, key and value [batch, 2, 4, 3] -> attention "attn" -> "context" [batch, 2, 4, 3].
inline std::shared_ptr<const Model> attentionModel()
{
    GraphBuilder builder;
    const std::vector<std::int64_t> dims {-1, 2, 4, 3};
    const ValueId query = builder.addInput("query", DType::F32, dims);
    const ValueId key = builder.addInput("key", DType::F32, dims);
    const ValueId value = builder.addInput("value", DType::F32, dims);
    const ValueId turned = builder.addNode(
        "Transpose", "attn.turn", {key}, {{"perm", std::vector<std::int64_t> {0, 1, 3, 2}}});
    const ValueId scores = builder.addNode("MatMul", "attn.matmul1", {query, turned});
    builder.setDims(scores, {-1, 2, 4, 4});
    const ValueId probabilities
        = builder.addNode("Softmax", "attn.softmax", {scores}, {{"axis", std::int64_t {-1}}});
    builder.setDims(probabilities, {-1, 2, 4, 4});
    const ValueId context
        = builder.addNodeWithOutputs("MatMul", "attn.matmul2", {probabilities, value}, {"context"}).front();
    builder.setDims(context, dims);
    builder.addOutput(context);
    auto model = std::make_shared<Model>();
    model->name = "attention";
    model->graph = builder.build();
    model->sites = findSites(*model->graph);
    return model;
}

inline QuantParams uniform(Symmetry symmetry, int bits, std::vector<float> scales,
    std::vector<std::int32_t> zeroPoints, GroupAxis axis = GroupAxis::Channel)
{
    QuantParams params;
    params.symmetry = symmetry;
    params.bits = bits;
    params.granularity = scales.size() > 1 ? Granularity::Group : Granularity::Tensor;
    params.axis = axis;
    params.bounds.resize(scales.size());
    params.scales = std::move(scales);
    params.zeroPoints = std::move(zeroPoints);
    return params;
}

} // namespace qs::test
