#include "core/io/jpeg_decoder.h"

#include "core/base/error.h"
#include "core/io/image_decoder.h"

#include <csetjmp>
#include <cstdio>

// jpeglib.h needs size_t and FILE to be known
#include <jpeglib.h>

#include <array>
#include <jerror.h>
#include <string_view>

namespace qs {

namespace {

// A flat picture needs at least a bit per block of 8 x 8, 512 pixels a byte; arithmetic coding less.
constexpr std::uint64_t kPixelsPerByte = 2048;
constexpr int kMaxScans = 500; // progressive files use about ten

/// One run of libjpeg. The library leaves through fail() by longjmp, which lands in the step that called it;
/// no step has a local object with a destructor.
class JpegRun
{
public:
    explicit JpegRun(std::span<const std::byte> bytes)
    {
        m_info.err = jpeg_std_error(&m_errors);
        m_errors.error_exit = [](j_common_ptr info) { from(info).fail(); };
        m_errors.emit_message = warn;
        m_errors.output_message = [](j_common_ptr) {};
        m_progress.progress_monitor = [](j_common_ptr info) { from(info).limitScans(); };
        m_info.client_data = this;
        create(bytes);
    }
    JpegRun(const JpegRun&) = delete;
    JpegRun& operator=(const JpegRun&) = delete;
    ~JpegRun() { jpeg_destroy_decompress(&m_info); }

    [[nodiscard]] const jpeg_decompress_struct& info() const { return m_info; }
    [[nodiscard]] const char* message() const { return m_message.data(); }

    /// Each step returns false after a failure; message() then says why.
    bool readHeader()
    {
        if (m_message[0] != '\0' || setjmp(m_jump) != 0) {
            return false;
        }
        jpeg_read_header(&m_info, TRUE);
        m_info.out_color_space = (m_info.num_components == 4) ? JCS_CMYK : JCS_RGB;
        return true;
    }
    /// `target`: height x width x output components.
    bool readRows(std::uint8_t* target, std::size_t rowBytes)
    {
        if (setjmp(m_jump) != 0) {
            return false;
        }
        jpeg_start_decompress(&m_info);
        while (m_info.output_scanline < m_info.output_height) {
            JSAMPROW row = target + m_info.output_scanline * rowBytes;
            jpeg_read_scanlines(&m_info, &row, 1);
        }
        jpeg_finish_decompress(&m_info);
        return true;
    }

private:
    static JpegRun& from(j_common_ptr info) { return *static_cast<JpegRun*>(info->client_data); }

    void create(std::span<const std::byte> bytes)
    {
        if (setjmp(m_jump) != 0) {
            return;
        }
        jpeg_create_decompress(&m_info);
        m_info.progress = &m_progress;
        jpeg_mem_src(&m_info, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
    }
    [[noreturn]] void fail()
    {
        m_errors.format_message(reinterpret_cast<j_common_ptr>(&m_info), m_message.data());
        std::longjmp(m_jump, 1);
    }
    void limitScans()
    {
        if (m_info.input_scan_number > kMaxScans) {
            m_errors.msg_code = JWRN_BOGUS_PROGRESSION;
            fail();
        }
    }
    static void warn(j_common_ptr info, int level)
    {
        if (level >= 0) {
            return; // a trace message
        }
        switch (info->err->msg_code) {
        case JWRN_EXTRANEOUS_DATA:
        case JWRN_ADOBE_XFORM:
        case JWRN_JFIF_MAJOR:
        case JWRN_TOO_MUCH_DATA: return;
        default: from(info).fail(); // the picture would come out wrong
        }
    }

    jpeg_decompress_struct m_info {};
    jpeg_error_mgr m_errors {};
    jpeg_progress_mgr m_progress {};
    std::jmp_buf m_jump {};
    std::array<char, JMSG_LENGTH_MAX> m_message {};
};

/// round(a * b / 255) for bytes.
int productOf255(int a, int b)
{
    const int product = a * b + 128;
    return (product + (product >> 8)) >> 8;
}

/// Inks as stored by Adobe (255 = none) to light: what passes black times what passes the colour, in Pillow's
/// rounding.
std::vector<std::uint8_t> rgbFromInk(const std::vector<std::uint8_t>& ink)
{
    std::vector<std::uint8_t> rgb(ink.size() / 4 * 3);
    for (std::size_t pixel = 0; pixel < ink.size() / 4; ++pixel) {
        const int white = ink[4 * pixel + 3];
        for (std::size_t channel = 0; channel < 3; ++channel) {
            const int colour = 255 - ink[4 * pixel + channel];
            rgb[3 * pixel + channel] = static_cast<std::uint8_t>(white - productOf255(colour, white));
        }
    }
    return rgb;
}

} // namespace

Image decodeJpeg(std::span<const std::byte> bytes, const std::string& name)
{
    JpegRun run(bytes);
    const auto refuse
        = [&] { throw Error(ErrorCode::CorruptFile, name + " is a damaged JPEG picture: " + run.message()); };
    if (!run.readHeader()) {
        refuse();
    }
    const int components = run.info().num_components;
    if (components != 1 && components != 3 && components != 4) {
        throw Error(ErrorCode::Unsupported,
            name + " has " + std::to_string(components) + " colour components; 1, 3 and 4 are read");
    }
    checkImageSize(run.info().image_width, run.info().image_height, bytes.size(), kPixelsPerByte, name);
    Image image {.width = run.info().image_width, .height = run.info().image_height, .pixels = {}};
    const std::size_t rowBytes = static_cast<std::size_t>(image.width) * (components == 4 ? 4 : 3);
    image.pixels.resize(rowBytes * static_cast<std::size_t>(image.height));
    if (!run.readRows(image.pixels.data(), rowBytes)) {
        refuse();
    }
    if (components == 4) {
        image.pixels = rgbFromInk(image.pixels);
    }
    return image;
}

} // namespace qs
