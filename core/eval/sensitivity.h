#pragma once

#include "core/eval/evaluate.h"

#include <string>
#include <vector>

namespace qs {

/// What quantizing one site alone does to the logits; everything else in FP32.
struct SiteSensitivity
{
    std::string site;
    int bits = 0;
    double logitsSqnrDb = 0.0;
    double klNats = 0.0;
    double agreementPercent = 100.0;
    double clippingShare = 0.0; ///< fraction in [0, 1] of the site's own squared error that is clipping
};

/// Quantizes one site at a time as the plan says (disabled sites as `fallback` bits min-max) and measures the logits on
/// the first `samples` samples. Runs only the nodes behind the site, from cached FP32 values. Sites in plan order;
/// `onResult` is called after each on the working thread.
[[nodiscard]] std::vector<SiteSensitivity> measureSensitivity(std::shared_ptr<const Model> model, const Plan& plan,
    const Calibration& calibration, const DataSource& data, std::int64_t samples, const TaskContext& context = {},
    const std::function<void(const SiteSensitivity&)>& onResult = {});

} // namespace qs
