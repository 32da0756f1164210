#include "core/eval/metrics_accumulator.h"
#include "core/eval/plan_applier.h"
#include "core/exporting/exporter.h"
#include "core/exporting/run_model.h"

#include <algorithm>
#include <cmath>

namespace qs {

Verification verifyExport(const Exporter& exporter, const ExportInput& input,
    const std::filesystem::path& file, const Tensor& samples, const TaskContext& context)
{
    Executor executor(input.model);
    PlanApplier(executor).apply(input.quantizers);
    const Tensor simulated = runModel(executor, samples, context);
    const Tensor read = exporter.runFile(file, samples, context);
    MetricsAccumulator compared(input.model->task);
    compared.add(read, simulated, {});
    const Metrics metrics = compared.result();

    Verification result;
    result.samples = metrics.samples;
    result.sqnrDb = metrics.logitsSqnrDb;
    result.agreementPercent = metrics.agreementPercent;
    const auto expected = simulated.data<float>();
    const auto actual = read.data<float>();
    for (std::size_t i = 0; i < expected.size(); ++i) {
        result.maxAbsDifference
            = std::max(result.maxAbsDifference, static_cast<double>(std::abs(expected[i] - actual[i])));
    }
    return result;
}

} // namespace qs
