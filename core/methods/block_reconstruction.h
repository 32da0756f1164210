#pragma once

#include "core/methods/end_to_end.h"
#include "core/methods/loss_point.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

namespace qs {

/// What has been learned so far.
struct BlockResults
{
    int blocksDone = 0;
    TrainingResult trained; ///< of those blocks
    TrainingCheckpoint endToEnd; ///< of the training of all blocks together
};

struct BlockReconstructionOptions
{
    TrainingOptions training; ///< of each block
    TrainingOptions endToEnd; ///< of all blocks together, afterwards; 0 iterations: left out
    int curvatureDraws = 2; ///< labels drawn per sample for outputCurvature()
    std::int64_t curvatureSamples = 0; ///< the first of the samples, for outputCurvature(); 0: all
    std::int64_t seed = 0;
    /// Where finished blocks are kept, so that a run that was killed goes on behind the last of them, and
    /// checkpoints of the training end to end; empty: nowhere. A file of another run (other weights, samples
    /// or options) is an Error(InvalidArgument).
    std::filesystem::path resume;
    std::function<void(const LossPoint&)> onLoss; ///< may be empty; on the working thread
};

/// Gradient reconstruction block after block, in order: each block is trained on what the quantized blocks
/// before it give, towards what the FP32 model gives, with the error weighted by outputCurvature(); then all
/// blocks together (trainEndToEnd()). `teacher` computes in FP32 what is wanted; `student` is the same graph
/// with the constants where training starts, and `quantizers` are those of all sites. `identity` names the
/// data for the resume file. The same bits for any number of threads. Reports "curvature" and "train"
/// (trainings of one block by one batch). Throws Error(Unsupported) when the model has no blocks or an
/// operator has no backward pass, Error(Cancelled).
[[nodiscard]] TrainingResult reconstructBlocks(std::shared_ptr<const Model> teacher,
    std::shared_ptr<const Model> student, const ResolvedPlan& quantizers, const Tensor& samples,
    const std::string& identity, const BlockReconstructionOptions& options, const TaskContext& context = {});

} // namespace qs
