#include "core/tensor/tensor.h"

#include "core/base/error.h"
#include "core/tensor/weight_values.h"

#include <cstdlib>
#include <cstring>

namespace qs {

namespace {

constexpr std::size_t kAlignment = 64;

std::shared_ptr<void> allocate(std::size_t size)
{
    const std::size_t rounded = (std::max<std::size_t>(size, 1) + kAlignment - 1) / kAlignment * kAlignment;
    void* memory = std::aligned_alloc(kAlignment, rounded);
    if (memory == nullptr) {
        throw Error(ErrorCode::OutOfMemory, "no memory for a tensor of " + std::to_string(size) + " bytes");
    }
    return {memory, [](void* p) { std::free(p); }};
}

template<typename Source, typename Convert>
void convertInto(std::span<float> target, const std::byte* source, Convert convert)
{
    for (std::size_t i = 0; i < target.size(); ++i) {
        Source value;
        std::memcpy(&value, source + i * sizeof(Source), sizeof(Source)); // file data need not be aligned
        target[i] = convert(value);
    }
}

} // namespace

Tensor::Tensor(DType type, Shape shape)
    : m_dtype(type)
    , m_shape(std::move(shape))
    , m_writable(true)
{
    std::size_t size = 0;
    if (__builtin_mul_overflow(static_cast<std::size_t>(m_shape.elementCount()), sizeOf(type), &size)) {
        throw Error(ErrorCode::OutOfMemory, "no memory for a tensor of shape " + m_shape.text());
    }
    std::shared_ptr<void> storage = allocate(size);
    m_data = static_cast<const std::byte*>(storage.get());
    m_storage = std::move(storage);
}

Tensor::Tensor(DType type, Shape shape, std::shared_ptr<const void> owner, std::span<const std::byte> bytes)
    : m_dtype(type)
    , m_shape(std::move(shape))
    , m_storage(std::move(owner))
    , m_data(bytes.data())
{
    if (bytes.size() != byteCount()) {
        throw Error(ErrorCode::ShapeMismatch,
            "shape " + m_shape.text() + " of " + std::string(nameOf(type)) + " needs "
                + std::to_string(byteCount()) + " bytes, not " + std::to_string(bytes.size()));
    }
}

Tensor Tensor::zeros(DType type, Shape shape)
{
    Tensor tensor(type, std::move(shape));
    std::memset(const_cast<std::byte*>(tensor.m_data), 0, tensor.byteCount());
    return tensor;
}

Tensor Tensor::reshaped(Shape shape) const
{
    if (shape.elementCount() != elementCount()) {
        throw Error(ErrorCode::ShapeMismatch, "cannot view " + m_shape.text() + " as " + shape.text());
    }
    Tensor result = *this;
    result.m_shape = std::move(shape);
    result.m_writable = false;
    return result;
}

Tensor Tensor::toF32() const
{
    if (m_dtype == DType::F32 && reinterpret_cast<std::uintptr_t>(m_data) % alignof(float) == 0) {
        return *this;
    }
    Tensor result(DType::F32, m_shape);
    const std::span<float> out = result.mutableData<float>();
    const auto plain = [](auto value) { return static_cast<float>(value); };
    switch (m_dtype) {
    case DType::F32:
    case DType::F16:
    case DType::BF16: weightsToFloat(m_dtype, m_data, out.size(), out.data()); break;
    case DType::F64: convertInto<double>(out, m_data, plain); break;
    case DType::I8: convertInto<std::int8_t>(out, m_data, plain); break;
    case DType::U8: convertInto<std::uint8_t>(out, m_data, plain); break;
    case DType::I16: convertInto<std::int16_t>(out, m_data, plain); break;
    case DType::U16: convertInto<std::uint16_t>(out, m_data, plain); break;
    case DType::I32: convertInto<std::int32_t>(out, m_data, plain); break;
    case DType::U32: convertInto<std::uint32_t>(out, m_data, plain); break;
    case DType::I64: convertInto<std::int64_t>(out, m_data, plain); break;
    case DType::U64: convertInto<std::uint64_t>(out, m_data, plain); break;
    case DType::Bool:
        convertInto<std::uint8_t>(out, m_data, [](std::uint8_t value) { return value != 0 ? 1.0F : 0.0F; });
        break;
    }
    return result;
}

void Tensor::requireType(DType wanted) const
{
    if (m_dtype != wanted) {
        throw Error(ErrorCode::InvalidArgument,
            "a tensor of " + std::string(nameOf(m_dtype)) + " was read as " + std::string(nameOf(wanted)));
    }
}

} // namespace qs
