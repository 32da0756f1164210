#include "core/eval/sensitivity_run.h"

#include "core/eval/evaluate.h"

#include <algorithm>
#include <limits>

namespace qs {

namespace {

/// One part of one site's error in an executor, as long as it lives.
class AppliedCause
{
public:
    AppliedCause(Executor& executor, const SiteMeasurement& measurement, ErrorCause cause, bool watch)
        : m_executor(executor)
        , m_index(measurement.site)
        , m_site(executor.model().sites[static_cast<std::size_t>(measurement.site)])
    {
        const QuantParams& params = measurement.params;
        if (m_site.kind == SiteKind::Weight) {
            const Tensor weight = executor.model().graph->value(m_site.value).constant.toF32();
            executor.setConstant(m_site.value, causedWeight(weight, params, m_site.weightAxis, cause));
            m_clipped = measurement.error.clipped > 0;
        } else if (cause == ErrorCause::Both && !watch) {
            executor.setSiteTransform(m_index, std::make_shared<FakeQuantizer>(params));
        } else {
            m_quantizer = std::make_shared<CauseQuantizer>(params, cause);
            executor.setSiteTransform(m_index, m_quantizer);
        }
    }
    ~AppliedCause()
    {
        if (m_site.kind == SiteKind::Weight) {
            m_executor.setConstant(m_site.value, Tensor());
        } else {
            m_executor.setSiteTransform(m_index, nullptr);
        }
    }
    AppliedCause(const AppliedCause&) = delete;
    AppliedCause& operator=(const AppliedCause&) = delete;

