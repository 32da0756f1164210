#pragma once

#include "core/graph/graph.h"
#include "core/graph/site.h"
#include "core/runtime/array.h"
#include "core/runtime/row_transform.h"
#include "core/tensor/activation_view.h"

namespace qs {

/// An activation site's value as rows, over the value's own memory unless its rows are not contiguous there.
struct SiteRows
{
    Array array; ///< keeps the memory
    ActivationView view;
};

/// True where dimension 1 is the view's `heads`: heads of an attention, channels of a convolution's input.
[[nodiscard]] bool hasHeads(const Graph& graph, const Site& site);

/// Throws Error(InvalidArgument) when the value is not F32.
[[nodiscard]] SiteRows siteRows(const Graph& graph, const Site& site, const Array& value, BufferPool& pool);

/// A dense array like `value` whose rows went through the transform, on all threads.
[[nodiscard]] Array transformed(const Graph& graph, const Site& site, const Array& value,
    const RowTransform& transform, BufferPool& pool);

} // namespace qs
