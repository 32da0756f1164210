#pragma once

#include <cstdint>

namespace qs {

/// Single-threaded matrix products with a right-hand matrix B [K, N] that was packed into panels of 16
/// columns, chosen by instruction set while running. Every element is one chain of multiply-adds over k in
/// ascending order, whatever the number of rows or columns and wherever the element lies: results depend
/// neither on the batch nor on how rows are cut into blocks. With FMA (AVX2, AVX-512) the bits are those of
/// std::fma.

/// Rows of B in one block of a packed matrix, block after block: a whole number of them at a time, packed one
/// behind the other, is the same memory as all rows packed at once.
inline constexpr std::int64_t kPanelDepth = 256;

/// Floats that a packed matrix [k, n] takes.
[[nodiscard]] std::int64_t packedPanelFloats(std::int64_t k, std::int64_t n);

/// Packs B[k, n] = data[k * strideK + n * strideN]; `packed` has room for packedPanelFloats(k, n), ideally
/// aligned to 64 bytes.
void packPanels(const float* data, std::int64_t k, std::int64_t n, std::int64_t strideK, std::int64_t strideN,
    float* packed);

/// A dense or strided left-hand matrix: row r begins at data + r * stride; its columns are adjacent.
struct LeftRows
{
    const float* data;
    std::int64_t rows;
    std::int64_t stride;
};

/// c[r, n] = sum over k of a[r, k] * B[k, n], plus bias[n] after the sum (null: none). Row r of the result
/// begins at c + r * strideC.
void multiplyPanels(const LeftRows& a, const float* packed, std::int64_t k, std::int64_t n, const float* bias,
    float* c, std::int64_t strideC);

/// True where multiplyPanels() has multiply-add instructions.
[[nodiscard]] bool hasFusedPanels();

} // namespace qs
