#include "core/quant/resolve.h"

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/quant/bound_search.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace qs {

namespace {

void checkBits(const SiteChoice& choice)
{
    if (choice.bits < kMinBits || choice.bits > kMaxBits) {
        throw Error(ErrorCode::InvalidArgument,
            "a quantizer of " + std::to_string(choice.bits) + " bits is outside " + std::to_string(kMinBits)
                + " to " + std::to_string(kMaxBits));
    }
}

void checkManual(const SiteChoice& choice, std::size_t scales)
{
    if (choice.manualBounds.size() != scales && choice.manualBounds.size() != 1) {
        throw Error(ErrorCode::InvalidArgument,
            std::to_string(choice.manualBounds.size()) + " manual bounds do not fit " + std::to_string(scales)
                + " scales");
    }
    for (const Bounds& bounds : choice.manualBounds) {
        if (!std::isfinite(bounds.lower) || !std::isfinite(bounds.upper) || bounds.lower > bounds.upper) {
            throw Error(ErrorCode::InvalidArgument,
                "manual bounds [" + std::to_string(bounds.lower) + ", " + std::to_string(bounds.upper)
                    + "] are not an interval");
        }
    }
}

QuantParams emptyParams(const SiteChoice& choice, GroupAxis axis)
{
    QuantParams params;
    params.kind = choice.kind;
    params.symmetry = choice.symmetry;
    params.granularity = choice.granularity;
    params.axis = axis;
    params.bits = choice.bits;
    return params;
}

/// Bounds of one scale from values of which quantiles and squared errors can be asked.
Bounds findBounds(const SiteChoice& choice, const ValueSummary& values)
{
    switch (choice.method) {
    case BoundMethod::Percentile: return percentileBounds(choice, values);
    case BoundMethod::Mse: return leastSquaresBounds(choice, values);
    case BoundMethod::MinMax:
    case BoundMethod::Manual: break;
    }
    return {values.minimum(), values.maximum()};
}

} // namespace

void appendScale(QuantParams& params, const Bounds& bounds)
{
    constexpr double kSmallest = 1e-8;
    const double levels = static_cast<double>(params.maximumCode()) - params.minimumCode();
    double scale = 1.0;
    std::int32_t zeroPoint = 0;
    if (params.kind != QuantizerKind::Uniform) {
        scale = bounds.upper > 0.0 ? bounds.upper : 1.0;
    } else if (params.symmetry == Symmetry::Symmetric) {
        const double largest = std::max(std::abs(bounds.lower), std::abs(bounds.upper));
        scale = std::max(largest, kSmallest) / params.maximumCode();
    } else if (bounds.upper > bounds.lower) {
        scale = (bounds.upper - bounds.lower) / levels;
    } else { // a constant c: exactly one step away from zero in the direction of its sign
        const double constant = bounds.lower;
        scale = std::max(std::abs(constant), kSmallest) / levels;
        zeroPoint = constant >= 0.0 ? 0 : static_cast<std::int32_t>(levels);
        params.scales.push_back(static_cast<float>(scale));
        params.zeroPoints.push_back(zeroPoint);
        params.bounds.push_back(bounds);
        return;
    }
    const float stored = std::max(static_cast<float>(scale), std::numeric_limits<float>::min());
    if (params.kind == QuantizerKind::Uniform && params.symmetry == Symmetry::Asymmetric) {
        constexpr double kLargest = 1 << 24; // integers up to here are exact in float
        const double zero = std::nearbyint(-bounds.lower / static_cast<double>(stored));
        zeroPoint = static_cast<std::int32_t>(std::clamp(zero, -kLargest, kLargest));
    }
    params.scales.push_back(stored);
    params.zeroPoints.push_back(zeroPoint);
    params.bounds.push_back(bounds);
}

QuantParams resolveActivation(const SiteChoice& choice, const SiteStatistics& statistics)
{
    checkBits(choice);
    QuantParams params = emptyParams(choice, statistics.axis);
    const bool perGroup = choice.granularity == Granularity::Group;
    const std::size_t scales = perGroup ? statistics.groups.size() : 1;
    if (choice.method == BoundMethod::Manual) {
        checkManual(choice, scales);
        for (std::size_t i = 0; i < scales; ++i) {
            appendScale(params, choice.manualBounds[choice.manualBounds.size() == 1 ? 0 : i]);
        }
        return params;
    }
    std::vector<Bounds> bounds(scales);
    if (perGroup) {
        parallelFor(static_cast<std::int64_t>(scales), 8, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                const auto index = static_cast<std::size_t>(i);
                bounds[index] = findBounds(choice, GroupSummary(statistics.groups[index]));
            }
        });
    } else {
        bounds.front() = findBounds(choice, TensorSummary(statistics));
    }
    for (const Bounds& each : bounds) {
        appendScale(params, each);
    }
    return params;
}

