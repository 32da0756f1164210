#pragma once

#include "core/io/json_reader.h"

#include <memory>
#include <string>

namespace qs {

/// The "normalizer" of a tokenizer.json: rewrites text before it is cut into words.
class TextNormalizer
{
public:
    virtual ~TextNormalizer() = default;
    [[nodiscard]] virtual std::string apply(std::string text) const = 0;
};

/// Reads NFC, NFD, NFKC, NFKD, Lowercase, StripAccents, BertNormalizer, Prepend, Replace, Strip, Precompiled
/// and Sequence of them. Precompiled (SentencePiece's table) is done as the rules its tables are made from:
/// control characters out, kinds of blanks to a space, NFKC except for U+FF5E. Throws Error(Unsupported)
/// naming another type, Error(CorruptFile) naming the value.
[[nodiscard]] std::unique_ptr<const TextNormalizer> readNormalizer(const JsonReader& json);

} // namespace qs
