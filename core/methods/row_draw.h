#pragma once

#include <cstdint>
#include <vector>

namespace qs {

/// `count` different rows out of `total` (all of them, shuffled, when there are fewer), drawn from the seed
/// and the number of the draw alone.
[[nodiscard]] std::vector<std::int64_t> drawRows(
    std::int64_t count, std::int64_t total, std::int64_t seed, std::int64_t draw);

} // namespace qs
