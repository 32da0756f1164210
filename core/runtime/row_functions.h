#pragma once

#include <cstdint>

namespace qs {

/// Vectorised loops over rows of floats, one set per instruction set; rowFunctions() picks the processor's
/// best. All sets give the same bits: sums run in kRowLanes interleaved partial sums that are added in a
/// fixed order. `out` may be the input itself, otherwise the ranges must not overlap.
struct RowFunctions
{
    const char* name; ///< "avx512", "avx2" or "generic"
    void (*exp)(const float* x, float* out, std::int64_t count);
    void (*erf)(const float* x, float* out, std::int64_t count);
    void (*tanh)(const float* x, float* out, std::int64_t count);
    void (*sigmoid)(const float* x, float* out, std::int64_t count);
    void (*gelu)(const float* x, float* out, std::int64_t count);
    void (*geluTanh)(const float* x, float* out, std::int64_t count);
    void (*relu)(const float* x, float* out, std::int64_t count);
    void (*swish)(const float* x, float* out, std::int64_t count); ///< x * sigmoid(x)
    void (*add)(const float* a, const float* b, float* out, std::int64_t count);
    void (*mul)(const float* a, const float* b, float* out, std::int64_t count);
    void (*scale)(const float* x, float factor, float* out, std::int64_t count);
    void (*divide)(const float* x, float divisor, float* out, std::int64_t count);
    /// One row to e^(x - max) times the reciprocal of their sum. A row of only -inf gives NaN, as ONNX's
    /// definition does.
    void (*softmax)(const float* x, float* out, std::int64_t count);
    /// (x - mean) / sqrt(variance + epsilon) * gamma + beta of one row; beta may be null. Two passes over the
    /// row, so float partial sums lose nothing that matters at these lengths.
    void (*layerNorm)(
        const float* x, const float* gamma, const float* beta, float epsilon, float* out, std::int64_t count);
    /// x / sqrt(mean(x^2) + epsilon) * gamma of one row.
    void (*rmsNorm)(const float* x, const float* gamma, float epsilon, float* out, std::int64_t count);
};

inline constexpr int kRowLanes = 16;

[[nodiscard]] const RowFunctions& rowFunctions();

} // namespace qs
