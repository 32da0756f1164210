#pragma once

#include "core/base/task_context.h"
#include "core/methods/error_feedback.h"
#include "core/quant/quantizer.h"
#include "core/tensor/tensor.h"

#include <cstdint>
#include <vector>

namespace qs {

/// What a linear layer's reconstruction needs to know of the calibration set: second moments of its quantized
/// inputs x^ (a one appended, for the bias) and of the outputs it should give. Sums over rows, divided by
/// their number; products of blocks of rows in float, added up in double in fixed order.
struct LayerMoments
{
    MatrixD gram; ///< [K + 1, K + 1]: mean of [x^, 1]^T [x^, 1]
    MatrixD target; ///< [N, K + 1]: mean of y^T [x^, 1]
    double signal = 0.0; ///< mean of |y|^2
};

/// inputs [rows, K], targets [rows, N] (any leading dimensions; the last is K or N). Throws
/// Error(ShapeMismatch | Cancelled).
[[nodiscard]] LayerMoments layerMoments(
    const Tensor& inputs, const Tensor& targets, const TaskContext& context = {});

/// The moments of two sets of rows together; share: of the first one's rows.
[[nodiscard]] LayerMoments pooled(const LayerMoments& first, const LayerMoments& second, double share);

/// A linear layer: y = W x + b.
struct LayerWeights
{
    MatrixD weight; ///< [N, K]
    std::vector<double> bias; ///< [N]; empty when the layer has none
};

/// Mean squared error of the layer's output, relative to the mean of |y|^2.
[[nodiscard]] double relativeOutputError(const LayerMoments& moments, const LayerWeights& layer);

struct ReconstructionOptions
{
    int bits = 4;
    Symmetry symmetry = Symmetry::Asymmetric;
    bool corrects = true; ///< ridge correction towards the target before rounding
    bool feedsBack = true; ///< rounding with error feedback; otherwise to nearest
    bool fitsBias = true; ///< the bias takes up errors
    double ridge = 0.5; ///< of the correction, as a fraction of the Gram matrix's mean diagonal
    double damping = 1e-2; ///< of the rounding, likewise
};

/// The ridge, of 0.01 to 10, whose correction made from `moments` leaves the least output error on rows that
/// it has not seen (samples held out). Our own rule.
[[nodiscard]] double ridgeByHoldOut(const LayerMoments& moments, const LayerMoments& heldOut,
    const LayerWeights& layer, const ReconstructionOptions& options);

/// A layer on its grid.
struct ReconstructedLayer
{
    LayerWeights layer; ///< weights on the grid of `grid`
    QuantParams grid; ///< one scale per output channel
    double errorBefore
        = 0.0; ///< relativeOutputError() of the given weights, rounded to nearest on their own grid
    double errorAfter = 0.0;
};

/// Closed-form reconstruction against quantized inputs. First W and b move to the ridge solution that brings
/// the output under quantized inputs back to the target (ERQ's Aqer, arXiv 2407.06794; methods.md 4.4); then
/// rows are rounded column by column with error feedback (GPTQ, arXiv 2210.17323), the bias as the last
/// column, which takes up what is left. Every row tries shrunken ranges and keeps the one of least feedback
/// loss (our own search).
[[nodiscard]] ReconstructedLayer reconstructLayer(const LayerMoments& moments, const LayerWeights& layer,
    const ReconstructionOptions& options, const TaskContext& context = {});

} // namespace qs
