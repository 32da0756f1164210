#include "core/methods/sample_runs.h"

#include "core/base/error.h"
#include "core/methods/section_run.h"

#include <algorithm>

namespace qs {

bool takesOneSample(const Model& model)
{
    const Value& input = model.graph->value(model.graph->inputs().front());
    return input.dimsKnown && !input.dims.empty() && input.dims.front() == 1;
}

std::vector<Tensor> runSamples(Executor& executor, std::span<const Feed> batches,
    std::span<const ValueId> fetches, const TaskContext& context)
{
    const TaskContext silent {context.stop, {}};
    const std::int64_t count = batches.front().tensor.shape()[0];
    if (!takesOneSample(executor.model()) || count == 1) {
        return executor.run(batches, fetches, nullptr, silent);
    }
    std::vector<Tensor> results;
    for (std::int64_t i = 0; i < count; ++i) {
        const std::vector<Tensor> parts = executor.run(sampleOf(batches, i), fetches, nullptr, silent);
        for (std::size_t k = 0; k < parts.size(); ++k) {
            std::vector<std::int64_t> dims(parts[k].shape().dims().begin(), parts[k].shape().dims().end());
            if (dims.empty() || dims.front() != 1) {
                throw Error(ErrorCode::Unsupported,
                    "value '" + executor.model().graph->value(fetches[k]).name
                        + "' of a model that takes one sample has no leading dimension of 1");
            }
            if (i == 0) {
                dims.front() = count;
                results.emplace_back(DType::F32, Shape(dims));
            }
            std::ranges::copy(parts[k].data<float>(),
                results[k].mutableData<float>().begin()
                    + static_cast<std::ptrdiff_t>(i * parts[k].elementCount()));
        }
    }
    return results;
}

} // namespace qs
