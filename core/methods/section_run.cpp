#include "core/methods/section_run.h"

#include "core/base/parallel.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <vector>

namespace qs {

Tensor sampleOf(const Tensor& batch, std::int64_t index)
{
    std::vector<std::int64_t> dims {1};
    for (std::size_t i = 1; i < batch.shape().rank(); ++i) {
        dims.push_back(batch.shape()[i]);
    }
    const std::size_t bytes = batch.byteCount() / static_cast<std::size_t>(batch.shape()[0]);
    return Tensor(batch.dtype(), Shape(dims), std::make_shared<const Tensor>(batch),
        {batch.bytes() + static_cast<std::size_t>(index) * bytes, bytes});
}

std::vector<Feed> sampleOf(std::span<const Feed> batches, std::int64_t index)
{
    std::vector<Feed> result;
    for (const Feed& batch : batches) {
        result.push_back({batch.value, sampleOf(batch.tensor, index)});
    }
    return result;
}

Tensor gathered(const Tensor& batch, std::span<const std::int64_t> rows)
{
    std::vector<std::int64_t> dims(batch.shape().dims().begin(), batch.shape().dims().end());
    const std::size_t size = batch.byteCount() / static_cast<std::size_t>(dims.front());
    dims.front() = static_cast<std::int64_t>(rows.size());
    const auto bytes = std::make_shared<std::vector<std::byte>>(rows.size() * size);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        std::memcpy(bytes->data() + i * size, batch.bytes() + static_cast<std::size_t>(rows[i]) * size, size);
    }
    return Tensor(batch.dtype(), Shape(dims), bytes, *bytes);
}

std::vector<ValueId> valuesOf(std::span<const Feed> feeds)
{
    std::vector<ValueId> result;
    for (const Feed& feed : feeds) {
        result.push_back(feed.value);
    }
    return result;
}

std::vector<std::vector<Feed>> samplesOf(std::span<const Feed> batches)
{
    std::vector<std::vector<Feed>> samples;
    for (std::int64_t i = 0; i < batches.front().tensor.shape()[0]; ++i) {
        samples.push_back(sampleOf(batches, i));
    }
    return samples;
}

Tensor runSection(const Section& section, const TapeBindings& bindings, std::span<const Feed> batches,
    const TaskContext& context)
{
    const std::int64_t count = batches.front().tensor.shape()[0];
    BufferPool pool;
    std::vector<Array> outputs(static_cast<std::size_t>(count));
    parallelFor(count, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            Tape tape(section, bindings, pool);
            tape.forward(sampleOf(batches, i), context);
            outputs[static_cast<std::size_t>(i)] = contiguous(tape.value(section.fetches().front()), pool);
        }
    });
    Dims dims = outputs.front().dims;
    const std::int64_t size = outputs.front().count();
    dims[0] = count;
    Tensor result(DType::F32, Shape(dims));
    for (std::int64_t i = 0; i < count; ++i) {
        std::copy_n(
            outputs[static_cast<std::size_t>(i)].f32(), size, result.mutableData<float>().data() + i * size);
    }
    return result;
}

} // namespace qs
