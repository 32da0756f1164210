#pragma once

#include <bit>
#include <cstdint>

/// Elementary functions without branches or calls, so that loops over them become vector code of whatever
/// width the calling function was compiled for. The template argument says how a product is added: Fused (one
/// rounding, for instruction sets that have it) or Separate.
namespace qs::vecmath {

#define QS_ALWAYS_INLINE __attribute__((always_inline)) inline

struct Separate
{
    static QS_ALWAYS_INLINE float multiplyAdd(float a, float b, float c) { return a * b + c; }
};
struct Fused
{
    static QS_ALWAYS_INLINE float multiplyAdd(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
};

/// `yes` where the condition holds, else `no`; both are computed first, which keeps the compiler from putting
/// one of them under a mask of its own.
QS_ALWAYS_INLINE float chosen(bool condition, float yes, float no)
{
    const std::uint32_t mask = condition ? 0xFFFFFFFFU : 0U;
    return std::bit_cast<float>(
        (std::bit_cast<std::uint32_t>(yes) & mask) | (std::bit_cast<std::uint32_t>(no) & ~mask));
}

/// e^x: relative error below 2e-7 (2 units in the last place); 0 below -87.3 (no denormals), +inf above 88.7;
/// NaN stays.
template<typename M>
QS_ALWAYS_INLINE float exp(float x)
{
    constexpr float kMagic = 12582912.0F; // 1.5 * 2^23: adding it rounds to an integer, half to even
    const float below = x > 88.8F ? 88.8F : x;
    const float clipped = below < -88.0F ? -88.0F : below;
    const float shifted = M::multiplyAdd(clipped, 1.44269504F, kMagic);
    const float n = shifted - kMagic;
    const float r
        = M::multiplyAdd(n, -1.42860677e-6F, M::multiplyAdd(n, -0.693145752F, clipped)); // ln 2 in two parts
    float p = 1.98756912e-4F;
    p = M::multiplyAdd(p, r, 1.39819994e-3F);
    p = M::multiplyAdd(p, r, 8.33345205e-3F);
    p = M::multiplyAdd(p, r, 4.16657962e-2F);
    p = M::multiplyAdd(p, r, 1.66666657e-1F);
    p = M::multiplyAdd(p, r, 0.5F);
    p = M::multiplyAdd(p * r, r, r) + 1.0F;
    const auto exponent = std::bit_cast<std::int32_t>(shifted) - std::bit_cast<std::int32_t>(kMagic);
    const std::int32_t half = exponent >> 1; // 2^exponent in two factors, since 2^128 is not a float
    const float scaleA = std::bit_cast<float>((half + 127) << 23);
    const float scaleB = std::bit_cast<float>((exponent - half + 127) << 23);
    const float y = (p * scaleA) * scaleB;
    return x < -87.3F ? 0.0F : y;
}

/// e^x for -87.3 <= x <= 88, without the checks of exp().
template<typename M>
QS_ALWAYS_INLINE float expInRange(float x)
{
    constexpr float kMagic = 12582912.0F;
    const float shifted = M::multiplyAdd(x, 1.44269504F, kMagic);
    const float n = shifted - kMagic;
    const float r = M::multiplyAdd(n, -1.42860677e-6F, M::multiplyAdd(n, -0.693145752F, x));
    float p = 1.98756912e-4F;
    p = M::multiplyAdd(p, r, 1.39819994e-3F);
    p = M::multiplyAdd(p, r, 8.33345205e-3F);
    p = M::multiplyAdd(p, r, 4.16657962e-2F);
    p = M::multiplyAdd(p, r, 1.66666657e-1F);
    p = M::multiplyAdd(p, r, 0.5F);
    p = M::multiplyAdd(p * r, r, r) + 1.0F;
    const std::uint32_t exponent
        = std::bit_cast<std::uint32_t>(shifted) - std::bit_cast<std::uint32_t>(kMagic);
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(p) + (exponent << 23));
}

/// e^x for x <= 0: 0 below -87.3; NaN stays.
template<typename M>
QS_ALWAYS_INLINE float expOfNegative(float x)
{
    const float clipped = x < -87.3F ? -87.3F : x;
    return chosen(x < -87.3F, 0.0F, expInRange<M>(clipped));
}

/// erf(x): absolute error below 1.2e-7, relative below 1.5e-7. Below 1 an odd polynomial, above 1 -
/// e^polynomial; both fitted by weighted least squares to the double-precision function.
template<typename M>
QS_ALWAYS_INLINE float erf(float x)
{
    const float a = std::bit_cast<float>(std::bit_cast<std::uint32_t>(x) & 0x7FFFFFFFU);
    const float z = a * a;
    float p = 7.898126932559535e-05F;
    p = M::multiplyAdd(p, z, -0.0008024325943551958F);
    p = M::multiplyAdd(p, z, 0.005190049763768911F);
    p = M::multiplyAdd(p, z, -0.026854805648326874F);
    p = M::multiplyAdd(p, z, 0.11283612251281738F);
    p = M::multiplyAdd(p, z, -0.3761262893676758F);
    p = M::multiplyAdd(p, z, 0.12837916612625122F);
    const float small = M::multiplyAdd(a, p, a);
    const float t = a > 4.0F ? 4.0F : a;
    float q = 4.626017968689666e-08F;
    q = M::multiplyAdd(q, t, -2.236141517641954e-05F);
    q = M::multiplyAdd(q, t, 0.00044555484782904387F);
    q = M::multiplyAdd(q, t, -0.004219341557472944F);
    q = M::multiplyAdd(q, t, 0.025239992886781693F);
    q = M::multiplyAdd(q, t, -0.10846135765314102F);
    q = M::multiplyAdd(q, t, -0.633184552192688F);
    q = M::multiplyAdd(q, t, -1.1295948028564453F);
    q = M::multiplyAdd(q, t, 0.00019130890723317862F);
    const float large = 1.0F - expInRange<M>(q);
    const float magnitude = chosen(a < 1.0F, small, large); // from 4 on, large is 1
    const std::uint32_t sign = std::bit_cast<std::uint32_t>(x) & 0x80000000U;
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(magnitude) | sign);
}

