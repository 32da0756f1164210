#pragma once

#include "core/models/model.h"
#include "core/tensor/tensor.h"

#include <cstdint>

namespace qs {

/// True for a model whose samples are images, [3, height, width] each.
[[nodiscard]] bool readsImages(const Model& model);

/// N images [N, C, H, W] and, behind them, views - 1 altered copies of all of them: view v of image i is row
/// v N + i of [views N, C, H, W]. A copy is a crop of 40 to 100 % of the area with sides in a ratio of
/// exp(-0.2) to exp(0.2) to the image's, each at most the whole side, at any place, resized back to H x W
/// (bilinear, edges repeated) and mirrored in half of the cases. All numbers are drawn from the seed and the
/// row; the same bits for any number of threads.
[[nodiscard]] Tensor imageViews(const Tensor& images, std::int64_t views, std::int64_t seed);

} // namespace qs
