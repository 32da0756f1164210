#pragma once

#include "core/graph/graph.h"

#include <cstddef>
#include <memory>

namespace qs {

/// How much folding may cost; what goes beyond stays in the graph as it is, and the runtime computes it.
struct FoldingLimits
{
    /// Bytes read and written by folded nodes, all together, on top of twice the bytes of the graph's
    /// constants: bounds memory and time, whatever a file asks for.
    std::size_t bytes = std::size_t {256} << 20U;
};

/// A copy of the graph in which what follows from constants alone is a constant: shape arithmetic, and
/// weights behind Transpose, Cast, Reshape, Identity and the like. Shape of a value becomes a constant where
/// the graph's inputs fix the dimensions, and Gather or Slice of a Shape where they fix those that are
/// picked. A Cast from F16 or BF16 to F32 keeps the stored form, since arithmetic reads those types as F32
/// anyway. Quantizers, products and convolutions are never folded: they are what a user looks at. Constants
/// nobody reads any more are left out, and so are the nodes that only fed what was folded. A node that fails
/// on its constants stays, so that running it names the error.
[[nodiscard]] std::shared_ptr<const Graph> foldConstants(
    const Graph& graph, const FoldingLimits& limits = {});

} // namespace qs
