#pragma once

#include "core/io/image.h"
#include "core/models/model.h"
#include "core/tensor/tensor.h"

namespace qs {

/// Resized and cropped 8-bit picture of preprocessing.width x height: the shorter side becomes resizeShorter,
/// the other keeps the aspect and is rounded (half to even); the crop begins at floor((size - crop) / 2).
/// Where the resized picture is smaller than the crop, black surrounds it. torchvision's Resize truncates
/// instead and its CenterCrop rounds half to even, so its pictures can lie one pixel apart.
[[nodiscard]] Image cropForModel(const Image& image, const Preprocessing& preprocessing);

/// The picture as a model's input [3, height, width], F32: (x / 255 - mean) / standardDeviation in single
/// precision.
[[nodiscard]] Tensor toModelInput(const Image& image, const Preprocessing& preprocessing);

} // namespace qs
