#pragma once

#include "core/models/model.h"
#include "core/quant/plan.h"
#include "core/quant/quantization_error.h"
#include "core/stats/site_statistics.h"

#include <optional>
#include <string>
#include <vector>

namespace qs {

/// What one sample does to a site's min-max range, and what leaving it out would do.
struct SampleInfluence
{
    SampleRange sample;
    bool setsLower = false; ///< it alone reaches the lower end of the range
    bool setsUpper = false;
    Bounds without; ///< range of all other samples
    /// SQNR of the site's own values in dB (those of the sample itself included) with `without` as bounds,
    /// and what of the squared error is then clipping, in [0, 1].
    double sqnrDb = 0.0;
    double clippingShare = 0.0;
};

/// Range after the first `samples` samples.
struct RangeProgress
{
    std::int64_t samples = 0;
    Bounds range;
    double coverage = 0.0; ///< fraction in [0, 1] of all values of the set that lies within, from the bins
};

/// Where the range of a site comes from.
struct SiteMicroscope
{
    std::string site;
    std::int64_t samples = 0;
    Bounds range; ///< min-max of all samples
    double sqnrDb = 0.0; ///< of the site's own values with that range as bounds
    double clippingShare = 0.0;
    std::vector<SampleInfluence> influences; ///< of the extreme samples, by how much SQNR leaving out gains
    std::vector<RangeProgress> progress; ///< in order; the last one is the whole set
    /// Samples after which the range never grew by more than 5 % of its width; the whole set when it still
    /// did at the end.
    std::int64_t settledAfter = 0;
};

/// Leave-one-out by the statistics kept, without running the model: bounds are exact, for any number of
/// samples; the error is that of the site's own values under a quantizer per tensor with the choice's kind,
/// symmetry and bits. nullopt when the statistics know nothing of samples (weights, early files).
[[nodiscard]] std::optional<SiteMicroscope> examineSite(
    const SiteStatistics& statistics, const SiteChoice& choice);

} // namespace qs
