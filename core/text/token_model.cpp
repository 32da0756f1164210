#include "core/text/token_model.h"

#include "core/base/error.h"
#include "core/text/bpe_model.h"
#include "core/text/unigram_model.h"
#include "core/text/word_piece_model.h"

#include <array>

namespace qs {

std::unique_ptr<const TokenModel> readTokenModel(const JsonReader& json)
{
    std::string type;
    for (const JsonReader& stated : json.optionalMember("type")) {
        type = stated.string();
    }
    if (type.empty()) { // files of early versions
        type = json.optionalMember("merges").empty() ? "WordPiece" : "BPE";
    }
    if (type == "BPE") {
        return std::make_unique<BpeModel>(json);
    }
    if (type == "WordPiece") {
        return std::make_unique<WordPieceModel>(json);
    }
    if (type == "Unigram") {
        return std::make_unique<UnigramModel>(json);
    }
    throw Error(ErrorCode::Unsupported, "its model '" + plainSentence(type) + "' is not supported");
}

Vocabulary readVocabulary(const JsonReader& json)
{
    constexpr std::int64_t kMostTokens = std::int64_t {1} << 28U;
    Vocabulary vocabulary;
    for (const JsonReader::Member& member : json.members()) {
        vocabulary.emplace(member.key, static_cast<int>(member.value.integer(0, kMostTokens)));
    }
    if (vocabulary.empty()) {
        json.fail("is empty");
    }
    return vocabulary;
}

std::vector<std::int32_t> byteTokens(const Vocabulary& vocabulary)
{
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    std::vector<std::int32_t> tokens;
    for (std::size_t byte = 0; byte < 256; ++byte) {
        const std::string name = std::string("<0x") + kDigits[byte / 16] + kDigits[byte % 16] + ">";
        const auto found = vocabulary.find(name);
        if (found == vocabulary.end()) {
            throw Error(ErrorCode::CorruptFile, "its vocabulary has no '" + name + "' to fall back to");
        }
        tokens.push_back(found->second);
    }
    return tokens;
}

} // namespace qs
