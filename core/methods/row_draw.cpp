#include "core/methods/row_draw.h"

#include <algorithm>
#include <numeric>
#include <random>

namespace qs {

std::vector<std::int64_t> drawRows(
    std::int64_t count, std::int64_t total, std::int64_t seed, std::int64_t draw)
{
    std::mt19937_64 generator(static_cast<std::uint64_t>(seed) * 1000003U + static_cast<std::uint64_t>(draw));
    std::vector<std::int64_t> rows(static_cast<std::size_t>(total));
    std::iota(rows.begin(), rows.end(), std::int64_t {0});
    const auto wanted = static_cast<std::size_t>(std::min(count, total));
    for (std::size_t i = 0; i < wanted; ++i) {
        std::swap(rows[i], rows[i + generator() % (rows.size() - i)]);
    }
    rows.resize(wanted);
    return rows;
}

} // namespace qs
