#include "core/methods/end_to_end.h"

#include "core/methods/row_draw.h"
#include "core/models/rewritten_model.h"
#include "core/runtime/executor.h"

#include <algorithm>
#include <numeric>

namespace qs {

namespace {

constexpr std::int64_t kFirstDraw = std::int64_t {1} << 40; ///< others than those of single blocks

Tensor gathered(const Tensor& batch, std::span<const std::int64_t> rows)
{
    std::vector<std::int64_t> dims(batch.shape().dims().begin(), batch.shape().dims().end());
    const auto size = static_cast<std::size_t>(batch.elementCount() / dims.front());
    dims.front() = static_cast<std::int64_t>(rows.size());
    Tensor result(DType::F32, Shape(dims));
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto from = batch.data<float>().subspan(static_cast<std::size_t>(rows[i]) * size, size);
        std::ranges::copy(from, result.mutableData<float>().begin() + static_cast<std::ptrdiff_t>(i * size));
    }
    return result;
}

std::map<std::string, Tensor> valuesOf(const std::map<std::string, RewrittenConstant>& constants)
{
    std::map<std::string, Tensor> result;
    for (const auto& [name, constant] : constants) {
        result[name] = constant.values;
    }
    return result;
}

} // namespace

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
    const ValueId feed = blocks.front().feed;
    SectionTrainer trainer(withConstants(*student, valuesOf(result.constants)), feed, fetches,
        result.quantizers, options.training, result.codes);
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
        const Feed given {feed, gathered(inputs.exact, rows)};
        std::vector<Tensor> targets = exact.run({&given, 1}, fetches, nullptr, {context.stop, {}});
        std::vector<TrainingGoal> goals;
        for (std::size_t k = 0; k < targets.size(); ++k) {
            const double power = centredPower(targets[k], importance[k]);
            const auto count = static_cast<double>(targets.size());
            goals.push_back({std::move(targets[k]), importance[k],
                power > 0.0 ? static_cast<double>(rows.size()) / power / count : 1.0});
        }
        const double loss = trainer.step(gathered(inputs.quantized, rows), goals, all, context);
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
