#include "core/methods/section_run.h"

#include "core/base/parallel.h"

#include <algorithm>
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

Tensor runSection(const Section& section, const TapeBindings& bindings, ValueId feed, const Tensor& inputs,
    const TaskContext& context)
{
    const std::int64_t count = inputs.shape()[0];
    BufferPool pool;
    std::vector<Array> outputs(static_cast<std::size_t>(count));
    parallelFor(count, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            Tape tape(section, bindings, pool);
            const Feed given {feed, sampleOf(inputs, i)};
            tape.forward({&given, 1}, context);
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
