#include "core/methods/repq_vit.h"

#include "core/base/error.h"
#include "core/eval/plan_applier.h"
#include "core/methods/sample_runs.h"
#include "core/methods/section_run.h"
#include "core/methods/sequential_calibration.h"
#include "core/quant/manual_choice.h"

namespace qs {

namespace {

Plan sitesOfKind(const Model& model, const Plan& plan, SiteKind kind)
{
    Plan result;
    for (const Site& site : model.sites) {
        const SiteChoice* choice = plan.find(site.name);
        if (site.kind == kind && choice != nullptr) {
            result.choices[site.name] = *choice;
        }
    }
    return result;
}

/// Activation quantizers of one run over the samples with quantized weights.
ResolvedPlan calibrateSequentially(
    const MethodInput& input, const Plan& plan, const ResolvedPlan& weights, const TaskContext& context)
{
    Executor executor(input.model);
    PlanApplier(executor).apply(weights);
    const Graph& graph = *input.model->graph;
    if (graph.inputs().size() != 1) {
        throw Error(ErrorCode::Unsupported,
            "methods need a model with one input, this one has " + std::to_string(graph.inputs().size()));
    }
    const Feed feed {graph.inputs().front(), input.samples};
    if (takesOneSample(*input.model)) {
        return calibrateSampleBySample(
            executor, plan, samplesOf({&feed, 1}), static_cast<NodeId>(graph.nodes().size()), context);
    }
    SequentialCalibration calibration(executor, plan);
    const ValueId output = graph.outputs().front();
    const TaskContext inner {context.stop,
        [&](const Progress& progress) { context.report("calibrate", progress.done, progress.total); }};
    (void)executor.run({&feed, 1}, {&output, 1}, &calibration, inner);
    return calibration.quantizers();
}

} // namespace

Plan repqVitPlan(const Model& model, const MethodOptions& options, const std::set<int>& channelwise)
{
    PresetOptions preset;
    preset.weightBits = options.weightBits;
    preset.activationBits = options.activationBits;
    preset.patchInputBits = options.patchInputBits;
    preset.method = BoundMethod::Percentile;
    preset.softmaxKind = options.has(Ingredient::LogSqrt2Softmax)
        ? options.softmaxKind.value_or(QuantizerKind::LogSqrt2)
        : QuantizerKind::Uniform;
    Plan plan = makePreset(model.sites, preset);
    for (const int site : channelwise) {
        plan.choices[model.sites[static_cast<std::size_t>(site)].name].granularity = Granularity::Group;
    }
    return plan;
}

MethodResult quantizeRepqVit(
    const MethodInput& input, const MethodOptions& options, const TaskContext& context)
{
    return quantizeSequentially(input, options, {}, context);
}

MethodResult quantizeSequentially(const MethodInput& input, const MethodOptions& options,
    const SequentialVariant& variant, const TaskContext& context)
{
    const Model& model = *input.model;
    const std::vector<NormSite> norms = findNormSites(model, variant.norms);
    std::set<int> channelwise;
    std::set<std::string> symmetric; // an RMS norm cannot shift channels
    for (const NormSite& norm : norms) {
        channelwise.insert(norm.site);
        if (model.graph->node(norm.norm).op != "LayerNormalization") {
            symmetric.insert(model.sites[static_cast<std::size_t>(norm.site)].name);
        }
    }
    if (!options.has(Ingredient::Reparameterization)) {
        channelwise.clear();
    }
    MethodResult result;
    result.plan = repqVitPlan(model, options, channelwise);
    for (const Site& site : model.sites) {
        result.plan.choices[site.name].method
            = site.kind == SiteKind::Weight ? variant.weights : variant.activations;
    }
    for (const auto& [name, kind] : variant.kinds) {
        result.plan.choices.at(name).kind = kind;
    }
    for (const int site : channelwise) {
        const std::string& name = model.sites[static_cast<std::size_t>(site)].name;
        if (symmetric.contains(name)) {
            result.plan.choices[name].symmetry = Symmetry::Symmetric;
        }
    }
    const ResolvedPlan weights
        = resolvePlan(model, sitesOfKind(model, result.plan, SiteKind::Weight), {}, {context.stop, {}});
    result.quantizers = calibrateSequentially(
        input, sitesOfKind(model, result.plan, SiteKind::Activation), weights, context);
    std::set<ValueId> changed;
    for (const NormSite& norm : norms) {
        if (!channelwise.contains(norm.site)) {
            continue;
        }
        const std::string& name = model.sites[static_cast<std::size_t>(norm.site)].name;
        Reparameterization r = meanReparameterization(name, result.quantizers.at(name), options.zeroPoint);
        result.quantizers[name] = r.tensor;
        result.plan.choices[name] = manualChoice(r.tensor);
        result.rewriting.reparameterizations.push_back(std::move(r));
        for (const NodeId linear : norm.linears) {
            changed.insert(model.graph->node(linear).inputs[1]);
        }
    }
    result.model = rewritten(input.model, result.rewriting);
    Plan again; // only what the reparameterization changed
    for (const Site& site : model.sites) {
        if (!result.plan.choices[site.name].enabled) {
            continue;
        }
        if (site.kind == SiteKind::Weight && !changed.contains(site.value)) {
            result.quantizers[site.name] = weights.at(site.name);
        } else if (site.kind == SiteKind::Weight) {
            again.choices[site.name] = result.plan.choices[site.name];
        }
    }
    result.quantizers.merge(resolvePlan(*result.model, again, {}, {context.stop, {}}));
    return result;
}

} // namespace qs
