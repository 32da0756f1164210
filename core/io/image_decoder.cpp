#include "core/io/image_decoder.h"

#include "core/base/error.h"
#include "core/base/mapped_file.h"
#include "core/io/jpeg_decoder.h"
#include "core/io/png_decoder.h"

#include <algorithm>
#include <string_view>

namespace qs {

namespace {

constexpr std::uint64_t kMaxSide = 65535;
constexpr std::uint64_t kMaxPixels = 178'956'970;

} // namespace

Image decodeImage(const std::filesystem::path& path)
{
    return decodeImage(MappedFile::open(path)->bytes(), "'" + path.string() + "'");
}

Image decodeImage(std::span<const std::byte> bytes, const std::string& name)
{
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (text.starts_with("\xFF\xD8\xFF")) {
        return decodeJpeg(bytes, name);
    }
    if (text.starts_with("\x89PNG\r\n\x1A\n")) {
        return decodePng(bytes, name);
    }
    throw Error(ErrorCode::CorruptFile, name + " is neither a JPEG nor a PNG picture");
}

bool hasImageExtension(const std::filesystem::path& path)
{
    std::string extension = path.extension().string();
    std::transform(extension.begin(), extension.end(), extension.begin(),
        [](char c) { return (c >= 'A' && c <= 'Z') ? static_cast<char>(c - 'A' + 'a') : c; });
    return extension == ".jpg" || extension == ".jpeg" || extension == ".png";
}

void checkImageSize(std::uint64_t width, std::uint64_t height, std::uint64_t fileBytes,
    std::uint64_t pixelsPerByte, const std::string& name)
{
    const std::string size = std::to_string(width) + " x " + std::to_string(height) + " pixels";
    if (width == 0 || height == 0) {
        throw Error(ErrorCode::CorruptFile, name + " has " + size);
    }
    if (width > kMaxSide || height > kMaxSide || width * height > kMaxPixels) {
        throw Error(ErrorCode::Unsupported,
            name + " has " + size + "; at most " + std::to_string(kMaxPixels) + " are read, 65535 a side");
    }
    if (width * height / pixelsPerByte > fileBytes) {
        throw Error(ErrorCode::CorruptFile,
            name + " claims " + size + ", far more than its " + std::to_string(fileBytes)
                + " bytes can hold");
    }
}

} // namespace qs
