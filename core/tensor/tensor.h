#pragma once

#include "core/tensor/dtype.h"
#include "core/tensor/shape.h"

#include <cassert>
#include <cstddef>
#include <memory>
#include <span>

namespace qs {

/// A dense row-major array of one element type. Copies share the storage; treat a tensor as immutable once it has
/// been handed to somebody else. The storage is 64-byte aligned memory of its own, or memory kept alive by an owner
/// (a mapped file), which is never written.
class Tensor
{
public:
    /// A scalar-shaped F32 tensor without storage; valid() is false.
    Tensor() = default;
    /// New storage, not initialised. Throws Error(OutOfMemory).
    Tensor(DType type, Shape shape);
    /// View of foreign memory, read-only: `bytes` must hold exactly the shape's elements; `owner` keeps it alive.
    Tensor(DType type, Shape shape, std::shared_ptr<const void> owner, std::span<const std::byte> bytes);

    [[nodiscard]] static Tensor zeros(DType type, Shape shape);
    /// Copies the values. Throws Error(ShapeMismatch) when their number is not the shape's.
    template<typename T>
    [[nodiscard]] static Tensor of(Shape shape, std::span<const T> values);
    template<typename T>
    [[nodiscard]] static Tensor of(Shape shape, std::initializer_list<T> values)
    {
        return of<T>(std::move(shape), std::span<const T>(values.begin(), values.size()));
    }

    [[nodiscard]] bool valid() const { return m_storage != nullptr; }
    [[nodiscard]] DType dtype() const { return m_dtype; }
    [[nodiscard]] const Shape& shape() const { return m_shape; }
    [[nodiscard]] std::int64_t elementCount() const { return m_shape.elementCount(); }
    [[nodiscard]] std::size_t byteCount() const
    {
        return static_cast<std::size_t>(m_shape.elementCount()) * sizeOf(m_dtype);
    }

    [[nodiscard]] const std::byte* bytes() const { return m_data; }
    /// Throws Error(InvalidArgument) when T is not the element type.
    template<typename T>
    [[nodiscard]] std::span<const T> data() const
    {
        requireType(DTypeOf<T>::value);
        return {reinterpret_cast<const T*>(m_data), static_cast<std::size_t>(elementCount())};
    }
    /// Only for the maker of the tensor, before it is shared. Not for tensors over foreign memory.
    template<typename T>
    [[nodiscard]] std::span<T> mutableData()
    {
        requireType(DTypeOf<T>::value);
        assert(m_writable);
        return {reinterpret_cast<T*>(const_cast<std::byte*>(m_data)), static_cast<std::size_t>(elementCount())};
    }

    /// Same storage under another shape with as many elements. Throws Error(ShapeMismatch).
    [[nodiscard]] Tensor reshaped(Shape shape) const;
    /// F32 values: this tensor itself when it is F32 and aligned, else a converted copy (F16 and BF16 exactly, F64 and
    /// integers rounded to nearest even).
    [[nodiscard]] Tensor toF32() const;

private:
    void requireType(DType wanted) const;

    DType m_dtype = DType::F32;
    Shape m_shape;
    std::shared_ptr<const void> m_storage;
    const std::byte* m_data = nullptr;
    bool m_writable = false;
};

template<typename T>
Tensor Tensor::of(Shape shape, std::span<const T> values)
{
    Tensor flat(DTypeOf<T>::value, Shape {static_cast<std::int64_t>(values.size())});
    const std::span<T> target = flat.mutableData<T>();
    for (std::size_t i = 0; i < values.size(); ++i) {
        target[i] = values[i];
    }
    flat = flat.reshaped(std::move(shape));
    flat.m_writable = true;
    return flat;
}

} // namespace qs
