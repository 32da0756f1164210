#pragma once

#include "core/io/hdf5_handle.h"
#include "core/tensor/dtype.h"

#include <cstdint>
#include <optional>

namespace qs {

/// The HDF5 type a tensor's elements have in memory and, little-endian, in files we write. Booleans are
/// h5py's enumeration {FALSE = 0, TRUE = 1} over a byte; F16 and BF16 are 2-byte floating-point types.
[[nodiscard]] Hdf5Handle hdf5TypeOf(DType type);

/// The element type stored under an HDF5 type (either byte order); nothing for strings, compounds,
/// references, odd integers and floats.
[[nodiscard]] std::optional<DType> dtypeOfHdf5(std::int64_t type);

/// A scalar UTF-8 string type of `bytes` bytes, zero-padded; at least one.
[[nodiscard]] Hdf5Handle hdf5TextType(std::size_t bytes);

} // namespace qs
