#pragma once

#include "core/graph/graph.h"
#include "core/runtime/buffer_pool.h"
#include "core/runtime/constant_store.h"

#include <cstddef>
#include <span>
#include <vector>

namespace qs {

/// Runs single nodes on tensors, outside any graph, in bounded memory: for constant folding.
class NodeEvaluator
{
public:
    /// limit: bytes that the outputs alive at one time may take.
    explicit NodeEvaluator(std::size_t limit);

    /// All outputs. inputs: one per input of the node, not valid() where it is omitted. Throws what the
    /// kernel throws, Error(Unsupported) where there is none, and Error(OutOfMemory) beyond the limit.
    [[nodiscard]] std::vector<Tensor> run(const Node& node, std::span<const Tensor> inputs);

private:
    BufferPool m_pool;
    ConstantStore m_constants;
};

} // namespace qs