/// tanh(x): absolute error below 2e-7. Small arguments by an odd polynomial (no cancellation), others by
/// e^2|x|.
template<typename M>
QS_ALWAYS_INLINE float tanh(float x)
{
    const float a = x < 0.0F ? -x : x;
    const float z = x * x;
    float p = -5.70498872745e-3F;
    p = M::multiplyAdd(p, z, 2.06390887954e-2F);
    p = M::multiplyAdd(p, z, -5.37397155531e-2F);
    p = M::multiplyAdd(p, z, 1.33314422036e-1F);
    p = M::multiplyAdd(p, z, -3.33332819422e-1F);
    const float small = M::multiplyAdd(x, p * z, x);
    const float large = 1.0F - 2.0F / (vecmath::exp<M>(2.0F * (a > 20.0F ? 20.0F : a)) + 1.0F);
    const float result = a < 0.625F ? small : (x < 0.0F ? -large : large);
    return x == x ? result : x;
}

/// x * Phi(x) by erf, as ONNX's Gelu with approximate = "none".
template<typename M>
QS_ALWAYS_INLINE float gelu(float x)
{
    return (0.5F * x) * (1.0F + vecmath::erf<M>(x * 0.707106781F));
}

/// ONNX's Gelu with approximate = "tanh".
template<typename M>
QS_ALWAYS_INLINE float geluTanh(float x)
{
    return (0.5F * x) * (1.0F + vecmath::tanh<M>(0.797884561F * M::multiplyAdd(0.044715F, x * x * x, x)));
}

} // namespace qs::vecmath
