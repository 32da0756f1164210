#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace qs {

/// The three entries of a .npy header's dictionary.
struct NpyHeader
{
    std::string description; ///< the element type, e.g. "<f4"
    bool fortranOrder = false;
    std::vector<std::int64_t> dims;
};

/// Parses the Python dictionary literal of a .npy header. `name` is the subject of the error's sentence.
/// Throws Error(CorruptFile); Error(Unsupported) for structured element types.
[[nodiscard]] NpyHeader parseNpyHeader(std::string_view text, const std::string& name);

} // namespace qs
