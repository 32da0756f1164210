#pragma once

#include "core/methods/method.h"

namespace qs {

/// RepQuant with gradients. Known of RepQuant (arXiv 2402.05628) are its parts; how they are filled here is
/// ours (resources/docs/numerics.md "repquant"). Starts where repq-vit ends, the classifier's input
/// reparameterized too, and trains block after block, then all of them together (reconstructBlocks()): steps
/// and zero points of every activation, gamma and beta of the norms (behind a reparameterized norm these and
/// the tensor's step are the lower and upper clipping bound of every channel; the result's
/// reparameterizations tell them as bounds), weights, their rows' steps, and biases. Images are trained on in
/// several views (imageViews()). options: all; what is left out of DualClipping, Reconstruction and BiasRefit
/// is not trained. Reports "calibrate", "curvature" and "train". Throws Error as reconstructBlocks() does,
/// Error(InvalidArgument) when views of something that is no image are wanted.
[[nodiscard]] MethodResult quantizeRepquant(
    const MethodInput& input, const MethodOptions& options, const TaskContext& context = {});

} // namespace qs
