#include "core/methods/block_reconstruction.h"

#include "core/base/error.h"
#include "core/eval/plan_applier.h"
#include "core/methods/output_curvature.h"
#include "core/methods/reconstruction_state.h"
#include "core/methods/section_run.h"

#include <numeric>
#include <random>

namespace qs {

namespace {

/// The value of one graph value over all samples, under these quantizers (none: FP32).
Tensor valueOf(const std::shared_ptr<const Model>& model, ValueId value, const ResolvedPlan& quantizers,
    const Tensor& samples, const TaskContext& context)
{
    Executor executor(model);
    PlanApplier(executor).apply(quantizers);
    const Feed feed {model->graph->inputs().front(), samples};
    return executor.run({&feed, 1}, {&value, 1}, nullptr, {context.stop, {}}).front();
}

/// `count` different rows out of `total`.
std::vector<std::int64_t> drawRows(std::int64_t count, std::int64_t total, std::mt19937_64& generator)
{
    std::vector<std::int64_t> rows(static_cast<std::size_t>(total));
    std::iota(rows.begin(), rows.end(), std::int64_t {0});
    const auto wanted = static_cast<std::size_t>(std::min(count, total));
    for (std::size_t i = 0; i < wanted; ++i) {
        std::swap(rows[i], rows[i + generator() % (rows.size() - i)]);
    }
    rows.resize(wanted);
    return rows;
}

/// The section of one block of the FP32 model.
Tensor teacherOutput(const std::shared_ptr<const Model>& model, const BlockSection& block,
    const Tensor& inputs, const TaskContext& context)
{
    const Section section(model, {block.feed}, {block.fetch}, {});
    return runSection(section, {}, block.feed, inputs, context);
}

} // namespace

BlockResults reconstructBlocks(std::shared_ptr<const Model> teacher, std::shared_ptr<const Model> student,
    const ResolvedPlan& quantizers, const Tensor& samples, const std::string& identity,
    const BlockReconstructionOptions& options, const TaskContext& context)
{
    const std::vector<BlockSection> blocks = findBlockSections(*teacher);
    if (blocks.empty() || teacher->graph->inputs().size() != 1) {
        throw Error(ErrorCode::Unsupported,
            "block reconstruction needs a model with one input and blocks that a single value separates");
    }
    const ReconstructionState state(options.resume, *teacher, identity, options);
    BlockResults results = state.load(quantizers);
    Tensor exact = valueOf(teacher, blocks.front().feed, {}, samples, context);
    Tensor quantized = valueOf(student, blocks.front().feed, quantizers, samples, context);
    std::vector<std::vector<float>> curvature;
    if (results.blocksDone < static_cast<int>(blocks.size())) {
        curvature = outputCurvature(teacher, blocks, exact, options.curvatureDraws, options.seed, context);
    }
    const auto count = static_cast<int>(blocks.size());
    const std::int64_t iterations = options.training.iterations;
    for (int b = 0; b < count; ++b) {
        const BlockSection& block = blocks[static_cast<std::size_t>(b)];
        const Tensor targets = teacherOutput(teacher, block, exact, context);
        const bool isDone = b < results.blocksDone;
        SectionTrainer trainer(student, block, quantizers, options.training);
        if (isDone) {
            trainer.restore(results.constants, results.quantizers);
        }
        std::mt19937_64 generator(
            static_cast<std::uint64_t>(options.seed) * 1000003U + static_cast<std::uint64_t>(b));
        for (std::int64_t i = 0; i < iterations && !isDone; ++i) {
            context.throwIfCancelled();
            const auto rows = drawRows(options.training.batch, samples.shape()[0], generator);
            const double loss
                = trainer.step(quantized, targets, rows, curvature[static_cast<std::size_t>(b)], context);
            if (options.onLoss) {
                options.onLoss({block.name, b, count, i, iterations, loss});
            }
            context.report("train", b * iterations + i + 1, count * iterations);
        }
        quantized = trainer.run(quantized, context);
        exact = targets;
        if (!isDone) {
            trainer.store(results.constants, results.quantizers);
            results.blocksDone = b + 1;
            state.save(results);
        }
    }
    return results;
}

} // namespace qs
