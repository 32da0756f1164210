#include "core/exporting/run_model.h"

#include "core/base/error.h"
#include "core/eval/model_feeds.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <vector>

namespace qs {

namespace {

constexpr std::int64_t kBatch = 8;

/// Samples [first, first + count) as a view of `samples`.
Tensor batchOf(const std::shared_ptr<const Tensor>& samples, std::int64_t first, std::int64_t count)
{
    std::vector<std::int64_t> dims = samples->shape().dims();
    const std::size_t sampleBytes
        = samples->byteCount() / static_cast<std::size_t>(std::max<std::int64_t>(dims[0], 1));
    dims[0] = count;
    return {samples->dtype(), Shape(dims), samples,
        std::span(samples->bytes(), samples->byteCount())
            .subspan(static_cast<std::size_t>(first) * sampleBytes,
                static_cast<std::size_t>(count) * sampleBytes)};
}

} // namespace

Tensor runModel(Executor& executor, const Tensor& samples, const TaskContext& context)
{
    const Graph& graph = *executor.model().graph;
    if (graph.inputs().empty() || samples.shape().rank() == 0 || samples.shape()[0] == 0) {
        throw Error(ErrorCode::ShapeMismatch, "there are no samples to run");
    }
    const auto shared = std::make_shared<const Tensor>(samples);
    const std::int64_t total = samples.shape()[0];
    const std::array<ValueId, 1> fetches {graph.outputs().front()};
    Tensor result;
    const std::int64_t batch = batchSizeOf(graph, kBatch);
    for (std::int64_t first = 0; first < total; first += batch) {
        context.throwIfCancelled();
        const std::int64_t count = std::min(batch, total - first);
        const std::vector<Feed> feeds = feedsOf(graph, batchOf(shared, first, count));
        const Tensor part = executor.run(feeds, fetches, nullptr, context).front();
        std::vector<std::int64_t> dims = part.shape().dims();
        if (dims.empty() || dims[0] != count || part.dtype() != DType::F32) {
            throw Error(ErrorCode::ShapeMismatch,
                "output '" + graph.value(fetches[0]).name + "' has the shape " + part.shape().text() + " for "
                    + std::to_string(count) + " samples");
        }
        if (!result.valid()) {
            dims[0] = total;
            result = Tensor(DType::F32, Shape(dims));
        }
        const auto rows = part.data<float>();
        const std::size_t width = rows.size() / static_cast<std::size_t>(count);
        if (static_cast<std::int64_t>(width) * total != result.elementCount()) {
            throw Error(ErrorCode::ShapeMismatch,
                "output '" + graph.value(fetches[0]).name + "' changes its shape between batches to "
                    + part.shape().text());
        }
        std::ranges::copy(
            rows, result.mutableData<float>().begin() + static_cast<std::ptrdiff_t>(width) * first);
        context.report("running the file", first + count, total);
    }
    return result;
}

} // namespace qs
