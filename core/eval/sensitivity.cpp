#include "core/eval/sensitivity.h"

#include "core/eval/fp32_cache.h"
#include "core/eval/metrics_accumulator.h"
#include "core/eval/model_feeds.h"
#include "core/eval/plan_applier.h"
#include "core/eval/site_error.h"

#include <algorithm>

namespace qs {

namespace {

constexpr std::int64_t kBatch = 8;

/// FP32 values of all measured samples, batch by batch.
std::vector<Fp32Cache> cacheFp32(
    Executor& executor, const DataSource& data, std::int64_t samples, const TaskContext& context)
{
    const std::int64_t batch = batchSizeOf(executor.model(), data, kBatch);
    std::vector<Fp32Cache> batches;
    for (std::int64_t first = 0; first < samples; first += batch) {
        context.throwIfCancelled();
        context.report("reference", first, samples);
        const Tensor inputs = loadBatch(data, first, std::min(batch, samples - first));
        batches.emplace_back(executor, inputs, TaskContext {context.stop, {}});
    }
    return batches;
}

SiteChoice choiceFor(const Plan& plan, const Site& site, const SiteChoice& fallback)
{
    const SiteChoice* choice = plan.find(site.name);
    if (choice != nullptr && choice->enabled) {
        return *choice;
    }
    SiteChoice result = fallback;
    if (site.kind == SiteKind::Weight) {
        result.granularity = Granularity::Group;
    }
    return result;
}

/// Metrics of whatever the executor is set to compute, running only what lies behind the site.
Metrics metricsBehind(
    Executor& executor, const std::vector<Fp32Cache>& batches, const Site& site, const TaskContext& context)
{
    const Model& model = executor.model();
    const ValueId output = model.graph->outputs().front();
    MetricsAccumulator metrics(model.task);
    for (const Fp32Cache& cache : batches) {
        const std::size_t cut = cache.cutBefore(*model.graph, site);
        const std::vector<Feed> feeds = cache.feedsFrom(cut, cache.at(cut));
        const Tensor logits = executor.run(feeds, {&output, 1}, nullptr, context).front();
        metrics.add(logits, cache.output(), targetsOf(model, cache.samples()));
    }
    return metrics.result();
}

} // namespace

SiteChoice defaultFallback()
{
    SiteChoice choice;
    choice.enabled = true;
    choice.bits = 4;
    return choice;
}

std::vector<SiteSensitivity> measureSensitivity(std::shared_ptr<const Model> model, const Plan& plan,
    const Calibration& calibration, const DataSource& data, const SensitivityOptions& options,
    const TaskContext& context, const std::function<void(const SiteSensitivity&)>& onResult)
{
    const std::int64_t samples = sampleCountOf(*model->graph, data, options.samples);
    Executor executor(model);
    PlanApplier applier(executor);
    const std::vector<Fp32Cache> batches = cacheFp32(executor, data, samples, context);
    const TaskContext inner {context.stop, {}};
    std::vector<SiteSensitivity> results;
    for (const Site& site : model->sites) {
        context.throwIfCancelled();
        context.report("sensitivity", static_cast<std::int64_t>(results.size()),
            static_cast<std::int64_t>(model->sites.size()));
        const SiteChoice choice = choiceFor(plan, site, options.fallback);
        const QuantParams params = resolveSite(*model, site, choice, calibration);
        applier.apply({{site.name, params}});
        const Metrics metrics = metricsBehind(executor, batches, site, inner);
        const QuantizationError error = siteError(*model, calibration, site, params);
        results.push_back({site.name, site.kind, choice.bits, metrics.logitsSqnrDb, metrics.klNats,
            metrics.agreementPercent, metrics.nllNats, error.sqnrDb(),
            error.total() > 0.0 ? error.clipping / error.total() : 0.0});
        if (onResult) {
            onResult(results.back());
        }
    }
    return results;
}

} // namespace qs
