#pragma once

#include "core/tensor/tensor.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace qs {

/// Compression of a written dataset.
enum class Compression { None, Deflate };

/// An HDF5 file opened for reading, or being written. Paths are absolute inside the file
/// ("/sites/x/minimum"); missing groups on the way are made when writing. All calls throw Error(CorruptFile |
/// Unsupported | Io) naming file and path. Reading checks type, rank and size against the file before
/// allocating; external links, virtual datasets and external storage are refused, and so are filters other
/// than deflate, shuffle, szip and fletcher32. Calls of several files are serialised by the library's own
/// lock. Written files carry no times: equal content in equal order gives equal bytes.
class Hdf5File
{
public:
    [[nodiscard]] static Hdf5File openForReading(const std::filesystem::path& path);
    /// Creates or truncates `path`: give it AtomicFile::temporaryPath().
    [[nodiscard]] static Hdf5File create(const std::filesystem::path& path);
    Hdf5File(Hdf5File&&) noexcept;
    Hdf5File& operator=(Hdf5File&&) noexcept;
    ~Hdf5File();

    [[nodiscard]] bool exists(const std::string& path) const;
    [[nodiscard]] std::vector<std::string> children(const std::string& group) const; ///< sorted by name
    [[nodiscard]] bool isDataset(const std::string& path) const;
    [[nodiscard]] Shape shapeOf(const std::string& dataset) const;
    [[nodiscard]] Tensor readTensor(const std::string& dataset) const;
    /// Rows [first, first + count) along the first dimension.
    [[nodiscard]] Tensor readRows(const std::string& dataset, std::int64_t first, std::int64_t count) const;
    /// Text of any length kept as a dataset (a string, or a vector of bytes).
    [[nodiscard]] std::string readText(const std::string& dataset) const;
    [[nodiscard]] bool hasAttribute(const std::string& object, const std::string& attribute) const;
    /// Attributes hold one value; text is UTF-8 of fixed length (the library crashes on damaged
    /// variable-length text, so that is refused).
    [[nodiscard]] std::string readString(const std::string& object, const std::string& attribute) const;
    [[nodiscard]] std::int64_t readInteger(const std::string& object, const std::string& attribute) const;
    [[nodiscard]] double readReal(const std::string& object, const std::string& attribute) const;

    void writeTensor(
        const std::string& dataset, const Tensor& tensor, Compression compression = Compression::None);
    /// Text as one UTF-8 string dataset; not for text that contains or ends in zero characters.
    void writeText(const std::string& dataset, const std::string& text);
    void makeGroup(const std::string& group);
    void writeString(const std::string& object, const std::string& attribute, const std::string& text);
    void writeInteger(const std::string& object, const std::string& attribute, std::int64_t number);
    void writeReal(const std::string& object, const std::string& attribute, double number);
    /// Flushes and closes; throws where the destructor could not. Call before AtomicFile::commit().
    void close();

private:
    struct State;
    explicit Hdf5File(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

} // namespace qs
