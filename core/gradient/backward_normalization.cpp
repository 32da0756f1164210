#include "core/gradient/backward_families.h"

#include <algorithm>
#include <cmath>

namespace qs {

namespace {

/// Shared form of the two normalisations: n = (x - mean) / sd, y = gamma n + beta;
/// dx = (dn - mean(dn) - n mean(dn n)) / sd with dn = dy gamma; without centring the two means of x and dn
/// are 0.
template<bool kCentred>
std::vector<Array> normalization(const BackwardCall& call)
{
    const KernelCall& forward = call.forward;
    const Array x = forward.denseF32(0);
    const Array gamma = forward.denseF32(1);
    const Array g = contiguous(call.gradient(), forward.pool);
    const std::size_t axis = forward.axis(forward.node.intAttribute("axis", -1), x.rank());
    const std::int64_t width = product(x.dims, axis, x.rank());
    const std::int64_t rows = product(x.dims, 0, axis);
    const double epsilon = forward.node.floatAttribute("epsilon", 1e-5);
    const auto size = static_cast<double>(width);
    std::vector<double> dGamma(static_cast<std::size_t>(width), 0.0);
    std::vector<double> dBeta(dGamma.size(), 0.0);
    const Array dx = call.make(x.dims);
    for (std::int64_t row = 0; row < rows; ++row) {
        const float* xr = x.f32() + row * width;
        const float* gr = g.f32() + row * width;
        float* out = dx.f32() + row * width;
        double mean = 0.0;
        double squares = 0.0;
        for (std::int64_t i = 0; kCentred && i < width; ++i) {
            mean += static_cast<double>(xr[i]);
        }
        mean /= size;
        for (std::int64_t i = 0; i < width; ++i) {
            const double d = static_cast<double>(xr[i]) - mean;
            squares += d * d;
        }
        const double inverse = 1.0 / std::sqrt(squares / size + epsilon);
        double sum = 0.0;
        double product = 0.0;
        for (std::int64_t i = 0; i < width; ++i) {
            const double n = (static_cast<double>(xr[i]) - mean) * inverse;
            const auto dy = static_cast<double>(gr[i]);
            const double dn = dy * static_cast<double>(gamma.f32()[i]);
            dGamma[static_cast<std::size_t>(i)] += dy * n;
            dBeta[static_cast<std::size_t>(i)] += dy;
            sum += kCentred ? dn : 0.0;
            product += dn * n;
        }
        for (std::int64_t i = 0; i < width; ++i) {
            const double n = (static_cast<double>(xr[i]) - mean) * inverse;
            const double dn = static_cast<double>(gr[i]) * static_cast<double>(gamma.f32()[i]);
            out[i] = static_cast<float>((dn - sum / size - n * product / size) * inverse);
        }
    }
    const auto toFloat = [](double value) { return static_cast<float>(value); };
    std::vector<Array> result(forward.inputs.size());
    if (call.wants(0)) {
        result[0] = dx;
    }
    if (call.wants(1)) {
        result[1] = call.make(gamma.dims);
        std::ranges::transform(dGamma, result[1].f32(), toFloat);
    }
    if (call.wants(2)) {
        result[2] = call.make(forward.input(2).dims);
        std::ranges::transform(dBeta, result[2].f32(), toFloat);
    }
    return result;
}

/// dx = p (dp - sum_j dp_j p_j)
std::vector<Array> softmax(const BackwardCall& call)
{
    const KernelCall& forward = call.forward;
    const Array& p = call.outputs[0];
    if (forward.axis(forward.node.intAttribute("axis", -1), p.rank()) + 1 != p.rank()) {
        forward.fail(ErrorCode::Unsupported, "the gradient along an axis that is not the last");
    }
    const Array dense = contiguous(p, forward.pool);
    const Array g = contiguous(call.gradient(), forward.pool);
    const Array dx = call.make(p.dims);
    const std::int64_t width = p.dims.back();
    for (std::int64_t at = 0, count = dense.count(); at < count; at += width) {
        const float* pr = dense.f32() + at;
        const float* gr = g.f32() + at;
        double sum = 0.0;
        for (std::int64_t i = 0; i < width; ++i) {
            sum += static_cast<double>(pr[i]) * static_cast<double>(gr[i]);
        }
        const auto shift = static_cast<float>(sum);
        for (std::int64_t i = 0; i < width; ++i) {
            dx.f32()[at + i] = pr[i] * (gr[i] - shift);
        }
    }
    return {dx};
}

} // namespace

void addNormalizationBackwards(BackwardTable& table)
{
    table["LayerNormalization"] = normalization<true>;
    table["RMSNormalization"] = normalization<false>;
    table["Softmax"] = softmax;
}

} // namespace qs
