#pragma once

#include "core/base/task_context.h"
#include "core/gradient/section.h"
#include "core/gradient/trainable_quantizer.h"
#include "core/runtime/executor.h"
#include "core/runtime/kernel_registry.h"

#include <map>
#include <memory>
#include <span>
#include <vector>

namespace qs {

/// What all tapes of a section share while they run: constants that take the place of the graph's own, and
/// quantizers of its sites by index into Model::sites; a site without one is read as it is.
struct TapeBindings
{
    std::map<ValueId, Array> constants;
    std::map<int, std::shared_ptr<const TrainableQuantizer>> quantizers;
};

/// One run of a section forwards and then backwards on one thread, usually of one sample: many tapes run side
/// by side. Keeps all values between the two. The section, bindings and pool must outlive it.
class Tape
{
public:
    Tape(const Section& section, const TapeBindings& bindings, BufferPool& pool);

    /// Throws what the kernels throw, Error(Cancelled).
    void forward(std::span<const Feed> feeds, const TaskContext& context = {});
    [[nodiscard]] const Array& value(ValueId value) const
    {
        return m_values[static_cast<std::size_t>(value)];
    }

    /// seeds: dL/dvalue of fetched values, F32 of their dims. After forward(), once.
    void backward(std::span<const Feed> seeds, const TaskContext& context = {});
    /// dL/dvalue, for those the section was asked for; not valid() where the loss does not depend on it.
    [[nodiscard]] const Array& gradient(ValueId value) const
    {
        return m_gradients[static_cast<std::size_t>(value)];
    }
    /// dL/dparameters of a site's quantizer.
    [[nodiscard]] std::span<const double> quantizerGradient(int site) const
    {
        return m_quantizerGradients.at(site);
    }

private:
    [[nodiscard]] Array input(NodeId node, std::size_t index) const;
    void quantize(ValueId value);
    void backwardNode(NodeId node, const TaskContext& context);
    void backwardSites(ValueId value);
    void accumulate(Array& sum, const Array& addend);
    [[nodiscard]] const TrainableQuantizer* quantizerOf(int site) const;

    const Section& m_section;
    const TapeBindings& m_bindings;
    BufferPool& m_pool;
    ConstantStore m_constants;
    std::vector<Array> m_values;
    std::vector<Array> m_gradients;
    std::map<int, Array> m_quantized; ///< by site
    std::map<int, Array> m_siteGradients; ///< dL/d quantized, by site
    std::map<int, std::vector<double>> m_quantizerGradients;
    std::map<ValueId, std::vector<int>> m_sitesOfValue;
};

} // namespace qs
