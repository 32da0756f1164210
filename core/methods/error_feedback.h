#pragma once

#include <Eigen/Core>

#include <cstdint>
#include <span>
#include <vector>

namespace qs {

/// Row-major matrices of the methods; arithmetic on them is double throughout.
using MatrixD = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// The grid a row of weights is rounded to: (code - zero point) * step.
struct RowGrid
{
    float step = 1.0F;
    std::int32_t zeroPoint = 0;
    std::int32_t lowest = 0; ///< codes
    std::int32_t highest = 15;

    /// Nearest grid value, half to even, in the float arithmetic of FakeQuantizer.
    [[nodiscard]] double nearest(double w) const;
};

/// Rounding column after column with the error of each column fed forward into those that are still free:
/// GPTQ (Frantar et al., arXiv 2210.17323; methods.md 5.1) on H = E[x x^T]. One object serves all rows of a
/// layer.
class ErrorFeedback
{
public:
    enum class Order { Natural, LargestDiagonalFirst };

    /// H [n, n] symmetric, positive semidefinite. damping is added to its diagonal as this fraction of the
    /// mean of its diagonal. The last `free` columns are not rounded and come last in the order: they only
    /// take up errors (a bias, as the column of ones). Columns that are always zero are rounded to nearest.
    /// Throws Error(InvalidArgument) when H is not finite.
    ErrorFeedback(const MatrixD& hessian, double damping, Order order, int free = 0);

    /// Rounds one row w [n] in place; returns half the increase of (w - w') H (w - w')^T that rounding costs,
    /// damping included.
    double round(std::span<double> row, const RowGrid& grid) const;

private:
    Eigen::Index m_rounded; ///< columns that get rounded
    std::vector<Eigen::Index> m_order;
    MatrixD m_upper; ///< upper Cholesky factor of H^-1, in m_order
};

} // namespace qs
