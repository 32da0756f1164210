#include "core/methods/layer_reconstruction.h"

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/quant/scale.h"
#include "core/runtime/matmul.h"

#include <Eigen/Cholesky>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace qs {

namespace {

constexpr std::int64_t kBlockRows = 256; ///< rows whose products are added in float
constexpr std::int64_t kStripRows = 96; ///< rows of a moment matrix that one range of parallelFor() makes

/// left^T right / rows, where both are dense [rows, width].
MatrixD momentsOf(const float* left, std::int64_t leftWidth, const float* right, std::int64_t rightWidth,
    std::int64_t rows, const TaskContext& context)
{
    MatrixD sum = MatrixD::Zero(leftWidth, rightWidth);
    parallelFor(leftWidth, kStripRows, [&](std::int64_t begin, std::int64_t end) {
        const std::int64_t strip = end - begin;
        std::vector<float> turned(static_cast<std::size_t>(strip * kBlockRows));
        std::vector<float> product(static_cast<std::size_t>(strip * rightWidth));
        for (std::int64_t first = 0; first < rows; first += kBlockRows) {
            context.throwIfCancelled();
            const std::int64_t count = std::min(kBlockRows, rows - first);
            for (std::int64_t r = 0; r < count; ++r) {
                for (std::int64_t c = 0; c < strip; ++c) {
                    turned[static_cast<std::size_t>(c * count + r)]
                        = left[(first + r) * leftWidth + begin + c];
                }
            }
            multiply(turned.data(), right + first * rightWidth, product.data(), strip, count, rightWidth);
            for (std::int64_t c = 0; c < strip; ++c) {
                for (std::int64_t k = 0; k < rightWidth; ++k) {
                    sum(begin + c, k)
                        += static_cast<double>(product[static_cast<std::size_t>(c * rightWidth + k)]);
                }
            }
        }
    });
    return sum / static_cast<double>(rows);
}

/// Mean of each column of a dense [rows, width].
Eigen::VectorXd columnMeans(const float* values, std::int64_t width, std::int64_t rows)
{
    Eigen::VectorXd sum = Eigen::VectorXd::Zero(width);
    for (std::int64_t r = 0; r < rows; ++r) {
        for (std::int64_t c = 0; c < width; ++c) {
            sum(c) += static_cast<double>(values[r * width + c]);
        }
    }
    return sum / static_cast<double>(rows);
}

/// [W, b] as one matrix; b = 0 where there is none.
MatrixD augmented(const LayerWeights& layer)
{
    MatrixD all(layer.weight.rows(), layer.weight.cols() + 1);
    all.leftCols(layer.weight.cols()) = layer.weight;
    for (Eigen::Index row = 0; row < all.rows(); ++row) {
        all(row, layer.weight.cols()) = layer.bias.empty() ? 0.0 : layer.bias[static_cast<std::size_t>(row)];
    }
    return all;
}

double outputError(const LayerMoments& moments, const MatrixD& all)
{
    const double power = (all * moments.gram).cwiseProduct(all).sum();
    const double overlap = moments.target.cwiseProduct(all).sum();
    return moments.signal > 0.0 ? std::max(0.0, power - 2.0 * overlap + moments.signal) / moments.signal
                                : 0.0;
}

RowGrid gridOf(const QuantParams& params, std::size_t row)
{
    return {params.scales[row], params.zeroPoints[row], params.minimumCode(), params.maximumCode()};
}

/// The grid that bounds give a row.
QuantParams gridForBounds(const ReconstructionOptions& options, const Bounds& bounds)
{
    return paramsForBounds(QuantizerKind::Uniform, options.symmetry, options.bits, bounds);
}

Bounds rangeOf(std::span<const double> row)
{
    const auto [low, high] = std::ranges::minmax(row);
    return {low, high};
}

/// Columns of the problem that are rounded or free: with a bias to fit, the column of ones is free; otherwise
/// it is no part of the problem.
MatrixD roundingHessian(const LayerMoments& moments, bool fitsBias)
{
    const Eigen::Index n = moments.gram.rows() - (fitsBias ? 0 : 1);
    return moments.gram.topLeftCorner(n, n);
}

bool fitsBiasOf(const LayerWeights& layer, const ReconstructionOptions& options)
{
    return options.fitsBias && !layer.bias.empty();
}

/// [W, b] moved to the ridge solution; without a bias to fit b stays.
MatrixD corrected(const LayerMoments& moments, const MatrixD& given, bool fitsBias, double ridge)
{
    const MatrixD hessian = roundingHessian(moments, fitsBias);
    const Eigen::Index n = hessian.rows();
    MatrixD regular = hessian;
    regular.diagonal().array() += ridge * moments.gram.diagonal().head(given.cols() - 1).mean();
    const MatrixD residual = (moments.target - given * moments.gram).leftCols(n);
    MatrixD all = given;
    all.leftCols(n) += regular.llt().solve(residual.transpose()).transpose();
    return all;
}

constexpr std::array kRidges {0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0};

/// Shrink factors for the two ends of a row's range.
constexpr std::array kShrinks {std::array {1.0, 1.0}, std::array {0.95, 0.95}, std::array {0.9, 0.9},
    std::array {0.85, 0.85}, std::array {0.8, 0.8}, std::array {0.75, 0.75}, std::array {0.7, 0.7},
    std::array {0.65, 0.65}, std::array {0.6, 0.6}, std::array {0.5, 0.5}, std::array {1.0, 0.85},
    std::array {0.85, 1.0}, std::array {0.9, 0.7}, std::array {0.7, 0.9}};

/// A row rounded on the best of its grids.
struct RoundedRow
{
    std::vector<double> values;
    QuantParams grid;
    double loss = std::numeric_limits<double>::infinity();
};

RoundedRow bestRow(std::span<const double> row, std::size_t weights, const ReconstructionOptions& options,
    const ErrorFeedback& feedback)
{
    const Bounds range = rangeOf(row.first(weights));
    RoundedRow best;
    for (const auto& [lower, upper] : kShrinks) {
        const QuantParams grid = gridForBounds(options, {range.lower * lower, range.upper * upper});
        std::vector<double> values(row.begin(), row.end());
        const double loss = feedback.round(values, gridOf(grid, 0));
        if (loss < best.loss) {
            best = {std::move(values), grid, loss};
        }
    }
    return best;
}

/// Rounding to nearest with the range of least squared error.
RoundedRow nearestRow(std::span<const double> row, std::size_t weights, const ReconstructionOptions& options)
{
    const Bounds range = rangeOf(row.first(weights));
    RoundedRow best;
    for (const auto& [lower, upper] : kShrinks) {
        const QuantParams grid = gridForBounds(options, {range.lower * lower, range.upper * upper});
        std::vector<double> values(row.begin(), row.end());
        double loss = 0.0;
        for (std::size_t c = 0; c < weights; ++c) {
            values[c] = gridOf(grid, 0).nearest(row[c]);
            loss += (values[c] - row[c]) * (values[c] - row[c]);
        }
        if (loss < best.loss) {
            best = {std::move(values), grid, loss};
        }
    }
    return best;
}

} // namespace

