#include "tests/fuzz/sectioned_input.h"

#include <algorithm>
#include <string_view>

namespace qs::fuzz {

std::map<std::string, std::span<const std::byte>> sectionsOf(std::span<const std::byte> bytes)
{
    constexpr std::string_view kMark = "=== ";
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    std::map<std::string, std::span<const std::byte>> sections;
    std::string name;
    std::size_t begin = 0;
    for (std::size_t line = 0; line < text.size();) {
        const std::size_t end = std::min(text.find('\n', line), text.size());
        const std::size_t next = std::min(end + 1, text.size());
        if (text.substr(line).starts_with(kMark)) {
            if (!name.empty()) {
                sections[name] = bytes.subspan(begin, line - begin);
            }
            name = text.substr(line + kMark.size(), end - line - kMark.size());
            begin = next;
        }
        line = next;
    }
    if (!name.empty()) {
        sections[name] = bytes.subspan(begin);
    }
    return sections;
}

} // namespace qs::fuzz
