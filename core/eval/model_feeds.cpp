#include "core/eval/model_feeds.h"

#include "core/base/error.h"

#include <algorithm>
#include <string_view>

namespace qs {

namespace {

/// Element t of every row of a further input.
enum class Filling { Ones, Zeros, Positions };

template<typename T>
Tensor filled(std::int64_t rows, std::int64_t length, Filling filling)
{
    Tensor tensor(DTypeOf<T>::value, Shape {rows, length});
    const std::span<T> values = tensor.mutableData<T>();
    for (std::size_t i = 0; i < values.size(); ++i) {
        const auto position = static_cast<std::int64_t>(i) % length;
        values[i] = static_cast<T>(
            filling == Filling::Positions ? position : static_cast<std::int64_t>(filling == Filling::Ones));
    }
    return tensor;
}

Tensor filledAs(DType type, std::int64_t rows, std::int64_t length, Filling filling, const std::string& name)
{
    switch (type) {
    case DType::I64: return filled<std::int64_t>(rows, length, filling);
    case DType::I32: return filled<std::int32_t>(rows, length, filling);
    case DType::F32: return filled<float>(rows, length, filling);
    case DType::Bool: return filled<bool>(rows, length, filling);
    default:
        throw Error(ErrorCode::Unsupported,
            "the model's input '" + name + "' of type " + std::string(nameOf(type)) + " cannot be filled in");
    }
}

bool contains(const std::string& name, std::string_view part)
{
    return name.find(part) != std::string::npos;
}

Filling fillingOf(const std::string& name)
{
    if (contains(name, "attention_mask") || contains(name, "input_mask")) {
        return Filling::Ones;
    }
    if (contains(name, "token_type") || contains(name, "segment_ids")) {
        return Filling::Zeros;
    }
    if (contains(name, "position_ids")) {
        return Filling::Positions;
    }
    throw Error(ErrorCode::Unsupported,
        "the model has a second input '" + name
            + "': only attention masks, token types and positions are filled in");
}

} // namespace

std::int64_t batchSizeOf(const Graph& graph, std::int64_t wanted)
{
    if (graph.inputs().empty()) {
        return wanted;
    }
    const Value& input = graph.value(graph.inputs().front());
    return input.dimsKnown && !input.dims.empty() && input.dims.front() > 0 ? input.dims.front() : wanted;
}

std::int64_t batchSizeOf(const Model& model, const DataSource& data, std::int64_t wanted)
{
    constexpr std::int64_t kMostValues = std::int64_t {1} << 26U;
    const bool fixed = batchSizeOf(*model.graph, 0) > 0;
    if (fixed || model.task != ModelTask::LanguageModel || data.size() == 0) {
        return batchSizeOf(*model.graph, wanted);
    }
    const Value& logits = model.graph->value(model.graph->outputs().front());
    const std::int64_t classes = logits.dimsKnown && !logits.dims.empty() ? logits.dims.back() : 0;
    const std::int64_t values = std::max<std::int64_t>(1, classes) * data.load(0).elementCount();
    return std::clamp<std::int64_t>(kMostValues / std::max<std::int64_t>(1, values), 1, wanted);
}

std::vector<Feed> feedsOf(const Graph& graph, const Tensor& batch)
{
    if (graph.inputs().empty()) {
        throw Error(ErrorCode::Unsupported, "the model has no input to feed");
    }
    std::vector<Feed> feeds {{graph.inputs().front(), batch}};
    for (std::size_t i = 1; i < graph.inputs().size(); ++i) {
        const Value& input = graph.value(graph.inputs()[i]);
        const Filling filling = fillingOf(input.name);
        if (batch.shape().rank() != 2 || (input.dimsKnown && input.dims.size() != 2)) {
            throw Error(ErrorCode::Unsupported,
                "the model's input '" + input.name + "' cannot be filled in for samples of shape "
                    + batch.shape().text());
        }
        feeds.push_back({graph.inputs()[i],
            filledAs(input.dtype, batch.shape()[0], batch.shape()[1], filling, input.name)});
    }
    return feeds;
}

} // namespace qs
