#include "core/eval/sensitivity.h"

#include "core/base/error.h"
#include "core/eval/fp32_cache.h"
#include "core/eval/plan_applier.h"
#include "core/eval/site_error.h"

#include <algorithm>
#include <cstring>

namespace qs {

namespace {

constexpr std::int64_t kBatch = 8;

/// FP32 values of all measured samples, batch by batch.
struct CachedSet
{
    std::vector<Fp32Cache> batches;
    Tensor logits;
};

Tensor stacked(const std::vector<Tensor>& parts)
{
    std::int64_t rows = 0;
    for (const Tensor& part : parts) {
        rows += part.shape()[0];
    }
    Tensor all(DType::F32, Shape {rows, parts.front().shape()[1]});
    auto* target = reinterpret_cast<std::byte*>(all.mutableData<float>().data());
    for (const Tensor& part : parts) {
        std::memcpy(target, part.bytes(), part.byteCount());
        target += part.byteCount();
    }
    return all;
}

CachedSet cacheFp32(
    Executor& executor, const DataSource& data, std::int64_t samples, const TaskContext& context)
{
    CachedSet set;
    std::vector<Tensor> logits;
    for (std::int64_t first = 0; first < samples; first += kBatch) {
        context.throwIfCancelled();
        context.report("reference", first, samples);
        const Tensor batch = loadBatch(data, first, std::min(kBatch, samples - first));
        set.batches.emplace_back(executor, batch, TaskContext {context.stop, {}});
        logits.push_back(set.batches.back().logits());
    }
    set.logits = stacked(logits);
    return set;
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

Tensor logitsFrom(Executor& executor, const CachedSet& set, const Site& site, const TaskContext& context)
{
    const Graph& graph = *executor.model().graph;
    const ValueId output = graph.outputs().front();
    std::vector<Tensor> parts;
    for (const Fp32Cache& cache : set.batches) {
        const std::size_t cut = cache.cutBefore(graph, site);
        const Feed feed {cache.cuts()[cut].value, cache.at(cut)};
        parts.push_back(asLogits(executor.run({&feed, 1}, {&output, 1}, nullptr, context).front()));
    }
    return stacked(parts);
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
    const std::int64_t samples = sampleCountOf(data, options.samples);
    if (samples == 0) {
        throw Error(ErrorCode::InvalidArgument, "there are no samples to measure sensitivity on");
    }
    Executor executor(model);
    PlanApplier applier(executor);
    const CachedSet set = cacheFp32(executor, data, samples, context);
    const TaskContext inner {context.stop, {}};
    std::vector<SiteSensitivity> results;
    for (const Site& site : model->sites) {
        context.throwIfCancelled();
        context.report("sensitivity", static_cast<std::int64_t>(results.size()),
            static_cast<std::int64_t>(model->sites.size()));
        const SiteChoice choice = choiceFor(plan, site, options.fallback);
        const QuantParams params = resolveSite(*model, site, choice, calibration);
        applier.apply({{site.name, params}});
        const Metrics metrics = computeMetrics(logitsFrom(executor, set, site, inner), set.logits, {});
        const QuantizationError error = siteError(*model, calibration, site, params);
        results.push_back({site.name, site.kind, choice.bits, metrics.logitsSqnrDb, metrics.klNats,
            metrics.agreementPercent, error.sqnrDb(),
            error.total() > 0.0 ? error.clipping / error.total() : 0.0});
        if (onResult) {
            onResult(results.back());
        }
    }
    return results;
}

} // namespace qs
