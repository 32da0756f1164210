#include "core/methods/repquant.h"

#include "core/base/error.h"
#include "core/methods/block_reconstruction.h"
#include "core/methods/image_views.h"
#include "core/methods/learned_bounds.h"
#include "core/methods/repq_vit.h"
#include "core/methods/shifted_input.h"
#include "core/quant/manual_choice.h"

#include <sstream>

namespace qs {

namespace {

constexpr std::int64_t kImageViews = 8;

std::int64_t viewsOf(const MethodInput& input, const MethodOptions& options)
{
    if (options.views > 1 && !readsImages(*input.model)) {
        throw Error(ErrorCode::InvalidArgument,
            "crops and mirrored copies are made of images, and this model reads none");
    }
    return options.views > 0 ? options.views : (readsImages(*input.model) ? kImageViews : 1);
}

std::string identityOf(const MethodInput& input, const MethodOptions& options, const SiteKinds& kinds)
{
    std::ostringstream text;
    text << "data " << input.dataHash << ", " << input.samples.shape()[0] << " samples in "
         << viewsOf(input, options) << " views; W" << options.weightBits << 'A' << options.activationBits
         << ", patch input " << options.patchInputBits << ", zero point "
         << static_cast<int>(options.zeroPoint);
    for (const auto& [site, kind] : kinds) {
        text << ", " << site << ' ' << nameOf(kind);
    }
    for (const Ingredient ingredient : options.without) {
        text << ", without " << nameOf(ingredient);
    }
    return text.str();
}

/// What is not to be learned has a rate of 0.
TrainingOptions trainingOf(const MethodOptions& options, std::int64_t iterations)
{
    TrainingOptions training;
    training.schedule.iterations = iterations;
    if (!options.has(Ingredient::DualClipping)) {
        training.stepRate = 0.0;
        training.zeroPointRate = 0.0;
        training.normRate = 0.0;
    }
    if (!options.has(Ingredient::Reconstruction)) {
        training.weightRate = 0.0;
        training.weightStepRate = 0.0;
    }
    if (!options.has(Ingredient::BiasRefit)) {
        training.biasRate = 0.0;
    }
    return training;
}

TrainingOptions endToEndOf(const MethodOptions& options)
{
    TrainingOptions training = trainingOf(options, options.endToEndIterations);
    training.batch = 16;
    training.weightRate *= 0.1;
    return training;
}

/// At 3 bits and below percentiles leave too few codes for the bulk of the values.
SequentialVariant startOf(const MethodOptions& options, const SiteKinds& kinds)
{
    constexpr int kFewBits = 3;
    const auto method
        = [](int bits) { return bits <= kFewBits ? BoundMethod::Mse : BoundMethod::Percentile; };
    return {NormScope::All, method(options.weightBits), method(options.activationBits), kinds};
}

/// Loss of every block at its first iteration and over its last ones.
class LossReport
{
public:
    void add(const LossPoint& point)
    {
        if (m_reports.empty() || m_reports.back().layer != point.block) {
            m_reports.push_back({point.block, point.loss, 0.0});
        }
        const std::int64_t last = std::min<std::int64_t>(kLast, point.iterations);
        if (point.iteration >= point.iterations - last) {
            m_reports.back().errorAfter += point.loss / static_cast<double>(last);
        }
    }
    [[nodiscard]] std::vector<LayerReport> reports() const { return m_reports; }

private:
    static constexpr std::int64_t kLast = 10;
    std::vector<LayerReport> m_reports;
};

} // namespace

MethodResult quantizeRepquant(
    const MethodInput& input, const MethodOptions& options, const TaskContext& context)
{
    const std::int64_t views = viewsOf(input, options);
    const ShiftedInput shifted = shiftedInput(input, options, context);
    MethodResult result
        = quantizeSequentially(shifted.input, options, startOf(options, shifted.kinds), context);
    result.rewriting.shifts = shifted.shifts;
    const auto teacher = rewritten(input.model, result.rewriting);
    const auto student = withShiftsOfQuantizedWeights(*result.model, shifted.shifts, result.quantizers);
    LossReport losses;
    BlockReconstructionOptions reconstruction;
    reconstruction.training = trainingOf(options, options.iterations);
    reconstruction.endToEnd = endToEndOf(options);
    reconstruction.curvatureSamples = input.samples.shape()[0];
    reconstruction.seed = options.seed;
    reconstruction.resume = options.resume;
    reconstruction.onLoss = [&](const LossPoint& point) {
        losses.add(point);
        if (options.onLoss) {
            options.onLoss(point);
        }
    };
    const Tensor samples = views > 1 ? imageViews(input.samples, views, options.seed) : input.samples;
    TrainingResult trained = reconstructBlocks(teacher, student, result.quantizers, samples,
        identityOf(input, options, shifted.kinds), reconstruction, context);
    for (auto& [name, constant] : trained.constants) {
        result.rewriting.constants[name] = std::move(constant);
    }
    for (auto& [site, params] : trained.quantizers) {
        result.plan.choices[site] = manualChoice(params);
        result.quantizers[site] = std::move(params);
    }
    result.model = rewritten(input.model, result.rewriting);
    setLearnedBounds(*input.model, *result.model, result.quantizers, result.rewriting.reparameterizations);
    result.layers = losses.reports();
    return result;
}

} // namespace qs
