#include "core/runtime/scatter_kernels.h"

#include "core/base/error.h"
#include "core/runtime/dtype_dispatch.h"
#include "core/runtime/kernel_registry.h"

#include <cstring>
#include <type_traits>

namespace qs {

namespace {

/// Indices of the elements that are not 0, one row a dimension, in row-major order.
std::vector<Array> nonZero(const KernelCall& call)
{
    const Array x = contiguous(call.input(0), call.pool);
    Dims found;
    dispatchByType(x.dtype, [&]<typename T>(T) {
        for (std::int64_t i = 0; i < x.count(); ++i) {
            if (x.as<const T>()[i] != T {0}) {
                found.push_back(i);
            }
        }
    });
    const auto count = static_cast<std::int64_t>(found.size());
    const Dims steps = denseStrides(x.dims);
    Array y = call.make(DType::I64, {static_cast<std::int64_t>(x.rank()), count});
    for (std::size_t axis = 0; axis < x.rank(); ++axis) {
        for (std::int64_t i = 0; i < count; ++i) {
            y.as<std::int64_t>()[static_cast<std::int64_t>(axis) * count + i]
                = found[static_cast<std::size_t>(i)] / steps[axis] % x.dims[axis];
        }
    }
    return {y};
}

/// Tuples of indices into the dimensions of x from `batch` on; what each picks has `inner` elements.
struct Tuples
{
    Dims offsets; ///< in elements from the start of x, one a tuple
    std::int64_t inner = 1;
    std::size_t length = 0; ///< of a tuple
};

Tuples tuplesOf(const KernelCall& call, const Array& x, std::size_t batch)
{
    const Array& indices = call.input(1);
    if (indices.rank() == 0 || indices.dims.back() < 1 || batch >= indices.rank() || batch > x.rank()
        || indices.dims.back() > static_cast<std::int64_t>(x.rank() - batch)) {
        call.fail(ErrorCode::ShapeMismatch, "indices " + indices.shapeText() + " into " + x.shapeText());
    }
    for (std::size_t i = 0; i < batch; ++i) {
        if (indices.dims[i] != x.dims[i]) {
            call.fail(ErrorCode::ShapeMismatch, "indices " + indices.shapeText() + " into " + x.shapeText());
        }
    }
    Tuples result;
    result.length = static_cast<std::size_t>(indices.dims.back());
    result.inner = product(x.dims, batch + result.length, x.rank());
    const std::int64_t sample = product(x.dims, batch, x.rank());
    const std::int64_t tuples = product(indices.dims, 0, indices.rank() - 1);
    const std::int64_t samples = product(x.dims, 0, batch);
    const Dims wanted = integersOf(indices);
    for (std::int64_t tuple = 0; tuple < tuples; ++tuple) {
        std::int64_t offset = tuple / (tuples / samples) * sample;
        for (std::size_t i = 0; i < result.length; ++i) {
            const std::int64_t n = x.dims[batch + i];
            const std::int64_t index = wanted[static_cast<std::size_t>(tuple) * result.length + i];
            if (index < -n || index >= n) {
                call.fail(ErrorCode::InvalidArgument,
                    "index " + std::to_string(index) + " of a dimension of " + std::to_string(n));
            }
            offset += (index < 0 ? index + n : index) * x.strides[batch + i];
        }
        result.offsets.push_back(offset);
    }
    return result;
}

std::vector<Array> gatherNd(const KernelCall& call)
{
    const Array x = contiguous(call.input(0), call.pool);
    const std::int64_t batch = call.node.intAttribute("batch_dims", 0);
    if (batch < 0) {
        call.fail(ErrorCode::InvalidArgument, "batch_dims = " + std::to_string(batch));
    }
    const auto first = static_cast<std::size_t>(batch);
    const Tuples tuples = tuplesOf(call, x, first);
    const Array& indices = call.input(1);
    Dims dims(indices.dims.begin(), indices.dims.end() - 1);
    dims.insert(
        dims.end(), x.dims.begin() + static_cast<std::ptrdiff_t>(first + tuples.length), x.dims.end());
    Array y = call.make(x.dtype, dims);
    const std::size_t bytes = static_cast<std::size_t>(tuples.inner) * sizeOf(x.dtype);
    for (std::size_t i = 0; i < tuples.offsets.size(); ++i) {
        std::memcpy(y.data + i * bytes,
            x.data + static_cast<std::size_t>(tuples.offsets[i]) * sizeOf(x.dtype), bytes);
    }
    return {y};
}

/// Integers wrap around instead of overflowing.
template<typename T>
T added(T a, T b)
{
    if constexpr (std::is_integral_v<T>) {
        return static_cast<T>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
    } else {
        return a + b;
    }
}

/// A copy of x with updates written, or added, where the tuples point, one after the other.
std::vector<Array> scatterNd(const KernelCall& call)
{
    const Array source = contiguous(call.input(0), call.pool);
    Array y = call.make(source.dtype, source.dims);
    copyInto(source, y);
    const Tuples tuples = tuplesOf(call, y, 0);
    const Array updates = contiguous(call.input(2), call.pool);
    if (updates.dtype != y.dtype
        || updates.count() != static_cast<std::int64_t>(tuples.offsets.size()) * tuples.inner) {
        call.fail(ErrorCode::ShapeMismatch,
            "updates " + updates.shapeText() + " for indices " + call.input(1).shapeText());
    }
    const bool adds = call.node.stringAttribute("reduction", "none") == "add";
    dispatchByType(y.dtype, [&]<typename T>(T) {
        for (std::size_t i = 0; i < tuples.offsets.size(); ++i) {
            T* out = y.as<T>() + tuples.offsets[i];
            const T* in = updates.as<const T>() + static_cast<std::int64_t>(i) * tuples.inner;
            for (std::int64_t j = 0; j < tuples.inner; ++j) {
                out[j] = adds ? added(out[j], in[j]) : in[j];
            }
        }
    });
    return {y};
}

void checkScatterNd(const Node& node)
{
    const std::string reduction = node.stringAttribute("reduction", "none");
    if (reduction != "none" && reduction != "add") {
        throw Error(ErrorCode::Unsupported, "ScatterND '" + node.name + "': reduction = '" + reduction + "'");
    }
}

} // namespace

void addScatterKernels(KernelRegistry& registry)
{
    registry.add("NonZero", {nonZero});
    registry.add("GatherND", {gatherNd});
    registry.add("ScatterND", {scatterNd, checkScatterNd});
}

} // namespace qs
