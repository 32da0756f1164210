#include "core/io/onnx_tensor.h"

#include "core/base/error.h"
#include "core/base/mapped_file.h"
#include "core/tensor/small_float.h"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <memory>
#include <utility>

namespace qs {

static_assert(std::endian::native == std::endian::little, "raw tensor bytes are little-endian");

namespace {

// Numbers of the specification that Debian's libonnx 1.12 does not know yet.
constexpr int kOnnxUint4 = 21;
constexpr int kOnnxInt4 = 22;
constexpr int kOnnxFloat4 = 23;
constexpr int kOnnxUint2 = 25;
constexpr int kOnnxInt2 = 26;

constexpr std::array<const char*, 27> kTypeNames {"UNDEFINED", "FLOAT", "UINT8", "INT8", "UINT16", "INT16",
    "INT32", "INT64", "STRING", "BOOL", "FLOAT16", "DOUBLE", "UINT32", "UINT64", "COMPLEX64", "COMPLEX128",
    "BFLOAT16", "FLOAT8E4M3FN", "FLOAT8E4M3FNUZ", "FLOAT8E5M2", "FLOAT8E5M2FNUZ", "UINT4", "INT4",
    "FLOAT4E2M1", "FLOAT8E8M0", "UINT2", "INT2"};

std::string title(const onnx::TensorProto& proto)
{
    return "tensor '" + proto.name() + "'";
}

Shape shapeOf(const onnx::TensorProto& proto)
{
    if (static_cast<std::size_t>(proto.dims_size()) > Shape::kMaxRank) {
        throw Error(ErrorCode::CorruptFile,
            title(proto) + " has " + std::to_string(proto.dims_size()) + " dimensions");
    }
    try {
        return Shape(std::vector<std::int64_t>(proto.dims().begin(), proto.dims().end()));
    } catch (const Error& error) {
        throw Error(ErrorCode::CorruptFile, title(proto) + ": " + error.what());
    }
}

/// Bits an element takes in a file where they are not those of our type: types of 8 bits and fewer that we
/// widen.
std::optional<unsigned> packedBits(int dataType)
{
    switch (dataType) {
    case kOnnxUint2:
    case kOnnxInt2: return 2;
    case kOnnxUint4:
    case kOnnxInt4:
    case kOnnxFloat4: return 4;
    default: break;
    }
    const auto format = smallFloatOfOnnx(dataType);
    const bool isWide = !format || *format == SmallFloat::Half || *format == SmallFloat::BFloat16;
    return isWide ? std::nullopt : std::optional(8U);
}

/// Bytes of `count` elements as they lie in a file; types of fewer than 8 bits share bytes.
std::size_t storedBytes(const onnx::TensorProto& proto, int dataType, DType dtype, std::int64_t count)
{
    if (const auto bits = packedBits(dataType)) {
        const std::int64_t perByte = 8 / *bits;
        return static_cast<std::size_t>(count / perByte + (count % perByte != 0 ? 1 : 0));
    }
    std::size_t bytes = 0;
    if (__builtin_mul_overflow(static_cast<std::size_t>(count), sizeOf(dtype), &bytes)) {
        throw Error(ErrorCode::CorruptFile, title(proto) + " has " + std::to_string(count) + " values");
    }
    return bytes;
}

void requireBytes(const onnx::TensorProto& proto, const Shape& shape, std::size_t needed, std::size_t present)
{
    if (needed != present) {
        throw Error(ErrorCode::CorruptFile,
            title(proto) + " of shape " + shape.text() + " and type " + onnxTypeName(proto.data_type())
                + " needs " + std::to_string(needed) + " bytes, the file holds " + std::to_string(present));
    }
}

/// Elements of a packed type, low bits first: integers in 8 bits, sign-extended where signed; floats as F32.
Tensor unpack(int dataType, Shape shape, std::span<const std::byte> bytes)
{
    const unsigned bits = packedBits(dataType).value_or(8U);
    const unsigned perByte = 8U / bits;
    const unsigned mask = (1U << bits) - 1U;
    const bool isSigned = dataType == kOnnxInt4 || dataType == kOnnxInt2;
    const auto format = smallFloatOfOnnx(dataType);
    Tensor result(dtypeFromOnnx(dataType).value_or(DType::U8), std::move(shape));
    const auto count = static_cast<std::size_t>(result.elementCount());
    auto* out = const_cast<std::byte*>(result.bytes());
    const auto codeAt = [&](std::size_t i) {
        return (std::to_integer<unsigned>(bytes[i / perByte]) >> (i % perByte * bits)) & mask;
    };
    if (format) {
        const std::span<float> values = result.mutableData<float>();
        for (std::size_t i = 0; i < count; ++i) {
            values[i] = decodeSmallFloat(*format, codeAt(i));
        }
        return result;
    }
    for (std::size_t i = 0; i < count; ++i) {
        const unsigned code = codeAt(i);
        out[i] = static_cast<std::byte>(isSigned && code > mask / 2U ? code | (0xFFU & ~mask) : code);
    }
    return result;
}

/// Copies a repeated field of one number per element, converting to the stored type.
template<typename Stored, typename Field>
void copyField(const Field& field, Tensor& target)
{
    auto* out = const_cast<std::byte*>(target.bytes());
    for (int i = 0; i < field.size(); ++i) {
        const auto value = static_cast<Stored>(field.Get(i));
        std::memcpy(out + static_cast<std::size_t>(i) * sizeof(Stored), &value, sizeof(Stored));
    }
}

template<typename Field>
void requireCount(const onnx::TensorProto& proto, const Shape& shape, const Field& field)
{
    if (field.size() != shape.elementCount()) {
        throw Error(ErrorCode::CorruptFile,
            title(proto) + " of shape " + shape.text() + " has " + std::to_string(shape.elementCount())
                + " values, the file holds " + std::to_string(field.size()));
    }
}

/// Values from int32_data: everything of at most 32 bits but float and uint32.
Tensor fromInt32Field(const onnx::TensorProto& proto, DType dtype, Shape shape)
{
    if (packedBits(proto.data_type())) {
        requireBytes(proto, shape, storedBytes(proto, proto.data_type(), dtype, shape.elementCount()),
            static_cast<std::size_t>(proto.int32_data_size()));
        std::vector<std::byte> bytes;
        for (const std::int32_t entry : proto.int32_data()) {
            bytes.push_back(static_cast<std::byte>(entry & 255));
        }
        return unpack(proto.data_type(), std::move(shape), bytes);
    }
    requireCount(proto, shape, proto.int32_data());
    Tensor result(dtype, std::move(shape));
    switch (sizeOf(dtype)) {
    case 1: copyField<std::uint8_t>(proto.int32_data(), result); break;
    case 2: copyField<std::uint16_t>(proto.int32_data(), result); break;
    default: copyField<std::int32_t>(proto.int32_data(), result); break;
    }
    return result;
}

Tensor fromTypedField(const onnx::TensorProto& proto, DType dtype, Shape shape)
{
    const auto make = [&](const auto& field, auto stored) {
        requireCount(proto, shape, field);
        Tensor result(dtype, shape);
        copyField<decltype(stored)>(field, result);
        return result;
    };
    if (packedBits(proto.data_type())) {
        return fromInt32Field(proto, dtype, std::move(shape));
    }
    switch (dtype) {
    case DType::F32: return make(proto.float_data(), float {});
    case DType::F64: return make(proto.double_data(), double {});
    case DType::I64: return make(proto.int64_data(), std::int64_t {});
    case DType::U64: return make(proto.uint64_data(), std::uint64_t {});
    case DType::U32: return make(proto.uint64_data(), std::uint32_t {});
    default: return fromInt32Field(proto, dtype, std::move(shape));
    }
}

std::uint64_t parseCount(const onnx::TensorProto& proto, const std::string& key, const std::string& text)
{
    std::uint64_t value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc() || end != text.data() + text.size()) {
        throw Error(ErrorCode::CorruptFile, title(proto) + " has the external " + key + " '" + text + "'");
    }
    return value;
}

/// The file of external data, which must lie in the model's folder or below, links resolved.
std::filesystem::path externalFile(
    const onnx::TensorProto& proto, const std::filesystem::path& folder, const std::string& location)
{
    const std::filesystem::path relative(location);
    std::error_code ignored;
    const auto root = std::filesystem::weakly_canonical(folder.empty() ? "." : folder, ignored);
    const auto file = std::filesystem::weakly_canonical(root / relative, ignored);
    const auto [rootEnd, unused] = std::mismatch(root.begin(), root.end(), file.begin(), file.end());
    if (location.empty() || relative.is_absolute() || rootEnd != root.end()
        || std::ranges::find(relative, "..") != relative.end()) {
        throw Error(ErrorCode::Unsupported,
            title(proto) + " keeps its values in '" + location + "', outside the model's folder");
    }
    return file;
}

Tensor fromExternal(
    const onnx::TensorProto& proto, DType dtype, const Shape& shape, const std::filesystem::path& folder)
{
    std::string location;
    std::uint64_t offset = 0;
    const std::size_t needed = storedBytes(proto, proto.data_type(), dtype, shape.elementCount());
    std::uint64_t length = needed;
    for (const auto& entry : proto.external_data()) {
        if (entry.key() == "location") {
            location = entry.value();
        } else if (entry.key() == "offset") {
            offset = parseCount(proto, "offset", entry.value());
        } else if (entry.key() == "length") {
            length = parseCount(proto, "length", entry.value());
        }
    }
    const auto file = MappedFile::open(externalFile(proto, folder, location));
    const std::span<const std::byte> all = file->bytes();
    if (offset > all.size() || length > all.size() - offset) {
        throw Error(ErrorCode::CorruptFile,
            title(proto) + " takes bytes " + std::to_string(offset) + " to " + std::to_string(offset) + " + "
                + std::to_string(length) + " of '" + location + "', which holds "
                + std::to_string(all.size()));
    }
    requireBytes(proto, shape, needed, length);
    const auto part = all.subspan(offset, length);
    if (packedBits(proto.data_type())) {
        return unpack(proto.data_type(), shape, part);
    }
    if (reinterpret_cast<std::uintptr_t>(part.data()) % sizeOf(dtype) != 0) {
        Tensor copy(dtype, shape);
        std::memcpy(const_cast<std::byte*>(copy.bytes()), part.data(), part.size());
        return copy;
    }
    return {dtype, shape, file, part};
}

} // namespace

