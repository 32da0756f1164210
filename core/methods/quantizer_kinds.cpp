#include "core/methods/quantizer_kinds.h"

#include "core/eval/calibration_observer.h"
#include "core/eval/incremental_evaluator.h"
#include "core/eval/model_feeds.h"
#include "core/methods/sample_runs.h"
#include "core/methods/section_run.h"

#include <algorithm>
#include <numeric>

namespace qs {

namespace {

constexpr std::int64_t kProbeSamples = 8;
/// With so few bits the steps of log-sqrt2 end at 1/11 of the largest value and a searched base is worth its
/// table.
constexpr int kFewBits = 3;

std::map<std::string, std::shared_ptr<const SiteStatistics>> statisticsOf(
    const MethodInput& input, const TaskContext& context)
{
    const Graph& graph = *input.model->graph;
    Executor executor(input.model);
    CalibrationObserver observer(input.model->sites);
    const std::vector<Feed> feeds = feedsOf(graph, input.samples);
    const ValueId output = graph.outputs().front();
    const TaskContext silent {context.stop, {}};
    for (const std::vector<Feed>& each :
        takesOneSample(*input.model) ? samplesOf(feeds) : std::vector<std::vector<Feed>> {feeds}) {
        (void)executor.run(each, {&output, 1}, &observer, silent);
    }
    return observer.finish();
}

} // namespace

SiteKinds kindsOfLeastLayerError(
    const MethodInput& input, const std::set<std::string>& sites, int bits, const TaskContext& context)
{
    SiteKinds result;
    if (sites.empty()) {
        return result;
    }
    const auto statistics = statisticsOf(input, context);
    std::vector<std::int64_t> rows(
        static_cast<std::size_t>(std::min(kProbeSamples, input.samples.shape()[0])));
    std::iota(rows.begin(), rows.end(), std::int64_t {0});
    IncrementalEvaluator evaluator(input.model, gathered(input.samples, rows));
    const TaskContext silent {context.stop, {}};
    const QuantizerKind logarithmic = bits <= kFewBits ? QuantizerKind::AdaLog : QuantizerKind::LogSqrt2;
    for (const std::string& name : sites) {
        context.throwIfCancelled();
        const int site = indexOfSite(input.model->sites, name);
        const auto errorOf = [&](QuantizerKind candidate) {
            SiteChoice choice;
            choice.kind = candidate;
            choice.bits = bits;
            choice.method = BoundMethod::Mse;
            return evaluator.layerError(site, resolveActivation(choice, *statistics.at(name), silent), silent)
                .meanSquared;
        };
        result[name]
            = errorOf(logarithmic) <= errorOf(QuantizerKind::Uniform) ? logarithmic : QuantizerKind::Uniform;
    }
    return result;
}

} // namespace qs
