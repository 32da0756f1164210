#include "widgets/plot/quantizer_levels.h"

#include "core/quant/quantizer_cells.h"

#include <algorithm>

namespace qs {

namespace {

/// Uniform quantizers repeat their outermost levels in the two cells that saturate; logarithmic ones only at
/// the top.
std::int64_t firstCell(const QuantParams& params)
{
    return params.kind == QuantizerKind::Uniform ? 1 : 0;
}

} // namespace

Bounds clippingBounds(const QuantParams& params, std::size_t index)
{
    const Bounds& bounds = params.bounds.at(index);
    return params.kind == QuantizerKind::Uniform ? bounds : Bounds {0.0, bounds.upper};
}

std::vector<Bounds> clippingBounds(const QuantParams& params)
{
    std::vector<Bounds> all;
    for (std::size_t i = 0; i < params.bounds.size(); ++i) {
        all.push_back(clippingBounds(params, i));
    }
    return all;
}

std::int64_t levelCount(const QuantParams& params)
{
    const std::int64_t codes = std::int64_t {params.maximumCode()} - params.minimumCode() + 1;
    return params.kind == QuantizerKind::Uniform ? codes : codes + 1;
}

std::vector<double> quantizerLevels(const QuantParams& params, std::int64_t group, std::size_t maximumCount)
{
    if (maximumCount < 2 || params.scales.empty()) {
        return {};
    }
    const QuantizerCells cells(params, group);
    const std::int64_t first = firstCell(params);
    const std::int64_t count = levelCount(params);
    const auto limit = static_cast<std::int64_t>(maximumCount);
    const std::int64_t stride = std::max<std::int64_t>(1, (count - 2) / (limit - 1) + 1);
    std::vector<double> levels;
    levels.reserve(static_cast<std::size_t>(count / stride) + 2);
    for (std::int64_t index = 0; index < count - 1; index += stride) {
        levels.push_back(cells.level(first + index));
    }
    levels.push_back(cells.level(first + count - 1));
    return levels;
}

double zeroingCutoff(const QuantParams& params, std::int64_t group)
{
    return params.kind == QuantizerKind::Uniform || params.scales.empty()
        ? 0.0
        : QuantizerCells(params, group).upperEdge(0);
}

} // namespace qs
