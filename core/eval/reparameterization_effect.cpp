#include "core/eval/reparameterization_effect.h"

#include "core/base/error.h"
#include "core/eval/metrics.h"
#include "core/eval/model_feeds.h"
#include "core/eval/plan_applier.h"
#include "core/eval/site_error.h"
#include "core/quant/resolve.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace qs {

namespace {

SiteChoice choiceOf(const Plan& plan, const Site& site)
{
    const SiteChoice* choice = plan.find(site.name);
    return choice == nullptr ? SiteChoice() : *choice;
}

/// One scale for the tensor, as the plan finds it.
SiteChoice tensorChoice(const Plan& plan, const Site& site)
{
    SiteChoice choice = choiceOf(plan, site);
    choice.granularity = Granularity::Tensor;
    if (choice.method == BoundMethod::Manual && choice.manualBounds.size() != 1) {
        choice.method = BoundMethod::Percentile;
        choice.manualBounds.clear();
    }
    return choice;
}

std::vector<Bounds> rangesOf(const SiteStatistics& statistics)
{
    std::vector<Bounds> ranges;
    for (const GroupStatistics& group : statistics.groups) {
        ranges.push_back({static_cast<double>(group.minimum), static_cast<double>(group.maximum)});
    }
    return ranges;
}

/// x' = (x + s r2) / r1 of every channel's range.
std::vector<Bounds> rewrittenRanges(std::vector<Bounds> ranges, const Reparameterization& change)
{
    const double scale = static_cast<double>(change.tensor.scales.front());
    const double zeroPoint = change.tensor.zeroPoint(0);
    for (std::size_t c = 0; c < ranges.size(); ++c) {
        const double own = static_cast<double>(change.channels.scales[c]);
        const double shift = own * (change.channels.zeroPoint(c) - zeroPoint);
        ranges[c] = {(ranges[c].lower + shift) * scale / own, (ranges[c].upper + shift) * scale / own};
    }
    return ranges;
}

/// Index of the weight site that the linear reads; -1 when it has none.
int weightSite(const Model& model, const std::string& linear)
{
    const auto node = model.graph->findNode(linear);
    for (std::size_t i = 0; node && i < model.sites.size(); ++i) {
        if (model.sites[i].kind == SiteKind::Weight
            && model.sites[i].value == model.graph->node(*node).inputs[1]) {
            return static_cast<int>(i);
        }
    }
    return -1;
}

/// Quantizers of the linears' weights that the plan quantizes.
ResolvedPlan weightQuantizers(
    const Model& model, const std::vector<std::string>& linears, const Plan& plan, const TaskContext& context)
{
    Plan weights;
    for (const std::string& linear : linears) {
        if (const int index = weightSite(model, linear); index >= 0) {
            const Site& site = model.sites[static_cast<std::size_t>(index)];
            SiteChoice choice = choiceOf(plan, site);
            if (choice.method == BoundMethod::Manual) { // bounds of the weights before are not those after
                choice.method = BoundMethod::MinMax;
                choice.manualBounds.clear();
            }
            weights.choices[site.name] = choice;
        }
    }
    return resolvePlan(model, weights, {}, context);
}

/// Outputs of the linears, and of the model behind them where wanted.
std::vector<Tensor> outputsOf(const std::shared_ptr<const Model>& model, const ResolvedPlan& quantizers,
    const std::vector<std::string>& nodes, const Tensor& probe, const TaskContext& context)
{
    Executor executor(model);
    PlanApplier(executor).apply(quantizers);
    std::vector<ValueId> fetches;
    for (const std::string& node : nodes) {
        const auto id = model->graph->findNode(node);
        if (!id) {
            throw Error(ErrorCode::Internal, "the rewritten model lacks the node '" + node + "'");
        }
        fetches.push_back(model->graph->node(*id).outputs.front());
    }
    fetches.push_back(model->graph->outputs().front());
    if (!quantizers.empty()) {
        fetches.pop_back(); // only the linears are of interest
    }
    return executor.run(feedsOf(*model->graph, probe), fetches, nullptr, {context.stop, {}});
}

double sqnrDb(const Tensor& expected, const Tensor& actual)
{
    const auto a = expected.data<float>();
    const auto b = actual.data<float>();
    double signal = 0.0;
    double noise = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
        signal += static_cast<double>(a[i]) * static_cast<double>(a[i]);
        noise += difference * difference;
    }
    return sqnrDbOf(signal, noise);
}

