#include "core/methods/error_feedback.h"

#include "core/base/error.h"

#include <Eigen/Cholesky>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace qs {

double RowGrid::nearest(double w) const
{
    const double t = static_cast<double>(static_cast<float>(w) / step);
    const double code = std::clamp(
        std::nearbyint(t), static_cast<double>(lowest) - zeroPoint, static_cast<double>(highest) - zeroPoint);
    return static_cast<double>(static_cast<float>(code + 0.0) * step);
}

ErrorFeedback::ErrorFeedback(const MatrixD& hessian, double damping, Order order, int free)
    : m_rounded(hessian.rows() - free)
{
    const Eigen::Index n = hessian.rows();
    if (!hessian.allFinite() || hessian.cols() != n) {
        throw Error(
            ErrorCode::InvalidArgument, "a layer's inputs are not finite: its weights cannot be rounded");
    }
    m_order.resize(static_cast<std::size_t>(n));
    std::iota(m_order.begin(), m_order.end(), Eigen::Index {0});
    if (order == Order::LargestDiagonalFirst) {
        std::stable_sort(m_order.begin(), m_order.begin() + m_rounded,
            [&](Eigen::Index a, Eigen::Index b) { return hessian(a, a) > hessian(b, b); });
    }
    const double mean = hessian.diagonal().mean();
    const double added = damping * (mean > 0.0 ? mean : 1.0);
    MatrixD ordered(n, n);
    for (Eigen::Index i = 0; i < n; ++i) {
        for (Eigen::Index j = 0; j < n; ++j) {
            ordered(i, j)
                = hessian(m_order[static_cast<std::size_t>(i)], m_order[static_cast<std::size_t>(j)]);
        }
        ordered(i, i) = (ordered(i, i) > 0.0 ? ordered(i, i) : mean > 0.0 ? mean : 1.0) + added;
    }
    // H^-1 = U^T U with U upper triangular.
    const MatrixD inverse = ordered.llt().solve(MatrixD::Identity(n, n));
    const MatrixD lower = inverse.llt().matrixL();
    m_upper = lower.transpose();
    if (!m_upper.allFinite()) {
        throw Error(ErrorCode::InvalidArgument, "a layer's inputs are linearly dependent: raise the damping");
    }
}

double ErrorFeedback::round(std::span<double> row, const RowGrid& grid) const
{
    const auto n = static_cast<std::size_t>(m_upper.rows());
    thread_local std::vector<double> w;
    w.resize(n);
    for (std::size_t i = 0; i < n; ++i) {
        w[i] = row[static_cast<std::size_t>(m_order[i])];
    }
    double loss = 0.0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(m_rounded); ++i) {
        const double* upper = m_upper.data() + i * n;
        const double rounded = grid.nearest(w[i]);
        const double error = (w[i] - rounded) / upper[i];
        w[i] = rounded;
        loss += 0.5 * error * error;
        for (std::size_t j = i + 1; j < n; ++j) {
            w[j] -= error * upper[j];
        }
    }
    for (std::size_t i = 0; i < n; ++i) {
        row[static_cast<std::size_t>(m_order[i])] = w[i];
    }
    return loss;
}

} // namespace qs
