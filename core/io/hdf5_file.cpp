#include "core/io/hdf5_file.h"

#include "core/base/error.h"
#include "core/io/hdf5_dataset.h"
#include "core/io/hdf5_handle.h"
#include "core/io/hdf5_type.h"

#include <hdf5.h>

#include <algorithm>
#include <cmath>

namespace qs {

struct Hdf5File::State
{
    std::filesystem::path path;
    std::uint64_t fileBytes = UINT64_MAX; ///< what the checks of reading are held against
    bool writing = false;
    Hdf5Handle file;
    Hdf5Handle linkAccess; ///< refuses external links wherever a path or soft link leads
    Hdf5Handle groupCreation;
    Hdf5Handle linkCreation; ///< UTF-8 names

    [[nodiscard]] std::string subject(const std::string& object) const
    {
        return "'" + path.string() + "', " + object;
    }
    [[noreturn]] void fail(const std::string& object) const
    {
        throwHdf5(writing ? ErrorCode::Io : ErrorCode::CorruptFile, subject(object));
    }
    void requireWriting(const std::string& object) const
    {
        if (!writing) {
            throw Error(ErrorCode::InvalidArgument,
                subject(object) + " cannot be written: the file is open for reading");
        }
    }
    void makeProperties();
    [[nodiscard]] Hdf5Handle open(const std::string& object) const;
    [[nodiscard]] Hdf5Dataset openDataset(const std::string& dataset) const;
    [[nodiscard]] Hdf5Handle openAttribute(const std::string& object, const std::string& attribute) const;
    void makeGroups(const std::string& group) const;
    void writeAttribute(
        const std::string& object, const std::string& attribute, std::int64_t type, const void* data);
    void writeDataset(const std::string& dataset, std::int64_t type, std::int64_t space,
        std::int64_t creation, const void* data);
};

namespace {

herr_t refuseExternalLink(const char*, const char*, const char*, const char*, unsigned*, hid_t, void*)
{
    return -1;
}

/// "/a/b" -> {"a", "b"}; "/" -> {}.
std::vector<std::string> components(const std::string& path)
{
    std::vector<std::string> parts;
    bool good = !path.empty() && path[0] == '/';
    for (std::size_t start = 1; good && start < path.size();) {
        const std::size_t end = std::min(path.find('/', start), path.size());
        parts.push_back(path.substr(start, end - start));
        good = !parts.back().empty() && parts.back() != "." && parts.back() != ".." && end + 1 != path.size();
        start = end + 1;
    }
    if (!good || path.find('\0') != std::string::npos) {
        throw Error(ErrorCode::InvalidArgument, "'" + path + "' is no absolute path inside an HDF5 file");
    }
    return parts;
}

std::string parentOf(const std::string& path)
{
    const std::size_t slash = path.rfind('/');
    return slash == 0 ? "/" : path.substr(0, slash);
}

/// Chunks of whole trailing dimensions, about a mebibyte each.
std::vector<hsize_t> chunkDims(const Shape& shape, std::size_t elementBytes)
{
    std::vector<hsize_t> dims(shape.dims().begin(), shape.dims().end());
    hsize_t bytes = elementBytes * static_cast<hsize_t>(shape.elementCount());
    constexpr hsize_t kTarget = hsize_t {1} << 20;
    for (hsize_t& dim : dims) {
        if (bytes <= kTarget) {
            break;
        }
        const hsize_t inner = bytes / dim;
        dim = std::clamp<hsize_t>(kTarget / std::max<hsize_t>(1, inner), 1, dim);
        bytes = inner * dim;
    }
    return dims;
}

struct NameList
{
    std::vector<std::string> names;
    std::uint64_t limit = 0;
    bool overflow = false;
};

herr_t collectName(hid_t, const char* name, const H5L_info_t*, void* target)
{
    auto& list = *static_cast<NameList*>(target);
    try {
        if (list.names.size() >= list.limit) {
            list.overflow = true;
            return -1;
        }
        list.names.emplace_back(name);
        return 0;
    } catch (...) { // nothing may pass through the C library
        return -1;
    }
}

} // namespace

void Hdf5File::State::makeProperties()
{
    linkAccess = Hdf5Handle(H5Pcreate(H5P_LINK_ACCESS), H5Pclose);
    groupCreation = Hdf5Handle(H5Pcreate(H5P_GROUP_CREATE), H5Pclose);
    linkCreation = Hdf5Handle(H5Pcreate(H5P_LINK_CREATE), H5Pclose);
    if (H5Pset_elink_cb(linkAccess.id(), refuseExternalLink, nullptr) < 0
        || H5Pset_obj_track_times(groupCreation.id(), false) < 0
        || H5Pset_char_encoding(linkCreation.id(), H5T_CSET_UTF8) < 0) {
        throwHdf5(ErrorCode::Internal, "HDF5 refused its properties");
    }
}

Hdf5Handle Hdf5File::State::open(const std::string& object) const
{
    silenceHdf5();
    std::string walked;
    for (const std::string& part : components(object)) {
        walked += "/" + part;
        const int found = H5Lexists(file.id(), walked.c_str(), linkAccess.id());
        if (found == 0) {
            throw Error(ErrorCode::CorruptFile, subject(object) + " does not exist");
        }
        H5L_info_t link {};
        if (found < 0 || H5Lget_info(file.id(), walked.c_str(), &link, linkAccess.id()) < 0) {
            fail(object + " cannot be reached");
        }
        if (link.type != H5L_TYPE_HARD && link.type != H5L_TYPE_SOFT) {
            throw Error(ErrorCode::Unsupported, subject(walked) + " is a link to another file");
        }
    }
    Hdf5Handle handle(H5Oopen(file.id(), object.c_str(), linkAccess.id()), H5Oclose);
    if (!handle.valid()) {
        fail(object);
    }
    return handle;
}

Hdf5Dataset Hdf5File::State::openDataset(const std::string& dataset) const
{
    Hdf5Handle handle = open(dataset);
    if (H5Iget_type(handle.id()) != H5I_DATASET) {
        throw Error(ErrorCode::CorruptFile, subject(dataset) + " is not a dataset");
    }
    return {std::move(handle), subject(dataset), fileBytes};
}

Hdf5Handle Hdf5File::State::openAttribute(const std::string& object, const std::string& attribute) const
{
    const Hdf5Handle owner = open(object);
    if (H5Aexists(owner.id(), attribute.c_str()) <= 0) {
        H5Eclear2(H5E_DEFAULT);
        throw Error(ErrorCode::CorruptFile, subject(object) + " has no attribute '" + attribute + "'");
    }
    Hdf5Handle handle(H5Aopen(owner.id(), attribute.c_str(), H5P_DEFAULT), H5Aclose);
    const Hdf5Handle space(handle.valid() ? H5Aget_space(handle.id()) : -1, H5Sclose);
    if (!space.valid()) {
        fail(object + ", attribute '" + attribute + "'");
    }
    if (H5Sget_simple_extent_npoints(space.id()) != 1 || H5Aget_storage_size(handle.id()) > fileBytes) {
        throw Error(
            ErrorCode::CorruptFile, subject(object) + ": attribute '" + attribute + "' is not one value");
    }
    return handle;
}

void Hdf5File::State::makeGroups(const std::string& group) const
{
    std::string walked;
    for (const std::string& part : components(group)) {
        walked += "/" + part;
        if (H5Lexists(file.id(), walked.c_str(), H5P_DEFAULT) > 0) {
            continue;
        }
        const Hdf5Handle made(
            H5Gcreate2(file.id(), walked.c_str(), linkCreation.id(), groupCreation.id(), H5P_DEFAULT),
            H5Gclose);
        if (!made.valid()) {
            fail(walked);
        }
    }
}

void Hdf5File::State::writeAttribute(
    const std::string& object, const std::string& attribute, std::int64_t type, const void* data)
{
    requireWriting(object);
    const Hdf5Handle owner = open(object);
    if (H5Aexists(owner.id(), attribute.c_str()) > 0 && H5Adelete(owner.id(), attribute.c_str()) < 0) {
        fail(object);
    }
    const Hdf5Handle space(H5Screate(H5S_SCALAR), H5Sclose);
    const Hdf5Handle handle(
        H5Acreate2(owner.id(), attribute.c_str(), type, space.id(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
    if (!handle.valid() || H5Awrite(handle.id(), type, data) < 0) {
        fail(object + ", attribute '" + attribute + "'");
    }
}

void Hdf5File::State::writeDataset(const std::string& dataset, std::int64_t type, std::int64_t space,
    std::int64_t creation, const void* data)
{
    H5Pset_obj_track_times(creation, false); // equal content gives equal bytes
    const Hdf5Handle handle(
        H5Dcreate2(file.id(), dataset.c_str(), type, space, linkCreation.id(), creation, H5P_DEFAULT),
        H5Dclose);
    if (!handle.valid()
        || (data != nullptr && H5Dwrite(handle.id(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0)) {
        fail(dataset);
    }
}

Hdf5File::Hdf5File(std::unique_ptr<State> state)
    : m_state(std::move(state))
{
}

Hdf5File::Hdf5File(Hdf5File&&) noexcept = default;
Hdf5File& Hdf5File::operator=(Hdf5File&&) noexcept = default;
Hdf5File::~Hdf5File() = default;

Hdf5File Hdf5File::openForReading(const std::filesystem::path& path)
{
    silenceHdf5();
    std::error_code error;
    auto state = std::make_unique<State>();
    state->path = path;
    if (!std::filesystem::is_regular_file(path, error)) {
        throw Error(ErrorCode::Io, "'" + path.string() + "' is not a file");
    }
    state->fileBytes = std::filesystem::file_size(path, error);
    if (error) {
        throw Error(ErrorCode::Io, "cannot examine '" + path.string() + "': " + error.message());
    }
    state->makeProperties();
    state->file = Hdf5Handle(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose);
    if (!state->file.valid()) {
        throwHdf5(ErrorCode::CorruptFile, "'" + path.string() + "' cannot be read as HDF5");
    }
    return Hdf5File(std::move(state));
}

Hdf5File Hdf5File::create(const std::filesystem::path& path)
{
    silenceHdf5();
    auto state = std::make_unique<State>();
    state->path = path;
    state->writing = true;
    state->makeProperties();
    const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
    const Hdf5Handle creation(H5Pcreate(H5P_FILE_CREATE), H5Pclose);
    // The 1.8 format: checksums over most metadata, and read by every HDF5 in use.
    if (H5Pset_libver_bounds(access.id(), H5F_LIBVER_V18, H5F_LIBVER_V110) < 0
        || H5Pset_obj_track_times(creation.id(), false) < 0) {
        throwHdf5(ErrorCode::Internal, "HDF5 refused its properties");
    }
    state->file = Hdf5Handle(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation.id(), access.id()), H5Fclose);
    if (!state->file.valid()) {
        throwHdf5(ErrorCode::Io, "cannot create '" + path.string() + "'");
    }
    return Hdf5File(std::move(state));
}

bool Hdf5File::exists(const std::string& path) const
{
    silenceHdf5();
    std::string walked;
    for (const std::string& part : components(path)) {
        walked += "/" + part;
        const bool found = H5Lexists(m_state->file.id(), walked.c_str(), m_state->linkAccess.id()) > 0
            && H5Oexists_by_name(m_state->file.id(), walked.c_str(), m_state->linkAccess.id()) > 0;
        H5Eclear2(H5E_DEFAULT);
        if (!found) {
            return false;
        }
    }
    return true;
}

std::vector<std::string> Hdf5File::children(const std::string& group) const
{
    const Hdf5Handle handle = m_state->open(group);
    if (H5Iget_type(handle.id()) != H5I_GROUP) {
        throw Error(ErrorCode::CorruptFile, m_state->subject(group) + " is not a group");
    }
    NameList list {.names = {}, .limit = m_state->fileBytes, .overflow = false};
    if (H5Literate(handle.id(), H5_INDEX_NAME, H5_ITER_NATIVE, nullptr, collectName, &list) < 0) {
        m_state->fail(group);
    }
    std::sort(list.names.begin(), list.names.end());
    return list.names;
}

bool Hdf5File::isDataset(const std::string& path) const
{
    return exists(path) && H5Iget_type(m_state->open(path).id()) == H5I_DATASET;
}

Shape Hdf5File::shapeOf(const std::string& dataset) const
{
    return m_state->openDataset(dataset).shape();
}

Tensor Hdf5File::readTensor(const std::string& dataset) const
{
    return m_state->openDataset(dataset).read();
}

Tensor Hdf5File::readRows(const std::string& dataset, std::int64_t first, std::int64_t count) const
{
    return m_state->openDataset(dataset).readRows(first, count);
}

std::string Hdf5File::readText(const std::string& dataset) const
{
    return m_state->openDataset(dataset).readText();
}

bool Hdf5File::hasAttribute(const std::string& object, const std::string& attribute) const
{
    const Hdf5Handle owner = m_state->open(object);
    const bool found = H5Aexists(owner.id(), attribute.c_str()) > 0;
    H5Eclear2(H5E_DEFAULT);
    return found;
}

std::string Hdf5File::readString(const std::string& object, const std::string& attribute) const
{
    const Hdf5Handle handle = m_state->openAttribute(object, attribute);
    const Hdf5Handle type(H5Aget_type(handle.id()), H5Tclose);
    const std::string what = object + ", attribute '" + attribute + "'";
    if (!type.valid() || H5Tget_class(type.id()) != H5T_STRING) {
        throw Error(ErrorCode::CorruptFile, m_state->subject(what) + " is not text");
    }
    if (H5Tis_variable_str(type.id()) > 0) { // the library crashes on damaged heaps of such strings
        throw Error(ErrorCode::Unsupported,
            m_state->subject(what) + " is text of variable length; write it with a fixed length");
    }
    if (H5Tget_size(type.id()) > m_state->fileBytes) {
        throw Error(ErrorCode::CorruptFile, m_state->subject(what) + " is longer than the file");
    }
    std::string text(H5Tget_size(type.id()), '\0');
    if (H5Aread(handle.id(), type.id(), text.data()) < 0) {
        m_state->fail(what);
    }
    text.erase(std::min(text.find('\0'), text.size()));
    return text;
}

std::int64_t Hdf5File::readInteger(const std::string& object, const std::string& attribute) const
{
    const Hdf5Handle handle = m_state->openAttribute(object, attribute);
    const Hdf5Handle type(H5Aget_type(handle.id()), H5Tclose);
    const std::string what = object + ", attribute '" + attribute + "'";
    if (!type.valid() || H5Tget_class(type.id()) != H5T_INTEGER || !dtypeOfHdf5(type.id())) {
        throw Error(ErrorCode::CorruptFile, m_state->subject(what) + " is not an integer");
    }
    std::int64_t number = 0;
    if (dtypeOfHdf5(type.id()) == DType::U64) {
        std::uint64_t wide = 0;
        if (H5Aread(handle.id(), H5T_NATIVE_UINT64, &wide) < 0) {
            m_state->fail(what);
        }
        if (wide > static_cast<std::uint64_t>(INT64_MAX)) {
            throw Error(ErrorCode::CorruptFile, m_state->subject(what) + " is " + std::to_string(wide));
        }
        number = static_cast<std::int64_t>(wide);
    } else if (H5Aread(handle.id(), H5T_NATIVE_INT64, &number) < 0) {
        m_state->fail(what);
    }
    return number;
}

double Hdf5File::readReal(const std::string& object, const std::string& attribute) const
{
    const Hdf5Handle handle = m_state->openAttribute(object, attribute);
    const Hdf5Handle type(H5Aget_type(handle.id()), H5Tclose);
    const std::string what = object + ", attribute '" + attribute + "'";
    const bool known = type.valid() && dtypeOfHdf5(type.id()).has_value()
        && (H5Tget_class(type.id()) == H5T_FLOAT || H5Tget_class(type.id()) == H5T_INTEGER);
    if (!known) {
        throw Error(ErrorCode::CorruptFile, m_state->subject(what) + " is not a number");
    }
    double number = 0;
    if (H5Aread(handle.id(), H5T_NATIVE_DOUBLE, &number) < 0) {
        m_state->fail(what);
    }
    return number;
}

void Hdf5File::writeTensor(const std::string& dataset, const Tensor& tensor, Compression compression)
{
    m_state->requireWriting(dataset);
    makeGroup(parentOf(dataset));
    const Shape& shape = tensor.shape();
    const std::vector<hsize_t> dims(shape.dims().begin(), shape.dims().end());
    const Hdf5Handle space(dims.empty()
            ? H5Screate(H5S_SCALAR)
            : H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr),
        H5Sclose);
    const Hdf5Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    H5Pset_fill_time(creation.id(), H5D_FILL_TIME_NEVER);
    if (compression == Compression::Deflate && !dims.empty() && shape.elementCount() > 0) {
        const std::vector<hsize_t> chunk = chunkDims(shape, sizeOf(tensor.dtype()));
        if (H5Pset_chunk(creation.id(), static_cast<int>(chunk.size()), chunk.data()) < 0
            || H5Pset_shuffle(creation.id()) < 0 || H5Pset_deflate(creation.id(), 4) < 0) {
            m_state->fail(dataset);
        }
    }
    m_state->writeDataset(dataset, hdf5TypeOf(tensor.dtype()).id(), space.id(), creation.id(),
        shape.elementCount() > 0 ? tensor.bytes() : nullptr);
}

void Hdf5File::writeText(const std::string& dataset, const std::string& text)
{
    m_state->requireWriting(dataset);
    makeGroup(parentOf(dataset));
    const Hdf5Handle space(H5Screate(H5S_SCALAR), H5Sclose);
    const Hdf5Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    const Hdf5Handle type = hdf5TextType(std::max<std::size_t>(1, text.size()));
    m_state->writeDataset(dataset, type.id(), space.id(), creation.id(), text.c_str());
}

void Hdf5File::makeGroup(const std::string& group)
{
    silenceHdf5();
    m_state->requireWriting(group);
    m_state->makeGroups(group);
}

void Hdf5File::writeString(const std::string& object, const std::string& attribute, const std::string& text)
{
    m_state->writeAttribute(object, attribute, hdf5TextType(text.size() + 1).id(), text.c_str());
}

void Hdf5File::writeInteger(const std::string& object, const std::string& attribute, std::int64_t number)
{
    m_state->writeAttribute(object, attribute, H5T_STD_I64LE, &number);
}

void Hdf5File::writeReal(const std::string& object, const std::string& attribute, double number)
{
    m_state->writeAttribute(object, attribute, H5T_IEEE_F64LE, &number);
}

void Hdf5File::close()
{
    silenceHdf5();
    const bool flushed = !m_state->writing || H5Fflush(m_state->file.id(), H5F_SCOPE_GLOBAL) >= 0;
    const bool closed = m_state->file.reset();
    if (!flushed || !closed) {
        m_state->fail("/");
    }
}

} // namespace qs
