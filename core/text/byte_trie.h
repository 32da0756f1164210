#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace qs {

/// Strings by their beginnings, each with a number: what stands at a place of a text is found in as many
/// steps as the longest of them has bytes.
class ByteTrie
{
public:
    /// An empty string is left out; of equal ones the last number counts.
    void insert(std::string_view key, int value);

    /// Calls visit(length, value) for every key that `text` starts with, shortest first.
    template<typename Visitor>
    void forEachPrefix(std::string_view text, Visitor visit) const
    {
        std::uint32_t node = 0;
        for (std::size_t i = 0; i < text.size(); ++i) {
            const auto child = m_children.find(edge(node, text[i]));
            if (child == m_children.end()) {
                return;
            }
            node = child->second;
            if (m_values[node] >= 0) {
                visit(i + 1, m_values[node]);
            }
        }
    }

private:
    [[nodiscard]] static std::uint64_t edge(std::uint32_t node, char byte)
    {
        return (std::uint64_t {node} << 8U) | static_cast<unsigned char>(byte);
    }

    std::unordered_map<std::uint64_t, std::uint32_t> m_children; ///< (node, byte) to node; 0 is the root
    std::vector<int> m_values {-1}; ///< by node; -1 = no key ends here
};

} // namespace qs
