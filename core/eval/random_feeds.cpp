#include "core/eval/random_feeds.h"

#include "core/base/error.h"

#include <algorithm>
#include <random>

namespace qs {

namespace {

/// Rows of the constant table that this value picks from, through type conversions; 0 when there is none.
std::int64_t tableRows(const Graph& graph, ValueId ids)
{
    for (const NodeId reader : graph.value(ids).consumers) {
        const Node& node = graph.node(reader);
        if (node.op == "Gather" && node.inputs[1] == ids && node.intAttribute("axis", 0) == 0
            && graph.value(node.inputs[0]).isConstant() && graph.value(node.inputs[0]).dims.size() == 2) {
            return graph.value(node.inputs[0]).dims[0];
        }
        if (node.op == "Cast") {
            if (const std::int64_t rows = tableRows(graph, node.outputs.front()); rows > 0) {
                return rows;
            }
        }
    }
    return 0;
}

template<typename T>
void fillIds(Tensor& tensor, std::int64_t rows, std::mt19937& generator)
{
    for (T& id : tensor.mutableData<T>()) {
        id = rows == 0 ? T {1} : static_cast<T>(generator() % static_cast<std::uint64_t>(rows));
    }
}

Tensor randomTensor(const Graph& graph, ValueId input, std::int64_t batch, std::mt19937& generator)
{
    const Value& value = graph.value(input);
    if (!value.dimsKnown) {
        throw Error(ErrorCode::Unsupported,
            "input '" + value.name + "' has no known shape, so that no data can be made up for it");
    }
    std::vector<std::int64_t> dims = value.dims;
    for (std::size_t i = 0; i < dims.size(); ++i) {
        dims[i] = dims[i] >= 0 ? dims[i] : (i == 0 ? batch : kRandomTokens);
    }
    Tensor tensor = Tensor::zeros(value.dtype, Shape(dims));
    const std::int64_t rows = tableRows(graph, input);
    switch (value.dtype) {
    case DType::F32: {
        std::normal_distribution<float> normal;
        for (float& x : tensor.mutableData<float>()) {
            x = normal(generator);
        }
        break;
    }
    case DType::I64: fillIds<std::int64_t>(tensor, rows, generator); break;
    case DType::I32: fillIds<std::int32_t>(tensor, rows, generator); break;
    case DType::Bool: std::ranges::fill(tensor.mutableData<bool>(), true); break;
    default: break; // zeros
    }
    return tensor;
}

} // namespace

std::vector<Feed> randomFeeds(const Model& model, std::int64_t batch, unsigned seed)
{
    std::mt19937 generator(seed);
    std::vector<Feed> feeds;
    for (const ValueId input : model.graph->inputs()) {
        feeds.push_back({input, randomTensor(*model.graph, input, batch, generator)});
    }
    return feeds;
}

bool readsTokens(const Model& model)
{
    const Value& input = model.graph->value(model.graph->inputs().front());
    return input.dtype == DType::I64 || input.dtype == DType::I32;
}

} // namespace qs