std::optional<DType> dtypeFromOnnx(int dataType)
{
    switch (dataType) {
    case onnx::TensorProto::FLOAT: return DType::F32;
    case onnx::TensorProto::UINT8:
    case kOnnxUint2:
    case kOnnxUint4: return DType::U8;
    case onnx::TensorProto::INT8:
    case kOnnxInt2:
    case kOnnxInt4: return DType::I8;
    case onnx::TensorProto::UINT16: return DType::U16;
    case onnx::TensorProto::INT16: return DType::I16;
    case onnx::TensorProto::INT32: return DType::I32;
    case onnx::TensorProto::INT64: return DType::I64;
    case onnx::TensorProto::BOOL: return DType::Bool;
    case onnx::TensorProto::FLOAT16: return DType::F16;
    case onnx::TensorProto::DOUBLE: return DType::F64;
    case onnx::TensorProto::UINT32: return DType::U32;
    case onnx::TensorProto::UINT64: return DType::U64;
    case onnx::TensorProto::BFLOAT16: return DType::BF16;
    default: return smallFloatOfOnnx(dataType) ? std::optional(DType::F32) : std::nullopt;
    }
}

int onnxTypeOf(DType type)
{
    switch (type) {
    case DType::F32: return onnx::TensorProto::FLOAT;
    case DType::F16: return onnx::TensorProto::FLOAT16;
    case DType::BF16: return onnx::TensorProto::BFLOAT16;
    case DType::F64: return onnx::TensorProto::DOUBLE;
    case DType::I8: return onnx::TensorProto::INT8;
    case DType::U8: return onnx::TensorProto::UINT8;
    case DType::I16: return onnx::TensorProto::INT16;
    case DType::U16: return onnx::TensorProto::UINT16;
    case DType::I32: return onnx::TensorProto::INT32;
    case DType::U32: return onnx::TensorProto::UINT32;
    case DType::I64: return onnx::TensorProto::INT64;
    case DType::U64: return onnx::TensorProto::UINT64;
    case DType::Bool: return onnx::TensorProto::BOOL;
    }
    return onnx::TensorProto::UNDEFINED;
}

