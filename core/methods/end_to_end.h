#pragma once

#include "core/methods/block_sections.h"
#include "core/methods/section_trainer.h"

#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace qs {

/// What the blocks of the FP32 model and of the quantized one are fed with, one row per sample.
struct BlockInputs
{
    ValueId feed = kNoValue;
    Tensor exact;
    Tensor quantized;
    std::vector<Feed> shared; ///< what masks and positions are made from: the graph's input

    [[nodiscard]] std::vector<Feed> exactFeeds() const;
    [[nodiscard]] std::vector<Feed> quantizedFeeds() const;
};

/// Where a training stands.
struct TrainingCheckpoint
{
    std::int64_t iteration = 0; ///< steps made; 0: not begun
    std::vector<Tensor> state; ///< SectionTrainer::state()
};

struct EndToEndOptions
{
    TrainingOptions training;
    std::int64_t seed = 0;
    std::int64_t checkpointEvery = 10; ///< iterations
    std::function<void(const TrainingCheckpoint&)> onCheckpoint; ///< may be empty
    std::function<void(std::int64_t iteration, double loss)> onStep; ///< may be empty
};

/// Sum over a batch of importance * (value - mean of its channel)^2, channels being the last dimension.
[[nodiscard]] double centredPower(const Tensor& batch, std::span<const float> importance);

/// Trains all blocks together, from where training of each alone has left them (`result`, which takes what
/// comes out): the mean over the blocks of sum(importance * error^2) of their outputs relative to the sum of
/// importance * (target - mean of its channel)^2. importance: one array per block, of outputCurvature().
/// `from` continues a run that left a checkpoint, with the same bits. Throws Error as SectionTrainer does,
/// Error(Cancelled).
void trainEndToEnd(std::shared_ptr<const Model> teacher, std::shared_ptr<const Model> student,
    const BlockInputs& inputs, const std::vector<std::vector<float>>& importance, TrainingResult& result,
    const TrainingCheckpoint& from, const EndToEndOptions& options, const TaskContext& context = {});

} // namespace qs
