#include "core/quant/resolve.h"

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/quant/bound_sources.h"
#include "core/quant/scale.h"
#include "core/quant/weight_layout.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <mutex>

namespace qs {

namespace {

void requireBits(const SiteChoice& choice)
{
    if (choice.bits < kMinBits || choice.bits > kMaxBits) {
        throw Error(ErrorCode::InvalidArgument,
            "a quantizer of " + std::to_string(choice.bits) + " bits is outside " + std::to_string(kMinBits)
                + " to " + std::to_string(kMaxBits));
    }
}

void requireManualBounds(const SiteChoice& choice, std::size_t scales)
{
    if (choice.manualBounds.size() != 1 && choice.manualBounds.size() != scales) {
        throw Error(ErrorCode::InvalidArgument,
            std::to_string(choice.manualBounds.size()) + " manual bounds do not fit " + std::to_string(scales)
                + (scales == 1 ? " scale" : " scales"));
    }
    for (const Bounds& bounds : choice.manualBounds) {
        const bool isInterval
            = std::isfinite(bounds.lower) && std::isfinite(bounds.upper) && bounds.lower <= bounds.upper;
        if (!isInterval || (choice.kind != QuantizerKind::Uniform && bounds.upper <= 0.0)) {
            throw Error(ErrorCode::InvalidArgument,
                "the manual bounds " + std::to_string(bounds.lower) + " and " + std::to_string(bounds.upper)
                    + (isInterval ? " give a logarithmic quantizer no base" : " are not an interval"));
        }
    }
}

/// Scales of all groups from their bounds.
QuantParams paramsOf(const SiteChoice& choice, GroupAxis axis, const std::vector<Bounds>& bounds)
{
    QuantParams params;
    params.kind = choice.kind;
    params.symmetry = choice.symmetry;
    params.granularity = choice.granularity;
    params.axis = axis;
    params.bits = choice.bits;
    for (const Bounds& each : bounds) {
        appendScale(params, each);
    }
    return params;
}

std::vector<Bounds> manualBounds(const SiteChoice& choice, std::size_t scales)
{
    requireManualBounds(choice, scales);
    return choice.manualBounds.size() == scales ? choice.manualBounds
                                                : std::vector<Bounds>(scales, choice.manualBounds.front());
}

/// Groups without values: any scale does.
void setUnitScales(QuantParams& params, const std::vector<std::uint8_t>& isEmpty)
{
    for (std::size_t i = 0; i < isEmpty.size(); ++i) {
        if (isEmpty[i] != 0) {
            params.scales[i] = 1.0F;
            params.zeroPoints[i] = 0;
            params.bounds[i] = {};
        }
    }
}

SampleSource sampleSource(const SiteChoice& choice, std::vector<float> values)
{
    return {std::move(values),
        choice.method == BoundMethod::Percentile ? SampleSource::Quantiles::Tails
                                                 : SampleSource::Quantiles::Unused};
}

/// Output channels that one range of parallelFor() takes: whole cache lines where channels are the last
/// dimension.
constexpr std::int64_t kChannelGrain = 16;

QuantParams resolveWholeWeight(const SiteChoice& choice, const Tensor& weight)
{
    std::vector<float> values;
    for (const float value : weight.data<float>()) {
        if (std::isfinite(value)) {
            values.push_back(value);
        }
    }
    const std::uint8_t isEmpty = values.empty() ? 1 : 0;
    std::vector<Bounds> bounds(1);
    if (isEmpty == 0) {
        bounds.front() = searchBounds(choice, sampleSource(choice, std::move(values)));
    }
    QuantParams params = paramsOf(choice, GroupAxis::Channel, bounds);
    setUnitScales(params, {isEmpty});
    return params;
}

/// Runs `resolve` and puts the site's name before what it complains about.
QuantParams naming(const Site& site, const std::function<QuantParams()>& resolve)
{
    try {
        return resolve();
    } catch (const Error& error) {
        if (error.code() == ErrorCode::Cancelled) {
            throw;
        }
        throw Error(error.code(), "site '" + site.name + "': " + error.what());
    }
}

} // namespace

void appendScale(QuantParams& params, const Bounds& bounds)
{
    const Scale scale = scaleForBounds(params.kind, params.symmetry, params.bits, bounds);
    params.scales.push_back(scale.step);
    params.zeroPoints.push_back(scale.zeroPoint);
    params.bounds.push_back(bounds);
}

QuantParams resolveActivation(
    const SiteChoice& choice, const SiteStatistics& statistics, const TaskContext& context)
{
    requireBits(choice);
    const bool perGroup = choice.granularity == Granularity::Group;
    const std::size_t scales = perGroup ? statistics.groups.size() : 1;
    if (statistics.groups.empty()) {
        throw Error(ErrorCode::InvalidArgument, "the statistics have no channels or heads");
    }
    if (choice.method == BoundMethod::Manual) {
        return paramsOf(choice, statistics.axis, manualBounds(choice, scales));
    }
    std::vector<Bounds> bounds(scales);
    std::vector<std::uint8_t> isEmpty(scales, 0);
    if (perGroup) {
        parallelFor(static_cast<std::int64_t>(scales), 8, [&](std::int64_t begin, std::int64_t end) {
            context.throwIfCancelled();
            for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
                const GroupStatistics& group = statistics.groups[i];
                isEmpty[i] = group.count == 0 ? 1 : 0;
                bounds[i] = group.count == 0 ? Bounds {} : searchBounds(choice, GroupSource(group));
            }
        });
    } else {
        isEmpty.front() = statistics.count() == 0 ? 1 : 0;
        if (isEmpty.front() == 0) {
            bounds.front() = searchBounds(choice, SiteSource(statistics, context));
        }
    }
    QuantParams params = paramsOf(choice, statistics.axis, bounds);
    setUnitScales(params, isEmpty);
    return params;
}

