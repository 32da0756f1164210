#pragma once

#include "core/io/hdf5_handle.h"
#include "core/tensor/tensor.h"

#include <cstdint>
#include <string>

namespace qs {

/// A dataset opened for reading whose layout, filters and sizes were checked against the file: reading
/// allocates no more than the file can hold (times deflate's largest ratio where it is compressed). Internal
/// to core/io.
class Hdf5Dataset
{
public:
    /// `name` is the sentence's subject ("'a.h5', dataset /x"); `fileBytes` the size of the file.
    /// Throws Error(CorruptFile | Unsupported).
    Hdf5Dataset(Hdf5Handle dataset, std::string name, std::uint64_t fileBytes);

    [[nodiscard]] const Shape& shape() const { return m_shape; }
    /// All values. Throws Error(CorruptFile | Unsupported).
    [[nodiscard]] Tensor read() const;
    /// Rows [first, first + count) of the first dimension. Throws Error(InvalidArgument) too.
    [[nodiscard]] Tensor readRows(std::int64_t first, std::int64_t count) const;
    /// One string (of fixed length), or a vector of bytes taken as text.
    [[nodiscard]] std::string readText() const;

private:
    void checkLayout();
    void checkFilters(std::int64_t creation);
    void checkSizes(std::int64_t creation);
    [[nodiscard]] DType elementType() const;
    [[nodiscard]] Tensor readSelection(Shape shape, std::int64_t memorySpace, std::int64_t fileSpace) const;

    Hdf5Handle m_dataset;
    Hdf5Handle m_type;
    Hdf5Handle m_space;
    std::string m_name;
    std::uint64_t m_fileBytes = 0;
    std::uint64_t m_expansion = 1; ///< largest ratio of values to stored bytes
    Shape m_shape;
};

} // namespace qs
