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

Tensor joinSamples(std::span<const Tensor> samples)
{
    const auto& first = samples.front().shape().dims();
    std::vector<std::int64_t> dims(first.begin(), first.end());
    dims.front() *= static_cast<std::int64_t>(samples.size());
    Tensor all(DType::F32, Shape(dims));
    auto place = all.mutableData<float>().begin();
    for (const Tensor& sample : samples) {
        place = std::ranges::copy(sample.data<float>(), place).out;
    }
    return all;
}

std::vector<Tensor> runSamples(Executor& executor, std::span<const Feed> batches,
    std::span<const ValueId> fetches, const TaskContext& context)
{
    const TaskContext silent {context.stop, {}};
    if (!takesOneSample(executor.model()) || batches.front().tensor.shape()[0] == 1) {
        return executor.run(batches, fetches, nullptr, silent);
    }
    std::vector<std::vector<Tensor>> samples(fetches.size());
    for (const std::vector<Feed>& sample : samplesOf(batches)) {
        std::vector<Tensor> parts = executor.run(sample, fetches, nullptr, silent);
        for (std::size_t k = 0; k < parts.size(); ++k) {
            samples[k].push_back(std::move(parts[k]));
        }
    }
    std::vector<Tensor> results;
    for (std::size_t k = 0; k < fetches.size(); ++k) {
        const Shape& shape = samples[k].front().shape();
        if (shape.rank() == 0 || shape[0] != 1) {
            throw Error(ErrorCode::Unsupported,
                "value '" + executor.model().graph->value(fetches[k]).name
                    + "' of a model that takes one sample has no leading dimension of 1");
        }
        results.push_back(joinSamples(samples[k]));
    }
    return results;
}

} // namespace qs
