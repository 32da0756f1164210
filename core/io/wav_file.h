#pragma once

#include <cstdint>
#include <filesystem>
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

} // namespace qs
