#pragma once

#include <cstddef>
#include <random>
#include <string>
#include <vector>

namespace qs::fuzz {

/// Changes bytes the way a fuzzer does, from a fixed seed: the same sequence on every machine.
class Mutator
{
public:
    /// \param words byte strings that mean something in the format; may be empty
    Mutator(std::vector<std::string> words, std::uint64_t seed);

    /// `input` after one to eight changes, at most `longest` bytes. \param other a second input to splice
    [[nodiscard]] std::string mutated(std::string input, const std::string& other, std::size_t longest);

private:
    [[nodiscard]] std::size_t below(std::size_t count); ///< uniform enough; 0 when count is 0
    void changeOnce(std::string& input, const std::string& other);
    void changeByte(std::string& input);
    void writeNumber(std::string& input);
    void moveBlock(std::string& input, const std::string& source);

    std::vector<std::string> m_words;
    std::mt19937_64 m_random;
};

/// The words of a libFuzzer dictionary: lines `name="text"` with \xNN, \\ and \" inside. Throws Error(Io |
/// CorruptFile).
[[nodiscard]] std::vector<std::string> readDictionary(const std::string& path);

} // namespace qs::fuzz
