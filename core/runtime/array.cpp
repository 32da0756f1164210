#include "core/runtime/array.h"

#include "core/base/error.h"
#include "core/base/parallel.h"

#include <algorithm>
#include <cstring>

namespace qs {

namespace {

constexpr std::int64_t kCopyGrain = 32768; // elements

bool isWideFloat(DType dtype)
{
    return dtype == DType::F16 || dtype == DType::BF16 || dtype == DType::F64;
}

/// Dimensions of a strided copy with neighbours merged where both sides allow it.
struct CopyPlan
{
    Dims dims;
    Dims from;
    Dims to;
};

CopyPlan mergedPlan(const Array& source, const Array& target)
{
    CopyPlan plan;
    for (std::size_t i = 0; i < source.rank(); ++i) {
        const std::int64_t n = source.dims[i];
        if (n == 1) {
            continue;
        }
        const std::int64_t from = source.strides[i];
        const std::int64_t to = target.strides[i];
        if (!plan.dims.empty() && plan.from.back() == n * from && plan.to.back() == n * to) {
            plan.dims.back() *= n;
            plan.from.back() = from;
            plan.to.back() = to;
        } else {
            plan.dims.push_back(n);
            plan.from.push_back(from);
            plan.to.push_back(to);
        }
    }
    if (plan.dims.empty()) {
        plan = {{1}, {1}, {1}};
    }
    return plan;
}

template<typename T>
void copyRow(const T* from, std::int64_t fromStep, T* to, std::int64_t toStep, std::int64_t count)
{
    if (fromStep == 1 && toStep == 1) {
        std::memcpy(to, from, static_cast<std::size_t>(count) * sizeof(T));
        return;
    }
    for (std::int64_t i = 0; i < count; ++i) {
        to[i * toStep] = from[i * fromStep];
    }
}

template<typename T>
void copyStrided(const Array& source, const Array& target)
{
    const CopyPlan plan = mergedPlan(source, target);
    const std::size_t inner = plan.dims.size() - 1;
    const std::int64_t width = plan.dims[inner];
    const std::int64_t rows = product(plan.dims, 0, inner);
    const T* from = source.as<const T>();
    T* to = target.as<T>();
    if (rows == 1) {
        parallelFor(width, kCopyGrain, [&](std::int64_t begin, std::int64_t end) {
            copyRow(from + begin * plan.from[inner], plan.from[inner], to + begin * plan.to[inner],
                plan.to[inner], end - begin);
        });
        return;
    }
    parallelFor(
        rows, std::max<std::int64_t>(1, kCopyGrain / width), [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t row = begin; row < end; ++row) {
                std::int64_t rest = row;
                std::int64_t fromOffset = 0;
                std::int64_t toOffset = 0;
                for (std::size_t i = inner; i-- > 0;) {
                    const std::int64_t index = rest % plan.dims[i];
                    rest /= plan.dims[i];
                    fromOffset += index * plan.from[i];
                    toOffset += index * plan.to[i];
                }
                copyRow(from + fromOffset, plan.from[inner], to + toOffset, plan.to[inner], width);
            }
        });
}

} // namespace

std::int64_t product(const Dims& dims, std::size_t first, std::size_t last)
{
    std::int64_t result = 1;
    for (std::size_t i = first; i < last; ++i) {
        result *= dims[i];
    }
    return result;
}

Dims denseStrides(const Dims& dims)
{
    Dims strides(dims.size());
    std::int64_t step = 1;
    for (std::size_t i = dims.size(); i-- > 0;) {
        strides[i] = step;
        step *= dims[i];
    }
    return strides;
}

Array Array::make(BufferPool& pool, DType dtype, Dims dims)
{
    const Shape checked(dims); // throws when the element count overflows
    std::size_t bytes = 0;
    if (__builtin_mul_overflow(static_cast<std::size_t>(checked.elementCount()), sizeOf(dtype), &bytes)) {
        throw Error(ErrorCode::OutOfMemory, "no memory for a value of shape " + checked.text());
    }
    const std::shared_ptr<std::byte> memory = pool.take(bytes);
    Array array {dtype, std::move(dims), {}, memory, memory.get()};
    array.strides = denseStrides(array.dims);
    return array;
}

Array Array::of(const Tensor& tensor)
{
    return stored(isWideFloat(tensor.dtype()) ? tensor.toF32() : tensor);
}

Array Array::stored(const Tensor& tensor)
{
    Tensor plain = tensor;
    if (reinterpret_cast<std::uintptr_t>(plain.bytes()) % sizeOf(plain.dtype()) != 0) {
        Tensor copy(plain.dtype(), plain.shape());
        std::memcpy(const_cast<std::byte*>(copy.bytes()), plain.bytes(), plain.byteCount());
        plain = copy;
    }
    const auto holder = std::make_shared<const Tensor>(std::move(plain));
    return {holder->dtype(), holder->shape().dims(), denseStrides(holder->shape().dims()), holder,
        const_cast<std::byte*>(holder->bytes())};
}

