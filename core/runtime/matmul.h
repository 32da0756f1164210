#pragma once

#include <cstdint>
#include <memory>

namespace qs {

/// Single-threaded matrix products, on oneDNN or on panels of our own (panel_product.h). Parallelism belongs
/// to the callers, who hand out fixed blocks of rows: that keeps results independent of the number of
/// threads. All matrices are dense and row-major. Thread-safe.

/// A right-hand matrix W [K, N] kept in the layout the processor's kernel likes best.
class PackedMatrix
{
public:
    /// Reads W[k, n] = data[k * strideK + n * strideN]; one of the strides must be 1 and the other cover it.
    PackedMatrix(
        const float* data, std::int64_t k, std::int64_t n, std::int64_t strideK, std::int64_t strideN);
    ~PackedMatrix();
    PackedMatrix(PackedMatrix&&) noexcept;
    PackedMatrix& operator=(PackedMatrix&&) noexcept;

    [[nodiscard]] std::int64_t rows() const; ///< K
    [[nodiscard]] std::int64_t columns() const; ///< N
    /// y [rows, N] = x [rows, K] * W (+ bias [N], added after the sum; null: none).
    void multiply(const float* x, std::int64_t rows, const float* bias, float* y) const;

private:
    struct Implementation;
    std::unique_ptr<Implementation> m_implementation;
};

/// How the right-hand matrix [K, N] of a product lies in memory: row-major, or as its transpose [N, K],
/// row-major.
enum class RightHand { Plain, Transposed };

/// c [M, N] = a [M, K] * b [K, N].
void multiply(const float* a, const float* b, float* c, std::int64_t m, std::int64_t k, std::int64_t n,
    RightHand rightHand = RightHand::Plain);

} // namespace qs
