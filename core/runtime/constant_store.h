#pragma once

#include "core/graph/graph.h"
#include "core/runtime/array.h"
#include "core/runtime/matmul.h"

#include <map>
#include <memory>
#include <unordered_map>

namespace qs {

/// The constants of one executor in the forms kernels want: as F32 arrays, and packed for matrix products.
/// Filled when first asked for. Used by one thread.
class ConstantStore
{
public:
    explicit ConstantStore(std::shared_ptr<const Graph> graph);

    /// The constant's values, or their replacement's.
    [[nodiscard]] const Array& array(ValueId constant);
    /// An invalid tensor restores the graph's own. Throws Error(InvalidArgument | ShapeMismatch).
    void replace(ValueId constant, const Tensor& tensor);
    /// Counts replacements; what was computed from constants under another revision is stale.
    [[nodiscard]] std::uint64_t revision() const { return m_revision; }

    /// The matrix `values` [K, N] packed. Kept under `key` while its memory stays the same; kNoValue: not
    /// kept.
    [[nodiscard]] std::shared_ptr<const PackedMatrix> packed(ValueId key, const Array& values);

private:
    struct Packed
    {
        Array source; ///< holds the memory, so that its address cannot come back with other contents
        std::shared_ptr<const PackedMatrix> matrix;
    };

    std::shared_ptr<const Graph> m_graph;
    std::unordered_map<ValueId, Array> m_arrays;
    std::unordered_map<ValueId, Array> m_replacements;
    std::unordered_map<ValueId, Packed> m_packed;
    std::uint64_t m_revision = 0;
};

} // namespace qs