LayerMoments layerMoments(const Tensor& inputs, const Tensor& targets, const TaskContext& context)
{
    const std::int64_t k = inputs.shape().back();
    const std::int64_t n = targets.shape().back();
    const std::int64_t rows = inputs.elementCount() / std::max<std::int64_t>(k, 1);
    if (rows == 0 || n == 0 || targets.elementCount() / n != rows) {
        throw Error(ErrorCode::ShapeMismatch,
            "a layer's inputs " + inputs.shape().text() + " and outputs " + targets.shape().text()
                + " do not have the same rows");
    }
    const float* x = inputs.data<float>().data();
    const float* y = targets.data<float>().data();
    LayerMoments moments;
    moments.gram.resize(k + 1, k + 1);
    moments.gram.topLeftCorner(k, k) = momentsOf(x, k, x, k, rows, context);
    const Eigen::VectorXd means = columnMeans(x, k, rows);
    moments.gram.col(k).head(k) = means;
    moments.gram.row(k).head(k) = means.transpose();
    moments.gram(k, k) = 1.0;
    moments.target.resize(n, k + 1);
    moments.target.leftCols(k) = momentsOf(y, n, x, k, rows, context);
    moments.target.col(k) = columnMeans(y, n, rows);
    for (const float value : targets.data<float>()) {
        moments.signal += static_cast<double>(value) * static_cast<double>(value);
    }
    moments.signal /= static_cast<double>(rows);
    return moments;
}

