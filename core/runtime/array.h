#pragma once

#include "core/runtime/buffer_pool.h"
#include "core/tensor/tensor.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace qs {

using Dims = std::vector<std::int64_t>;

/// A value while the graph runs: elements of one type in shared memory, seen through strides. Reshape,
/// Transpose, Split and the like only make another view; a kernel that needs dense rows asks for
/// contiguous(). A value handed on is not written again.
struct Array
{
    DType dtype = DType::F32;
    Dims dims;
    Dims strides; ///< in elements, one per dimension; 0 repeats, negative runs backwards
    std::shared_ptr<const void> storage;
    std::byte* data = nullptr; ///< element at index 0, 0, ...

    /// New dense memory, not initialised.
    [[nodiscard]] static Array make(BufferPool& pool, DType dtype, Dims dims);
    /// The tensor's values: F16, BF16 and F64 as F32, unaligned ones copied, all others shared.
    [[nodiscard]] static Array of(const Tensor& tensor);
    /// The tensor's values as they are stored, shared; only unaligned ones are copied.
    [[nodiscard]] static Array stored(const Tensor& tensor);

    [[nodiscard]] bool valid() const { return storage != nullptr; }
    [[nodiscard]] std::size_t rank() const { return dims.size(); }
    [[nodiscard]] std::int64_t count() const;
    /// True when the elements lie densely in row-major order.
    [[nodiscard]] bool isContiguous() const;
    [[nodiscard]] std::string shapeText() const { return Shape(dims).text(); }

    template<typename T>
    [[nodiscard]] T* as() const
    {
        return reinterpret_cast<T*>(data);
    }
    [[nodiscard]] float* f32() const { return as<float>(); }
};

/// Row-major strides of dense dims.
[[nodiscard]] Dims denseStrides(const Dims& dims);
/// The same values in dense memory; itself when they are already.
[[nodiscard]] Array contiguous(const Array& array, BufferPool& pool);
/// Copies equally shaped values of the same type into the memory `target` sees.
void copyInto(const Array& source, const Array& target);
/// View with other dims where strides allow it without a copy.
[[nodiscard]] std::optional<Array> reshapedView(const Array& array, const Dims& dims);
/// View with other dims, over a dense copy where needed. Throws Error(ShapeMismatch).
[[nodiscard]] Array reshaped(const Array& array, const Dims& dims, BufferPool& pool);
/// View whose dimension i is the array's order[i].
[[nodiscard]] Array permuted(const Array& array, const std::vector<std::size_t>& order);
/// As a tensor that shares the memory where it is dense.
[[nodiscard]] Tensor toTensor(const Array& array, BufferPool& pool);
/// The integers of an I64 or I32 array, in row-major order. Throws Error(InvalidArgument).
[[nodiscard]] Dims integersOf(const Array& array);
/// Product of dims [first, last).
[[nodiscard]] std::int64_t product(const Dims& dims, std::size_t first, std::size_t last);

} // namespace qs
