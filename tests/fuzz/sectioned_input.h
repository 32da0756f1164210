#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>

namespace qs::fuzz {

/// Several small text files in one input: a line "=== NAME" begins the file NAME, which ends in front of the
/// next such line. What stands in front of the first is dropped; of a name given twice the last counts.
[[nodiscard]] std::map<std::string, std::span<const std::byte>> sectionsOf(std::span<const std::byte> bytes);

} // namespace qs::fuzz