std::string onnxTypeName(int dataType)
{
    return dataType >= 0 && static_cast<std::size_t>(dataType) < kTypeNames.size()
        ? kTypeNames[static_cast<std::size_t>(dataType)]
        : "number " + std::to_string(dataType);
}

Tensor tensorFromOnnx(onnx::TensorProto& proto, const std::filesystem::path& folder)
{
    const std::optional<DType> dtype = dtypeFromOnnx(proto.data_type());
    if (!dtype) {
        throw Error(ErrorCode::Unsupported,
            title(proto) + " is of type " + onnxTypeName(proto.data_type())
                + ", which this program does not read");
    }
    if (proto.has_segment()) {
        throw Error(ErrorCode::Unsupported, title(proto) + " is stored in segments");
    }
    Shape shape = shapeOf(proto);
    if (proto.data_location() == onnx::TensorProto::EXTERNAL) {
        return fromExternal(proto, *dtype, shape, folder);
    }
    if (!proto.has_raw_data()) {
        return fromTypedField(proto, *dtype, std::move(shape));
    }
    requireBytes(proto, shape, storedBytes(proto, proto.data_type(), *dtype, shape.elementCount()),
        proto.raw_data().size());
    const std::shared_ptr<const std::string> raw(proto.release_raw_data());
    const auto bytes = std::as_bytes(std::span(raw->data(), raw->size()));
    if (packedBits(proto.data_type())) {
        return unpack(proto.data_type(), std::move(shape), bytes);
    }
    return {*dtype, std::move(shape), raw, bytes};
}

