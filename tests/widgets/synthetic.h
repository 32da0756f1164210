#pragma once

#include "core/eval/sensitivity.h"
#include "core/stats/site_statistics.h"
#include "widgets/models/site_row.h"

#include <cstdint>
#include <memory>
#include <vector>

/// Made-up but lifelike data for looking at and testing the widgets: no model is run.
namespace qs::synthetic {

/// A linear histogram of normal values: counts, sums and squares of `samples` pseudo-random draws.
[[nodiscard]] GroupStatistics normalGroup(double mean, double deviation, int samples, std::uint32_t seed);
/// Post-LayerNorm like: channels of different spread and offset, a few of them outliers.
[[nodiscard]] std::shared_ptr<const SiteStatistics> layerNormSite(int channels, int samplesPerChannel);
/// Attention probabilities: heads on Log2 bins, with exact zeros.
[[nodiscard]] std::shared_ptr<const SiteStatistics> softmaxSite(int heads, int samplesPerHead);
/// All sites of a ViT of `blocks` blocks in network order, with choices and results.
[[nodiscard]] std::vector<SiteRow> siteRows(int blocks);
[[nodiscard]] std::vector<SiteSensitivity> sensitivities(const std::vector<SiteRow>& rows);

} // namespace qs::synthetic
