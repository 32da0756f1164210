#include "core/runtime/reduction_kernels.h"

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/runtime/dtype_dispatch.h"
#include "core/runtime/kernel_registry.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace qs {

namespace {

constexpr std::int64_t kGrain = 16384; // elements handed to a thread at once

/// The input with its reduced dimensions moved to the end, densely stored: rows to fold.
struct ReducedRows
{
    Array rows;
    std::int64_t width = 1;
    Dims dims; ///< of the result
};

ReducedRows reducedRows(const KernelCall& call)
{
    const Array& x = call.input(0);
    Dims axes = call.has(1) ? integersOf(call.input(1)) : call.node.intsAttribute("axes");
    ReducedRows result;
    std::vector<bool> reduced(
        x.rank(), axes.empty() && call.node.intAttribute("noop_with_empty_axes", 0) == 0);
    for (const std::int64_t axis : axes) {
        reduced[call.axis(axis, x.rank())] = true;
    }
    const bool keep = call.node.intAttribute("keepdims", 1) != 0;
    std::vector<std::size_t> order;
    std::vector<std::size_t> last;
    for (std::size_t i = 0; i < x.rank(); ++i) {
        (reduced[i] ? last : order).push_back(i);
        result.width *= reduced[i] ? x.dims[i] : 1;
        if (!reduced[i]) {
            result.dims.push_back(x.dims[i]);
        } else if (keep) {
            result.dims.push_back(1);
        }
    }
    order.insert(order.end(), last.begin(), last.end());
    result.rows = contiguous(permuted(x, order), call.pool);
    return result;
}

struct Mean
{
    static constexpr bool kHasEmpty = false;
    template<typename T>
    static T fold(const T* row, std::int64_t width)
    {
        double sum = 0.0;
        for (std::int64_t i = 0; i < width; ++i) {
            sum += static_cast<double>(row[i]);
        }
        return static_cast<T>(sum / static_cast<double>(width));
    }
};
struct Sum
{
    static constexpr bool kHasEmpty = true; ///< no elements: 0
    template<typename T>
    static T fold(const T* row, std::int64_t width)
    {
        if constexpr (std::is_integral_v<T>) {
            std::uint64_t sum = 0; // wraps around instead of overflowing
            for (std::int64_t i = 0; i < width; ++i) {
                sum += static_cast<std::uint64_t>(row[i]);
            }
            return static_cast<T>(sum);
        } else {
            double sum = 0.0;
            for (std::int64_t i = 0; i < width; ++i) {
                sum += static_cast<double>(row[i]);
            }
            return static_cast<T>(sum);
        }
    }
};
struct SumSquare
{
    static constexpr bool kHasEmpty = true;
    template<typename T>
    static T fold(const T* row, std::int64_t width)
    {
        double sum = 0.0;
        for (std::int64_t i = 0; i < width; ++i) {
            sum += static_cast<double>(row[i]) * static_cast<double>(row[i]);
        }
        return static_cast<T>(sum);
    }
};
struct Norm2
{
    static constexpr bool kHasEmpty = true;
    template<typename T>
    static T fold(const T* row, std::int64_t width)
    {
        double sum = 0.0;
        for (std::int64_t i = 0; i < width; ++i) {
            sum += static_cast<double>(row[i]) * static_cast<double>(row[i]);
        }
        return static_cast<T>(std::sqrt(sum));
    }
};
struct Largest
{
    static constexpr bool kHasEmpty = false;
    template<typename T>
    static T fold(const T* row, std::int64_t width)
    {
        return *std::max_element(row, row + width);
    }
};
struct Smallest
{
    static constexpr bool kHasEmpty = false;
    template<typename T>
    static T fold(const T* row, std::int64_t width)
    {
        return *std::min_element(row, row + width);
    }
};

template<typename Fold>
std::vector<Array> reduce(const KernelCall& call)
{
    const ReducedRows given = reducedRows(call);
    Array y = call.make(given.rows.dtype, given.dims);
    if (given.width == 0 && y.count() > 0 && !Fold::kHasEmpty) {
        call.fail(ErrorCode::ShapeMismatch, "a dimension of 0 elements is reduced");
    }
    dispatchByType(given.rows.dtype, [&]<typename T>(T) {
        const T* in = given.rows.as<const T>();
        T* out = y.as<T>();
        parallelFor(y.count(), std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(1, given.width)),
            [&](std::int64_t begin, std::int64_t end) {
                call.context.throwIfCancelled();
                for (std::int64_t row = begin; row < end; ++row) {
                    out[row] = Fold::template fold<T>(in + row * given.width, given.width);
                }
            });
    });
    return {y};
}

} // namespace

void addReductionKernels(KernelRegistry& registry)
{
    registry.add("ReduceMean", {reduce<Mean>});
    registry.add("ReduceSum", {reduce<Sum>});
    registry.add("ReduceSumSquare", {reduce<SumSquare>});
    registry.add("ReduceL2", {reduce<Norm2>});
    registry.add("ReduceMax", {reduce<Largest>});
    registry.add("ReduceMin", {reduce<Smallest>});
}

} // namespace qs
