#pragma once

#include "core/graph/cut_values.h"
#include "core/runtime/executor.h"

#include <vector>

namespace qs {

/// The FP32 values of a batch at the graph's cut values, so that execution can start in the middle.
class Fp32Cache
{
public:
    /// Runs the executor (which must have no transforms) once on `samples` [N, ...].
    Fp32Cache(Executor& executor, const Tensor& samples, const TaskContext& context = {});

    [[nodiscard]] const std::vector<CutValue>& cuts() const { return m_cuts; }
    [[nodiscard]] const Tensor& at(std::size_t cut) const { return m_values[cut]; }
    [[nodiscard]] const Tensor& logits() const { return m_logits; } ///< [N, classes]

    /// Index of the last cut whose value is complete before every node that computes or reads the site.
    [[nodiscard]] std::size_t cutBefore(const Graph& graph, const Site& site) const;

private:
    std::vector<CutValue> m_cuts;
    std::vector<Tensor> m_values;
    Tensor m_logits;
};

/// First dimension kept, the others flattened: [N, classes].
[[nodiscard]] Tensor asLogits(const Tensor& output);

} // namespace qs
