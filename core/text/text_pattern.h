#pragma once

#include "core/io/json_reader.h"
#include "core/text/unicode.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qs {

/// A "pattern" of a tokenizer.json: a string that is looked for, or a regular expression.
class TextPattern
{
public:
    /// Reads {"String": …} or {"Regex": …}. Throws Error: CorruptFile, Unsupported.
    [[nodiscard]] static TextPattern read(const JsonReader& json);

    /// From left to right, none of them empty. Throws Error(Unsupported) as Pattern::matches().
    [[nodiscard]] std::vector<Pattern::Match> matches(std::string_view text) const;

private:
    std::string m_string;
    std::optional<Pattern> m_pattern; ///< instead of the string
};

} // namespace qs
