#pragma once

#include "core/eval/sensitivity.h"

#include <QString>

#include <optional>
#include <set>
#include <vector>

namespace qs {

/// Which figure the bars show; longer is always worse.
enum class SensitivityMetric {
    Noise, ///< RMS error of the logits in percent of their RMS: 100 * 10^(-SQNR / 20); SQNR in the read-out
    Kl, ///< KL of the logits against FP32, nats
    Disagreement, ///< samples (language models: tokens) whose top-1 changed, percent
    Top1Drop, ///< FP32's top-1 minus this one's, percentage points; labelled data
    NllIncrease ///< nats; language models
};

/// What the bars' fills tell apart.
enum class SensitivityColouring {
    Kind, ///< weight or activation
    Cause ///< clipping and rounding share of the site's own error
};

enum class SensitivityOrder { Network, WorstFirst };

/// One site at one width.
struct SensitivityColumn
{
    int bits = 0;
    double value = 0.0; ///< length; unit of the metric; finite, not negative
    std::optional<BootstrapInterval> interval {}; ///< of the value
    double clippingShare = 0.0; ///< in [0, 1]; drawn from the foot when split by cause
};

/// One site: a column for every width, the narrowest first.
struct SensitivityBar
{
    QString site;
    QString label; ///< site without its block
    QString block; ///< "" outside blocks
    bool isWeight = false;
    bool isStale = false;
    std::vector<SensitivityColumn> columns;

    [[nodiscard]] double tallest() const;
};

/// The figure of a result: not finite counts as 0, improvements as 0.
[[nodiscard]] double sensitivityValue(const SiteSensitivity& result, SensitivityMetric metric);
[[nodiscard]] std::optional<BootstrapInterval> sensitivityInterval(
    const SiteSensitivity& result, SensitivityMetric metric);
/// What of the figure comes from clipping: measured, where each cause was measured alone, else the share of
/// clipping in the site's own squared error.
[[nodiscard]] double clippingShareOf(const SiteSensitivity& result, SensitivityMetric metric);
/// Figures that at least one result has; the first three always.
[[nodiscard]] std::vector<SensitivityMetric> measuredMetrics(const std::vector<SiteSensitivity>& results);
/// Results (in network order) as bars, sites in the given order by their tallest column.
[[nodiscard]] std::vector<SensitivityBar> sensitivityBars(const std::vector<SiteSensitivity>& results,
    SensitivityMetric metric, SensitivityOrder order, const std::set<QString>& stale);

} // namespace qs
