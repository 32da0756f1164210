#include "core/methods/quantizer_kinds.h"

#include "core/eval/incremental_evaluator.h"
#include "core/eval/model_feeds.h"
#include "core/methods/sample_runs.h"
#include "core/methods/section_run.h"
#include "core/stats/site_accumulator.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <vector>

namespace qs {

namespace {

constexpr std::int64_t kProbeSamples = 8;
/// With so few bits the steps of log-sqrt2 end at 1/11 of the largest value and a searched base is worth its
/// table.
constexpr int kFewBits = 3;

/// Statistics of some sites by index, with as many groups as their values turn out to have.
class SitesObserver final : public SiteObserver
{
public:
    SitesObserver(const std::vector<Site>& sites, const std::set<std::string>& wanted)
        : m_sites(sites)
    {
        for (const std::string& name : wanted) {
            m_accumulators[indexOfSite(sites, name)];
        }
    }
    [[nodiscard]] bool wants(int site) const override { return m_accumulators.contains(site); }
    void observe(int site, const ActivationView& view) override
    {
        const Site& of = m_sites[static_cast<std::size_t>(site)];
        std::unique_ptr<SiteAccumulator>& accumulator = m_accumulators.at(site);
        if (!accumulator) {
            accumulator = std::make_unique<SiteAccumulator>(
                of.name, of.groupAxis, of.role, of.groupAxis == GroupAxis::Head ? view.heads : view.width);
        }
        accumulator->observe(view);
    }
    /// Null where no value reached the site: its layer is not needed for the output.
    [[nodiscard]] std::shared_ptr<const SiteStatistics> statistics(int site) const
    {
        const std::unique_ptr<SiteAccumulator>& accumulator = m_accumulators.at(site);
        return accumulator ? accumulator->finish() : nullptr;
    }

private:
    const std::vector<Site>& m_sites;
    std::map<int, std::unique_ptr<SiteAccumulator>> m_accumulators;
};

void observeAll(const MethodInput& input, SitesObserver& observer, const TaskContext& context)
{
    const Graph& graph = *input.model->graph;
    Executor executor(input.model);
    const std::vector<Feed> feeds = feedsOf(graph, input.samples);
    const ValueId output = graph.outputs().front();
    const TaskContext silent {context.stop, {}};
    for (const std::vector<Feed>& each :
        takesOneSample(*input.model) ? samplesOf(feeds) : std::vector<std::vector<Feed>> {feeds}) {
        (void)executor.run(each, {&output, 1}, &observer, silent);
    }
}

} // namespace

SiteKinds kindsOfLeastLayerError(
    const MethodInput& input, const std::set<std::string>& sites, int bits, const TaskContext& context)
{
    SiteKinds result;
    if (sites.empty()) {
        return result;
    }
    SitesObserver observer(input.model->sites, sites);
    observeAll(input, observer, context);
    std::vector<std::int64_t> rows(
        static_cast<std::size_t>(std::min(kProbeSamples, input.samples.shape()[0])));
    std::iota(rows.begin(), rows.end(), std::int64_t {0});
    IncrementalEvaluator evaluator(input.model, gathered(input.samples, rows));
    const TaskContext silent {context.stop, {}};
    const QuantizerKind logarithmic = bits <= kFewBits ? QuantizerKind::AdaLog : QuantizerKind::LogSqrt2;
    for (const std::string& name : sites) {
        context.throwIfCancelled();
        const int site = indexOfSite(input.model->sites, name);
        const std::shared_ptr<const SiteStatistics> statistics = observer.statistics(site);
        if (!statistics) {
            result[name] = logarithmic;
            continue;
        }
        const auto errorOf = [&](QuantizerKind candidate) {
            SiteChoice choice;
            choice.kind = candidate;
            choice.bits = bits;
            choice.method = BoundMethod::Mse;
            return evaluator.layerError(site, resolveActivation(choice, *statistics, silent), silent)
                .meanSquared;
        };
        result[name]
            = errorOf(logarithmic) <= errorOf(QuantizerKind::Uniform) ? logarithmic : QuantizerKind::Uniform;
    }
    return result;
}

} // namespace qs
