#include "core/io/wav_file.h"

#include "core/base/error.h"
#include "core/base/mapped_file.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace qs {

namespace {

using Bytes = std::span<const std::byte>;

static_assert(std::endian::native == std::endian::little, "WAV files are little-endian");

constexpr std::uint32_t kPcm = 1;
constexpr std::uint32_t kFloat = 3;
constexpr std::uint32_t kExtensible = 0xFFFE;
constexpr std::uint32_t kMostChannels = 64;

/// What the "fmt " chunk says.
struct WavFormat
{
    std::uint32_t coding = 0; ///< kPcm or kFloat
    std::uint32_t channels = 0;
    std::uint32_t sampleRate = 0;
    std::uint32_t bits = 0; ///< per sample, as stored
};

template<typename T>
T numberAt(Bytes bytes, std::size_t offset)
{
    T value {};
    std::memcpy(&value, bytes.data() + offset, sizeof(T));
    return value;
}

[[noreturn]] void damaged(const std::string& name, const std::string& what)
{
    throw Error(ErrorCode::CorruptFile, name + " is a damaged WAV file: " + what);
}

bool isNamed(Bytes bytes, std::size_t offset, std::string_view tag)
{
    return std::memcmp(bytes.data() + offset, tag.data(), tag.size()) == 0;
}

WavFormat readFormat(Bytes chunk, const std::string& name)
{
    if (chunk.size() < 16) {
        damaged(name, "its format takes " + std::to_string(chunk.size()) + " bytes");
    }
    WavFormat format;
    format.coding = numberAt<std::uint16_t>(chunk, 0);
    format.channels = numberAt<std::uint16_t>(chunk, 2);
    format.sampleRate = numberAt<std::uint32_t>(chunk, 4);
    const std::uint32_t frameBytes = numberAt<std::uint16_t>(chunk, 12);
    format.bits = numberAt<std::uint16_t>(chunk, 14);
    if (format.coding == kExtensible) {
        if (chunk.size() < 40) {
            damaged(name, "its extensible format takes " + std::to_string(chunk.size()) + " bytes");
        }
        format.coding = numberAt<std::uint16_t>(chunk, 24); // the subformat's identifier starts with it
    }
    const bool known = format.coding == kPcm
        ? format.bits == 8 || format.bits == 16 || format.bits == 24 || format.bits == 32
        : format.coding == kFloat && (format.bits == 32 || format.bits == 64);
    if (!known) {
        throw Error(ErrorCode::Unsupported,
            name + " holds sound of format " + std::to_string(format.coding) + " with "
                + std::to_string(format.bits)
                + " bits; PCM of 8, 16, 24 or 32 bits and float of 32 or 64 are read");
    }
    if (format.channels == 0 || format.channels > kMostChannels || format.sampleRate == 0) {
        damaged(name,
            std::to_string(format.channels) + " channels at " + std::to_string(format.sampleRate) + " Hz");
    }
    if (frameBytes != format.channels * format.bits / 8) {
        damaged(name,
            "a frame of " + std::to_string(frameBytes) + " bytes for " + std::to_string(format.channels)
                + " channels of " + std::to_string(format.bits) + " bits");
    }
    return format;
}

double sampleAt(Bytes data, std::size_t offset, const WavFormat& format)
{
    if (format.coding == kFloat) {
        return format.bits == 32 ? static_cast<double>(numberAt<float>(data, offset))
                                 : numberAt<double>(data, offset);
    }
    switch (format.bits) {
    case 8: return (static_cast<double>(numberAt<std::uint8_t>(data, offset)) - 128.0) / 128.0;
    case 16: return static_cast<double>(numberAt<std::int16_t>(data, offset)) / 32768.0;
    case 24: {
        const std::uint32_t low = numberAt<std::uint16_t>(data, offset);
        const std::int32_t high = numberAt<std::int8_t>(data, offset + 2);
        return static_cast<double>(high * 65536 + static_cast<std::int32_t>(low)) / 8388608.0;
    }
    default: return static_cast<double>(numberAt<std::int32_t>(data, offset)) / 2147483648.0;
    }
}

std::vector<float> readSamples(Bytes data, const WavFormat& format, const std::string& name)
{
    const std::size_t sampleBytes = format.bits / 8;
    const std::size_t frameBytes = sampleBytes * format.channels;
    if (data.size() % frameBytes != 0) {
        damaged(name,
            std::to_string(data.size()) + " bytes of sound are not whole frames of "
                + std::to_string(frameBytes));
    }
    std::vector<float> samples(data.size() / frameBytes);
    for (std::size_t i = 0; i < samples.size(); ++i) {
        double sum = 0.0;
        for (std::size_t channel = 0; channel < format.channels; ++channel) {
            sum += sampleAt(data, i * frameBytes + channel * sampleBytes, format);
        }
        samples[i] = static_cast<float>(sum / static_cast<double>(format.channels));
        if (!std::isfinite(samples[i])) {
            damaged(name, "sample " + std::to_string(i) + " is not a finite number");
        }
    }
    return samples;
}

} // namespace

WavAudio readWav(const std::filesystem::path& path)
{
    const std::shared_ptr<const MappedFile> file = MappedFile::open(path);
    return parseWav(file->bytes(), "'" + path.string() + "'");
}

WavAudio parseWav(std::span<const std::byte> bytes, const std::string& name)
{
    if (bytes.size() < 12 || !isNamed(bytes, 0, "RIFF") || !isNamed(bytes, 8, "WAVE")) {
        throw Error(ErrorCode::CorruptFile, name + " is no WAV file");
    }
    std::optional<WavFormat> format;
    for (std::size_t offset = 12; bytes.size() - offset >= 8;) {
        const std::size_t size = numberAt<std::uint32_t>(bytes, offset + 4);
        const std::size_t start = offset + 8;
        if (size > bytes.size() - start) {
            damaged(name,
                "a part of " + std::to_string(size) + " bytes in the last "
                    + std::to_string(bytes.size() - start));
        }
        const Bytes chunk = bytes.subspan(start, size);
        if (isNamed(bytes, offset, "fmt ")) {
            format = readFormat(chunk, name);
        } else if (isNamed(bytes, offset, "data")) {
            if (!format) {
                damaged(name, "its sound comes before the format");
            }
            return {format->sampleRate, readSamples(chunk, *format, name)};
        }
        offset = std::min(bytes.size(), start + size + size % 2); // parts start at even offsets
    }
    damaged(name, "there is no sound in it");
}

} // namespace qs
