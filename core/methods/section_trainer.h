#pragma once

#include "core/gradient/adam.h"
#include "core/gradient/tape.h"
#include "core/methods/block_sections.h"
#include "core/quant/resolve.h"
#include "core/quant/rewriting.h"

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace qs {

/// How a block is trained. Learning rates are Adam's, each in the unit of its parameter: weights in steps of
/// their quantizer, so that one rate fits every layer.
struct TrainingOptions
{
    std::int64_t iterations = 200; ///< per block
    std::int64_t batch = 8; ///< samples per iteration
    double weightRate = 0.01; ///< codes
    double weightStepRate = 0.001; ///< logarithm of a row's step
    double stepRate = 0.002; ///< logarithm of an activation's step
    double zeroPointRate = 0.01; ///< codes
    double normRate = 0.001; ///< gamma and beta: with the step they are the clipping bounds of every channel
    double biasRate = 0.001;
    double warmUp = 0.05; ///< fraction of the iterations
};

/// Learns the quantizers, weights, biases and normalisation of one block so that its output comes back to the
/// FP32 model's: weighted squared error, straight-through estimator for rounding (methods.md 0.3), Adam with
/// half a cosine.
class SectionTrainer
{
public:
    /// Starts from the model's constants and these quantizers. Throws Error as Section and TrainableQuantizer
    /// do.
    SectionTrainer(std::shared_ptr<const Model> model, const BlockSection& block,
        const ResolvedPlan& quantizers, TrainingOptions options);
    ~SectionTrainer();

    /// One iteration on these rows of `inputs` (the block's input as quantized blocks before it give it)
    /// towards the same rows of `targets`; returns sum(weights * error^2) / sum(weights * target^2). weights:
    /// per element of one sample's output.
    double step(const Tensor& inputs, const Tensor& targets, std::span<const std::int64_t> rows,
        std::span<const float> weights, const TaskContext& context = {});
    /// The quantized block's output for every row.
    [[nodiscard]] Tensor run(const Tensor& inputs, const TaskContext& context = {}) const;
    /// Takes over what store() of a trainer for the same block wrote; run() then gives what that trainer's
    /// gave, and step() is not for it. Throws Error(CorruptFile) naming what is missing.
    void restore(const std::map<std::string, RewrittenConstant>& constants, const ResolvedPlan& quantizers);
    /// Writes what was learned: constants by name, quantizers by site.
    void store(std::map<std::string, RewrittenConstant>& constants, ResolvedPlan& quantizers) const;

private:
    struct Parameters;
    struct WeightState;
    struct ConstantState;
    struct QuantizerState;
    struct SampleResult;
    void addWeights(const ResolvedPlan& quantizers);
    void addConstants();
    void addQuantizers(const ResolvedPlan& quantizers);
    void addConstant(ValueId constant, double rate);
    void bind();
    [[nodiscard]] SampleResult runSample(const Tensor& input, const Tensor& target,
        std::span<const float> weights, double scale, BufferPool& pool, const TaskContext& context) const;
    void update(const std::vector<SampleResult>& results);

    std::shared_ptr<const Model> m_model;
    BlockSection m_block;
    TrainingOptions m_options;
    std::vector<WeightState> m_weights;
    std::vector<ConstantState> m_constants;
    std::vector<QuantizerState> m_quantizers;
    std::unique_ptr<const Section> m_section;
    TapeBindings m_bindings;
    BufferPool m_pool;
    std::int64_t m_iteration = 0;
};

} // namespace qs
