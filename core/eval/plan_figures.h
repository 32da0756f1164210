#pragma once

#include "core/models/model.h"
#include "core/quant/plan.h"

#include <cstdint>

namespace qs {

/// What a plan costs, without running anything.
struct PlanFigures
{
    double weightBits
        = 32.0; ///< mean over the elements of all weight sites; 32 where a weight stays in float
    double activationBits = 32.0; ///< mean over the activation sites, unweighted
    /// Weight codes, their scales (32 bits each, and as much for the zero points of asymmetric ones), and
    /// everything else of the model in 32 bits; bytes, rounded up.
    std::int64_t bytes = 0;

    friend bool operator==(const PlanFigures&, const PlanFigures&) = default;
};

/// methods.md 7.2. Names that the model lacks are left out.
[[nodiscard]] PlanFigures planFigures(const Model& model, const Plan& plan);

} // namespace qs
