#pragma once

#include "core/graph/graph.h"
#include "core/methods/trained_parameters.h"
#include "core/quant/quantizer.h"
#include "core/quant/weight_layout.h"

#include <array>
#include <span>

namespace qs {

/// A weight with a uniform quantizer that is being trained: real-valued codes (before rounding, without the
/// zero point) and the logarithm of every output channel's step relative to where it began. Forwards the
/// codes are rounded; backwards the straight-through estimator of methods.md 0.3 passes them inside the
/// range.
class TrainedWeight
{
public:
    struct Rates
    {
        double codes = 0.0;
        double steps = 0.0;
    };
    /// start: in units of the weight, or with `isCoded` in codes as codes() gave them.
    TrainedWeight(int site, ValueId constant, QuantParams params, WeightLayout layout,
        std::vector<float> start, bool isCoded, Rates rates);

    [[nodiscard]] int site() const { return m_site; }
    [[nodiscard]] ValueId constant() const { return m_constant; }
    [[nodiscard]] std::span<const float> codes() const { return m_codes.values; }
    /// The quantizer as it is now, with the bounds that its steps mean.
    [[nodiscard]] QuantParams quantizer() const;
    /// The rounded weight.
    void dequantize(float* out) const;
    /// One step of the optimiser against dL/d(rounded weight).
    void step(std::span<const float> gradient, const TrainingSchedule& schedule, std::int64_t iteration);

    /// What a checkpoint has to keep.
    [[nodiscard]] std::array<TrainedParameters*, 2> parameters() { return {&m_codes, &m_logSteps}; }

private:
    /// Values in a row that share a channel.
    [[nodiscard]] std::size_t run() const;
    [[nodiscard]] std::size_t channel(std::size_t element) const;
    [[nodiscard]] float lowest(std::size_t channel) const;
    [[nodiscard]] float highest(std::size_t channel) const;
    [[nodiscard]] float stepOf(std::size_t channel) const;

    int m_site;
    ValueId m_constant;
    QuantParams m_params; ///< where it began
    WeightLayout m_layout;
    TrainedParameters m_codes;
    TrainedParameters m_logSteps;
};

} // namespace qs
