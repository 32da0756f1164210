#include "core/io/text_source.h"

#include "core/base/error.h"
#include "core/base/mapped_file.h"

#include <algorithm>

namespace qs {

namespace {

constexpr std::size_t kLongestFile = std::size_t {1} << 26U;

} // namespace

TextSource::TextSource(std::vector<SampleEntry> files, std::shared_ptr<const Tokenizer> tokenizer, DType type,
    std::int64_t context, std::int64_t vocabulary)
    : m_files(std::move(files))
    , m_tokenizer(std::move(tokenizer))
    , m_type(type)
    , m_context(context)
{
    if (vocabulary > 0 && m_tokenizer->largestId() >= vocabulary) {
        throw Error(ErrorCode::InvalidArgument,
            "the tokenizer has the token " + std::to_string(m_tokenizer->largestId())
                + ", the model knows 0 to " + std::to_string(vocabulary - 1));
    }
    const SequenceFrame& frame = m_tokenizer->frame();
    const auto special = static_cast<std::int64_t>(frame.before.size() + frame.after.size());
    if (context <= special) {
        throw Error(ErrorCode::InvalidArgument,
            "a context of " + std::to_string(context) + " tokens leaves no room beside the "
                + std::to_string(special) + " special tokens of a sequence");
    }
    for (std::size_t file = 0; file < m_files.size(); ++file) {
        addFile(file, context - special);
    }
    if (m_chunks.empty()) {
        throw Error(ErrorCode::InvalidArgument,
            "the text has at most " + std::to_string(m_longest) + " tokens in one file, fewer than the "
                + std::to_string(context - special) + " of a sample of context " + std::to_string(context));
    }
}

void TextSource::addFile(std::size_t file, std::int64_t payload)
{
    const std::shared_ptr<const MappedFile> mapped = MappedFile::open(m_files[file].file);
    const std::string name = "'" + m_files[file].file.string() + "'";
    if (mapped->bytes().size() > kLongestFile) {
        throw Error(ErrorCode::Unsupported,
            name + " has " + std::to_string(mapped->bytes().size()) + " bytes; texts of up to "
                + std::to_string(kLongestFile) + " are read");
    }
    const std::string_view text(
        reinterpret_cast<const char*>(mapped->bytes().data()), mapped->bytes().size());
    const std::vector<std::int32_t> tokens = m_tokenizer->encode(text, name);
    m_longest = std::max(m_longest, tokens.size());
    const auto length = static_cast<std::size_t>(payload);
    const std::size_t count = tokens.size() / length;
    for (std::size_t i = 0; i < count; ++i) {
        m_chunks.push_back({file, m_tokens.size() + i * length, static_cast<std::int64_t>(i)});
    }
    m_tokens.insert(
        m_tokens.end(), tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(count * length));
}

const TextSource::Chunk& TextSource::chunk(std::int64_t index) const
{
    if (index < 0 || index >= size()) {
        throw Error(ErrorCode::InvalidArgument,
            "there is no piece " + std::to_string(index) + " among " + std::to_string(size())
                + " of the text");
    }
    return m_chunks[static_cast<std::size_t>(index)];
}

std::string TextSource::sampleName(std::int64_t index) const
{
    const Chunk& piece = chunk(index);
    return m_files[piece.file].name + " #" + std::to_string(piece.number);
}

std::optional<int> TextSource::label(std::int64_t index) const
{
    return m_files[chunk(index).file].label;
}

Tensor TextSource::load(std::int64_t index) const
{
    const SequenceFrame& frame = m_tokenizer->frame();
    std::vector<std::int32_t> ids = frame.before;
    const auto payload = static_cast<std::size_t>(m_context) - frame.before.size() - frame.after.size();
    const auto begin = m_tokens.begin() + static_cast<std::ptrdiff_t>(chunk(index).begin);
    ids.insert(ids.end(), begin, begin + static_cast<std::ptrdiff_t>(payload));
    ids.insert(ids.end(), frame.after.begin(), frame.after.end());
    if (m_type == DType::I32) {
        return Tensor::of<std::int32_t>(Shape {m_context}, std::span<const std::int32_t>(ids));
    }
    Tensor sample(DType::I64, Shape {m_context});
    std::ranges::copy(ids, sample.mutableData<std::int64_t>().begin());
    return sample;
}

std::string TextSource::hash() const
{
    const std::lock_guard lock(m_mutex);
    if (m_hash.empty()) {
        m_hash = hashOfSamples(preparation(), m_files);
    }
    return m_hash;
}

std::string TextSource::preparation() const
{
    return "context " + std::to_string(m_context) + ", tokenizer " + m_tokenizer->hash();
}

} // namespace qs
