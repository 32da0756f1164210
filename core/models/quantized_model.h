#pragma once

#include "core/models/model.h"
#include "core/quant/plan.h"
#include "core/quant/resolve.h"

#include <filesystem>
#include <memory>
#include <string>

namespace qs {

/// What our .h5 holds: the model with its weights dequantized from their codes, and what else the export
/// knew.
struct QuantizedModel
{
    std::shared_ptr<const Model> model;
    Plan plan;
    ResolvedPlan weights; ///< quantizers of the weight sites; the model's constants already went through them
    ResolvedPlan activations; ///< to apply when running
    std::string sourceHash; ///< SHA-256 of the weights that were quantized
    std::string calibrationHash;
    std::string toolVersion;
};

/// Reads the "Quantized model (.h5)" of resources/docs/formats.md. Throws Error(Io | CorruptFile |
/// Unsupported) naming file and object.
[[nodiscard]] QuantizedModel readQuantizedModel(const std::filesystem::path& path);

} // namespace qs
