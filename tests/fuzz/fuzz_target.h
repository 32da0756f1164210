#pragma once

#include <cstddef>
#include <span>

namespace qs::fuzz {

/// Reads `bytes` as the program would read a file of the target's kind, and everything that file offers.
/// Every target defines it once. May throw qs::Error.
void readHostileFile(std::span<const std::byte> bytes);

} // namespace qs::fuzz
