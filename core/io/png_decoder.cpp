#include "core/io/png_decoder.h"

#include "core/base/error.h"
#include "core/io/image_decoder.h"

#include <png.h>

#include <array>
#include <csetjmp>
#include <cstring>

namespace qs {

namespace {

constexpr std::uint64_t kMaxExpansion = 1032; // of deflate
constexpr std::size_t kMaxChunkBytes = 8U << 20U; // of text and profiles, which are read to be dropped

/// One run of libpng. The library leaves through fail() by longjmp, which lands in the step that called it;
/// no step has a local object with a destructor.
class PngRun
{
public:
    explicit PngRun(std::span<const std::byte> bytes)
        : m_bytes(bytes)
    {
        m_png
            = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, fail, [](png_structp, png_const_charp) {});
        m_info = (m_png != nullptr) ? png_create_info_struct(m_png) : nullptr;
        if (m_info == nullptr) {
            png_destroy_read_struct(&m_png, nullptr, nullptr);
            throw Error(ErrorCode::OutOfMemory, "no memory to read a PNG picture");
        }
    }
    PngRun(const PngRun&) = delete;
    PngRun& operator=(const PngRun&) = delete;
    ~PngRun() { png_destroy_read_struct(&m_png, &m_info, nullptr); }

    [[nodiscard]] const char* message() const { return m_message.data(); }
    [[nodiscard]] std::uint64_t width() const { return png_get_image_width(m_png, m_info); }
    [[nodiscard]] std::uint64_t height() const { return png_get_image_height(m_png, m_info); }
    [[nodiscard]] std::uint64_t bitsPerPixel() const
    {
        return std::uint64_t {png_get_bit_depth(m_png, m_info)} * png_get_channels(m_png, m_info);
    }

    /// Each step returns false after a failure; message() then says why.
    bool readHeader()
    {
        if (setjmp(m_jump) != 0) {
            return false;
        }
        png_set_read_fn(m_png, this, read);
        png_set_user_limits(m_png, 0x7FFFFFFF, 0x7FFFFFFF); // checkImageSize() decides
        png_set_chunk_malloc_max(m_png, kMaxChunkBytes);
        png_read_info(m_png, m_info);
        return true;
    }
    /// `rows`: height pointers to width x 3 bytes.
    bool readRows(png_bytepp rows)
    {
        if (setjmp(m_jump) != 0) {
            return false;
        }
        png_set_expand(m_png); // palettes and small depths to bytes
        png_set_strip_16(m_png);
        png_set_gray_to_rgb(m_png);
        png_set_strip_alpha(m_png);
        png_set_interlace_handling(m_png);
        png_read_update_info(m_png, m_info);
        if (png_get_rowbytes(m_png, m_info) != 3 * static_cast<std::size_t>(width())) {
            png_error(m_png, "rows of unexpected length");
        }
        png_read_image(m_png, rows);
        png_read_end(m_png, nullptr);
        return true;
    }

private:
    [[noreturn]] static void fail(png_structp png, png_const_charp text)
    {
        auto& run = *static_cast<PngRun*>(png_get_error_ptr(png));
        std::strncpy(run.m_message.data(), text, run.m_message.size() - 1);
        std::longjmp(run.m_jump, 1);
    }
    static void read(png_structp png, png_bytep target, std::size_t count)
    {
        auto& run = *static_cast<PngRun*>(png_get_io_ptr(png));
        if (count > run.m_bytes.size() - run.m_at) {
            png_error(png, "the file ends early");
        }
        std::memcpy(target, run.m_bytes.data() + run.m_at, count);
        run.m_at += count;
    }

    std::span<const std::byte> m_bytes;
    std::size_t m_at = 0;
    png_structp m_png = nullptr;
    png_infop m_info = nullptr;
    std::jmp_buf m_jump {};
    std::array<char, 200> m_message {};
};

/// Unsigned big-endian number of four bytes.
std::size_t numberAt(std::span<const std::byte> bytes, std::size_t at)
{
    std::size_t number = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        number = number << 8U | std::to_integer<std::size_t>(bytes[at + i]);
    }
    return number;
}

/// True when no chunk up to the last one, IEND, claims to be longer than the file: libpng takes memory for a
/// chunk of text before it sees whether the file goes on that long.
bool chunksFit(std::span<const std::byte> bytes)
{
    constexpr std::size_t kSignature = 8;
    constexpr std::size_t kHead = 8; // length and type
    constexpr std::size_t kChecksum = 4;
    constexpr std::size_t kEnd = 0x49454E44; // "IEND"
    for (std::size_t at = kSignature; at + kHead <= bytes.size();) {
        const std::size_t length = numberAt(bytes, at);
        if (length + kChecksum > bytes.size() - at - kHead) {
            return false;
        }
        if (numberAt(bytes, at + 4) == kEnd) {
            return true;
        }
        at += kHead + length + kChecksum;
    }
    return true; // libpng misses the end itself
}

} // namespace

Image decodePng(std::span<const std::byte> bytes, const std::string& name)
{
    if (!chunksFit(bytes)) {
        throw Error(ErrorCode::CorruptFile, name + " is a damaged PNG picture: the file ends early");
    }
    PngRun run(bytes);
    const auto refuse
        = [&] { throw Error(ErrorCode::CorruptFile, name + " is a damaged PNG picture: " + run.message()); };
    if (!run.readHeader()) {
        refuse();
    }
    checkImageSize(run.width(), run.height(), bytes.size(), kMaxExpansion * 8 / run.bitsPerPixel() + 1, name);
    Image image {.width = static_cast<std::int64_t>(run.width()),
        .height = static_cast<std::int64_t>(run.height()),
        .pixels = {}};
    const std::size_t rowBytes = static_cast<std::size_t>(image.width) * 3;
    image.pixels.resize(rowBytes * static_cast<std::size_t>(image.height));
    std::vector<png_bytep> rows(static_cast<std::size_t>(image.height));
    for (std::size_t y = 0; y < rows.size(); ++y) {
        rows[y] = image.pixels.data() + y * rowBytes;
    }
    if (!run.readRows(rows.data())) {
        refuse();
    }
    return image;
}

} // namespace qs
