#pragma once

#include "core/tensor/tensor.h"

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

namespace qs {

/// Reads a NumPy .npy file of version 1, 2 or 3: little-endian floats of 2, 4, 8 bytes, integers of 1, 2, 4,
/// 8 bytes, booleans. Values stored in C order stay in the mapped file; Fortran order is copied into C order.
/// Throws Error(Io | CorruptFile | Unsupported) naming the file; pickled objects are refused.
[[nodiscard]] Tensor readNpy(const std::filesystem::path& path);

/// The same from bytes in memory, kept alive by `owner`; `name` is the subject of the error's sentence.
[[nodiscard]] Tensor parseNpy(
    std::span<const std::byte> bytes, const std::shared_ptr<const void>& owner, const std::string& name);

/// Writes version 1.0 in C order, atomically. Throws Error(Io), or Error(Unsupported) for BF16, which NumPy
/// lacks.
void writeNpy(const std::filesystem::path& path, const Tensor& tensor);

} // namespace qs
