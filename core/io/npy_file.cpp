#include "core/io/npy_file.h"

#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "core/base/mapped_file.h"
#include "core/io/npy_header.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

namespace qs {

namespace {

constexpr std::string_view kMagic = "\x93NUMPY";

constexpr std::array<std::pair<std::string_view, DType>, 12> kTypes {
    {{"<f4", DType::F32}, {"<f8", DType::F64}, {"<f2", DType::F16}, {"|i1", DType::I8}, {"|u1", DType::U8},
        {"<i2", DType::I16}, {"<u2", DType::U16}, {"<i4", DType::I32}, {"<u4", DType::U32},
        {"<i8", DType::I64}, {"<u8", DType::U64}, {"|b1", DType::Bool}}};

DType elementType(const std::string& description, const std::string& name)
{
    const bool oneByte = description.size() == 3 && description[2] == '1';
    for (const auto& [text, type] : kTypes) {
        if (description == text || (oneByte && description[1] == text[1] && description[2] == text[2])) {
            return type;
        }
    }
    if (description.find('O') != std::string::npos) {
        throw Error(
            ErrorCode::Unsupported, name + " holds pickled Python objects, which are never unpickled");
    }
    throw Error(ErrorCode::Unsupported,
        name + " holds elements of type '" + description.substr(0, 32)
            + "'; little-endian floats of 2, 4 or 8 bytes, integers and booleans are read");
}

/// Unsigned little-endian number of `size` bytes.
std::size_t number(std::span<const std::byte> bytes, std::size_t at, std::size_t size)
{
    std::size_t value = 0;
    for (std::size_t i = 0; i < size; ++i) {
        value |= std::to_integer<std::size_t>(bytes[at + i]) << (8 * i);
    }
    return value;
}

struct Parts
{
    NpyHeader header;
    std::span<const std::byte> payload;
};

Parts split(std::span<const std::byte> bytes, const std::string& name)
{
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (bytes.size() < 10 || !text.starts_with(kMagic)) {
        throw Error(ErrorCode::CorruptFile, name + " does not begin as a .npy file");
    }
    const int version = std::to_integer<int>(bytes[6]);
    if (version < 1 || version > 3) {
        throw Error(ErrorCode::Unsupported, name + " is of .npy version " + std::to_string(version));
    }
    const std::size_t start = (version == 1) ? 10 : 12;
    if (bytes.size() < start) {
        throw Error(ErrorCode::CorruptFile, name + " ends within its header");
    }
    const std::size_t length = number(bytes, 8, start - 8);
    if (length > bytes.size() - start) {
        throw Error(ErrorCode::CorruptFile,
            name + " claims a header of " + std::to_string(length) + " bytes, "
                + std::to_string(bytes.size() - start) + " follow");
    }
    return {parseNpyHeader(text.substr(start, length), name), bytes.subspan(start + length)};
}

/// Copies values stored first-index-fastest into row-major order.
void copyFromFortran(const std::byte* source, std::byte* target, const Shape& shape, std::size_t elementBytes)
{
    const std::size_t rank = shape.rank();
    std::array<std::int64_t, Shape::kMaxRank> stride {1};
    for (std::size_t axis = 1; axis < rank; ++axis) {
        stride[axis] = stride[axis - 1] * shape[axis - 1];
    }
    std::array<std::int64_t, Shape::kMaxRank> index {};
    std::int64_t from = 0;
    for (std::int64_t to = 0; to < shape.elementCount(); ++to) {
        std::memcpy(target + static_cast<std::size_t>(to) * elementBytes,
            source + static_cast<std::size_t>(from) * elementBytes, elementBytes);
        for (std::size_t axis = rank; axis-- > 0;) {
            from += stride[axis];
            if (++index[axis] < shape[axis]) {
                break;
            }
            from -= stride[axis] * shape[axis];
            index[axis] = 0;
        }
    }
}

/// Bytes other than 0 and 1 mean true to NumPy; to C++ they are not booleans.
void normaliseBooleans(std::byte* bytes, std::size_t count)
{
    for (std::size_t i = 0; i < count; ++i) {
        bytes[i] = static_cast<std::byte>(bytes[i] != std::byte {0} ? 1 : 0);
    }
}

std::string headerText(const Tensor& tensor)
{
    std::string_view description;
    for (const auto& [text, type] : kTypes) {
        if (type == tensor.dtype()) {
            description = text;
        }
    }
    if (description.empty()) {
        throw Error(ErrorCode::Unsupported,
            "a tensor of " + std::string(nameOf(tensor.dtype())) + " cannot be written as .npy");
    }
    std::string text = "{'descr': '" + std::string(description) + "', 'fortran_order': False, 'shape': (";
    for (std::size_t axis = 0; axis < tensor.shape().rank(); ++axis) {
        text += (axis == 0 ? "" : " ") + std::to_string(tensor.shape()[axis]) + ",";
    }
    if (tensor.shape().rank() > 1) {
        text.pop_back(); // (2, 3) but (2,)
    }
    text += "), }";
    constexpr std::size_t kPreamble = 10;
    text.append(63 - (kPreamble + text.size()) % 64, ' ');
    text += '\n';
    std::string start(kMagic);
    start += '\x01';
    start += '\0';
    start += static_cast<char>(text.size() & 0xFFU);
    start += static_cast<char>(text.size() >> 8U);
    return start + text;
}

} // namespace

Tensor parseNpy(
    std::span<const std::byte> bytes, const std::shared_ptr<const void>& owner, const std::string& name)
{
    const Parts parts = split(bytes, name);
    const DType type = elementType(parts.header.description, name);
    Shape shape;
    std::int64_t needed = 0;
    try {
        shape = Shape(parts.header.dims);
    } catch (const Error& error) {
        throw Error(ErrorCode::CorruptFile, name + ": " + error.what());
    }
    if (__builtin_mul_overflow(shape.elementCount(), static_cast<std::int64_t>(sizeOf(type)), &needed)
        || static_cast<std::size_t>(needed) != parts.payload.size()) {
        throw Error(ErrorCode::CorruptFile,
            name + " has shape " + shape.text() + " of " + std::string(nameOf(type)) + ", but holds "
                + std::to_string(parts.payload.size()) + " bytes of values");
    }
    const bool aligned = reinterpret_cast<std::uintptr_t>(parts.payload.data()) % sizeOf(type) == 0;
    const bool fortran = parts.header.fortranOrder && shape.rank() > 1;
    if (aligned && !fortran && type != DType::Bool && !parts.payload.empty()) {
        return {type, std::move(shape), owner, parts.payload};
    }
    Tensor tensor(type, std::move(shape));
    auto* target = const_cast<std::byte*>(tensor.bytes()); // freshly made here, not shared yet
    if (fortran) {
        copyFromFortran(parts.payload.data(), target, tensor.shape(), sizeOf(type));
    } else if (!parts.payload.empty()) {
        std::memcpy(target, parts.payload.data(), parts.payload.size());
    }
    if (type == DType::Bool) {
        normaliseBooleans(target, tensor.byteCount());
    }
    return tensor;
}

Tensor readNpy(const std::filesystem::path& path)
{
    const std::shared_ptr<const MappedFile> file = MappedFile::open(path);
    return parseNpy(file->bytes(), file, "'" + path.string() + "'");
}

void writeNpy(const std::filesystem::path& path, const Tensor& tensor)
{
    const std::string header = headerText(tensor);
    AtomicFile file(path);
    std::ofstream stream(file.temporaryPath(), std::ios::binary | std::ios::trunc);
    stream.write(header.data(), static_cast<std::streamsize>(header.size()));
    stream.write(
        reinterpret_cast<const char*>(tensor.bytes()), static_cast<std::streamsize>(tensor.byteCount()));
    stream.close();
    if (!stream) {
        throw Error(ErrorCode::Io, "cannot write '" + path.string() + "': " + std::strerror(errno));
    }
    file.commit();
}

} // namespace qs
