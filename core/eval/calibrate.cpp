#include "core/eval/calibrate.h"

#include "core/eval/calibration_observer.h"
#include "core/eval/evaluate.h"
#include "core/eval/model_feeds.h"

#include <algorithm>

namespace qs {

namespace {

constexpr std::size_t kMostBufferBytes = std::size_t {512} << 20U;
constexpr std::int64_t kLargestBatch = 256;

/// Where weights must be packed again in every run, larger batches, as long as their values take little
/// memory: the statistics are the same for any batch size.
std::int64_t nextBatch(Executor& executor, std::int64_t batch)
{
    if (!executor.packsInEveryRun() || 2 * batch > kLargestBatch
        || 2 * executor.bufferBytes() > kMostBufferBytes) {
        return batch;
    }
    executor.releaseBuffers(); // they are too small now
    return 2 * batch;
}

} // namespace

std::shared_ptr<const Calibration> calibrate(std::shared_ptr<const Model> model, const DataSource& data,
    std::int64_t samples, const TaskContext& context, std::int64_t batch)
{
    Executor executor(std::move(model));
    return calibrate(executor, data, samples, context, batch);
}

std::shared_ptr<const Calibration> calibrate(Executor& executor, const DataSource& data, std::int64_t samples,
    const TaskContext& context, std::int64_t batch)
{
    const Model& model = executor.model();
    const std::int64_t total = sampleCountOf(*model.graph, data, samples);
    batch = batchSizeOf(model, data, batch);
    const ValueId output = model.graph->outputs().front();
    CalibrationObserver observer(model.sites);
    const TaskContext inner {context.stop, {}};
    for (std::int64_t first = 0; first < total;) {
        context.throwIfCancelled();
        context.report("calibrate", first, total);
        const std::int64_t count = std::min(batch, total - first);
        (void)executor.run(
            feedsOf(*model.graph, loadBatch(data, first, count)), {&output, 1}, &observer, inner);
        first += count;
        batch = batchSizeOf(*model.graph, nextBatch(executor, batch));
    }
    auto calibration = std::make_shared<Calibration>();
    calibration->modelHash = model.hash;
    calibration->dataHash = data.hash();
    calibration->dataPreparation = data.preparation();
    calibration->sampleCount = total;
    calibration->sites = observer.finish();
    context.report("calibrate", total, total);
    return calibration;
}

} // namespace qs
