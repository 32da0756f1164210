#include "core/eval/model_benchmark.h"

#include "core/base/error.h"
#include "core/eval/calibration_observer.h"
#include "core/eval/random_feeds.h"

#include <algorithm>
#include <chrono>
#include <optional>

namespace qs {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kLeastRounds = 3;
constexpr int kProfiledRounds = 3;

double secondsSince(Clock::time_point start)
{
    return std::chrono::duration<double>(Clock::now() - start).count();
}

double median(std::vector<double> values)
{
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::ranges::nth_element(values, middle);
    return *middle;
}

/// One pass over all batches.
void runAll(
    Executor& executor, const FeedBatches& batches, SiteObserver* observer, const TaskContext& context)
{
    const TaskContext inner {context.stop, {}};
    const ValueId output = executor.model().graph->outputs().front();
    for (const std::vector<Feed>& feeds : batches) {
        (void)executor.run(feeds, {&output, 1}, observer, inner);
    }
}

double timeOfPlainRound(Executor& executor, const FeedBatches& batches, const TaskContext& context)
{
    const auto start = Clock::now();
    runAll(executor, batches, nullptr, context);
    return secondsSince(start);
}

double timeOfCalibration(Executor& executor, const FeedBatches& batches, const TaskContext& context)
{
    const auto start = Clock::now();
    CalibrationObserver observer(executor.model().sites);
    runAll(executor, batches, &observer, context);
    const auto statistics = observer.finish();
    return secondsSince(start);
}

void requireBatches(const FeedBatches& batches)
{
    if (batches.empty() || batches.front().empty()) {
        throw Error(ErrorCode::InvalidArgument, "there are no samples to run the model on");
    }
}

} // namespace

double ModelBenchmark::samplesPerSecond() const
{
    return static_cast<double>(samples) / plainSeconds;
}

double ModelBenchmark::tokensPerSecond() const
{
    return static_cast<double>(tokens) / plainSeconds;
}

double ModelBenchmark::calibrationOverhead() const
{
    return calibrationSeconds / plainSeconds;
}

double ModelBenchmark::operationsPerSecond() const
{
    return operations / plainSeconds;
}

ModelBenchmark benchmarkModel(std::shared_ptr<const Model> model, const FeedBatches& batches, double seconds,
    const TaskContext& context)
{
    requireBatches(batches);
    ModelBenchmark result;
    for (const std::vector<Feed>& feeds : batches) {
        const Shape& shape = feeds.front().tensor.shape();
        result.samples += shape.rank() == 0 ? 1 : shape[0];
        result.tokens += readsTokens(*model) ? shape.elementCount() : 0;
    }
    Executor executor(model);
    const double warm
        = timeOfPlainRound(executor, batches, context) + timeOfCalibration(executor, batches, context);
    const int expected = std::max(kLeastRounds, static_cast<int>(seconds / warm));
    std::vector<double> plain;
    std::vector<double> calibrating;
    const auto start = Clock::now();
    while (result.rounds < kLeastRounds || secondsSince(start) < seconds) {
        context.throwIfCancelled();
        context.report("bench", std::min(result.rounds, expected), expected + 1);
        plain.push_back(timeOfPlainRound(executor, batches, context));
        calibrating.push_back(timeOfCalibration(executor, batches, context));
        ++result.rounds;
    }
    context.report("bench", expected, expected + 1);
    const ExecutionProfile profile = profileModel(executor, batches, kProfiledRounds, context);
    ExecutionProfile observed(*model->graph);
    executor.setProfile(&observed);
    (void)timeOfCalibration(executor, batches, context);
    executor.setProfile(nullptr);
    context.report("bench", expected + 1, expected + 1);
    result.plainSeconds = median(plain);
    result.calibrationSeconds = median(calibrating);
    result.observationSeconds = observed.observation;
    result.nodes = profile.nodes;
    for (const NodeCost& node : result.nodes) {
        result.operations += node.operations;
    }
    return result;
}

ExecutionProfile profileModel(
    Executor& executor, const FeedBatches& batches, int rounds, const TaskContext& context)
{
    requireBatches(batches);
    const Graph& graph = *executor.model().graph;
    runAll(executor, batches, nullptr, context);
    std::optional<ExecutionProfile> best;
    for (int round = 0; round < rounds; ++round) {
        context.throwIfCancelled();
        context.report("profile", round, rounds);
        ExecutionProfile profile(graph);
        executor.setProfile(&profile);
        try {
            runAll(executor, batches, nullptr, context);
        } catch (...) {
            executor.setProfile(nullptr); // the profile ends with this scope
            throw;
        }
        executor.setProfile(nullptr);
        if (!best || profile.total < best->total) {
            best = std::move(profile);
        }
    }
    context.report("profile", rounds, rounds);
    return best ? *best : ExecutionProfile(graph);
}

} // namespace qs