void tensorToOnnx(const Tensor& tensor, const std::string& name, onnx::TensorProto& proto)
{
    proto.set_name(name);
    proto.set_data_type(onnxTypeOf(tensor.dtype()));
    for (const std::int64_t dim : tensor.shape().dims()) {
        proto.add_dims(dim);
    }
    proto.set_raw_data(tensor.bytes(), tensor.byteCount());
}

std::vector<std::uint8_t> packNibbles(std::span<const std::int8_t> codes)
{
    std::vector<std::uint8_t> packed((codes.size() + 1) / 2, 0);
    for (std::size_t i = 0; i < codes.size(); ++i) {
        const auto nibble = static_cast<unsigned>(codes[i]) & 15U;
        packed[i / 2] = static_cast<std::uint8_t>(packed[i / 2] | (i % 2 == 0 ? nibble : nibble << 4U));
    }
    return packed;
}

std::vector<std::int8_t> unpackSignedNibbles(std::span<const std::uint8_t> bytes, std::int64_t count)
{
    if (count < 0 || static_cast<std::int64_t>(bytes.size()) != count / 2 + count % 2) {
        throw Error(ErrorCode::CorruptFile,
            std::to_string(count) + " 4-bit codes cannot lie in " + std::to_string(bytes.size()) + " bytes");
    }
    const Tensor tensor = unpack(kOnnxInt4, Shape {count}, std::as_bytes(bytes));
    const auto codes = tensor.data<std::int8_t>();
    return {codes.begin(), codes.end()};
}

} // namespace qs
