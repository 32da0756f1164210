#include "core/runtime/rotary_kernels.h"

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/runtime/kernel_registry.h"

#include <algorithm>
#include <cstring>

namespace qs {

namespace {

/// The input as [batch, heads, tokens, size], whichever way it came.
struct RotaryInput
{
    Array x; ///< a view where heads lay inside the last dimension
    Dims original;
};

RotaryInput inputOf(const KernelCall& call)
{
    const Array& given = call.input(0);
    if (given.dtype != DType::F32 || (given.rank() != 3 && given.rank() != 4)) {
        call.fail(ErrorCode::Unsupported, "input " + given.shapeText());
    }
    if (given.rank() == 4) {
        return {given, given.dims};
    }
    const std::int64_t heads = call.node.intAttribute("num_heads", 0);
    if (heads < 1 || given.dims[2] % heads != 0) {
        call.fail(ErrorCode::ShapeMismatch, std::to_string(heads) + " heads in input " + given.shapeText());
    }
    const Array split
        = reshaped(given, {given.dims[0], given.dims[1], heads, given.dims[2] / heads}, call.pool);
    return {permuted(split, {0, 2, 1, 3}), given.dims};
}

/// Row of the caches for every (sample, token): given ids, or the caches are [batch, tokens, half]
/// themselves.
Dims cacheRows(const KernelCall& call, const Array& x, const Array& cache)
{
    const std::int64_t tokens = x.dims[0] * x.dims[2];
    const std::int64_t rows = product(cache.dims, 0, cache.rank() - 1);
    Dims result(static_cast<std::size_t>(tokens));
    if (!call.has(3)) {
        for (std::size_t i = 0; i < result.size(); ++i) {
            result[i] = static_cast<std::int64_t>(i);
        }
    } else {
        result = integersOf(call.input(3));
    }
    const bool inside
        = std::ranges::all_of(result, [rows](std::int64_t row) { return row >= 0 && row < rows; });
    if (static_cast<std::int64_t>(result.size()) != tokens || !inside) {
        call.fail(ErrorCode::ShapeMismatch,
            "input " + x.shapeText() + " and caches " + cache.shapeText() + " do not fit its positions");
    }
    return result;
}

/// Pairs of a head's first `2 * half` elements turn by the angle of their token (arXiv:2104.09864):
/// neighbours where interleaved, else element i and i + half. What follows stays.
std::vector<Array> rotaryEmbedding(const KernelCall& call)
{
    const RotaryInput input = inputOf(call);
    const Array& x = input.x;
    const Array cosines = call.denseF32(1);
    const Array sines = call.denseF32(2);
    const std::int64_t size = x.dims[3];
    const std::int64_t wanted = call.node.intAttribute("rotary_embedding_dim", 0);
    const std::int64_t turned = wanted == 0 ? size : wanted;
    const std::int64_t half = turned / 2;
    if (turned < 0 || turned > size || turned % 2 != 0 || cosines.dims != sines.dims || cosines.rank() < 2
        || cosines.dims.back() != half) {
        call.fail(ErrorCode::ShapeMismatch,
            "heads of " + std::to_string(size) + " and caches " + cosines.shapeText());
    }
    const Dims rows = cacheRows(call, x, cosines);
    const bool interleaved = call.node.intAttribute("interleaved", 0) != 0;
    const std::int64_t near = interleaved ? 2 : 1;
    const std::int64_t far = interleaved ? 1 : half;
    const std::int64_t heads = x.dims[1];
    const std::int64_t tokens = x.dims[2];
    // The memory order of the result is that of the input, so that a three-dimensional one needs no copy
    // back.
    const bool headsInside = input.original.size() == 3;
    Array y = headsInside ? permuted(call.make(DType::F32, {x.dims[0], tokens, heads, size}), {0, 2, 1, 3})
                          : call.make(DType::F32, x.dims);
    const Array source = x.strides[3] == 1 ? x : contiguous(x, call.pool);
    parallelFor(x.dims[0] * tokens, 16, [&](std::int64_t begin, std::int64_t end) {
        call.context.throwIfCancelled();
        for (std::int64_t row = begin; row < end; ++row) {
            const float* c = cosines.f32() + rows[static_cast<std::size_t>(row)] * half;
            const float* s = sines.f32() + rows[static_cast<std::size_t>(row)] * half;
            for (std::int64_t head = 0; head < heads; ++head) {
                const auto at = [&](const Array& array) {
                    return array.f32() + row / tokens * array.strides[0] + head * array.strides[1]
                        + row % tokens * array.strides[2];
                };
                const float* in = at(source);
                float* out = at(y);
                for (std::int64_t i = 0; i < half; ++i) {
                    const float a = in[i * near];
                    const float b = in[i * near + far];
                    out[i * near] = a * c[i] - b * s[i];
                    out[i * near + far] = a * s[i] + b * c[i];
                }
                std::copy(in + turned, in + size, out + turned);
            }
        }
    });
    return {headsInside ? reshaped(permuted(y, {0, 2, 1, 3}), input.original, call.pool) : y};
}

} // namespace

void addRotaryKernels(KernelRegistry& registry)
{
    registry.add("RotaryEmbedding", {rotaryEmbedding});
}

} // namespace qs
