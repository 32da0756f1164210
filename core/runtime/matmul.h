#pragma once

#include "core/tensor/dtype.h"

#include <cstddef>
#include <cstdint>
#include <memory>

namespace qs {

/// Single-threaded matrix products, on oneDNN or on panels of our own (panel_product.h). Parallelism belongs
/// to the callers, who hand out fixed blocks of rows: that keeps results independent of the number of
/// threads. All matrices are dense and row-major. Thread-safe.

/// A matrix [K, N] as it is stored: element (k, n) lies k * strideK + n * strideN elements behind `data`, at
/// any address. One of the strides must be 1 and the other cover it.
struct StoredMatrix
{
    const std::byte* data = nullptr;
    DType type = DType::F32; ///< F32, F16 or BF16
    std::int64_t k = 0;
    std::int64_t n = 0;
    std::int64_t strideK = 0;
    std::int64_t strideN = 1;
};

/// A right-hand matrix W [K, N] kept in the layout the processor's kernel likes best.
class PackedMatrix
{
public:
    /// Converts and packs the matrix slab by slab; the pages of a mapped file are released behind it.
    explicit PackedMatrix(const StoredMatrix& matrix);
    ~PackedMatrix();
    PackedMatrix(PackedMatrix&&) noexcept;
    PackedMatrix& operator=(PackedMatrix&&) noexcept;

    [[nodiscard]] std::int64_t rows() const; ///< K
    [[nodiscard]] std::int64_t columns() const; ///< N
    /// Memory that it takes.
    [[nodiscard]] std::size_t byteCount() const;
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
