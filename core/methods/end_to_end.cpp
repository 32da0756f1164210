#include "core/methods/end_to_end.h"

#include "core/methods/row_draw.h"
#include "core/methods/sample_runs.h"
#include "core/methods/section_run.h"
#include "core/models/rewritten_model.h"
#include "core/runtime/executor.h"

#include <algorithm>
#include <numeric>

namespace qs {

namespace {

constexpr std::int64_t kFirstDraw = std::int64_t {1} << 40; ///< others than those of single blocks

std::vector<Feed> gathered(std::span<const Feed> batches, std::span<const std::int64_t> rows)
{
    std::vector<Feed> result;
    for (const Feed& batch : batches) {
        result.push_back({batch.value, gathered(batch.tensor, rows)});
    }
    return result;
}

std::vector<Feed> joined(ValueId feed, const Tensor& values, const std::vector<Feed>& shared)
{
    std::vector<Feed> result {{feed, values}};
    result.insert(result.end(), shared.begin(), shared.end());
    return result;
}

std::map<std::string, Tensor> valuesByName(const std::map<std::string, RewrittenConstant>& constants)
{
    std::map<std::string, Tensor> result;
    for (const auto& [name, constant] : constants) {
        result[name] = constant.values;
    }
    return result;
}

} // namespace

std::vector<Feed> BlockInputs::exactFeeds() const
{
    return joined(feed, exact, shared);
}

std::vector<Feed> BlockInputs::quantizedFeeds() const
{
    return joined(feed, quantized, shared);
}

double centredPower(const Tensor& batch, std::span<const float> importance)
{
    const auto width = static_cast<std::size_t>(batch.shape().dims().back());
    const auto values = batch.data<float>();
    std::vector<double> means(width, 0.0);
    for (std::size_t i = 0; i < values.size(); ++i) {
        means[i % width] += static_cast<double>(values[i]);
    }
    for (double& mean : means) {
        mean *= static_cast<double>(width) / static_cast<double>(values.size());
    }
    double power = 0.0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double distance = static_cast<double>(values[i]) - means[i % width];
        power += static_cast<double>(importance[i % importance.size()]) * distance * distance;
    }
    return power;
}

void trainEndToEnd(std::shared_ptr<const Model> teacher, std::shared_ptr<const Model> student,
    const BlockInputs& inputs, const std::vector<std::vector<float>>& importance, TrainingResult& result,
    const TrainingCheckpoint& from, const EndToEndOptions& options, const TaskContext& context)
{
    const std::vector<BlockSection> blocks = findBlockSections(*teacher);
    std::vector<ValueId> fetches;
    for (const BlockSection& block : blocks) {
        fetches.push_back(block.fetch);
    }
    const std::vector<Feed> exactFeeds = inputs.exactFeeds();
    const std::vector<Feed> quantizedFeeds = inputs.quantizedFeeds();
    SectionTrainer trainer(withConstants(*student, valuesByName(result.constants)), valuesOf(exactFeeds),
        fetches, result.quantizers, options.training, result.codes);
    if (from.iteration > 0) {
        trainer.goOn(from.state, from.iteration);
    }
    Executor exact(teacher);
    std::vector<std::int64_t> all(static_cast<std::size_t>(options.training.batch));
    const std::int64_t iterations = options.training.schedule.iterations;
    while (trainer.iteration() < iterations) {
        const std::int64_t iteration = trainer.iteration();
        const auto rows
            = drawRows(options.training.batch, inputs.exact.shape()[0], options.seed, kFirstDraw + iteration);
        all.resize(rows.size());
        std::iota(all.begin(), all.end(), std::int64_t {0});
        const std::vector<Feed> given = gathered(exactFeeds, rows);
        std::vector<Tensor> targets = runSamples(exact, given, fetches, context);
        std::vector<TrainingGoal> goals;
        for (std::size_t k = 0; k < targets.size(); ++k) {
            const double power = centredPower(targets[k], importance[k]);
            const auto count = static_cast<double>(targets.size());
            goals.push_back({std::move(targets[k]), importance[k],
                power > 0.0 ? static_cast<double>(rows.size()) / power / count : 1.0});
        }
        const double loss = trainer.step(gathered(quantizedFeeds, rows), goals, all, context);
        if (options.onStep) {
            options.onStep(iteration, loss);
        }
        if (options.onCheckpoint && trainer.iteration() % options.checkpointEvery == 0
            && trainer.iteration() < iterations) {
            options.onCheckpoint({trainer.iteration(), trainer.state()});
        }
    }
    trainer.store(result);
}

} // namespace qs