LayerMoments pooled(const LayerMoments& first, const LayerMoments& second, double share)
{
    return {share * first.gram + (1.0 - share) * second.gram,
        share * first.target + (1.0 - share) * second.target,
        share * first.signal + (1.0 - share) * second.signal};
}

double ridgeByHoldOut(const LayerMoments& moments, const LayerMoments& heldOut, const LayerWeights& layer,
    const ReconstructionOptions& options)
{
    const MatrixD given = augmented(layer);
    std::array<double, kRidges.size()> errors {};
    parallelFor(static_cast<std::int64_t>(kRidges.size()), 1, [&](std::int64_t begin, std::int64_t) {
        const auto i = static_cast<std::size_t>(begin);
        errors[i] = outputError(heldOut, corrected(moments, given, fitsBiasOf(layer, options), kRidges[i]));
    });
    return kRidges[static_cast<std::size_t>(std::ranges::min_element(errors) - errors.begin())];
}

double relativeOutputError(const LayerMoments& moments, const LayerWeights& layer)
{
    return outputError(moments, augmented(layer));
}

ReconstructedLayer reconstructLayer(const LayerMoments& moments, const LayerWeights& layer,
    const ReconstructionOptions& options, const TaskContext& context)
{
    const bool hasBias = !layer.bias.empty();
    const bool fitsBias = fitsBiasOf(layer, options);
    const auto k = layer.weight.cols();
    const MatrixD given = augmented(layer);
    const MatrixD hessian = roundingHessian(moments, fitsBias);
    const Eigen::Index n = hessian.rows();
    MatrixD all = options.corrects ? corrected(moments, given, fitsBias, options.ridge) : given;
    const ErrorFeedback feedback(
        hessian, options.damping, ErrorFeedback::Order::LargestDiagonalFirst, fitsBias ? 1 : 0);
    const auto rows = all.rows();
    std::vector<RoundedRow> rounded(static_cast<std::size_t>(rows));
    std::vector<RoundedRow> nearest(rounded.size());
    parallelFor(rows, 8, [&](std::int64_t begin, std::int64_t end) {
        context.throwIfCancelled();
        for (std::int64_t row = begin; row < end; ++row) {
            const std::span<const double> values(all.row(row).data(), static_cast<std::size_t>(n));
            const std::span<const double> before(given.row(row).data(), static_cast<std::size_t>(n));
            const auto weights = static_cast<std::size_t>(k);
            const auto index = static_cast<std::size_t>(row);
            rounded[index] = options.feedsBack ? bestRow(values, weights, options, feedback)
                                               : nearestRow(values, weights, options);
            nearest[index] = nearestRow(before, weights, options);
        }
    });
    ReconstructedLayer result;
    result.grid.symmetry = options.symmetry;
    result.grid.granularity = Granularity::Group;
    result.grid.bits = options.bits;
    MatrixD before = given;
    for (std::size_t row = 0; row < rounded.size(); ++row) {
        for (Eigen::Index c = 0; c < n; ++c) {
            all(static_cast<Eigen::Index>(row), c) = rounded[row].values[static_cast<std::size_t>(c)];
            before(static_cast<Eigen::Index>(row), c) = nearest[row].values[static_cast<std::size_t>(c)];
        }
        result.grid.scales.push_back(rounded[row].grid.scales.front());
        result.grid.zeroPoints.push_back(rounded[row].grid.zeroPoints.front());
        result.grid.bounds.push_back(rounded[row].grid.bounds.front());
    }
    if (fitsBias) { // the mean error of every output, whatever rounding left of it
        const MatrixD residual = moments.target - all * moments.gram;
        all.col(k) += residual.col(k);
    }
    result.layer.weight = all.leftCols(k);
    for (Eigen::Index row = 0; hasBias && row < rows; ++row) {
        result.layer.bias.push_back(all(row, k));
    }
    result.errorBefore = outputError(moments, before);
    result.errorAfter = outputError(moments, all);
    return result;
}

} // namespace qs
