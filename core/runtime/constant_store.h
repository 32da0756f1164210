#pragma once

#include "core/graph/graph.h"
#include "core/runtime/array.h"
#include "core/runtime/matmul.h"

#include <cstddef>
#include <memory>
#include <unordered_map>

namespace qs {

/// The constants of one executor in the forms kernels want: as F32 arrays, and packed for matrix products.
/// Filled when first asked for. Used by one thread.
///
/// Weights that are only multiplied with, and tables that are only gathered from, are handed out as they are
/// stored, F16 and BF16 included: they are converted where they are used. Packed matrices are kept until
/// together they take `budget` bytes; later ones live as long as their user holds them. Layers run in the
/// same order every time, so keeping the first ones is better than keeping the last.
class ConstantStore
{
public:
    ConstantStore(std::shared_ptr<const Graph> graph, std::size_t budget);

    /// The constant's values, or their replacement's: F32, but see above.
    [[nodiscard]] const Array& array(ValueId constant);
    /// An invalid tensor restores the graph's own. Throws Error(InvalidArgument | ShapeMismatch).
    void replace(ValueId constant, const Tensor& tensor);
    /// Counts replacements; what was computed from constants under another revision is stale.
    [[nodiscard]] std::uint64_t revision() const { return m_revision; }

    /// The matrix `values` [K, N], F32, F16 or BF16, packed. Kept under `key` while its memory stays the same
    /// and the budget allows; kNoValue: not kept.
    [[nodiscard]] std::shared_ptr<const PackedMatrix> packed(ValueId key, const Array& values);
    /// Bytes of the packed matrices that are kept; at most the budget.
    [[nodiscard]] std::size_t keptBytes() const { return m_keptBytes; }
    /// True once a matrix with a key could not be kept.
    [[nodiscard]] bool isOverBudget() const { return m_isOverBudget; }

private:
    struct Packed
    {
        Array source; ///< holds the memory, so that its address cannot come back with other contents
        std::shared_ptr<const PackedMatrix> matrix;
    };

    [[nodiscard]] bool isUsedAsStored(ValueId constant) const;

    std::shared_ptr<const Graph> m_graph;
    std::size_t m_budget;
    std::size_t m_keptBytes = 0;
    bool m_isOverBudget = false;
    std::unordered_map<ValueId, Array> m_arrays;
    std::unordered_map<ValueId, Array> m_replacements;
    std::unordered_map<ValueId, Packed> m_packed;
    std::uint64_t m_revision = 0;
};

} // namespace qs
