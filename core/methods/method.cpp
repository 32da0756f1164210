#include "core/methods/method.h"

#include "core/base/error.h"
#include "core/base/version.h"
#include "core/eval/evaluate.h"
#include "core/methods/repq_vit.h"
#include "core/methods/repquant.h"
#include "core/methods/repquant_fast.h"

#include <algorithm>
#include <iterator>

namespace qs {

MethodInput methodInput(std::shared_ptr<const Model> model, const DataSource& data, std::int64_t count)
{
    const std::int64_t total = sampleCountOf(*model->graph, data, count);
    return {std::move(model), loadBatch(data, 0, total), data.hash()};
}

std::string_view nameOf(Ingredient ingredient)
{
    switch (ingredient) {
    case Ingredient::Reparameterization: return "reparam";
    case Ingredient::LogSqrt2Softmax: return "log-sqrt2";
    case Ingredient::LogGelu: return "log-gelu";
    case Ingredient::DualClipping: return "dual-clipping";
    case Ingredient::Reconstruction: return "reconstruction";
    case Ingredient::BiasRefit: return "bias-refit";
    }
    return "";
}

const std::vector<Method>& methods()
{
    const std::set<Ingredient> everything(std::begin(kIngredients), std::end(kIngredients));
    static const std::vector<Method> all {
        {"repq-vit",
            "RepQ-ViT as published: sequential calibration, percentile candidates, scale reparameterization",
            {Ingredient::Reparameterization, Ingredient::LogSqrt2Softmax}, &quantizeRepqVit},
        {"repquant-fast",
            "Dual clipping, scale reparameterization and closed-form weight reconstruction, no gradients",
            everything, &quantizeRepquantFast},
        {"repquant",
            "RepQuant's parts, filled by us: reparameterization, then every block trained towards the FP32 "
            "model",
            everything, &quantizeRepquant},
    };
    return all;
}

const Method& methodNamed(const std::string& name)
{
    std::string names;
    for (const Method& method : methods()) {
        if (method.name == name) {
            return method;
        }
        names += (names.empty() ? "" : ", ") + std::string(method.name);
    }
    throw Error(ErrorCode::InvalidArgument, "there is no method '" + name + "', the methods are " + names);
}

MethodResult runMethod(
    const Method& method, const MethodInput& input, const MethodOptions& options, const TaskContext& context)
{
    for (const Ingredient ingredient : options.without) {
        if (!method.ingredients.contains(ingredient)) {
            throw Error(ErrorCode::InvalidArgument,
                std::string(method.name) + " has no '" + std::string(nameOf(ingredient)) + "' to leave out");
        }
    }
    if (options.geluKind && !method.ingredients.contains(Ingredient::LogGelu)) {
        throw Error(ErrorCode::InvalidArgument,
            std::string(method.name) + " has uniform quantizers behind activation functions, no others");
    }
    return method.run(input, options, context);
}

Recipe recipeOf(const MethodInput& input, const MethodOptions& options, const MethodResult& result)
{
    Recipe recipe;
    recipe.plan = result.plan;
    recipe.quantizers = result.quantizers;
    recipe.rewriting = result.rewriting;
    recipe.modelName = input.model->name;
    recipe.modelHash = input.model->hash;
    recipe.calibrationHash = input.dataHash;
    recipe.calibrationSamples = input.samples.shape()[0];
    recipe.preprocessing = input.model->preprocessing;
    recipe.seed = options.seed;
    recipe.toolVersion = kVersion;
    return recipe;
}

} // namespace qs
