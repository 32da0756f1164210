#pragma once

#include "core/base/task_context.h"
#include "core/io/data_source.h"
#include "core/io/recipe_file.h"
#include "core/methods/loss_point.h"
#include "core/models/model.h"
#include "core/quant/plan.h"
#include "core/quant/resolve.h"
#include "core/quant/rewriting.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace qs {

/// What a method works on: the model and a calibration set that fits into memory as one batch.
struct MethodInput
{
    std::shared_ptr<const Model> model;
    Tensor samples; ///< [N, ...], preprocessed
    std::string dataHash; ///< of the data the samples are from
};

/// The first `count` samples of a data source (0 = all) as the input of a method.
[[nodiscard]] MethodInput methodInput(
    std::shared_ptr<const Model> model, const DataSource& data, std::int64_t count);

/// Parts of the methods that can be left out, for ablations.
enum class Ingredient {
    Reparameterization, ///< per-channel LayerNorm scales turned into one; without: one scale from the start
    LogSqrt2Softmax, ///< without: a uniform quantizer of the attention probabilities
    LogGelu, ///< a logarithmic quantizer behind activation functions, of shifted values; without: a uniform
             ///< one
    DualClipping, ///< bounds that look at the consuming layer; without: percentile bounds
    Reconstruction, ///< weights changed so that the layer's output under quantized inputs comes back
    BiasRefit ///< biases that take up the mean error of the layer's output
};
inline constexpr Ingredient kIngredients[] {Ingredient::Reparameterization, Ingredient::LogSqrt2Softmax,
    Ingredient::LogGelu, Ingredient::DualClipping, Ingredient::Reconstruction, Ingredient::BiasRefit};
/// "reparam", "log-sqrt2", "log-gelu", "dual-clipping", "reconstruction", "bias-refit"
[[nodiscard]] std::string_view nameOf(Ingredient ingredient);

struct MethodOptions
{
    int weightBits = 4;
    int activationBits = 4;
    int patchInputBits = 8; ///< the literature keeps the patch convolution's input at 8 bits (methods.md 1.1)
    /// Of the attention probabilities. None: what the method has, log-sqrt2 (repq-vit) or, site by site,
    /// kindsOfLeastLayerError().
    std::optional<QuantizerKind> softmaxKind;
    /// Of linear inputs behind an activation function, of methods with LogGelu: logarithmic ones quantize the
    /// values shifted to 0 and above (ActivationShift); uniform is as without LogGelu. None: as softmaxKind.
    std::optional<QuantizerKind> geluKind;
    ZeroPointRule zeroPoint = ZeroPointRule::Rounded;
    std::set<Ingredient> without;
    std::int64_t seed = 0; ///< of methods that draw numbers
    std::int64_t iterations = 100; ///< per block, of methods that train
    std::int64_t endToEndIterations = 40; ///< of all blocks together, of methods that train; 0: none
    /// Of methods that train: how many images are made of each, crops and mirrored ones besides itself. 0: as
    /// many as the method likes where the model reads images, 1 otherwise. More than 1 without images throws.
    std::int64_t views = 0;
    std::filesystem::path resume; ///< file in which a method that trains keeps what it has; empty: nowhere
    std::function<void(const LossPoint&)>
        onLoss; ///< of methods that train; may be empty; on the working thread

    [[nodiscard]] bool has(Ingredient ingredient) const { return !without.contains(ingredient); }
};

/// What a method did to one layer: error of its output over the calibration set, relative to the output's own
/// power.
struct LayerReport
{
    std::string layer;
    double errorBefore = 0.0; ///< weights rounded to nearest
    double errorAfter = 0.0;
};

/// What a method makes of a model.
struct MethodResult
{
    std::shared_ptr<const Model> model; ///< after the rewriting
    Rewriting rewriting;
    Plan plan; ///< of all sites; bounds that the method found itself are manual ones
    ResolvedPlan quantizers; ///< of all sites, weights included
    std::vector<LayerReport> layers;
};

/// A method by name. Registered in methods().
struct Method
{
    std::string_view name; ///< "repq-vit"
    std::string_view description; ///< one line
    std::set<Ingredient> ingredients; ///< those it has, and can leave out
    MethodResult (*run)(const MethodInput& input, const MethodOptions& options, const TaskContext& context);
};
[[nodiscard]] const std::vector<Method>& methods();
/// Throws Error(InvalidArgument) listing the known names.
[[nodiscard]] const Method& methodNamed(const std::string& name);
/// Runs it. Throws Error(InvalidArgument) when the options leave out an ingredient that it does not have, and
/// what it throws itself.
[[nodiscard]] MethodResult runMethod(const Method& method, const MethodInput& input,
    const MethodOptions& options, const TaskContext& context = {});

/// Everything that reproduces the result from the model's files.
[[nodiscard]] Recipe recipeOf(
    const MethodInput& input, const MethodOptions& options, const MethodResult& result);

} // namespace qs
