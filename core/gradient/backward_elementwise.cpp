#include "core/gradient/array_sums.h"
#include "core/gradient/backward_families.h"
#include "core/runtime/broadcast.h"
#include "core/runtime/row_functions.h"

#include <cmath>
#include <numbers>

namespace qs {

namespace {

/// dx = dy * slope(x, y), elements in dense order.
template<typename Slope>
std::vector<Array> unary(const BackwardCall& call, const Slope& slope)
{
    const KernelCall& forward = call.forward;
    const Array x = forward.denseF32(0);
    const Array y = contiguous(call.outputs[0], forward.pool);
    const Array g = contiguous(call.gradient(), forward.pool);
    const Array dx = call.make(x.dims);
    for (std::int64_t i = 0, count = x.count(); i < count; ++i) {
        dx.f32()[i] = g.f32()[i] * slope(x.f32()[i], y.f32()[i]);
    }
    return {dx};
}

std::vector<Array> relu(const BackwardCall& call)
{
    return unary(call, [](float x, float) { return x > 0.0F ? 1.0F : 0.0F; });
}

std::vector<Array> sigmoid(const BackwardCall& call)
{
    return unary(call, [](float, float y) { return y * (1.0F - y); });
}

std::vector<Array> hyperbolicTangent(const BackwardCall& call)
{
    return unary(call, [](float, float y) { return 1.0F - y * y; });
}

std::vector<Array> negative(const BackwardCall& call)
{
    return unary(call, [](float, float) { return -1.0F; });
}

/// Phi(x) + x phi(x); the tanh form: (1 + t) / 2 + x (1 - t^2) u' / 2 with t = tanh(u), u = c (x + 0.044715
/// x^3).
std::vector<Array> gelu(const BackwardCall& call)
{
    const KernelCall& forward = call.forward;
    const bool approximate = forward.node.stringAttribute("approximate", "none") == "tanh";
    const Array x = forward.denseF32(0);
    const Array g = contiguous(call.gradient(), forward.pool);
    const Array dx = call.make(x.dims);
    const Array work = call.make({2, x.count()});
    float* first = work.f32();
    float* second = first + x.count();
    constexpr float kTanhScale = 0.7978845608F; // sqrt(2 / pi)
    constexpr float kCubic = 0.044715F;
    constexpr float kInverseRoot2 = 0.7071067812F;
    constexpr float kDensity = 0.3989422804F; // 1 / sqrt(2 pi)
    for (std::int64_t i = 0, count = x.count(); i < count; ++i) {
        const float v = x.f32()[i];
        first[i] = approximate ? kTanhScale * (v + kCubic * v * v * v) : v * kInverseRoot2;
        second[i] = -0.5F * v * v;
    }
    if (approximate) {
        rowFunctions().tanh(first, first, x.count());
    } else {
        rowFunctions().erf(first, first, x.count());
        rowFunctions().exp(second, second, x.count());
    }
    for (std::int64_t i = 0, count = x.count(); i < count; ++i) {
        const float v = x.f32()[i];
        const float inner = kTanhScale * (1.0F + 3.0F * kCubic * v * v);
        const float density
            = approximate ? 0.5F * (1.0F - first[i] * first[i]) * inner : kDensity * second[i];
        dx.f32()[i] = g.f32()[i] * (0.5F * (1.0F + first[i]) + v * density);
    }
    return {dx};
}

/// x sigma(a x): sigma + a x sigma (1 - sigma)
std::vector<Array> swish(const BackwardCall& call)
{
    const KernelCall& forward = call.forward;
    const auto alpha = static_cast<float>(forward.node.floatAttribute("alpha", 1.0));
    const Array x = forward.denseF32(0);
    const Array s = call.make(x.dims);
    rowFunctions().scale(x.f32(), alpha, s.f32(), x.count());
    rowFunctions().sigmoid(s.f32(), s.f32(), x.count());
    const Array g = contiguous(call.gradient(), forward.pool);
    for (std::int64_t i = 0, count = x.count(); i < count; ++i) {
        const float sigma = s.f32()[i];
        s.f32()[i] = g.f32()[i] * (sigma + alpha * x.f32()[i] * sigma * (1.0F - sigma));
    }
    return {s};
}

/// Both operands repeated to the result's dims; slopes give dz/da and dz/db.
template<typename SlopeA, typename SlopeB>
std::vector<Array> binary(const BackwardCall& call, const SlopeA& slopeA, const SlopeB& slopeB)
{
    const KernelCall& forward = call.forward;
    const Array g = contiguous(call.gradient(), forward.pool);
    const Array a = contiguous(broadcastView(forward.input(0), g.dims), forward.pool);
    const Array b = contiguous(broadcastView(forward.input(1), g.dims), forward.pool);
    std::vector<Array> result(2);
    if (call.wants(0)) {
        const Array da = call.make(g.dims);
        for (std::int64_t i = 0, count = g.count(); i < count; ++i) {
            da.f32()[i] = g.f32()[i] * slopeA(a.f32()[i], b.f32()[i]);
        }
        result[0] = summedTo(da, forward.input(0).dims, forward.pool);
    }
    if (call.wants(1)) {
        const Array db = call.make(g.dims);
        for (std::int64_t i = 0, count = g.count(); i < count; ++i) {
            db.f32()[i] = g.f32()[i] * slopeB(a.f32()[i], b.f32()[i]);
        }
        result[1] = summedTo(db, forward.input(1).dims, forward.pool);
    }
    return result;
}

std::vector<Array> add(const BackwardCall& call)
{
    const KernelCall& forward = call.forward;
    std::vector<Array> result(2);
    for (std::size_t i = 0; i < 2; ++i) {
        if (call.wants(i)) {
            result[i] = summedTo(call.gradient(), forward.input(i).dims, forward.pool);
        }
    }
    return result;
}

std::vector<Array> subtract(const BackwardCall& call)
{
    return binary(
        call, [](float, float) { return 1.0F; }, [](float, float) { return -1.0F; });
}

std::vector<Array> multiplyElements(const BackwardCall& call)
{
    return binary(
        call, [](float, float b) { return b; }, [](float a, float) { return a; });
}

std::vector<Array> divide(const BackwardCall& call)
{
    return binary(
        call, [](float, float b) { return 1.0F / b; }, [](float a, float b) { return -a / (b * b); });
}

} // namespace

void addElementwiseBackwards(BackwardTable& table)
{
    table["Add"] = add;
    table["Sub"] = subtract;
    table["Mul"] = multiplyElements;
    table["Div"] = divide;
    table["Neg"] = negative;
    table["Relu"] = relu;
    table["Sigmoid"] = sigmoid;
    table["Tanh"] = hyperbolicTangent;
    table["Gelu"] = gelu;
    table["Swish"] = swish;
}

} // namespace qs
