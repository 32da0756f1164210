#include "core/gradient/array_sums.h"

#include <algorithm>
#include <vector>

namespace qs {

Array zeroArray(BufferPool& pool, const Dims& dims)
{
    Array result = Array::make(pool, DType::F32, dims);
    std::fill_n(result.f32(), result.count(), 0.0F);
    return result;
}

void addInto(const Array& target, const Array& addend)
{
    float* to = target.f32();
    if (addend.isContiguous()) {
        const float* from = addend.f32();
        for (std::int64_t i = 0, count = target.count(); i < count; ++i) {
            to[i] += from[i];
        }
        return;
    }
    BufferPool pool;
    addInto(target, contiguous(addend, pool));
}

namespace {

/// Dims of `whole` are those of `part` with others in front: every run of the part's size is added up.
bool isRepeatedInFront(const Dims& whole, const Dims& part)
{
    return part.size() <= whole.size()
        && std::equal(part.begin(), part.end(), whole.end() - static_cast<std::ptrdiff_t>(part.size()));
}

void addRuns(const float* from, std::int64_t count, std::vector<double>& sums)
{
    for (std::int64_t at = 0; at < count; at += static_cast<std::int64_t>(sums.size())) {
        for (std::size_t i = 0; i < sums.size(); ++i) {
            sums[i] += static_cast<double>(from[at + static_cast<std::int64_t>(i)]);
        }
    }
}

} // namespace

Array summedTo(const Array& gradient, const Dims& dims, BufferPool& pool)
{
    if (gradient.dims == dims) {
        return gradient;
    }
    const Array dense = contiguous(gradient, pool);
    Array result = Array::make(pool, DType::F32, dims);
    std::vector<double> sums(static_cast<std::size_t>(result.count()), 0.0);
    const auto toFloat = [](double sum) { return static_cast<float>(sum); };
    if (isRepeatedInFront(dense.dims, dims)) {
        addRuns(dense.f32(), dense.count(), sums);
        std::ranges::transform(sums, result.f32(), toFloat);
        return result;
    }
    const std::size_t rank = dense.rank();
    const std::size_t added = rank - dims.size();
    const Dims targetStrides = denseStrides(dims);
    Dims strides(rank, 0);
    for (std::size_t i = added; i < rank; ++i) {
        strides[i] = dims[i - added] == 1 ? 0 : targetStrides[i - added];
    }
    Dims index(rank, 0);
    std::int64_t target = 0;
    const float* from = dense.f32();
    for (std::int64_t i = 0, count = dense.count(); i < count; ++i) {
        sums[static_cast<std::size_t>(target)] += static_cast<double>(from[i]);
        for (std::size_t d = rank; d-- > 0;) {
            target += strides[d];
            if (++index[d] < dense.dims[d]) {
                break;
            }
            target -= strides[d] * index[d];
            index[d] = 0;
        }
    }
    std::ranges::transform(sums, result.f32(), toFloat);
    return result;
}

} // namespace qs
