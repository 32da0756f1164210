#include "core/runtime/site_view.h"

#include "core/base/error.h"
#include "core/base/parallel.h"

#include <algorithm>

namespace qs {

namespace {

constexpr std::int64_t kGrain = 8192; // elements handed to a thread at once

/// The array as [batch, heads, rows, width], if possible without a copy.
Array fourDimensional(const Graph& graph, const Site& site, const Array& value, BufferPool& pool)
{
    const Dims& d = value.dims;
    const std::size_t rank = d.size();
    if (hasHeads(graph, site) && rank == 4) {
        return value;
    }
    if (hasHeads(graph, site) && rank == 3) {
        return reshaped(value, {d[0], d[1], 1, d[2]}, pool);
    }
    if (rank <= 1) {
        return reshaped(value, {1, 1, 1, value.count()}, pool);
    }
    return reshaped(value, {d[0], 1, product(d, 1, rank - 1), d[rank - 1]}, pool);
}

ActivationView viewOf(const Array& array)
{
    return {array.f32(), array.dims[0], array.dims[1], array.dims[2], array.dims[3], array.strides[0],
        array.strides[1], array.strides[2]};
}

} // namespace

bool hasHeads(const Graph& graph, const Site& site)
{
    if (site.groupAxis == GroupAxis::Head) {
        return true;
    }
    return std::ranges::any_of(site.readers,
        [&](const auto& reader) { return graph.node(reader.first).op == "Conv" && reader.second == 0; });
}

SiteRows siteRows(const Graph& graph, const Site& site, const Array& value, BufferPool& pool)
{
    if (value.dtype != DType::F32) {
        throw Error(ErrorCode::InvalidArgument,
            "site '" + site.name + "' holds " + std::string(nameOf(value.dtype)) + " values, not F32");
    }
    Array array = fourDimensional(graph, site, value, pool);
    if (array.strides[3] != 1 && array.dims[3] != 1) {
        array = contiguous(array, pool);
    }
    return {array, viewOf(array)};
}

Array transformed(
    const Graph& graph, const Site& site, const Array& value, const RowTransform& transform, BufferPool& pool)
{
    const SiteRows source = siteRows(graph, site, value, pool);
    const ActivationView& in = source.view;
    Array result = Array::make(pool, DType::F32, value.dims);
    float* out = result.f32();
    const std::int64_t rows = in.batch * in.heads * in.rows;
    const auto width = static_cast<std::size_t>(in.width);
    parallelFor(rows, std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(1, in.width)),
        [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t row = begin; row < end; ++row) {
                const std::int64_t head = row / in.rows % in.heads;
                const float* from = in.row(row / (in.rows * in.heads), head, row % in.rows);
                transform.transformRow(head, {from, width}, out + row * in.width);
            }
        });
    return result;
}

} // namespace qs
