#include "core/methods/repquant.h"

#include "core/methods/block_reconstruction.h"
#include "core/methods/repq_vit.h"

#include <sstream>

namespace qs {

namespace {

std::string identityOf(const MethodInput& input, const MethodOptions& options)
{
    std::ostringstream text;
    text << "data " << input.dataHash << ", " << input.samples.shape()[0] << " samples; W"
         << options.weightBits << 'A' << options.activationBits << ", patch input " << options.patchInputBits
         << ", zero point " << static_cast<int>(options.zeroPoint);
    for (const Ingredient ingredient : options.without) {
        text << ", without " << nameOf(ingredient);
    }
    return text.str();
}

/// Loss of every block at its first iteration and over its last ones.
class LossReport
{
public:
    void add(const LossPoint& point)
    {
        if (point.iteration == 0) {
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
    MethodResult result = quantizeRepqVit(input, options, context);
    const auto teacher = rewritten(input.model, {result.rewriting.reparameterizations, {}});
    LossReport losses;
    BlockReconstructionOptions reconstruction;
    reconstruction.training.iterations = options.iterations;
    reconstruction.seed = options.seed;
    reconstruction.resume = options.resume;
    reconstruction.onLoss = [&](const LossPoint& point) {
        losses.add(point);
        if (options.onLoss) {
            options.onLoss(point);
        }
    };
    BlockResults blocks = reconstructBlocks(teacher, result.model, result.quantizers, input.samples,
        identityOf(input, options), reconstruction, context);
    for (auto& [name, constant] : blocks.constants) {
        result.rewriting.constants[name] = std::move(constant);
    }
    for (auto& [site, params] : blocks.quantizers) {
        result.plan.choices[site] = manualChoice(params);
        result.quantizers[site] = std::move(params);
    }
    result.model = rewritten(input.model, result.rewriting);
    result.layers = losses.reports();
    return result;
}

} // namespace qs
