#include "core/eval/calibrate.h"

#include "core/eval/calibration_observer.h"
#include "core/eval/evaluate.h"
#include "core/eval/model_feeds.h"

#include <algorithm>

namespace qs {

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
    for (std::int64_t first = 0; first < total; first += batch) {
        context.throwIfCancelled();
        context.report("calibrate", first, total);
        const Tensor samplesOfBatch = loadBatch(data, first, std::min(batch, total - first));
        (void)executor.run(feedsOf(*model.graph, samplesOfBatch), {&output, 1}, &observer, inner);
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
