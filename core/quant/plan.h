#pragma once

#include "core/quant/quantizer.h"

#include <map>
#include <string>
#include <vector>

namespace qs {

/// The user's choice for one site. A value: compared, copied and kept by undo.
struct SiteChoice
{
    bool enabled = false; ///< false: the site stays in floating point and the rest is remembered only
    QuantizerKind kind = QuantizerKind::Uniform;
    Symmetry symmetry = Symmetry::Asymmetric;
    Granularity granularity = Granularity::Tensor;
    int bits = 8;
    BoundMethod method = BoundMethod::MinMax;
    /// With BoundMethod::Manual: one entry for the tensor, or one per group; for logarithmic quantizers upper
    /// = d.
    std::vector<Bounds> manualBounds;

    friend bool operator==(const SiteChoice&, const SiteChoice&) = default;
};

/// Choices for sites by name; a site that is absent stays in floating point.
struct Plan
{
    std::map<std::string, SiteChoice> choices;

    [[nodiscard]] const SiteChoice* find(const std::string& site) const;
    friend bool operator==(const Plan&, const Plan&) = default;
};

/// Options of the simple presets; what a user would type as "W4A4, percentile, per-channel LayerNorm".
struct PresetOptions
{
    int weightBits = 8;
    int activationBits = 8;
    BoundMethod method = BoundMethod::MinMax;
    Granularity normGranularity = Granularity::Tensor; ///< of post-LayerNorm inputs
    QuantizerKind softmaxKind = QuantizerKind::Uniform;
    Symmetry symmetry = Symmetry::Asymmetric; ///< of activations
    Symmetry weightSymmetry = Symmetry::Asymmetric;
    int patchInputBits = 8; ///< the literature keeps the patch convolution's input at 8 bits (methods.md 1.1)
};

/// A plan for every site of the model. Weights are per output channel.
[[nodiscard]] Plan makePreset(const std::vector<Site>& sites, const PresetOptions& options);

} // namespace qs
