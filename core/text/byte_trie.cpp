#include "core/text/byte_trie.h"

namespace qs {

void ByteTrie::insert(std::string_view key, int value)
{
    if (key.empty()) {
        return;
    }
    std::uint32_t node = 0;
    for (const char byte : key) {
        const auto next = static_cast<std::uint32_t>(m_values.size());
        const auto [child, isNew] = m_children.emplace(edge(node, byte), next);
        if (isNew) {
            m_values.push_back(-1);
        }
        node = child->second;
    }
    m_values[node] = value;
}

} // namespace qs
