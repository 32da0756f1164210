#pragma once

#include "core/graph/graph_builder.h"
#include "core/runtime/executor.h"
#include "tests/core/runtime/small_transformer.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace qs::test {

/// "Op:name Op:name " in execution order.
inline std::string opsOf(const Graph& graph)
{
    std::string ops;
    for (const Node& node : graph.nodes()) {
        ops += node.op + ":" + node.name + " ";
    }
    return ops;
}

/// The first output for random values of the first input.
inline Tensor outputOf(const std::shared_ptr<const Graph>& graph, const Tensor& input)
{
    auto model = std::make_shared<Model>();
    model->graph = graph;
    Executor executor(model);
    const Feed feed {graph->inputs().front(), input};
    const ValueId fetch = graph->outputs().front();
    return executor.run({&feed, 1}, {&fetch, 1}).front();
}

/// Largest difference of the two graphs' first outputs, in units of the first's largest magnitude.
inline double differenceOf(
    const std::shared_ptr<const Graph>& before, const std::shared_ptr<const Graph>& after, const Shape& shape)
{
    std::mt19937 generator(11);
    const Tensor input = testing::randomTensor(shape, generator, 1.5F);
    const Tensor a = outputOf(before, input);
    const Tensor b = outputOf(after, input);
    if (a.shape() != b.shape()) {
        return HUGE_VAL;
    }
    double largest = 0.0;
    double difference = 0.0;
    for (std::size_t i = 0; i < a.data<float>().size(); ++i) {
        largest = std::max(largest, std::abs(static_cast<double>(a.data<float>()[i])));
        difference = std::max(difference,
            std::abs(static_cast<double>(a.data<float>()[i]) - static_cast<double>(b.data<float>()[i])));
    }
    return difference / largest;
}

/// A GraphBuilder with short ways to say what exporters write; every node gets a name of its own.
class PrimitiveGraph
{
public:
    GraphBuilder builder;

    ValueId constant(double value, Shape shape = Shape {})
    {
        return builder.addConstant("c" + std::to_string(++m_count),
            Tensor::of<float>(std::move(shape), {static_cast<float>(value)}));
    }
    ValueId parameter(Shape shape)
    {
        return builder.addConstant(
            "p" + std::to_string(++m_count), testing::randomTensor(std::move(shape), m_generator));
    }
    ValueId op(
        const std::string& op, std::vector<ValueId> inputs, std::map<std::string, Attribute> attributes = {})
    {
        return builder.addNode(op, op + "_" + std::to_string(++m_count), std::move(inputs), std::move(attributes));
    }
    ValueId mean(ValueId x, std::vector<std::int64_t> axes = {-1})
    {
        return op("ReduceMean", {x}, {{"axes", std::move(axes)}, {"keepdims", std::int64_t {1}}});
    }

private:
    int m_count = 0;
    std::mt19937 m_generator {5};
};

} // namespace qs::test
