#include "widgets/plot/error_density.h"

#include "core/quant/quantization_error.h"
#include "core/quant/quantizer_cells.h"

#include <algorithm>

namespace qs {

namespace {

/// Sum of (x - level)^2 over the values of a bin, from its moments.
double squaredAround(const Histogram& histogram, std::size_t bin, double level)
{
    const double count = static_cast<double>(histogram.counts[bin]);
    const double sum = histogram.squares[bin] - 2.0 * level * histogram.sums[bin] + count * level * level;
    return std::max(sum, 0.0); // cancellation may leave a tiny negative
}

} // namespace

ErrorDensity errorDensity(const Histogram& histogram, const QuantParams& params, std::int64_t group)
{
    ErrorDensity density;
    density.clipping.assign(histogram.size(), 0.0);
    density.rounding.assign(histogram.size(), 0.0);
    if (params.scales.empty()) {
        return density;
    }
    const QuantizerCells cells(params, group);
    const double evenSpread = cells.step() * cells.step() / 12.0;
    for (std::size_t bin = 0; bin < histogram.size(); ++bin) {
        if (histogram.counts[bin] == 0) {
            continue;
        }
        const double count = static_cast<double>(histogram.counts[bin]);
        const std::int64_t cell = cells.cellOf(histogram.sums[bin] / count);
        if (cells.isClipped(cell)) {
            density.clipping[bin] = squaredAround(histogram, bin, cells.level(cell));
        } else if (cells.step() > 0.0 && histogram.edge(bin + 1) - histogram.edge(bin) > cells.step()) {
            density.rounding[bin] = count * evenSpread;
        } else {
            density.rounding[bin] = squaredAround(histogram, bin, cells.level(cell));
        }
    }
    return density;
}

double zeroedMassShare(const Histogram& histogram, double cutoff)
{
    double below = 0.0;
    double all = 0.0;
    for (std::size_t bin = 0; bin < histogram.size(); ++bin) {
        const double mass = histogram.sums[bin];
        const double lower = histogram.edge(bin);
        const double upper = histogram.edge(bin + 1);
        all += mass;
        if (upper <= cutoff) {
            below += mass;
        } else if (lower < cutoff) {
            below += mass * (cutoff - lower) / (upper - lower);
        }
    }
    return all > 0.0 ? std::clamp(below / all, 0.0, 1.0) : 0.0;
}

std::vector<double> zeroedShares(const SiteStatistics& statistics, const QuantParams& params)
{
    std::vector<double> shares;
    if (params.kind == QuantizerKind::Uniform || statistics.axis != GroupAxis::Head) {
        return shares;
    }
    for (std::size_t i = 0; i < statistics.groups.size(); ++i) {
        const QuantizationError error
            = quantizationErrorOfGroup(statistics.groups[i], params, static_cast<std::int64_t>(i));
        shares.push_back(error.mass > 0.0 ? std::clamp(error.zeroedMass / error.mass, 0.0, 1.0) : 0.0);
    }
    return shares;
}

} // namespace qs