QuantParams resolveWeight(
    const SiteChoice& choice, const Tensor& weight, int axis, const TaskContext& context)
{
    requireBits(choice);
    const WeightLayout layout = layoutOfWeight(weight, axis);
    const bool perGroup = choice.granularity == Granularity::Group;
    const auto scales = static_cast<std::size_t>(perGroup ? layout.channels : 1);
    if (choice.method == BoundMethod::Manual) {
        return paramsOf(choice, GroupAxis::Channel, manualBounds(choice, scales));
    }
    if (!perGroup) {
        context.throwIfCancelled();
        return resolveWholeWeight(choice, weight);
    }
    std::vector<Bounds> bounds(scales);
    std::vector<std::uint8_t> isEmpty(scales, 0);
    parallelFor(layout.channels, kChannelGrain, [&](std::int64_t begin, std::int64_t end) {
        context.throwIfCancelled();
        auto channels = finiteChannelValues(weight, layout, begin, end);
        for (std::size_t i = 0; i < channels.size(); ++i) {
            const std::size_t channel = static_cast<std::size_t>(begin) + i;
            isEmpty[channel] = channels[i].empty() ? 1 : 0;
            if (!channels[i].empty()) {
                bounds[channel] = searchBounds(choice, sampleSource(choice, std::move(channels[i])));
            }
        }
    });
    QuantParams params = paramsOf(choice, GroupAxis::Channel, bounds);
    setUnitScales(params, isEmpty);
    return params;
}

QuantParams resolveSite(const Model& model, const Site& site, const SiteChoice& choice,
    const Calibration& calibration, const TaskContext& context)
{
    return naming(site, [&] {
        if (site.kind == SiteKind::Weight) {
            const Tensor weight = model.graph->value(site.value).constant.toF32();
            return resolveWeight(choice, weight, site.weightAxis, context);
        }
        if (choice.method == BoundMethod::Manual) {
            requireBits(choice);
            const bool perGroup = choice.granularity == Granularity::Group;
            const auto scales = static_cast<std::size_t>(perGroup ? site.groups : 1);
            return paramsOf(choice, site.groupAxis, manualBounds(choice, scales));
        }
        const auto statistics = calibration.find(site.name);
        if (!statistics) {
            throw Error(ErrorCode::InvalidArgument, "the calibration has no statistics of it");
        }
        return resolveActivation(choice, *statistics, context);
    });
}

ResolvedPlan resolvePlan(
    const Model& model, const Plan& plan, const Calibration& calibration, const TaskContext& context)
{
    return updateResolvedPlan({}, {}, model, plan, calibration, context);
}

ResolvedPlan updateResolvedPlan(const ResolvedPlan& previous, const Plan& previousPlan, const Model& model,
    const Plan& plan, const Calibration& calibration, const TaskContext& context)
{
    for (const auto& [name, choice] : plan.choices) {
        if (choice.enabled && indexOfSite(model.sites, name) < 0) {
            throw Error(ErrorCode::InvalidArgument, "the model has no site named '" + name + "'");
        }
    }
    ResolvedPlan resolved;
    std::vector<const Site*> open;
    for (const Site& site : model.sites) {
        const SiteChoice* choice = plan.find(site.name);
        if (choice == nullptr || !choice->enabled) {
            continue;
        }
        const SiteChoice* before = previousPlan.find(site.name);
        const auto known = previous.find(site.name);
        if (known != previous.end() && before != nullptr && *before == *choice) {
            resolved[site.name] = known->second;
        } else {
            open.push_back(&site);
        }
    }
    std::vector<QuantParams> results(open.size());
    std::mutex progress;
    std::int64_t done = 0;
    const auto total = static_cast<std::int64_t>(open.size());
    parallelFor(total, 1, [&](std::int64_t begin, std::int64_t end) {
        for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
            context.throwIfCancelled();
            results[i] = resolveSite(model, *open[i], *plan.find(open[i]->name), calibration, context);
            const std::lock_guard lock(progress);
            context.report("quantizers", ++done, total);
        }
    });
    for (std::size_t i = 0; i < open.size(); ++i) {
        resolved[open[i]->name] = std::move(results[i]);
    }
    return resolved;
}

} // namespace qs