QuantParams resolveWeight(const SiteChoice& choice, const Tensor& weight, int axis)
{
    checkBits(choice);
    const Shape& shape = weight.shape();
    if (axis < 0 || static_cast<std::size_t>(axis) >= shape.rank()) {
        throw Error(ErrorCode::ShapeMismatch,
            "a weight of shape " + shape.text() + " has no output channels along axis "
                + std::to_string(axis));
    }
    QuantParams params = emptyParams(choice, GroupAxis::Channel);
    const bool perGroup = choice.granularity == Granularity::Group;
    const std::int64_t channels = shape[static_cast<std::size_t>(axis)];
    const std::int64_t scales = perGroup ? channels : 1;
    if (choice.method == BoundMethod::Manual) {
        checkManual(choice, static_cast<std::size_t>(scales));
        for (std::size_t i = 0; i < static_cast<std::size_t>(scales); ++i) {
            appendScale(params, choice.manualBounds[choice.manualBounds.size() == 1 ? 0 : i]);
        }
        return params;
    }
    const std::int64_t outer = shape.product(0, static_cast<std::size_t>(axis));
    const std::int64_t inner = shape.product(static_cast<std::size_t>(axis) + 1, shape.rank());
    const auto values = weight.data<float>();
    std::vector<Bounds> bounds(static_cast<std::size_t>(scales));
    parallelFor(scales, 8, [&](std::int64_t begin, std::int64_t end) {
        std::vector<float> channel;
        for (std::int64_t i = begin; i < end; ++i) {
            channel.clear();
            if (!perGroup) {
                channel.assign(values.begin(), values.end());
            } else {
                for (std::int64_t o = 0; o < outer; ++o) {
                    const auto first = static_cast<std::size_t>((o * channels + i) * inner);
                    const auto run = values.subspan(first, static_cast<std::size_t>(inner));
                    channel.insert(channel.end(), run.begin(), run.end());
                }
            }
            bounds[static_cast<std::size_t>(i)] = findBounds(choice, SampleSummary(std::move(channel)));
        }
    });
    for (const Bounds& each : bounds) {
        appendScale(params, each);
    }
    return params;
}

ResolvedPlan resolvePlan(
    const Model& model, const Plan& plan, const Calibration& calibration, const TaskContext& context)
{
    ResolvedPlan resolved;
    std::int64_t done = 0;
    for (const Site& site : model.sites) {
        context.throwIfCancelled();
        context.report("quantizers", done++, static_cast<std::int64_t>(model.sites.size()));
        const SiteChoice* choice = plan.find(site.name);
        if (choice == nullptr || !choice->enabled) {
            continue;
        }
        if (site.kind == SiteKind::Weight) {
            resolved[site.name]
                = resolveWeight(*choice, model.graph->value(site.value).constant.toF32(), site.weightAxis);
            continue;
        }
        const auto statistics = calibration.find(site.name);
        if (!statistics) {
            throw Error(
                ErrorCode::InvalidArgument, "the calibration has no statistics of site '" + site.name + "'");
        }
        resolved[site.name] = resolveActivation(*choice, *statistics);
    }
    return resolved;
}

} // namespace qs
