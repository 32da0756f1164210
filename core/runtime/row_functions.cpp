#include "core/runtime/row_functions.h"

#include "core/runtime/vector_math.h"

#include <cmath>
#include <limits>

namespace qs {

namespace {

template<typename F>
QS_ALWAYS_INLINE void forEach(const float* x, float* out, std::int64_t count, F f)
{
#pragma GCC ivdep
    for (std::int64_t i = 0; i < count; ++i) {
        out[i] = f(x[i]);
    }
}

template<typename F>
QS_ALWAYS_INLINE void forEach(const float* a, const float* b, float* out, std::int64_t count, F f)
{
#pragma GCC ivdep
    for (std::int64_t i = 0; i < count; ++i) {
        out[i] = f(a[i], b[i]);
    }
}

/// Folds f over the row in kRowLanes interleaved partial results.
template<typename Value, typename Join>
QS_ALWAYS_INLINE float foldRow(std::int64_t count, float start, Value value, Join join)
{
    float lanes[kRowLanes];
    for (float& lane : lanes) {
        lane = start;
    }
    std::int64_t i = 0;
    for (; i + kRowLanes <= count; i += kRowLanes) {
        for (int lane = 0; lane < kRowLanes; ++lane) {
            lanes[lane] = join(lanes[lane], value(i + lane));
        }
    }
    for (int lane = 0; i < count; ++i, ++lane) {
        lanes[lane] = join(lanes[lane], value(i));
    }
    for (int width = kRowLanes / 2; width > 0; width /= 2) {
        for (int lane = 0; lane < width; ++lane) {
            lanes[lane] = join(lanes[lane], lanes[lane + width]);
        }
    }
    return lanes[0];
}

QS_ALWAYS_INLINE float sumOf(float a, float b)
{
    return a + b;
}

template<typename M>
QS_ALWAYS_INLINE void softmaxBody(const float* x, float* out, std::int64_t count)
{
    const float top = foldRow(
        count, -std::numeric_limits<float>::infinity(),
        [&](std::int64_t i) __attribute__((always_inline)) { return x[i]; },
        [](float a, float b) __attribute__((always_inline)) { return a > b ? a : b; });
    forEach(
        x, out,
        count, [top](float v) __attribute__((always_inline)) { return vecmath::expOfNegative<M>(v - top); });
    const float sum = foldRow(
        count, 0.0F, [&](std::int64_t i) __attribute__((always_inline)) { return out[i]; }, sumOf);
    const float inverse = 1.0F / sum;
    forEach(
        out, out, count, [inverse](float v) __attribute__((always_inline)) { return v * inverse; });
}

QS_ALWAYS_INLINE void layerNormBody(
    const float* x, const float* gamma, const float* beta, float epsilon, float* out, std::int64_t count)
{
    const auto n = static_cast<float>(count);
    const float mean = foldRow(
                           count, 0.0F, [&](std::int64_t i) { return x[i]; }, sumOf)
        / n;
    const float squares = foldRow(
        count, 0.0F, [&](std::int64_t i) { return (x[i] - mean) * (x[i] - mean); }, sumOf);
    const float inverse = 1.0F / std::sqrt(squares / n + epsilon);
    if (beta == nullptr) {
#pragma GCC ivdep
        for (std::int64_t i = 0; i < count; ++i) {
            out[i] = ((x[i] - mean) * inverse) * gamma[i];
        }
        return;
    }
#pragma GCC ivdep
    for (std::int64_t i = 0; i < count; ++i) {
        out[i] = ((x[i] - mean) * inverse) * gamma[i] + beta[i];
    }
}

QS_ALWAYS_INLINE void rmsNormBody(
    const float* x, const float* gamma, float epsilon, float* out, std::int64_t count)
{
    const float squares = foldRow(
        count, 0.0F, [&](std::int64_t i) { return x[i] * x[i]; }, sumOf);
    const float inverse = 1.0F / std::sqrt(squares / static_cast<float>(count) + epsilon);
#pragma GCC ivdep
    for (std::int64_t i = 0; i < count; ++i) {
        out[i] = (x[i] * inverse) * gamma[i];
    }
}

template<typename M>
struct Functions
{
    static QS_ALWAYS_INLINE float exp(float v) { return vecmath::exp<M>(v); }
    static QS_ALWAYS_INLINE float erf(float v) { return vecmath::erf<M>(v); }
    static QS_ALWAYS_INLINE float tanh(float v) { return vecmath::tanh<M>(v); }
    static QS_ALWAYS_INLINE float sigmoid(float v) { return 1.0F / (1.0F + vecmath::exp<M>(-v)); }
    static QS_ALWAYS_INLINE float gelu(float v) { return vecmath::gelu<M>(v); }
    static QS_ALWAYS_INLINE float geluTanh(float v) { return vecmath::geluTanh<M>(v); }
    static QS_ALWAYS_INLINE float swish(float v) { return sigmoid(v) * v; }
    static QS_ALWAYS_INLINE float relu(float v) { return v < 0.0F ? 0.0F : v; }
};

// One function per instruction set: the bodies above are inlined and vectorised under its target.
#define QS_ROW_UNARY(set, target, product, function)                                                         \
    target void function##set(const float* x, float* out, std::int64_t count)                                \
    {                                                                                                        \
        forEach(                                                                                             \
            x, out, count,                                                                                   \
            [](float v) __attribute__((always_inline)) { return Functions<product>::function(v); });         \
    }

#define QS_ROW_SET(set, title, target, product)                                                              \
    QS_ROW_UNARY(set, target, product, exp)                                                                  \
    QS_ROW_UNARY(set, target, product, erf)                                                                  \
    QS_ROW_UNARY(set, target, product, tanh)                                                                 \
    QS_ROW_UNARY(set, target, product, sigmoid)                                                              \
    QS_ROW_UNARY(set, target, product, gelu)                                                                 \
    QS_ROW_UNARY(set, target, product, geluTanh)                                                             \
    QS_ROW_UNARY(set, target, product, relu)                                                                 \
    QS_ROW_UNARY(set, target, product, swish)                                                                \
    target void add##set(const float* a, const float* b, float* out, std::int64_t count)                     \
    {                                                                                                        \
        forEach(                                                                                             \
            a, b, out, count, [](float u, float v) __attribute__((always_inline)) { return u + v; });        \
    }                                                                                                        \
    target void mul##set(const float* a, const float* b, float* out, std::int64_t count)                     \
    {                                                                                                        \
        forEach(                                                                                             \
            a, b, out, count, [](float u, float v) __attribute__((always_inline)) { return u * v; });        \
    }                                                                                                        \
    target void scale##set(const float* x, float factor, float* out, std::int64_t count)                     \
    {                                                                                                        \
        forEach(                                                                                             \
            x, out, count, [factor](float v) __attribute__((always_inline)) { return v * factor; });         \
    }                                                                                                        \
    target void divide##set(const float* x, float divisor, float* out, std::int64_t count)                   \
    {                                                                                                        \
        forEach(                                                                                             \
            x, out, count, [divisor](float v) __attribute__((always_inline)) { return v / divisor; });       \
    }                                                                                                        \
    target void softmax##set(const float* x, float* out, std::int64_t count)                                 \
    {                                                                                                        \
        softmaxBody<product>(x, out, count);                                                                 \
    }                                                                                                        \
    target void layerNorm##set(const float* x, const float* gamma, const float* beta, float epsilon,         \
        float* out, std::int64_t count)                                                                      \
    {                                                                                                        \
        layerNormBody(x, gamma, beta, epsilon, out, count);                                                  \
    }                                                                                                        \
    target void rmsNorm##set(                                                                                \
        const float* x, const float* gamma, float epsilon, float* out, std::int64_t count)                   \
    {                                                                                                        \
        rmsNormBody(x, gamma, epsilon, out, count);                                                          \
    }                                                                                                        \
    constexpr RowFunctions k##set {title, exp##set, erf##set, tanh##set, sigmoid##set, gelu##set,            \
        geluTanh##set, relu##set, swish##set, add##set, mul##set, scale##set, divide##set, softmax##set,     \
        layerNorm##set, rmsNorm##set};

QS_ROW_SET(Generic, "generic", , vecmath::Separate)
#if defined(__x86_64__)
QS_ROW_SET(Avx2, "avx2", __attribute__((target("avx2,fma"))), vecmath::Fused)
QS_ROW_SET(Avx512, "avx512",
    __attribute__((target("fma,avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512"))), vecmath::Fused)
#endif

const RowFunctions& choose()
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0
        && __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0) {
        return kAvx512;
    }
    if (__builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0) {
        return kAvx2;
    }
#endif
    return kGeneric;
}

} // namespace

const RowFunctions& rowFunctions()
{
    static const RowFunctions& chosen = choose();
    return chosen;
}

} // namespace qs
