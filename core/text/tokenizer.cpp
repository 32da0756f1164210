#include "core/text/tokenizer.h"

#include "core/base/error.h"
#include "core/base/hash.h"
#include "core/base/mapped_file.h"
#include "core/io/json_text.h"
#include "core/text/bpe_model.h"
#include "core/text/unicode.h"
#include "core/text/word_piece_model.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <span>

namespace qs {

namespace fs = std::filesystem;

namespace {

using Json = nlohmann::json;

constexpr std::size_t kLargestFile = std::size_t {1} << 26U;

/// Text of a file of at most 64 MiB.
std::string textOf(const fs::path& file)
{
    const std::shared_ptr<const MappedFile> mapped = MappedFile::open(file);
    if (mapped->bytes().size() > kLargestFile) {
        throw Error(ErrorCode::CorruptFile,
            "'" + file.string() + "' has " + std::to_string(mapped->bytes().size())
                + " bytes, more than a tokenizer takes");
    }
    return {reinterpret_cast<const char*>(mapped->bytes().data()), mapped->bytes().size()};
}

bool isThere(const fs::path& file)
{
    std::error_code ignored;
    return fs::exists(file, ignored);
}

/// Runs read() and names the file in what it throws.
template<typename Read>
auto naming(const fs::path& file, Read read)
{
    try {
        return read();
    } catch (const Error& error) {
        const std::string sentence = error.what();
        if (error.code() == ErrorCode::Io || sentence.find(file.string()) != std::string::npos) {
            throw;
        }
        throw Error(error.code(), "cannot use '" + file.string() + "': " + sentence);
    }
}

std::vector<std::string> linesOf(const std::string& text)
{
    std::vector<std::string> lines;
    for (std::size_t start = 0; start < text.size();) {
        const std::size_t end = std::min(text.find('\n', start), text.size());
        std::string line = text.substr(start, end - start);
        if (line.ends_with('\r')) {
            line.pop_back();
        }
        lines.push_back(std::move(line));
        start = end + 1;
    }
    return lines;
}

/// tokenizer_config.json beside the vocabulary; an empty object where there is none.
Json tokenizerConfig(const fs::path& folder)
{
    const fs::path file = folder / "tokenizer_config.json";
    return isThere(file) ? readJsonFile(file) : Json::object();
}

bool flagOf(const Json& config, const char* key, bool fallback)
{
    const std::vector<JsonReader> found = JsonReader(config, "").optionalMember(key);
    return found.empty() ? fallback : found.front().boolean();
}

Json specialToken(const std::string& content, int id)
{
    return {{"id", id}, {"content", content}, {"single_word", false}, {"lstrip", false}, {"rstrip", false},
        {"normalized", false}, {"special", true}};
}

/// Those of the names that are in the vocabulary.
AddedTokens specialTokens(const Vocabulary& vocabulary, std::initializer_list<const char*> names)
{
    Json tokens = Json::array();
    for (const char* name : names) {
        if (const auto found = vocabulary.find(name); found != vocabulary.end()) {
            tokens.push_back(specialToken(name, found->second));
        }
    }
    return AddedTokens(JsonReader(tokens, "added_tokens"));
}

/// Words that occurred before, so that a common one goes through the model once.
class WordCache
{
public:
    explicit WordCache(const TokenModel& model)
        : m_model(model)
    {
    }
    void encode(const std::string& word, std::vector<std::int32_t>& ids)
    {
        constexpr std::size_t kLongest = 64;
        constexpr std::size_t kMost = 1 << 16;
        if (word.size() > kLongest) {
            m_model.encode(word, ids);
            return;
        }
        auto known = m_words.find(word);
        if (known == m_words.end()) {
            if (m_words.size() >= kMost) {
                m_words.clear();
            }
            known = m_words.emplace(word, std::vector<std::int32_t> {}).first;
            m_model.encode(word, known->second);
        }
        ids.insert(ids.end(), known->second.begin(), known->second.end());
    }

private:
    const TokenModel& m_model;
    std::unordered_map<std::string, std::vector<std::int32_t>> m_words;
};

} // namespace

std::shared_ptr<const Tokenizer> Tokenizer::open(const fs::path& folder)
{
    const fs::path file = folder / "tokenizer.json";
    if (isThere(file)) {
        return naming(file, [&] { return parse(textOf(file), file); });
    }
    if (isThere(folder / "vocab.json") && isThere(folder / "merges.txt")) {
        return naming(
            folder / "vocab.json", [&] { return std::shared_ptr<const Tokenizer>(fromMerges(folder)); });
    }
    if (isThere(folder / "vocab.txt")) {
        return naming(
            folder / "vocab.txt", [&] { return std::shared_ptr<const Tokenizer>(fromWordList(folder)); });
    }
    return nullptr;
}

std::shared_ptr<const Tokenizer> Tokenizer::parse(std::string_view text, const fs::path& file)
{
    const Json document = parseJson(text, file);
    const JsonReader root(document, "");
    std::shared_ptr<Tokenizer> tokenizer(new Tokenizer());
    tokenizer->m_hash = sha256(std::as_bytes(std::span(text.data(), text.size())));
    for (const JsonReader& normalizer : root.optionalMember("normalizer")) {
        tokenizer->m_normalizer = readNormalizer(normalizer);
    }
    for (const JsonReader& preTokenizer : root.optionalMember("pre_tokenizer")) {
        tokenizer->m_preTokenizer = readPreTokenizer(preTokenizer);
    }
    for (const JsonReader& added : root.optionalMember("added_tokens")) {
        tokenizer->m_added = AddedTokens(added);
    }
    for (const JsonReader& processor : root.optionalMember("post_processor")) {
        tokenizer->m_frame = readPostProcessor(processor);
    }
    tokenizer->m_model = readTokenModel(root.member("model"));
    tokenizer->finish();
    return tokenizer;
}

std::shared_ptr<Tokenizer> Tokenizer::fromMerges(const fs::path& folder)
{
    const std::string vocabularyText = textOf(folder / "vocab.json");
    const std::string mergesText = textOf(folder / "merges.txt");
    const Json document = parseJson(vocabularyText, folder / "vocab.json");
    Vocabulary vocabulary = readVocabulary(JsonReader(document, ""));
    std::vector<std::pair<std::string, std::string>> merges;
    for (const std::string& line : linesOf(mergesText)) {
        const std::size_t blank = line.find(' ');
        if (!line.starts_with("#version") && blank != std::string::npos) {
            merges.emplace_back(line.substr(0, blank), line.substr(blank + 1));
        }
    }
    std::shared_ptr<Tokenizer> tokenizer(new Tokenizer());
    const bool prefixSpace = flagOf(tokenizerConfig(folder), "add_prefix_space", false);
    const Json byteLevel {{"type", "ByteLevel"}, {"add_prefix_space", prefixSpace}};
    tokenizer->m_preTokenizer = readPreTokenizer(JsonReader(byteLevel, ""));
    tokenizer->m_added
        = specialTokens(vocabulary, {"<|endoftext|>", "<s>", "</s>", "<pad>", "<unk>", "<mask>"});
    if (vocabulary.contains("<s>") && vocabulary.contains("</s>")) { // RoBERTa's
        tokenizer->m_frame = {{vocabulary.at("<s>")}, {vocabulary.at("</s>")}};
    }
    const std::string both = vocabularyText + mergesText;
    tokenizer->m_hash = sha256(std::as_bytes(std::span(both.data(), both.size())));
    tokenizer->m_model = std::make_unique<BpeModel>(std::move(vocabulary), merges);
    tokenizer->finish();
    return tokenizer;
}

std::shared_ptr<Tokenizer> Tokenizer::fromWordList(const fs::path& folder)
{
    const std::string text = textOf(folder / "vocab.txt");
    Vocabulary vocabulary;
    int id = 0;
    for (std::string& line : linesOf(text)) {
        vocabulary[std::move(line)] = id++;
    }
    const Json config = tokenizerConfig(folder);
    Json normalizer {{"type", "BertNormalizer"}, {"clean_text", true},
        {"handle_chinese_chars", flagOf(config, "tokenize_chinese_chars", true)},
        {"lowercase", flagOf(config, "do_lower_case", true)}};
    if (config.contains("strip_accents")) {
        normalizer["strip_accents"] = config["strip_accents"];
    }
    const Json bert {{"type", "BertPreTokenizer"}};
    std::shared_ptr<Tokenizer> tokenizer(new Tokenizer());
    tokenizer->m_normalizer = readNormalizer(JsonReader(normalizer, ""));
    tokenizer->m_preTokenizer = readPreTokenizer(JsonReader(bert, ""));
    tokenizer->m_added = specialTokens(vocabulary, {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"});
    if (vocabulary.contains("[CLS]") && vocabulary.contains("[SEP]")) {
        tokenizer->m_frame = {{vocabulary.at("[CLS]")}, {vocabulary.at("[SEP]")}};
    }
    tokenizer->m_hash = sha256(std::as_bytes(std::span(text.data(), text.size())));
    tokenizer->m_model = std::make_unique<WordPieceModel>(std::move(vocabulary));
    tokenizer->finish();
    return tokenizer;
}

void Tokenizer::finish()
{
    m_largestId = std::max(m_model->largestId(), m_added.largestId());
    for (const std::vector<std::int32_t>* side : {&m_frame.before, &m_frame.after}) {
        for (const std::int32_t id : *side) {
            m_largestId = std::max(m_largestId, id);
        }
    }
}

std::vector<std::int32_t> Tokenizer::encode(std::string_view text, const std::string& subject) const
{
    requireUtf8(text, subject);
    WordCache words(*m_model);
    std::vector<std::int32_t> ids;
    for (const TokenOrText& part : m_added.split(text, AddedTokens::Stage::BeforeNormalizer)) {
        if (part.token >= 0) {
            ids.push_back(part.token);
            continue;
        }
        std::string inner(text.substr(part.begin, part.end - part.begin));
        if (m_normalizer) {
            inner = m_normalizer->apply(std::move(inner));
        }
        for (const TokenOrText& piece : m_added.split(inner, AddedTokens::Stage::AfterNormalizer)) {
            if (piece.token >= 0) {
                ids.push_back(piece.token);
                continue;
            }
            std::vector<TextPiece> pieces {
                {inner.substr(piece.begin, piece.end - piece.begin), part.begin == 0 && piece.begin == 0}};
            if (m_preTokenizer) {
                pieces = m_preTokenizer->split(std::move(pieces));
            }
            for (const TextPiece& word : pieces) {
                words.encode(word.text, ids);
            }
        }
    }
    return ids;
}

} // namespace qs
