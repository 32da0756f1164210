#pragma once

#include "core/io/image.h"

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

namespace qs {

/// Decodes a JPEG or PNG file, told apart by content, to the RGB pixels that Pillow's open().convert("RGB")
/// gives: grey is repeated, CMYK is converted naively after Adobe's inversion, alpha is dropped, EXIF
/// orientation is ignored (as torchvision and timm do). PNGs of 16 bits keep the high byte. Damaged data is
/// an error, never a partly grey picture. Throws Error(Io | CorruptFile | Unsupported) naming the file.
[[nodiscard]] Image decodeImage(const std::filesystem::path& path);

/// The same from bytes in memory; `name` is the subject of the error's sentence.
[[nodiscard]] Image decodeImage(std::span<const std::byte> bytes, const std::string& name);

/// True for names that end in .jpg, .jpeg or .png in any case.
[[nodiscard]] bool hasImageExtension(const std::filesystem::path& path);

/// Throws Error(CorruptFile) when `fileBytes` cannot hold width x height pixels at `pixelsPerByte`, and
/// Error(Unsupported) beyond 65535 a side or 178956970 pixels (Pillow's limit). For the decoders, before they
/// allocate.
void checkImageSize(std::uint64_t width, std::uint64_t height, std::uint64_t fileBytes,
    std::uint64_t pixelsPerByte, const std::string& name);

} // namespace qs
