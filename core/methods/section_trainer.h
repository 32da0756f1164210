#pragma once

#include "core/gradient/tape.h"
#include "core/methods/trained_weight.h"
#include "core/quant/resolve.h"
#include "core/quant/rewriting.h"

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace qs {

/// How a section is trained. Learning rates are Adam's, each in the unit of its parameter: weights in steps
/// of their quantizer, so that one rate fits every layer. A rate of 0 leaves its parameters as they are.
struct TrainingOptions
{
    TrainingSchedule schedule {200, 0.05};
    std::int64_t batch = 8; ///< samples per iteration
    double weightRate = 0.01; ///< codes
    double weightStepRate = 0.001; ///< logarithm of a row's step
    double stepRate = 0.002; ///< logarithm of an activation's step
    double zeroPointRate = 0.01; ///< codes
    double normRate = 0.001; ///< gamma and beta: with the step they are the clipping bounds of every channel
    double biasRate = 0.001;
};

/// What one output of a section should become.
struct TrainingGoal
{
    Tensor targets; ///< [N, ...]
    std::span<const float> importance; ///< per element of one sample's output
    double scale = 1.0; ///< of this output's importance * error^2 in the loss
};

/// What a section was made of by training: constants by name, quantizers by site, and the real-valued codes
/// of weights by name, where a further training goes on.
struct TrainingResult
{
    std::map<std::string, RewrittenConstant> constants;
    ResolvedPlan quantizers;
    std::map<std::string, Tensor> codes;
};

/// Learns the quantizers, weights, biases and normalisation of a section so that its outputs come back to the
/// FP32 model's: weighted squared error, straight-through estimator for rounding (methods.md 0.3), Adam with
/// half a cosine.
class SectionTrainer
{
public:
    /// The section between some values and others. Starts from the model's constants and these quantizers;
    /// weights that `codes` knows start there. Throws Error as Section and TrainableQuantizer do.
    SectionTrainer(std::shared_ptr<const Model> model, std::vector<ValueId> feeds,
        std::vector<ValueId> fetches, const ResolvedPlan& quantizers, TrainingOptions options,
        const std::map<std::string, Tensor>& codes = {});
    ~SectionTrainer();

    /// One iteration on these rows of the feeds' batches towards the same rows of the goals' targets, one
    /// goal per fetch; returns the mean over the goals of sum(importance * error^2) / sum(importance *
    /// target^2).
    double step(std::span<const Feed> inputs, std::span<const TrainingGoal> goals,
        std::span<const std::int64_t> rows, const TaskContext& context = {});
    /// The first output of the quantized section for every row.
    [[nodiscard]] Tensor run(std::span<const Feed> inputs, const TaskContext& context = {}) const;
    /// Takes over what store() of a trainer for the same section wrote; run() then gives what that trainer's
    /// gave, and step() is not for it. Throws Error(CorruptFile) naming what is missing.
    void restore(const TrainingResult& result);
    /// Writes what was learned.
    void store(TrainingResult& result) const;

    [[nodiscard]] std::int64_t iteration() const { return m_iteration; } ///< steps made
    /// Everything that step() changes, for a checkpoint; goOn() of a trainer made in the same way continues
    /// with the same bits. Throws Error(CorruptFile) when the state is not one of such a trainer.
    [[nodiscard]] std::vector<Tensor> state();
    void goOn(std::span<const Tensor> state, std::int64_t iteration);

private:
    struct ConstantState;
    struct QuantizerState;
    struct SampleResult;
    void addWeights(const ResolvedPlan& quantizers, const std::map<std::string, Tensor>& codes);
    void addConstants();
    void addQuantizers(const ResolvedPlan& quantizers);
    void addConstant(ValueId constant, double rate);
    [[nodiscard]] std::vector<TrainedParameters*> allParameters();
    void bind();
    [[nodiscard]] SampleResult runSample(std::span<const Feed> input, std::span<const TrainingGoal> goals,
        std::int64_t row, double scale, BufferPool& pool, const TaskContext& context) const;
    void add(std::vector<SampleResult>& results);
    void update();

    std::shared_ptr<const Model> m_model;
    std::vector<ValueId> m_feeds;
    std::vector<ValueId> m_fetches;
    TrainingOptions m_options;
    std::vector<TrainedWeight> m_weights;
    std::vector<ConstantState> m_constants;
    std::vector<QuantizerState> m_quantizers;
    std::unique_ptr<const Section> m_section;
    TapeBindings m_bindings;
    BufferPool m_pool;
    std::vector<std::vector<float>> m_gradients; ///< sums over samples, in the order of weights and constants
    std::vector<std::vector<double>> m_quantizerGradients;
    std::int64_t m_iteration = 0;
};

} // namespace qs
