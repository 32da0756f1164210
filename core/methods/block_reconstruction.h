#pragma once

#include "core/methods/loss_point.h"
#include "core/methods/section_trainer.h"

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace qs {

/// What blocks have been given so far: constants by name and quantizers by site.
struct BlockResults
{
    int blocksDone = 0;
    std::map<std::string, RewrittenConstant> constants;
    ResolvedPlan quantizers;
};

struct BlockReconstructionOptions
{
    TrainingOptions training;
    int curvatureDraws = 2; ///< labels drawn per sample for outputCurvature()
    std::int64_t seed = 0;
    /// Where finished blocks are kept, so that a run that was killed goes on behind the last of them; empty:
    /// nowhere. A file of another run (other weights, samples or options) is an Error(InvalidArgument).
    std::filesystem::path resume;
    std::function<void(const LossPoint&)> onLoss; ///< may be empty; on the working thread
};

/// Gradient reconstruction block after block, in order: each block is trained on what the quantized blocks
/// before it give, towards what the FP32 model gives, with the error weighted by outputCurvature(). `teacher`
/// computes in FP32 what is wanted; `student` is the same graph with the constants where training starts, and
/// `quantizers` are those of all sites. `identity` names the data for the resume file. The same bits for any
/// number of threads. Reports "curvature" and "train" (iterations over all blocks). Throws Error(Unsupported)
/// when the model has no blocks or an operator has no backward pass, Error(Cancelled).
[[nodiscard]] BlockResults reconstructBlocks(std::shared_ptr<const Model> teacher,
    std::shared_ptr<const Model> student, const ResolvedPlan& quantizers, const Tensor& samples,
    const std::string& identity, const BlockReconstructionOptions& options, const TaskContext& context = {});

} // namespace qs
