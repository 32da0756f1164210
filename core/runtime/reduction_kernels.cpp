#include "core/runtime/reduction_kernels.h"

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/runtime/dtype_dispatch.h"
#include "core/runtime/kernel_registry.h"

#include <algorithm>
#include <cmath>
#include <functional>
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
struct Norm1
{
    static constexpr bool kHasEmpty = true;
    template<typename T>
    static T fold(const T* row, std::int64_t width)
    {
        double sum = 0.0;
        for (std::int64_t i = 0; i < width; ++i) {
            sum += std::abs(static_cast<double>(row[i]));
        }
        return static_cast<T>(sum);
    }
};
struct LogSum
{
    static constexpr bool kHasEmpty = true; ///< no elements: minus infinity
    template<typename T>
    static T fold(const T* row, std::int64_t width)
    {
        return static_cast<T>(std::log(static_cast<double>(Sum::fold(row, width))));
    }
};
struct LogSumExp
{
    static constexpr bool kHasEmpty = true; ///< no elements: minus infinity
    template<typename T>
    static T fold(const T* row, std::int64_t width)
    {
        const double top = width == 0 ? 0.0 : static_cast<double>(*std::max_element(row, row + width));
        const double shift = std::isfinite(top) ? top : 0.0;
        double sum = 0.0;
        for (std::int64_t i = 0; i < width; ++i) {
            sum += std::exp(static_cast<double>(row[i]) - shift);
        }
        return static_cast<T>(shift + std::log(sum));
    }
};
struct Product
{
    static constexpr bool kHasEmpty = true; ///< no elements: 1
    template<typename T>
    static T fold(const T* row, std::int64_t width)
    {
        if constexpr (std::is_integral_v<T>) {
            std::uint64_t result = 1; // wraps around instead of overflowing
            for (std::int64_t i = 0; i < width; ++i) {
                result *= static_cast<std::uint64_t>(row[i]);
            }
            return static_cast<T>(result);
        } else {
            double result = 1.0;
            for (std::int64_t i = 0; i < width; ++i) {
                result *= static_cast<double>(row[i]);
            }
            return static_cast<T>(result);
        }
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

/// Index of the largest (smallest) element along one axis: the first, or the last, of equal ones.
template<typename Better>
std::vector<Array> argument(const KernelCall& call)
{
    const Array& given = call.input(0);
    const std::size_t axis = call.axis(call.node.intAttribute("axis", 0), given.rank());
    const bool last = call.node.intAttribute("select_last_index", 0) != 0;
    const std::int64_t width = given.dims[axis];
    Dims dims = given.dims;
    dims[axis] = 1;
    if (call.node.intAttribute("keepdims", 1) == 0) {
        dims.erase(dims.begin() + static_cast<std::ptrdiff_t>(axis));
    }
    if (width == 0) {
        call.fail(ErrorCode::ShapeMismatch, "a dimension of 0 elements is searched");
    }
    const Array x = contiguous(given, call.pool);
    Array y = call.make(DType::I64, dims);
    const std::int64_t inner = product(x.dims, axis + 1, x.rank());
    dispatchByType(x.dtype, [&]<typename T>(T) {
        parallelFor(
            y.count(), std::max<std::int64_t>(1, kGrain / width), [&](std::int64_t begin, std::int64_t end) {
                for (std::int64_t i = begin; i < end; ++i) {
                    const T* column = x.as<const T>() + i / inner * width * inner + i % inner;
                    std::int64_t best = 0;
                    for (std::int64_t j = 1; j < width; ++j) {
                        const T candidate = column[j * inner];
                        const T leader = column[best * inner];
                        best = Better()(candidate, leader) || (last && candidate == leader) ? j : best;
                    }
                    y.as<std::int64_t>()[i] = best;
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
    registry.add("ReduceL1", {reduce<Norm1>});
    registry.add("ReduceLogSum", {reduce<LogSum>});
    registry.add("ReduceLogSumExp", {reduce<LogSumExp>});
    registry.add("ReduceProd", {reduce<Product>});
    registry.add("ArgMax", {argument<std::greater<>>});
    registry.add("ArgMin", {argument<std::less<>>});
    registry.add("ReduceMax", {reduce<Largest>});
    registry.add("ReduceMin", {reduce<Smallest>});
}

} // namespace qs
