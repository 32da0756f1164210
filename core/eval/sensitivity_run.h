#pragma once

#include "core/eval/fp32_cache.h"
#include "core/eval/metric_sums.h"
#include "core/eval/sensitivity.h"
#include "core/quant/error_cause.h"

#include <array>
#include <optional>

namespace qs {

/// One site at one width, and the sums of its samples so far.
struct SiteMeasurement
{
    int site = 0; ///< index into Model::sites
    SiteChoice choice;
    QuantParams params;
    QuantizationError error; ///< of the site's own values
    std::array<std::vector<MetricSums>, 3> sums; ///< by ErrorCause, one entry per sample

    [[nodiscard]] std::vector<MetricSums>& of(ErrorCause cause)
    {
        return sums[static_cast<std::size_t>(cause)];
    }
    [[nodiscard]] const std::vector<MetricSums>& of(ErrorCause cause) const
    {
        return sums[static_cast<std::size_t>(cause)];
    }
};

/// The samples that are held at once: their FP32 values and what they should predict.
struct HeldBatch
{
    Fp32Cache fp32;
    std::vector<std::optional<int>> targets;
};

/// Adds the sums of the held samples to a measurement, running what lies behind its site with that site
/// quantized. `fp32` are the sums of FP32 against itself over the same samples. The executor has no
/// transforms before and after. With `causes` also each cause alone; where no value is clipped, that costs
/// nothing.
void measureHeld(Executor& executor, const std::vector<HeldBatch>& held, std::span<const MetricSums> fp32,
    bool causes, SiteMeasurement& measurement, const TaskContext& context);

/// The figures of a measurement with its intervals; `fp32` is one entry per sample measured.
[[nodiscard]] SiteSensitivity resultOf(const Model& model, const SiteMeasurement& measurement,
    std::span<const MetricSums> fp32, const BootstrapOptions& bootstrap);

} // namespace qs
