#include "core/io/audio_source.h"

#include "core/base/error.h"
#include "core/io/wav_file.h"

#include <algorithm>

namespace qs {

namespace {

constexpr std::int64_t kSampleRate = 16000; ///< Hz, what speech models are trained on

} // namespace

AudioSource::AudioSource(std::vector<SampleEntry> entries, Shape sampleShape)
    : m_entries(std::move(entries))
    , m_shape(std::move(sampleShape))
{
}

const SampleEntry& AudioSource::entry(std::int64_t index) const
{
    if (index < 0 || index >= size()) {
        throw Error(ErrorCode::InvalidArgument,
            "there is no recording " + std::to_string(index) + " among " + std::to_string(size()));
    }
    return m_entries[static_cast<std::size_t>(index)];
}

Tensor AudioSource::load(std::int64_t index) const
{
    const std::filesystem::path& file = entry(index).file;
    const WavAudio audio = readWav(file);
    if (audio.sampleRate != kSampleRate) {
        throw Error(ErrorCode::Unsupported,
            "'" + file.string() + "' was recorded at " + std::to_string(audio.sampleRate)
                + " Hz; recordings at 16000 Hz are read, and nothing is resampled");
    }
    Tensor sample = Tensor::zeros(DType::F32, m_shape);
    const std::span<float> target = sample.mutableData<float>();
    std::copy_n(audio.samples.begin(), std::min(audio.samples.size(), target.size()), target.begin());
    return sample;
}

std::string AudioSource::hash() const
{
    const std::lock_guard lock(m_mutex);
    if (m_hash.empty()) {
        m_hash = hashOfSamples(preparation(), m_entries);
    }
    return m_hash;
}

std::string AudioSource::preparation() const
{
    return "16000 Hz, " + m_shape.text();
}

} // namespace qs
