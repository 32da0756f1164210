#include "core/methods/block_reconstruction.h"

#include "core/base/error.h"
#include "core/eval/plan_applier.h"
#include "core/methods/output_curvature.h"
#include "core/methods/reconstruction_state.h"
#include "core/methods/row_draw.h"
#include "core/methods/sample_runs.h"
#include "core/methods/section_run.h"

namespace qs {

namespace {

/// The value of one graph value over all samples, under these quantizers (none: FP32).
Tensor valueOf(const std::shared_ptr<const Model>& model, ValueId value, const ResolvedPlan& quantizers,
    const Tensor& samples, const TaskContext& context)
{
    Executor executor(model);
    PlanApplier(executor).apply(quantizers);
    const Feed feed {model->graph->inputs().front(), samples};
    return runSamples(executor, {&feed, 1}, {&value, 1}, context).front();
}

/// The first `count` rows of a batch, over the same memory; all of them for 0.
Tensor firstRows(const Tensor& batch, std::int64_t count)
{
    std::vector<std::int64_t> dims(batch.shape().dims().begin(), batch.shape().dims().end());
    if (count <= 0 || count >= dims.front()) {
        return batch;
    }
    const std::size_t bytes = batch.byteCount() / static_cast<std::size_t>(dims.front());
    dims.front() = count;
    return Tensor(batch.dtype(), Shape(dims), std::make_shared<const Tensor>(batch),
        {batch.bytes(), static_cast<std::size_t>(count) * bytes});
}

/// One reconstruction; state between its blocks.
class Reconstruction
{
public:
    Reconstruction(std::shared_ptr<const Model> teacher, std::shared_ptr<const Model> student,
        const ResolvedPlan& quantizers, const std::string& identity,
        const BlockReconstructionOptions& options, const TaskContext& context)
        : m_teacher(std::move(teacher))
        , m_student(std::move(student))
        , m_quantizers(quantizers)
        , m_options(options)
        , m_context(context)
        , m_blocks(findBlockSections(*m_teacher))
        , m_state(options.resume, *m_teacher, identity, options)
    {
        if (m_blocks.empty() || m_teacher->graph->inputs().size() != 1) {
            throw Error(ErrorCode::Unsupported,
                "block reconstruction needs a model with one input and blocks that a single value separates");
        }
    }

    TrainingResult run(const Tensor& samples);

private:
    [[nodiscard]] int count() const { return static_cast<int>(m_blocks.size()); }
    void trainBlock(int index, SectionTrainer& trainer, const BlockInputs& inputs, const Tensor& targets);
    void trainTogether(const BlockInputs& inputs);
    void tell(const LossPoint& point, std::int64_t done) const;

