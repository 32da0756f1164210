#pragma once

#include "core/io/json_reader.h"

#include <memory>
#include <string>
#include <vector>

namespace qs {

/// A piece of text on its way to the model.
struct TextPiece
{
    std::string text;
    bool atStart = false; ///< begins where the whole text begins
};

/// The "pre_tokenizer" of a tokenizer.json: cuts pieces of text into smaller ones, words in the end.
class PreTokenizer
{
public:
    virtual ~PreTokenizer() = default;
    /// Empty pieces are never given back.
    [[nodiscard]] virtual std::vector<TextPiece> split(std::vector<TextPiece> pieces) const = 0;
};

/// Reads ByteLevel, Whitespace, WhitespaceSplit, BertPreTokenizer, Metaspace, Split, Digits, Punctuation and
/// Sequence of them. Throws Error(Unsupported) naming another type, Error(CorruptFile) naming the value.
[[nodiscard]] std::unique_ptr<const PreTokenizer> readPreTokenizer(const JsonReader& json);

} // namespace qs
