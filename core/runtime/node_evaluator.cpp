#include "core/runtime/node_evaluator.h"

#include "core/base/error.h"
#include "core/runtime/kernel_registry.h"

namespace qs {

NodeEvaluator::NodeEvaluator(std::size_t limit)
    : m_pool(limit)
    , m_constants(nullptr, 0)
{
}

std::vector<Tensor> NodeEvaluator::run(const Node& node, std::span<const Tensor> inputs)
{
    const KernelEntry& kernel = KernelRegistry::instance().requireSupported(node);
    std::vector<Array> arrays;
    for (const Tensor& input : inputs) {
        arrays.push_back(input.valid() ? Array::of(input) : Array());
    }
    const TaskContext context;
    const std::vector<Array> outputs = kernel.run({node, arrays, m_pool, m_constants, context, {}});
    std::vector<Tensor> results;
    for (const Array& output : outputs) {
        results.push_back(output.valid() ? toTensor(output, m_pool) : Tensor());
    }
    return results;
}

} // namespace qs