    [[nodiscard]] bool hasClipped() const { return m_quantizer ? m_quantizer->hasClipped() : m_clipped; }

private:
    Executor& m_executor;
    int m_index;
    const Site& m_site;
    std::shared_ptr<CauseQuantizer> m_quantizer;
    bool m_clipped = false;
};

/// Sums of the held samples under whatever the executor is set to compute.
void addSums(Executor& executor, const std::vector<HeldBatch>& held, const Site& site,
    std::vector<MetricSums>& sums, const TaskContext& context)
{
    const Graph& graph = *executor.model().graph;
    const ValueId output = graph.outputs().front();
    for (const HeldBatch& batch : held) {
        const std::size_t cut = batch.fp32.cutBefore(graph, site);
        const std::vector<Feed> feeds = batch.fp32.feedsFrom(cut, batch.fp32.at(cut));
        const Tensor logits = executor.run(feeds, {&output, 1}, nullptr, context).front();
        const std::vector<MetricSums> added = metricSums(logits, batch.fp32.output(), batch.targets);
        sums.insert(sums.end(), added.begin(), added.end());
    }
}

CauseEffect effectOf(const std::vector<MetricSums>& sums, ModelTask task)
{
    MetricSums total;
    for (const MetricSums& sample : sums) {
        total += sample;
    }
    const Metrics metrics = total.metrics(task);
    return {metrics.klNats, 100.0 - metrics.agreementPercent, metrics.logitsSqnrDb};
}

/// FP32's top-1 minus the other's in percentage points; NaN without a label.
double top1Drop(const MetricSums& sums, const MetricSums& fp32)
{
    return sums.targets == 0
        ? std::numeric_limits<double>::quiet_NaN()
        : 100.0 * static_cast<double>(fp32.top1 - sums.top1) / static_cast<double>(sums.targets);
}

double nllIncrease(const MetricSums& sums, const MetricSums& fp32)
{
    return sums.targets == 0 ? std::numeric_limits<double>::quiet_NaN()
                             : (sums.nll - fp32.nll) / static_cast<double>(sums.targets);
}

/// Statistics in the order of the members of SensitivityIntervals.
constexpr std::size_t kStatistics = 5;

SensitivityIntervals intervalsOf(const std::vector<MetricSums>& sums, std::span<const MetricSums> fp32,
    const SiteSensitivity& result, const BootstrapOptions& options)
{
    const auto statistics = [&](std::span<const std::size_t> draws, std::span<double> values) {
        MetricSums all;
        MetricSums reference;
        for (const std::size_t draw : draws) {
            all += sums[draw];
            reference += fp32[draw];
        }
        const auto rows = static_cast<double>(all.rows);
        values[0] = all.kl / rows;
        values[1] = 100.0 * static_cast<double>(all.rows - all.agreeing) / rows;
        values[2] = sqnrDbOf(all.signal, all.noise);
        values[3] = top1Drop(all, reference);
        values[4] = nllIncrease(all, reference);
    };
    const std::vector<BootstrapInterval> found
        = bootstrapIntervals(sums.size(), kStatistics, options, statistics);
    SensitivityIntervals intervals {found[0], found[1], found[2], {}, {}, options};
    if (result.top1DropPercent) {
        intervals.top1DropPercent = found[3];
    }
    if (result.nllIncreaseNats) {
        intervals.nllIncreaseNats = found[4];
    }
    return intervals;
}

} // namespace

void measureHeld(Executor& executor, const std::vector<HeldBatch>& held, std::span<const MetricSums> fp32,
    bool causes, SiteMeasurement& measurement, const TaskContext& context)
{
    const Site& site = executor.model().sites[static_cast<std::size_t>(measurement.site)];
    std::vector<MetricSums>& both = measurement.of(ErrorCause::Both);
    const std::size_t before = both.size();
    bool clipped = false;
    {
        const AppliedCause applied(executor, measurement, ErrorCause::Both, causes);
        addSums(executor, held, site, both, context);
        clipped = applied.hasClipped();
    }
    if (!causes) {
        return;
    }
    std::vector<MetricSums>& clipping = measurement.of(ErrorCause::Clipping);
    std::vector<MetricSums>& rounding = measurement.of(ErrorCause::Rounding);
    if (!clipped) {
        clipping.insert(clipping.end(), fp32.begin(), fp32.end());
        rounding.insert(rounding.end(), both.begin() + static_cast<std::ptrdiff_t>(before), both.end());
        return;
    }
    for (const ErrorCause cause : {ErrorCause::Clipping, ErrorCause::Rounding}) {
        const AppliedCause applied(executor, measurement, cause, true);
        addSums(executor, held, site, measurement.of(cause), context);
    }
}

SiteSensitivity resultOf(const Model& model, const SiteMeasurement& measurement,
    std::span<const MetricSums> fp32, const BootstrapOptions& bootstrap)
{
    const Site& site = model.sites[static_cast<std::size_t>(measurement.site)];
    const std::vector<MetricSums>& sums = measurement.of(ErrorCause::Both);
    MetricSums total;
    MetricSums reference;
    for (std::size_t i = 0; i < sums.size(); ++i) {
        total += sums[i];
        reference += fp32[i];
    }
    const Metrics metrics = total.metrics(model.task);
    SiteSensitivity result;
    result.site = site.name;
    result.kind = site.kind;
    result.choice = measurement.choice;
    result.bits = measurement.choice.bits;
    result.samples = metrics.samples;
    result.logitsSqnrDb = metrics.logitsSqnrDb;
    result.klNats = metrics.klNats;
    result.agreementPercent = metrics.agreementPercent;
    result.nllNats = metrics.nllNats;
    if (metrics.top1Percent) {
        result.top1DropPercent = top1Drop(total, reference);
    }
    if (metrics.nllNats) {
        result.nllIncreaseNats = nllIncrease(total, reference);
    }
    result.siteSqnrDb = measurement.error.sqnrDb();
    const double own = measurement.error.total();
    result.clippingShare = own > 0.0 ? measurement.error.clipping / own : 0.0;
    if (bootstrap.resamples > 0) {
        result.intervals = intervalsOf(sums, fp32, result, bootstrap);
    }
    if (!measurement.of(ErrorCause::Clipping).empty()) {
        result.clippingAlone = effectOf(measurement.of(ErrorCause::Clipping), model.task);
        result.roundingAlone = effectOf(measurement.of(ErrorCause::Rounding), model.task);
    }
    return result;
}

} // namespace qs
