#include "core/io/hdf5_dataset.h"

#include "core/io/hdf5_type.h"

#include <hdf5.h>

#include <algorithm>
#include <array>

namespace qs {

namespace {

constexpr std::uint64_t kDeflateExpansion = 1100; // deflate reaches 1032
constexpr std::uint64_t kSmallChunk = std::uint64_t {1} << 20; // always allowed, however small the file

std::string inBytes(std::uint64_t bytes)
{
    return std::to_string(bytes) + " bytes";
}

/// a * b, or the largest number when that overflows.
std::uint64_t saturatingProduct(std::uint64_t a, std::uint64_t b)
{
    std::uint64_t product = 0;
    return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

} // namespace

Hdf5Dataset::Hdf5Dataset(Hdf5Handle dataset, std::string name, std::uint64_t fileBytes)
    : m_dataset(std::move(dataset))
    , m_name(std::move(name))
    , m_fileBytes(fileBytes)
{
    checkLayout();
}

void Hdf5Dataset::checkLayout()
{
    const Hdf5Handle creation(H5Dget_create_plist(m_dataset.id()), H5Pclose);
    if (!creation.valid()) {
        throwHdf5(ErrorCode::CorruptFile, m_name);
    }
    if (H5Pget_layout(creation.id()) == H5D_VIRTUAL) {
        throw Error(
            ErrorCode::Unsupported, m_name + " is a virtual dataset, whose values lie in other files");
    }
    if (H5Pget_external_count(creation.id()) != 0) {
        throw Error(ErrorCode::Unsupported, m_name + " keeps its values outside the file");
    }
    m_type = Hdf5Handle(H5Dget_type(m_dataset.id()), H5Tclose);
    m_space = Hdf5Handle(H5Dget_space(m_dataset.id()), H5Sclose);
    if (!m_type.valid() || !m_space.valid()) {
        throwHdf5(ErrorCode::CorruptFile, m_name);
    }
    const int rank = H5Sget_simple_extent_ndims(m_space.id());
    std::array<hsize_t, H5S_MAX_RANK> extent {};
    if (rank < 0 || H5Sget_simple_extent_dims(m_space.id(), extent.data(), nullptr) < 0) {
        throwHdf5(ErrorCode::CorruptFile, m_name);
    }
    std::vector<std::int64_t> dims;
    for (int axis = 0; axis < rank; ++axis) {
        const hsize_t dim = extent[static_cast<std::size_t>(axis)];
        if (dim > static_cast<hsize_t>(INT64_MAX)) {
            throw Error(ErrorCode::CorruptFile, m_name + " has a dimension of " + std::to_string(dim));
        }
        dims.push_back(static_cast<std::int64_t>(dim));
    }
    try {
        m_shape = Shape(std::move(dims));
    } catch (const Error& error) {
        throw Error(ErrorCode::CorruptFile, m_name + ": " + error.what());
    }
    checkFilters(creation.id());
    checkSizes(creation.id());
}

void Hdf5Dataset::checkFilters(std::int64_t creation)
{
    const int count = H5Pget_nfilters(creation);
    for (int index = 0; index < count; ++index) {
        unsigned flags = 0;
        std::size_t parameters = 0;
        std::array<char, 64> name {};
        const H5Z_filter_t filter = H5Pget_filter2(creation, static_cast<unsigned>(index), &flags,
            &parameters, nullptr, name.size() - 1, name.data(), nullptr);
        const bool known = filter == H5Z_FILTER_DEFLATE || filter == H5Z_FILTER_SHUFFLE
            || filter == H5Z_FILTER_SZIP || filter == H5Z_FILTER_FLETCHER32;
        if (!known || H5Zfilter_avail(filter) <= 0) {
            throw Error(ErrorCode::Unsupported,
                m_name + " is stored with filter " + std::to_string(filter)
                    + "; only deflate, shuffle, szip and fletcher32 are read");
        }
        if (filter == H5Z_FILTER_DEFLATE || filter == H5Z_FILTER_SZIP) {
            m_expansion = saturatingProduct(m_expansion, kDeflateExpansion);
        }
    }
    if (m_expansion > kDeflateExpansion) {
        throw Error(ErrorCode::Unsupported, m_name + " is compressed more than once");
    }
}

void Hdf5Dataset::checkSizes(std::int64_t creation)
{
    if (m_shape.elementCount() == 0) {
        return;
    }
    const std::uint64_t element = H5Tget_size(m_type.id());
    const std::uint64_t values
        = saturatingProduct(static_cast<std::uint64_t>(m_shape.elementCount()), element);
    const std::uint64_t stored = H5Dget_storage_size(m_dataset.id());
    if (stored > m_fileBytes) {
        throw Error(ErrorCode::CorruptFile,
            m_name + " claims " + inBytes(stored) + " of storage in a file of " + inBytes(m_fileBytes));
    }
    if (values > saturatingProduct(stored, m_expansion)) {
        throw Error(ErrorCode::CorruptFile,
            m_name + " of shape " + m_shape.text() + " needs " + inBytes(values) + ", the file stores "
                + inBytes(stored) + " of it");
    }
    if (H5Pget_layout(creation) != H5D_CHUNKED) {
        return;
    }
    std::array<hsize_t, H5S_MAX_RANK> chunk {};
    const int rank = H5Pget_chunk(creation, H5S_MAX_RANK, chunk.data());
    if (rank != static_cast<int>(m_shape.rank())) {
        throwHdf5(ErrorCode::CorruptFile, m_name + " has chunks of another rank");
    }
    std::uint64_t chunkBytes = element;
    for (int axis = 0; axis < rank; ++axis) {
        chunkBytes = saturatingProduct(chunkBytes, chunk[static_cast<std::size_t>(axis)]);
    }
    if (chunkBytes > std::max(kSmallChunk, saturatingProduct(stored, m_expansion))) {
        throw Error(ErrorCode::CorruptFile,
            m_name + " has chunks of " + inBytes(chunkBytes) + ", the file stores " + inBytes(stored)
                + " of it");
    }
}

DType Hdf5Dataset::elementType() const
{
    const std::optional<DType> type = dtypeOfHdf5(m_type.id());
    if (!type) {
        throw Error(ErrorCode::Unsupported, m_name + " does not hold plain numbers");
    }
    return *type;
}

Tensor Hdf5Dataset::readSelection(Shape shape, std::int64_t memorySpace, std::int64_t fileSpace) const
{
    const DType type = elementType();
    Tensor tensor(type, std::move(shape));
    if (tensor.elementCount() == 0) {
        return tensor;
    }
    const Hdf5Handle memoryType = hdf5TypeOf(type);
    auto* target = const_cast<std::byte*>(tensor.bytes()); // freshly made here, not shared yet
    if (H5Dread(m_dataset.id(), memoryType.id(), memorySpace, fileSpace, H5P_DEFAULT, target) < 0) {
        throwHdf5(ErrorCode::CorruptFile, m_name);
    }
    if (type == DType::Bool) {
        for (std::int64_t i = 0; i < tensor.elementCount(); ++i) {
            if (target[i] != std::byte {0} && target[i] != std::byte {1}) {
                throw Error(ErrorCode::CorruptFile, m_name + " holds a boolean that is neither 0 nor 1");
            }
        }
    }
    return tensor;
}

Tensor Hdf5Dataset::read() const
{
    return readSelection(m_shape, H5S_ALL, H5S_ALL);
}

Tensor Hdf5Dataset::readRows(std::int64_t first, std::int64_t count) const
{
    if (m_shape.rank() == 0 || first < 0 || count < 0 || first > m_shape[0] || count > m_shape[0] - first) {
        throw Error(ErrorCode::InvalidArgument,
            m_name + " of shape " + m_shape.text() + " has no " + std::to_string(count) + " rows from row "
                + std::to_string(first) + " on");
    }
    std::vector<std::int64_t> dims = m_shape.dims();
    dims[0] = count;
    std::vector<hsize_t> start(dims.size(), 0);
    const std::vector<hsize_t> extent(dims.begin(), dims.end());
    start[0] = static_cast<hsize_t>(first);
    const Hdf5Handle memorySpace(
        H5Screate_simple(static_cast<int>(extent.size()), extent.data(), nullptr), H5Sclose);
    const Hdf5Handle fileSpace(H5Scopy(m_space.id()), H5Sclose);
    if (count > 0
        && H5Sselect_hyperslab(fileSpace.id(), H5S_SELECT_SET, start.data(), nullptr, extent.data(), nullptr)
            < 0) {
        throwHdf5(ErrorCode::CorruptFile, m_name);
    }
    return readSelection(Shape(std::move(dims)), memorySpace.id(), fileSpace.id());
}

std::string Hdf5Dataset::readText() const
{
    const H5T_class_t kind = H5Tget_class(m_type.id());
    if (kind != H5T_STRING) {
        const DType type = elementType();
        if (m_shape.rank() != 1 || (type != DType::U8 && type != DType::I8)) {
            throw Error(ErrorCode::Unsupported, m_name + " is not text");
        }
        const Tensor bytes = read();
        return {reinterpret_cast<const char*>(bytes.bytes()), bytes.byteCount()};
    }
    if (m_shape.elementCount() != 1) {
        throw Error(ErrorCode::Unsupported, m_name + " holds " + m_shape.text() + " strings instead of one");
    }
    if (H5Tis_variable_str(m_type.id()) > 0) { // the library crashes on damaged heaps of such strings
        throw Error(
            ErrorCode::Unsupported, m_name + " is text of variable length; write it with a fixed length");
    }
    std::string text(H5Tget_size(m_type.id()), '\0');
    if (H5Dread(m_dataset.id(), m_type.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, text.data()) < 0) {
        throwHdf5(ErrorCode::CorruptFile, m_name);
    }
    text.erase(std::min(text.find('\0'), text.size()));
    return text;
}

} // namespace qs
