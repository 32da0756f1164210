#pragma once

#include "core/io/json_reader.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace qs {

/// Strings of a vocabulary and their numbers.
using Vocabulary = std::unordered_map<std::string, int>;

/// The "model" of a tokenizer.json: turns a word into tokens.
class TokenModel
{
public:
    virtual ~TokenModel() = default;
    /// Appends the tokens of a word that is not empty.
    virtual void encode(std::string_view word, std::vector<std::int32_t>& ids) const = 0;
    /// Largest token number of the vocabulary.
    [[nodiscard]] virtual int largestId() const = 0;
};

/// Reads BPE, WordPiece and Unigram. Throws Error(Unsupported) naming another type or an option that is not
/// supported, Error(CorruptFile) naming the value.
[[nodiscard]] std::unique_ptr<const TokenModel> readTokenModel(const JsonReader& json);

/// Reads an object of strings and numbers from 0 to 2^28.
[[nodiscard]] Vocabulary readVocabulary(const JsonReader& json);

/// Numbers of the 256 tokens "<0x00>" to "<0xFF>". Throws Error(CorruptFile) naming one that is missing.
[[nodiscard]] std::vector<std::int32_t> byteTokens(const Vocabulary& vocabulary);

} // namespace qs
