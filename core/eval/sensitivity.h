#pragma once

#include "core/eval/bootstrap.h"
#include "core/eval/evaluate.h"
#include "core/quant/plan.h"
#include "core/quant/quantization_error.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace qs {

/// Bootstrap intervals over the samples.
struct SensitivityIntervals
{
    BootstrapInterval klNats;
    BootstrapInterval changedPercent; ///< top-1 that is not FP32's
    BootstrapInterval logitsSqnrDb;
    std::optional<BootstrapInterval> top1DropPercent; ///< percentage points; labelled data
    std::optional<BootstrapInterval> nllIncreaseNats; ///< language models
    BootstrapOptions bootstrap {}; ///< how they came about

    friend bool operator==(const SensitivityIntervals&, const SensitivityIntervals&) = default;
};

/// The logits when only one part of the site's error is there, the clipped or the rounded values.
struct CauseEffect
{
    double klNats = 0.0;
    double changedPercent = 0.0;
    double logitsSqnrDb = 0.0;

    friend bool operator==(const CauseEffect&, const CauseEffect&) = default;
};

/// What quantizing one site alone does to the logits; everything else in FP32.
struct SiteSensitivity
{
    std::string site;
    SiteKind kind = SiteKind::Activation;
    int bits = 0;
    std::int64_t samples = 0; ///< measured
    double logitsSqnrDb = 0.0;
    double klNats = 0.0;
    double agreementPercent = 100.0;
    std::optional<double>
        top1DropPercent; ///< FP32's top-1 minus this one's, percentage points; labelled data
    std::optional<double> nllNats; ///< language models: mean of -ln p(next token), the others in FP32
    std::optional<double> nllIncreaseNats; ///< that minus FP32's
    double siteSqnrDb = 0.0; ///< of the site's own values
    double clippingShare
        = 0.0; ///< fraction in [0, 1] of the site's own squared error that comes from clipping
    std::optional<SensitivityIntervals> intervals {};
    std::optional<CauseEffect> clippingAlone {}; ///< where asked for
    std::optional<CauseEffect> roundingAlone {};
    SiteChoice choice {}; ///< what was measured, with its bits
    bool atPlannedBits = true; ///< false: at one of SensitivityOptions::widths
    std::string basis {}; ///< hash of all else that it depends on; equal: comparable and reusable
};

/// 4-bit uniform asymmetric min-max.
[[nodiscard]] SiteChoice defaultFallback();

/// What of a site is measured under a plan: its choice where it is enabled, else the fallback, weights per
/// output channel.
[[nodiscard]] SiteChoice sensitivityChoice(
    const Plan& plan, const std::string& site, SiteKind kind, const SiteChoice& fallback);

struct SensitivityOptions
{
    std::int64_t samples = 32; ///< first samples of the data source
    SiteChoice fallback = defaultFallback(); ///< for sites the plan leaves in floating point
    std::vector<int> widths {}; ///< bits every site is measured at, ascending; empty: those of its choice
    bool causes = false; ///< clipping and rounding also one at a time, in up to three times the time
    BootstrapOptions bootstrap {};
    /// Bytes of FP32 values held at once. What does not fit is measured in several rounds over the sites, a
    /// part of the samples each; at least one batch is held.
    std::size_t cacheBytes = std::size_t {1} << 29U;
    /// Results of an earlier call: those of the same choice and basis are not measured again.
    std::vector<SiteSensitivity> known {};
};

/// All results so far, in the order of the final ones.
using SensitivityProgress = std::function<void(const std::vector<SiteSensitivity>&)>;

/// Quantizes one site at a time as the plan says and measures the logits against FP32 (methods.md 7.1: OMSE
/// and KL at the network output, one at a time). Runs only the nodes behind the site, from cached FP32
/// values. In site order, and by width within a site; onProgress is called after each on the working thread.
/// The same bits for any thread count, batch and cacheBytes. Throws Error as the executor does, and
/// InvalidArgument on widths outside 2..16.
[[nodiscard]] std::vector<SiteSensitivity> measureSensitivity(std::shared_ptr<const Model> model,
    const Plan& plan, const Calibration& calibration, const DataSource& data,
    const SensitivityOptions& options = {}, const TaskContext& context = {},
    const SensitivityProgress& onProgress = {});

} // namespace qs
