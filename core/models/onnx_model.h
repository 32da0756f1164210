#pragma once

#include "core/models/model.h"

namespace qs {

/// The part of loadModel() for .onnx files. Throws Error: Io, CorruptFile, Unsupported.
[[nodiscard]] std::shared_ptr<const Model> loadOnnxModel(const std::filesystem::path& path);

} // namespace qs