double largestRelativeDifference(const Tensor& expected, const Tensor& actual)
{
    const auto a = expected.data<float>();
    const auto b = actual.data<float>();
    double largest = 0.0;
    double difference = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        largest = std::max(largest, std::abs(static_cast<double>(a[i])));
        difference = std::max(difference, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
    }
    return largest > 0.0 ? difference / largest : difference;
}

double weightDb(const Model& model, const std::string& linear, const ResolvedPlan& quantizers)
{
    const int index = weightSite(model, linear);
    if (index < 0) {
        return std::numeric_limits<double>::infinity();
    }
    const Site& site = model.sites[static_cast<std::size_t>(index)];
    const auto found = quantizers.find(site.name);
    return found == quantizers.end() ? std::numeric_limits<double>::infinity()
                                     : siteError(model, {}, site, found->second).sqnrDb();
}

} // namespace

QuantParams channelQuantizer(const Model& model, const NormSite& norm, const Plan& plan,
    const Calibration& calibration, const TaskContext& context)
{
    const Site& site = model.sites.at(static_cast<std::size_t>(norm.site));
    SiteChoice choice = choiceOf(plan, site);
    choice.kind = QuantizerKind::Uniform;
    const bool isPerTensor = choice.granularity != Granularity::Group
        || (choice.method == BoundMethod::Manual && choice.manualBounds.size() == 1);
    if (isPerTensor && choice.method == BoundMethod::Manual) {
        choice.method = BoundMethod::Percentile;
        choice.manualBounds.clear();
    }
    choice.granularity = Granularity::Group;
    if (model.graph->node(norm.norm).op != "LayerNormalization") {
        choice.symmetry = Symmetry::Symmetric;
    }
    return resolveSite(model, site, choice, calibration, context);
}

ReparameterizationEffect measureReparameterization(std::shared_ptr<const Model> model, const NormSite& norm,
    const Plan& plan, const Calibration& calibration, const Tensor& probe,
    std::optional<Reparameterization> change, const TaskContext& context)
{
    const Site& site = model->sites.at(static_cast<std::size_t>(norm.site));
    const auto statistics = calibration.find(site.name);
    if (!statistics) {
        throw Error(ErrorCode::InvalidArgument, "the calibration lacks site '" + site.name + "'");
    }
    ReparameterizationEffect effect;
    effect.change = change
        ? std::move(*change)
        : meanReparameterization(site.name, channelQuantizer(*model, norm, plan, calibration, context));
    effect.before = resolveSite(*model, site, tensorChoice(plan, site), calibration, context);
    effect.ranges = rangesOf(*statistics);
    effect.rewrittenRanges = rewrittenRanges(effect.ranges, effect.change);
    effect.errorBefore = quantizationError(*statistics, effect.before);
    effect.errorAfter = quantizationError(*statistics, effect.change.channels);
    effect.samples = probe.shape()[0];

    std::vector<std::string> linears;
    for (const NodeId linear : norm.linears) {
        linears.push_back(model->graph->node(linear).name);
    }
    const auto after = reparameterized(*model, {effect.change});
    ResolvedPlan quantizersBefore = weightQuantizers(*model, linears, plan, context);
    ResolvedPlan quantizersAfter = weightQuantizers(*after, linears, plan, context);
    for (const std::string& linear : linears) {
        effect.linears.push_back({linear, weightDb(*model, linear, quantizersBefore),
            weightDb(*after, linear, quantizersAfter), 0.0, 0.0});
    }
    quantizersBefore[site.name] = effect.before;
    quantizersAfter[site.name] = effect.change.tensor;
    const auto exact = outputsOf(model, {}, linears, probe, context);
    const auto rewritten = outputsOf(after, {}, linears, probe, context);
    const auto quantizedBefore = outputsOf(model, quantizersBefore, linears, probe, context);
    const auto quantizedAfter = outputsOf(after, quantizersAfter, linears, probe, context);
    for (std::size_t i = 0; i < linears.size(); ++i) {
        effect.linears[i].outputDbBefore = sqnrDb(exact[i], quantizedBefore[i]);
        effect.linears[i].outputDbAfter = sqnrDb(exact[i], quantizedAfter[i]);
    }
    effect.largestRelativeDifference = largestRelativeDifference(exact.back(), rewritten.back());
    return effect;
}

} // namespace qs
