#include "tests/fuzz/mutator.h"

#include "core/base/error.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <utility>

namespace qs::fuzz {

Mutator::Mutator(std::vector<std::string> words, std::uint64_t seed)
    : m_words(std::move(words))
    , m_random(seed)
{
}

std::size_t Mutator::below(std::size_t count)
{
    return count == 0 ? 0 : static_cast<std::size_t>(m_random() % count);
}

std::string Mutator::mutated(std::string input, const std::string& other, std::size_t longest)
{
    const std::size_t changes = std::size_t {1} << below(4);
    for (std::size_t i = 0; i < changes; ++i) {
        changeOnce(input, other);
    }
    input.resize(std::min(input.size(), longest));
    return input;
}

void Mutator::changeOnce(std::string& input, const std::string& other)
{
    const std::size_t at = below(input.size() + 1);
    switch (below(8)) {
    case 0:
    case 1: changeByte(input); break;
    case 2: writeNumber(input); break;
    case 3: input.erase(at, 1 + below(below(2) == 0 ? 4 : 64)); break;
    case 4: moveBlock(input, input); break;
    case 5: moveBlock(input, other); break;
    case 6: input.resize(at); break;
    default:
        if (!m_words.empty()) {
            const std::string& word = m_words[below(m_words.size())];
            if (below(2) == 0) {
                input.insert(at, word);
            } else {
                input.replace(at, word.size(), word);
            }
        }
    }
}

void Mutator::changeByte(std::string& input)
{
    if (input.empty()) {
        return;
    }
    char& byte = input[below(input.size())];
    const auto random = static_cast<unsigned>(m_random());
    const unsigned old = static_cast<unsigned char>(byte);
    const std::array<unsigned, 3> candidates {old ^ 1U << random % 8U, old + 1 - random % 3U, random >> 8U};
    byte = static_cast<char>(candidates[below(candidates.size())] & 0xFFU);
}

/// A number at the edge of its range, 1 to 8 bytes, either byte order.
void Mutator::writeNumber(std::string& input)
{
    const std::size_t size = std::size_t {1} << below(4);
    if (input.size() < size) {
        return;
    }
    const std::uint64_t highest = ~std::uint64_t {0} >> (64 - 8 * size);
    const std::array<std::uint64_t, 7> numbers {
        0, 1, highest, highest - 1, highest / 2, highest / 2 + 1, below(1025)};
    const std::uint64_t number = numbers[below(numbers.size())];
    const std::size_t at = below(input.size() - size + 1);
    const bool bigEndian = below(2) == 0;
    for (std::size_t i = 0; i < size; ++i) {
        const std::size_t shift = 8 * (bigEndian ? size - 1 - i : i);
        input[at + i] = static_cast<char>(number >> shift & 0xFFU);
    }
}

void Mutator::moveBlock(std::string& input, const std::string& source)
{
    const std::size_t from = below(source.size() + 1);
    const std::string block = source.substr(from, 1 + below(128));
    const std::size_t at = below(input.size() + 1);
    if (below(2) == 0) {
        input.insert(at, block);
    } else {
        input.replace(at, block.size(), block);
    }
}

namespace {

/// The text between the outer quotes of a dictionary line, escapes resolved.
std::string wordOf(const std::string& line)
{
    const std::size_t begin = line.find('"');
    const std::size_t end = line.rfind('"');
    if (begin == std::string::npos || end == begin) {
        throw Error(ErrorCode::CorruptFile, "the dictionary line " + line + " holds no quoted word");
    }
    std::string word;
    for (std::size_t i = begin + 1; i < end; ++i) {
        if (line[i] == '\\' && line[i + 1] == 'x') {
            word += static_cast<char>(std::stoi(line.substr(i + 2, 2), nullptr, 16));
            i += 3;
        } else {
            if (line[i] == '\\') {
                ++i;
            }
            word += line[i];
        }
    }
    return word;
}

} // namespace

std::vector<std::string> readDictionary(const std::string& path)
{
    std::ifstream stream(path);
    if (!stream) {
        throw Error(ErrorCode::Io, "cannot open '" + path + "'");
    }
    std::vector<std::string> words;
    for (std::string line; std::getline(stream, line);) {
        if (!line.empty() && line[0] != '#') {
            words.push_back(wordOf(line));
        }
    }
    return words;
}

} // namespace qs::fuzz
