#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace qs {

/// Sound of a WAV file.
struct WavAudio
{
    std::int64_t sampleRate = 0; ///< Hz
    std::vector<float> samples; ///< one channel; several are averaged. Integers are scaled to [-1, 1)
};

/// Reads a RIFF WAVE file: PCM of 8 (unsigned), 16, 24 or 32 bits or IEEE float of 32 or 64 bits, plain or
/// WAVE_FORMAT_EXTENSIBLE, 1 to 64 channels. Unknown chunks are passed over. An integer of b bits is divided
/// by 2^(b - 1). Throws Error: Io, CorruptFile (damaged, cut off, values that are not finite), Unsupported (a
/// compressed form), each naming the file.
[[nodiscard]] WavAudio readWav(const std::filesystem::path& path);
/// The same from memory; `name` is for sentences.
[[nodiscard]] WavAudio parseWav(std::span<const std::byte> bytes, const std::string& name);

} // namespace qs
