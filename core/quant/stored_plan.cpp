#include "core/quant/stored_plan.h"

#include "core/graph/graph_queries.h"
#include "core/quant/scale.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace qs {

namespace {

/// The range of codes a choice has, and how far the stored ones lie below them.
struct CodeForm
{
    Symmetry symmetry = Symmetry::Asymmetric;
    int bits = 8;
    std::int32_t shift = 0; ///< code = stored + shift
};

/// The form for stored codes from `least` to `greatest`: symmetric where all zero points are 0 and the codes
/// lie evenly around it, else counted from `least`.
std::optional<CodeForm> formOf(std::int32_t least, std::int32_t greatest, bool zeroPointsAreZero)
{
    for (int bits = kMinBits; bits <= kMaxBits; ++bits) {
        const std::int32_t half = std::int32_t {1} << (bits - 1);
        if (zeroPointsAreZero && least == 1 - half && greatest == half - 1) {
            return CodeForm {Symmetry::Symmetric, bits, 0};
        }
        if (greatest - least == 2 * half - 1) {
            return CodeForm {Symmetry::Asymmetric, bits, -least};
        }
    }
    return std::nullopt;
}

std::optional<CodeForm> formOfWeight(const StoredQuantizer& stored, bool zeroPointsAreZero)
{
    const auto holds = [&](std::int32_t least, std::int32_t greatest) {
        return stored.leastCode >= least && stored.greatestCode <= greatest
            && std::ranges::all_of(stored.zeroPoints,
                [&](std::int32_t zeroPoint) { return zeroPoint >= least && zeroPoint <= greatest; });
    };
    for (int bits = kMinBits; bits <= 8; ++bits) {
        const std::int32_t half = std::int32_t {1} << (bits - 1);
        if (zeroPointsAreZero && stored.minimumCode < 0 && holds(1 - half, half - 1)) {
            return CodeForm {Symmetry::Symmetric, bits, 0};
        }
        if (!zeroPointsAreZero && bits < 8 && holds(0, 2 * half - 1)) {
            return CodeForm {Symmetry::Asymmetric, bits, 0};
        }
    }
    return formOf(stored.minimumCode, stored.maximumCode, false);
}

std::optional<SiteChoice> choiceOf(const StoredQuantizer& stored, const Site& site, std::size_t rank)
{
    const bool perGroup = stored.scales.size() > 1;
    const std::int64_t axis = site.kind == SiteKind::Weight ? site.weightAxis
        : site.groupAxis == GroupAxis::Head                 ? 1
                                                            : static_cast<std::int64_t>(rank) - 1;
    const std::int64_t storedAxis
        = stored.axis < 0 ? stored.axis + static_cast<std::int64_t>(rank) : stored.axis;
    if (perGroup && (storedAxis != axis || static_cast<std::int64_t>(stored.scales.size()) != site.groups)) {
        return std::nullopt;
    }
    SiteChoice choice;
    choice.enabled = true;
    choice.method = BoundMethod::Manual;
    choice.granularity = perGroup ? Granularity::Group : Granularity::Tensor;
    if (stored.kind != StoredQuantizer::Kind::Uniform) {
        choice.kind
            = stored.kind == StoredQuantizer::Kind::Log2 ? QuantizerKind::Log2 : QuantizerKind::LogSqrt2;
        choice.bits = 1;
        while (choice.bits <= kMaxBits && (std::int32_t {1} << choice.bits) - 1 < stored.maximumCode) {
            ++choice.bits;
        }
        for (const float base : stored.scales) {
            choice.manualBounds.push_back({0.0, static_cast<double>(base)});
        }
        return choice.bits >= kMinBits && choice.bits <= kMaxBits ? std::optional(choice) : std::nullopt;
    }
    const bool zeros = std::ranges::all_of(stored.zeroPoints, [](std::int32_t zero) { return zero == 0; });
    const auto form = site.kind == SiteKind::Weight ? formOfWeight(stored, zeros)
                                                    : formOf(stored.minimumCode, stored.maximumCode, zeros);
    if (!form) {
        return std::nullopt;
    }
    choice.symmetry = form->symmetry;
    choice.bits = form->bits;
    for (std::size_t i = 0; i < stored.scales.size(); ++i) {
        choice.manualBounds.push_back(boundsForScale(
            form->symmetry, form->bits, {stored.scales[i], stored.zeroPoints[i] + form->shift}));
    }
    return choice;
}

/// The site's own value and those it came from by moving elements, and what a key becomes by its Transpose.
std::vector<ValueId> valuesOf(const Graph& graph, const Site& site)
{
    std::vector<ValueId> values {site.value};
    if (site.role == Role::Key && !site.readers.empty()
        && graph.node(site.readers.front().first).op == "Transpose") {
        values.push_back(graph.node(site.readers.front().first).outputs.front());
    }
    ValueId value = site.value;
    for (NodeId maker = graph.value(value).producer; maker != kNoNode; maker = graph.value(value).producer) {
        const Node& node = graph.node(maker);
        if (!isOneOf(node.op,
                {"Reshape", "Transpose", "Squeeze", "Unsqueeze", "Flatten", "Split", "Gather", "Slice"})
            || isConstant(graph, node.inputs.front())) {
            break;
        }
        value = node.inputs.front();
        values.push_back(value);
    }
    return values;
}

} // namespace

StoredPlan planFromStored(
    const Graph& graph, const std::vector<Site>& sites, const std::vector<StoredQuantizer>& quantizers)
{
    std::map<std::string, const StoredQuantizer*> byValue;
    for (const StoredQuantizer& stored : quantizers) {
        byValue.emplace(stored.value, &stored);
    }
    StoredPlan result;
    std::set<std::string> used;
    for (const Site& site : sites) {
        const std::vector<ValueId> values = valuesOf(graph, site);
        for (std::size_t i = 0; i < values.size(); ++i) {
            const auto stored = byValue.find(graph.value(values[i]).name);
            if (stored == byValue.end() || (i > 0 && stored->second->scales.size() > 1)) {
                continue;
            }
            if (auto choice = choiceOf(*stored->second, site, graph.value(site.value).dims.size())) {
                result.plan.choices[site.name] = std::move(*choice);
                used.insert(stored->first);
                break;
            }
        }
    }
    for (const StoredQuantizer& stored : quantizers) {
        if (!stored.isWeight && !used.contains(stored.value)) {
            result.leftOut.push_back(stored.value);
        }
    }
    return result;
}

} // namespace qs
