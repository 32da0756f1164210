#pragma once

#include "core/eval/sensitivity.h"
#include "core/quant/plan.h"

#include <string>
#include <vector>

namespace qs {

/// What leaving sites in floating point would do to a plan.
struct FloatFallback
{
    Plan plan; ///< with those sites disabled
    std::vector<std::string> sites; ///< the activations, the most harmful first
    double predictedSqnrDb = 0.0; ///< of the logits, the noise of the remaining sites added up
};

/// Disables activation sites, the most harmful first, until the predicted SQNR of the logits reaches targetDb
/// or no activation is left. A linear or convolution falls back as a whole: with its input goes its weight,
/// since runtimes quantize the float input of an int8 weight on their own terms. The prediction adds the
/// noise powers of the sites measured one at a time (our own simple form of the greedy search of arXiv
/// 2302.05397 phase 2, without measuring again after each step). Sites without a measurement at the plan's
/// bits and disabled sites do not count.
[[nodiscard]] FloatFallback fallBackToFloat(const std::vector<Site>& sites, const Plan& plan,
    const std::vector<SiteSensitivity>& sensitivities, double targetDb);

} // namespace qs
