#pragma once

#include "core/eval/sensitivity.h"
#include "core/models/model.h"
#include "core/quant/plan.h"

#include <map>
#include <string>
#include <vector>

namespace qs {

/// Whose bits a budget is about. The others stay as the plan has them.
enum class BudgetKind { Weights, Activations };

/// A site whose bits can be chosen.
struct AllocationItem
{
    std::string site;
    double cost = 1.0; ///< of each bit
    std::map<int, double>
        noise; ///< by bits: noise power of the logits, relative to their power, that the site adds

    friend bool operator==(const AllocationItem&, const AllocationItem&) = default;
};

/// A way to spend bits that no other way dominates.
struct Allocation
{
    std::map<std::string, int> bits; ///< of every item
    double meanBits = 0.0; ///< weighted by cost
    double noise = 0.0; ///< of the items and what was given with them
    /// The SQNR of the logits that this comes to, in dB, the noises of the sites added up.
    [[nodiscard]] double predictedSqnrDb() const;
};

/// The allocations on the lower convex hull of mean bits against noise, the cheapest first: each spends its
/// bits so that no other with as many does better, as far as noises add up and every site's noise is convex
/// (of one that is not, the widths above its own hull are passed over). Built by the steepest step first
/// (Shoham and Gersho, 1988; the front of HAWQ-V2, arXiv 1911.03852). `fixedNoise` is of all other sites.
/// Empty without items.
[[nodiscard]] std::vector<Allocation> allocationFront(
    const std::vector<AllocationItem>& items, double fixedNoise = 0.0);

/// What a budget of a plan can be spent on.
struct AllocationProblem
{
    std::vector<AllocationItem> items; ///< sites measured at two widths or more
    double fixedNoise = 0.0; ///< of all other measured sites, at the bits of the plan
    Allocation present; ///< the plan itself; only its figures where a planned width was not measured
};
/// Of the enabled sites of that kind, the results that were measured with the plan's choice but for its bits.
/// A weight costs its elements, an activation 1 (as planFigures() averages them). Fixed are sites of the
/// other kind and those that were measured at the plan's bits alone.
[[nodiscard]] AllocationProblem allocationProblem(
    const Model& model, const Plan& plan, const std::vector<SiteSensitivity>& sensitivities, BudgetKind kind);

/// The best of a front within a budget of mean bits; the cheapest when none is. Null for an empty front.
[[nodiscard]] const Allocation* withinBudget(const std::vector<Allocation>& front, double meanBits);

/// The plan with the bits of an allocation.
[[nodiscard]] Plan withBits(Plan plan, const Allocation& allocation);

} // namespace qs