    std::shared_ptr<const Model> m_teacher;
    std::shared_ptr<const Model> m_student;
    const ResolvedPlan& m_quantizers;
    const BlockReconstructionOptions& m_options;
    const TaskContext& m_context;
    std::vector<BlockSection> m_blocks;
    ReconstructionState m_state;
    BlockResults m_results;
    std::vector<std::vector<float>> m_curvature;
};

/// done: trainings of one block by one batch of the blocks' own size.
void Reconstruction::tell(const LossPoint& point, std::int64_t done) const
{
    if (m_options.onLoss) {
        m_options.onLoss(point);
    }
    const std::int64_t together
        = m_options.endToEnd.schedule.iterations * m_options.endToEnd.batch / m_options.training.batch;
    m_context.report("train", done, count() * (m_options.training.schedule.iterations + together));
}

void Reconstruction::trainBlock(
    int index, SectionTrainer& trainer, const BlockInputs& inputs, const Tensor& targets)
{
    const std::int64_t iterations = m_options.training.schedule.iterations;
    const int stages = count() + (m_options.endToEnd.schedule.iterations > 0 ? 1 : 0);
    const std::vector<float>& importance = m_curvature[static_cast<std::size_t>(index)];
    const double power = centredPower(targets, importance); // keeps what has no gradient below Adam's epsilon
    const TrainingGoal goal {
        targets, importance, power > 0.0 ? static_cast<double>(targets.shape()[0]) / power : 1.0};
    for (std::int64_t i = 0; i < iterations; ++i) {
        m_context.throwIfCancelled();
        const auto rows = drawRows(
            m_options.training.batch, inputs.quantized.shape()[0], m_options.seed, index * iterations + i);
        const double loss = trainer.step(inputs.quantizedFeeds(), {&goal, 1}, rows, m_context);
        tell({m_blocks[static_cast<std::size_t>(index)].name, index, stages, i, iterations, loss},
            index * iterations + i + 1);
    }
    trainer.store(m_results.trained);
    m_results.blocksDone = index + 1;
    m_state.save(m_results);
}

void Reconstruction::trainTogether(const BlockInputs& inputs)
{
    const std::int64_t iterations = m_options.endToEnd.schedule.iterations;
    EndToEndOptions options;
    options.training = m_options.endToEnd;
    options.seed = m_options.seed;
    options.onCheckpoint = [&](const TrainingCheckpoint& checkpoint) {
        m_results.endToEnd = checkpoint;
        m_state.save(m_results);
    };
    const std::int64_t before = count() * m_options.training.schedule.iterations;
    options.onStep = [&](std::int64_t iteration, double loss) {
        tell({"all blocks", count(), count() + 1, iteration, iterations, loss},
            before + (iteration + 1) * count() * m_options.endToEnd.batch / m_options.training.batch);
    };
    const TrainingCheckpoint from = m_results.endToEnd;
    trainEndToEnd(m_teacher, m_student, inputs, m_curvature, m_results.trained, from, options, m_context);
}

TrainingResult Reconstruction::run(const Tensor& samples)
{
    m_results = m_state.load(m_quantizers);
    const bool endsTogether = m_options.endToEnd.schedule.iterations > 0;
    const ValueId feed = m_blocks.front().feed;
    BlockInputs first {feed, valueOf(m_teacher, feed, {}, samples, m_context),
        valueOf(m_student, feed, m_quantizers, samples, m_context), {}};
    const ValueId graphInput = m_teacher->graph->inputs().front();
    if (graphInput != feed) {
        first.shared = {{graphInput, samples}};
    }
    if (m_results.blocksDone < count() || endsTogether) {
        std::vector<Feed> some = first.exactFeeds();
        for (Feed& each : some) {
            each.tensor = firstRows(each.tensor, m_options.curvatureSamples);
        }
        m_curvature
            = outputCurvature(m_teacher, m_blocks, some, m_options.curvatureDraws, m_options.seed, m_context);
    }
    BlockInputs inputs = first;
    for (int b = 0; b < count() && m_results.blocksDone < count(); ++b) {
        const BlockSection& block = m_blocks[static_cast<std::size_t>(b)];
        const std::vector<Feed> given = inputs.exactFeeds();
        const Section exact(m_teacher, valuesOf(given), {block.fetch}, {});
        Tensor targets = runSection(exact, {}, given, m_context);
        SectionTrainer trainer(m_student, valuesOf(given), {block.fetch}, m_quantizers, m_options.training);
        if (b < m_results.blocksDone) {
            trainer.restore(m_results.trained);
        } else {
            trainBlock(b, trainer, inputs, targets);
        }
        if (b + 1 < count()) {
            inputs = {block.fetch, std::move(targets), trainer.run(inputs.quantizedFeeds(), m_context),
                std::move(inputs.shared)};
        }
    }
    if (endsTogether) {
        trainTogether(first);
    }
    return std::move(m_results.trained);
}

} // namespace

TrainingResult reconstructBlocks(std::shared_ptr<const Model> teacher, std::shared_ptr<const Model> student,
    const ResolvedPlan& quantizers, const Tensor& samples, const std::string& identity,
    const BlockReconstructionOptions& options, const TaskContext& context)
{
    return Reconstruction(std::move(teacher), std::move(student), quantizers, identity, options, context)
        .run(samples);
}

} // namespace qs
