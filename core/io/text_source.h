#pragma once

#include "core/io/data_source.h"
#include "core/io/sample_listing.h"
#include "core/text/tokenizer.h"

#include <memory>
#include <mutex>
#include <vector>

namespace qs {

/// Text files as token ids [context]: each file is cut into pieces that, with the special tokens the
/// tokenizer puts around a sequence, have that many tokens; what is left at a file's end is not used, so
/// nothing is filled up.
class TextSource final : public DataSource
{
public:
    /// Reads and tokenizes all files, of at most 64 MiB each. `type` is I64 or I32; `vocabulary` the number
    /// of ids the model knows, 0 = unknown. Throws Error: Io; CorruptFile naming file and offset where it is
    /// not UTF-8; InvalidArgument when no file is long enough or the tokenizer knows more tokens than the
    /// model.
    TextSource(std::vector<SampleEntry> files, std::shared_ptr<const Tokenizer> tokenizer, DType type,
        std::int64_t context, std::int64_t vocabulary);

    [[nodiscard]] std::int64_t size() const override { return static_cast<std::int64_t>(m_chunks.size()); }
    [[nodiscard]] std::string sampleName(std::int64_t index) const override; ///< "file.txt #3"
    [[nodiscard]] std::optional<int> label(std::int64_t index) const override;
    [[nodiscard]] std::filesystem::path samplePath(std::int64_t) const override { return {}; }
    [[nodiscard]] Tensor load(std::int64_t index) const override;
    [[nodiscard]] std::string hash() const override;
    [[nodiscard]] std::string preparation() const override;

private:
    /// Tokens [begin, begin + payload) of m_tokens.
    struct Chunk
    {
        std::size_t file = 0;
        std::size_t begin = 0;
        std::int64_t number = 0; ///< within the file
    };

    void addFile(std::size_t file, std::int64_t payload);
    [[nodiscard]] const Chunk& chunk(std::int64_t index) const;

    std::vector<SampleEntry> m_files;
    std::shared_ptr<const Tokenizer> m_tokenizer;
    DType m_type;
    std::int64_t m_context;
    std::vector<std::int32_t> m_tokens; ///< of all files, one after the other, tails left out
    std::vector<Chunk> m_chunks;
    std::size_t m_longest = 0; ///< tokens of the longest file
    mutable std::mutex m_mutex; ///< guards m_hash
    mutable std::string m_hash; ///< empty until asked for
};

} // namespace qs
