#pragma once

#include "core/graph/cut_values.h"
#include "core/runtime/executor.h"

#include <vector>

namespace qs {

/// The FP32 values of a batch at the graph's cut values, so that execution can start in the middle.
class Fp32Cache
{
public:
    /// Runs the executor (which must have no transforms) once on `samples` [N, ...] of the model's first
    /// input.
    Fp32Cache(Executor& executor, const Tensor& samples, const TaskContext& context = {});

    [[nodiscard]] const std::vector<CutValue>& cuts() const { return m_cuts; }
    [[nodiscard]] const Tensor& at(std::size_t cut) const { return m_values[cut]; }
    [[nodiscard]] const Tensor& samples() const { return m_inputs.front().tensor; }
    [[nodiscard]] const Tensor& output() const { return m_output; } ///< the graph's first
    /// Bytes of all that is kept.
    [[nodiscard]] std::size_t byteCount() const;
    /// What to feed to start at a cut with this value there: it, and the model's inputs for what takes only
    /// their shapes (masks and positions go round the cuts).
    [[nodiscard]] std::vector<Feed> feedsFrom(std::size_t cut, const Tensor& value) const;

    /// Index of the last cut whose value is complete before every node that computes or reads the site.
    [[nodiscard]] std::size_t cutBefore(const Graph& graph, const Site& site) const;

private:
    std::vector<CutValue> m_cuts;
    std::vector<Feed> m_inputs;
    std::vector<Tensor> m_values;
    Tensor m_output;
};

} // namespace qs
