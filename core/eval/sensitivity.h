#pragma once

#include "core/eval/evaluate.h"
#include "core/quant/plan.h"
#include "core/quant/quantization_error.h"

#include <functional>
#include <string>
#include <vector>

namespace qs {

/// What quantizing one site alone does to the logits; everything else in FP32.
struct SiteSensitivity
{
    std::string site;
    SiteKind kind = SiteKind::Activation;
    int bits = 0;
    double logitsSqnrDb = 0.0;
    double klNats = 0.0;
    double agreementPercent = 100.0;
    std::optional<double> nllNats; ///< language models: mean of -ln p(next token), the others in FP32
    double siteSqnrDb = 0.0; ///< of the site's own values
    double clippingShare
        = 0.0; ///< fraction in [0, 1] of the site's own squared error that comes from clipping
};

/// 4-bit uniform asymmetric min-max.
[[nodiscard]] SiteChoice defaultFallback();

struct SensitivityOptions
{
    std::int64_t samples = 32; ///< first samples of the data source
    SiteChoice fallback = defaultFallback(); ///< for sites the plan leaves in floating point
};

/// Quantizes one site at a time as the plan says and measures the logits against FP32 (methods.md 7.1: OMSE
/// and KL at the network output, one at a time). Runs only the nodes behind the site, from cached FP32
/// values. In site order; onResult is called after each on the working thread. Throws Error as the executor
/// does.
[[nodiscard]] std::vector<SiteSensitivity> measureSensitivity(std::shared_ptr<const Model> model,
    const Plan& plan, const Calibration& calibration, const DataSource& data,
    const SensitivityOptions& options = {}, const TaskContext& context = {},
    const std::function<void(const SiteSensitivity&)>& onResult = {});

} // namespace qs