std::int64_t Array::count() const
{
    return product(dims, 0, dims.size());
}

bool Array::isContiguous() const
{
    std::int64_t step = 1;
    for (std::size_t i = dims.size(); i-- > 0;) {
        if (dims[i] != 1 && strides[i] != step) {
            return count() == 0;
        }
        step *= dims[i];
    }
    return true;
}

Array contiguous(const Array& array, BufferPool& pool)
{
    if (array.isContiguous()) {
        return array;
    }
    Array dense = Array::make(pool, array.dtype, array.dims);
    copyInto(array, dense);
    return dense;
}

void copyInto(const Array& source, const Array& target)
{
    if (source.count() == 0) {
        return;
    }
    switch (sizeOf(source.dtype)) {
    case 1: copyStrided<std::uint8_t>(source, target); break;
    case 2: copyStrided<std::uint16_t>(source, target); break;
    case 4: copyStrided<std::uint32_t>(source, target); break;
    default: copyStrided<std::uint64_t>(source, target); break;
    }
}

std::optional<Array> reshapedView(const Array& array, const Dims& dims)
{
    Array view = array;
    view.dims = dims;
    if (array.isContiguous()) {
        view.strides = denseStrides(dims);
        return view;
    }
    // Walk both lists of dimensions in groups of equal element count; inside a group the old ones must be
    // dense.
    view.strides.assign(dims.size(), 0);
    std::size_t oldAxis = 0;
    std::size_t newAxis = 0;
    while (oldAxis < array.rank() || newAxis < dims.size()) {
        const std::size_t oldFirst = oldAxis;
        const std::size_t newFirst = newAxis;
        std::int64_t oldCount = oldAxis < array.rank() ? array.dims[oldAxis++] : 1;
        std::int64_t newCount = newAxis < dims.size() ? dims[newAxis++] : 1;
        while (oldCount != newCount) {
            if (oldCount < newCount && oldAxis < array.rank()) {
                oldCount *= array.dims[oldAxis++];
            } else if (newCount < oldCount && newAxis < dims.size()) {
                newCount *= dims[newAxis++];
            } else {
                return std::nullopt;
            }
        }
        // Dimensions of one element put no condition on the group: their stride is never used.
        std::int64_t innermost = 1;
        std::optional<std::int64_t> step;
        for (std::size_t i = oldAxis; i-- > oldFirst;) {
            if (array.dims[i] == 1) {
                continue;
            }
            if (!step) {
                innermost = array.strides[i];
            } else if (array.strides[i] != *step) {
                return std::nullopt;
            }
            step = array.strides[i] * array.dims[i];
        }
        std::int64_t newStep = innermost;
        for (std::size_t i = newAxis; i-- > newFirst;) {
            view.strides[i] = newStep;
            newStep *= dims[i];
        }
    }
    return view;
}

Array reshaped(const Array& array, const Dims& dims, BufferPool& pool)
{
    if (Shape(dims).elementCount() != array.count()) {
        throw Error(
            ErrorCode::ShapeMismatch, "cannot view " + array.shapeText() + " as " + Shape(dims).text());
    }
    if (auto view = reshapedView(array, dims)) {
        return *view;
    }
    return *reshapedView(contiguous(array, pool), dims);
}

Array permuted(const Array& array, const std::vector<std::size_t>& order)
{
    Array view = array;
    for (std::size_t i = 0; i < order.size(); ++i) {
        view.dims[i] = array.dims[order[i]];
        view.strides[i] = array.strides[order[i]];
    }
    return view;
}

Tensor toTensor(const Array& array, BufferPool& pool)
{
    const Array dense = contiguous(array, pool);
    Shape shape(dense.dims);
    const std::size_t bytes = static_cast<std::size_t>(shape.elementCount()) * sizeOf(dense.dtype);
    return {dense.dtype, std::move(shape), dense.storage, {dense.data, bytes}};
}

Dims integersOf(const Array& array)
{
    BufferPool pool;
    const Array dense = contiguous(array, pool);
    const auto count = static_cast<std::size_t>(dense.count());
    if (dense.dtype == DType::I64) {
        return {dense.as<std::int64_t>(), dense.as<std::int64_t>() + count};
    }
    if (dense.dtype == DType::I32) {
        return {dense.as<std::int32_t>(), dense.as<std::int32_t>() + count};
    }
    throw Error(ErrorCode::InvalidArgument,
        "integers are needed where a tensor of " + std::string(nameOf(array.dtype)) + " was given");
}

} // namespace qs
