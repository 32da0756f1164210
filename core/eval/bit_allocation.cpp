#include "core/eval/bit_allocation.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace qs {

namespace {

/// One more step of an item: from a vertex of its hull to the next.
struct Step
{
    std::size_t item = 0;
    int bits = 0; ///< after it
    double cost = 0.0;
    double gain = 0.0; ///< noise that goes
};

double noiseOf(const SiteSensitivity& result)
{
    return std::pow(10.0, -result.logitsSqnrDb / 10.0);
}

/// The vertices of an item's lower convex hull, fewest bits first, without those whose bits buy nothing.
std::vector<std::pair<int, double>> hullOf(const std::map<int, double>& noise)
{
    std::vector<std::pair<int, double>> hull;
    for (const auto& [bits, power] : noise) {
        if (!hull.empty() && !(power < hull.back().second)) {
            continue;
        }
        // The last vertex goes where the way past it is at least as steep as the way to it.
        while (hull.size() >= 2) {
            const auto& [firstBits, first] = hull[hull.size() - 2];
            const auto& [lastBits, last] = hull.back();
            if ((first - last) * (bits - firstBits) > (first - power) * (lastBits - firstBits)) {
                break;
            }
            hull.pop_back();
        }
        hull.emplace_back(bits, power);
    }
    return hull;
}

bool sameButBits(SiteChoice a, const SiteChoice& b)
{
    a.bits = b.bits;
    return a == b;
}

SiteKind kindOf(BudgetKind kind)
{
    return kind == BudgetKind::Weights ? SiteKind::Weight : SiteKind::Activation;
}

double costOf(const Model& model, const Site& site)
{
    if (site.kind == SiteKind::Activation) {
        return 1.0;
    }
    return site.value == kNoValue
        ? 0.0
        : static_cast<double>(model.graph->value(site.value).constant.elementCount());
}

} // namespace

double Allocation::predictedSqnrDb() const
{
    return noise > 0.0 ? -10.0 * std::log10(noise) : std::numeric_limits<double>::infinity();
}

std::vector<Allocation> allocationFront(const std::vector<AllocationItem>& items, double fixedNoise)
{
    Allocation now;
    now.noise = fixedNoise;
    double cost = 0.0;
    double whole = 0.0;
    std::vector<Step> steps;
    for (std::size_t i = 0; i < items.size(); ++i) {
        const auto hull = hullOf(items[i].noise);
        if (hull.empty() || !(items[i].cost > 0.0)) {
            continue;
        }
        now.bits[items[i].site] = hull.front().first;
        now.noise += hull.front().second;
        whole += items[i].cost;
        cost += items[i].cost * hull.front().first;
        for (std::size_t k = 1; k < hull.size(); ++k) {
            steps.push_back({i, hull[k].first, items[i].cost * (hull[k].first - hull[k - 1].first),
                hull[k - 1].second - hull[k].second});
        }
    }
    if (now.bits.empty()) {
        return {};
    }
    std::ranges::stable_sort(
        steps, [](const Step& a, const Step& b) { return a.gain * b.cost > b.gain * a.cost; });
    now.meanBits = cost / whole;
    std::vector<Allocation> front {now};
    for (const Step& step : steps) {
        now.bits[items[step.item].site] = step.bits;
        cost += step.cost;
        now.meanBits = cost / whole;
        now.noise -= step.gain;
        front.push_back(now);
    }
    // Sums of differences would end a little beside the sum itself, or below zero.
    for (Allocation& each : front) {
        each.noise = fixedNoise;
        for (const AllocationItem& item : items) {
            if (const auto bits = each.bits.find(item.site); bits != each.bits.end()) {
                each.noise += item.noise.at(bits->second);
            }
        }
    }
    return front;
}

AllocationProblem allocationProblem(
    const Model& model, const Plan& plan, const std::vector<SiteSensitivity>& sensitivities, BudgetKind kind)
{
    AllocationProblem problem;
    double cost = 0.0;
    for (const Site& site : model.sites) {
        const SiteChoice* choice = plan.find(site.name);
        if (choice == nullptr || !choice->enabled) {
            continue;
        }
        AllocationItem item {site.name, costOf(model, site), {}};
        for (const SiteSensitivity& result : sensitivities) {
            if (result.site == site.name && sameButBits(result.choice, *choice)) {
                item.noise[result.bits] = noiseOf(result);
            }
        }
        const auto planned = item.noise.find(choice->bits);
        if (site.kind != kindOf(kind) || item.noise.size() < 2 || !(item.cost > 0.0)) {
            problem.fixedNoise += planned == item.noise.end() ? 0.0 : planned->second;
            continue;
        }
        problem.present.noise
            += planned == item.noise.end() ? std::numeric_limits<double>::infinity() : planned->second;
        problem.present.bits[site.name] = choice->bits;
        problem.present.meanBits += item.cost * choice->bits;
        cost += item.cost;
        problem.items.push_back(std::move(item));
    }
    problem.present.noise += problem.fixedNoise;
    problem.present.meanBits = cost > 0.0 ? problem.present.meanBits / cost : 0.0;
    return problem;
}

const Allocation* withinBudget(const std::vector<Allocation>& front, double meanBits)
{
    constexpr double kSlack = 1e-9; // of adding up
    const Allocation* best = front.empty() ? nullptr : &front.front();
    for (const Allocation& each : front) {
        if (each.meanBits <= meanBits + kSlack) {
            best = &each;
        }
    }
    return best;
}

Plan withBits(Plan plan, const Allocation& allocation)
{
    for (const auto& [site, bits] : allocation.bits) {
        plan.choices[site].bits = bits;
    }
    return plan;
}

} // namespace qs
