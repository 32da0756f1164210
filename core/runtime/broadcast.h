#pragma once

#include "core/graph/graph.h"
#include "core/runtime/array.h"

#include <functional>
#include <vector>

namespace qs {

/// NumPy's rule. Throws Error(ShapeMismatch) naming the node.
[[nodiscard]] Dims broadcastDims(const Node& node, const Dims& a, const Dims& b);
/// The array seen with the dims it broadcasts to (stride 0 along repeated dimensions).
[[nodiscard]] Array broadcastView(const Array& array, const Dims& dims);

/// Loop over a dense output of `dims` and operands that broadcast to it, cut into runs along the innermost
/// dimension that remains after neighbouring dimensions were merged.
class BroadcastLoop
{
public:
    BroadcastLoop(const std::vector<const Array*>& operands, const Dims& dims);

    /// Element step of an operand inside a run; the output's is 1.
    [[nodiscard]] std::int64_t innerStride(std::size_t operand) const { return m_strides[operand].back(); }
    /// Calls body(outOffset, offsets per operand, count) for runs that cover the output, in parallel; about
    /// `grain` elements go to a thread at once.
    void run(std::int64_t grain,
        const std::function<void(std::int64_t, const std::int64_t*, std::int64_t)>& body) const;

private:
    Dims m_dims;
    std::vector<Dims> m_strides;
};

} // namespace qs
