#include "core/text/tokenizer.h"
#include "tests/fuzz/fuzz_target.h"

/// A tokenizer.json, then used on a text with a bit of everything.
void qs::fuzz::readHostileFile(std::span<const std::byte> bytes)
{
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    const auto tokenizer = Tokenizer::parse(text, "tokenizer.json");
    (void)tokenizer->encode(
        " It's 12 \u00c4pfel,\r\n\n<s> e\u0301 \u4eca\u65e5 \U0001F600\u200d  [MASK]x\u0001 aaaaaaaaaaaa",
        "the text");
}
