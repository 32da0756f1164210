#include "core/io/png_decoder.h"
#include "tests/fuzz/fuzz_target.h"

#include <cstdint>
#include <vector>
#include <zlib.h>

namespace {

std::uint32_t numberAt(const std::vector<std::byte>& bytes, std::size_t at)
{
    std::uint32_t number = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        number = number << 8U | std::to_integer<std::uint32_t>(bytes[at + i]);
    }
    return number;
}

/// Gives every whole chunk its right checksum: otherwise almost no change would get past it.
void repairChecksums(std::vector<std::byte>& bytes)
{
    constexpr std::size_t kSignature = 8;
    constexpr std::size_t kAround = 12; // length, type and checksum
    for (std::size_t at = kSignature; bytes.size() >= kAround && at <= bytes.size() - kAround;) {
        const std::size_t length = numberAt(bytes, at);
        if (length > bytes.size() - kAround - at) {
            return;
        }
        const std::size_t end = at + 8 + length;
        const auto checksum = crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data() + at + 4), length + 4);
        for (std::size_t i = 0; i < 4; ++i) {
            bytes[end + i] = static_cast<std::byte>(checksum >> (24 - 8 * i) & 0xFFU);
        }
        at = end + 4;
    }
}

} // namespace

void qs::fuzz::readHostileFile(std::span<const std::byte> bytes)
{
    std::vector<std::byte> repaired(bytes.begin(), bytes.end());
    repairChecksums(repaired);
    (void)decodePng(repaired, "the input");
}
