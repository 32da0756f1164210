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

QS_ALWAYS_INLINE void softmaxBody(const float* x, float* out, std::int64_t count)
{
    const float top = foldRow(
        count, -std::numeric_limits<float>::infinity(), [&](std::int64_t i) { return x[i]; },
        [](float a, float b) { return a > b ? a : b; });
    forEach(x, out, count, [top](float v) { return vecmath::exp(v - top); });
    const float sum = foldRow(
        count, 0.0F, [&](std::int64_t i) { return out[i]; }, sumOf);
    forEach(out, out, count, [sum](float v) { return v / sum; });
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

QS_ALWAYS_INLINE float expOf(float v)
{
    return vecmath::exp(v);
}
QS_ALWAYS_INLINE float erfOf(float v)
{
    return vecmath::erf(v);
}
QS_ALWAYS_INLINE float tanhOf(float v)
{
    return vecmath::tanh(v);
}
QS_ALWAYS_INLINE float sigmoidOf(float v)
{
    return 1.0F / (1.0F + vecmath::exp(-v));
}
QS_ALWAYS_INLINE float geluOf(float v)
{
    return vecmath::gelu(v);
}
QS_ALWAYS_INLINE float geluTanhOf(float v)
{
    return vecmath::geluTanh(v);
}
QS_ALWAYS_INLINE float reluOf(float v)
{
    return v < 0.0F ? 0.0F : v;
}

// One function per instruction set: the bodies above are inlined and vectorised under its target.
#define QS_ROW_UNARY(set, target, function)                                                                  \
    target void function##set(const float* x, float* out, std::int64_t count)                                \
    {                                                                                                        \
        forEach(                                                                                             \
            x, out, count, [](float v) __attribute__((always_inline)) { return function##Of(v); });          \
    }

#define QS_ROW_SET(set, title, target)                                                                       \
    QS_ROW_UNARY(set, target, exp)                                                                           \
    QS_ROW_UNARY(set, target, erf)                                                                           \
    QS_ROW_UNARY(set, target, tanh)                                                                          \
    QS_ROW_UNARY(set, target, sigmoid)                                                                       \
    QS_ROW_UNARY(set, target, gelu)                                                                          \
    QS_ROW_UNARY(set, target, geluTanh)                                                                      \
    QS_ROW_UNARY(set, target, relu)                                                                          \
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
        softmaxBody(x, out, count);                                                                          \
    }                                                                                                        \
    target void layerNorm##set(const float* x, const float* gamma, const float* beta, float epsilon,         \
        float* out, std::int64_t count)                                                                      \
    {                                                                                                        \
        layerNormBody(x, gamma, beta, epsilon, out, count);                                                  \
    }                                                                                                        \
    constexpr RowFunctions k##set {title, exp##set, erf##set, tanh##set, sigmoid##set, gelu##set,            \
        geluTanh##set, relu##set, add##set, mul##set, scale##set, divide##set, softmax##set,                 \
        layerNorm##set};

QS_ROW_SET(Generic, "generic", )
#if defined(__x86_64__)
QS_ROW_SET(Avx2, "avx2", __attribute__((target("avx2"))))
QS_ROW_SET(
    Avx512, "avx512", __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512"))))
#endif

const RowFunctions& choose()
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0
        && __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0) {
        return kAvx512;
    }
    if (__builtin_cpu_supports("avx2") != 0) {
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
