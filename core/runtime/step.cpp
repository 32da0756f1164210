#include "core/runtime/step.h"

#include "core/runtime/site_view.h"
#include "core/runtime/step_clock.h"

namespace qs {

NodeStep::NodeStep(const Node& node, std::vector<Slot> inputs, std::vector<std::uint8_t> constantInputs)
    : m_node(node)
    , m_inputs(std::move(inputs))
    , m_constantInputs(std::move(constantInputs))
{
}

void NodeStep::run(Frame& frame) const
{
    StepClock clock(frame.profile, 1);
    std::vector<Array> inputs(m_inputs.size());
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        if (m_inputs[i] != kNoSlot) {
            inputs[i] = frame.slots[m_inputs[i]];
        }
    }
    std::vector<Array> outputs = runNode(m_node, inputs, m_constantInputs, frame);
    const StepClock::Part part {&m_node, clock.isActive() ? productOperations(m_node, inputs, outputs) : 0.0};
    for (std::size_t i = 0; i < m_node.outputs.size() && i < outputs.size(); ++i) {
        if (m_node.outputs[i] != kNoValue) {
            frame.slots[static_cast<Slot>(m_node.outputs[i])] = std::move(outputs[i]);
        }
    }
    clock.finish({&part, 1});
}

std::vector<Slot> NodeStep::reads() const
{
    std::vector<Slot> slots;
    for (const Slot slot : m_inputs) {
        if (slot != kNoSlot) {
            slots.push_back(slot);
        }
    }
    return slots;
}

std::vector<Slot> NodeStep::writes() const
{
    std::vector<Slot> slots;
    for (const ValueId output : m_node.outputs) {
        if (output != kNoValue) {
            slots.push_back(static_cast<Slot>(output));
        }
    }
    return slots;
}

std::string NodeStep::name() const
{
    return m_node.op + " " + m_node.name;
}

ObserveStep::ObserveStep(const Model& model, int site)
    : m_model(model)
    , m_site(model.sites[static_cast<std::size_t>(site)])
    , m_index(site)
{
}

void ObserveStep::run(Frame& frame) const
{
    const auto start = std::chrono::steady_clock::now();
    const Array& value = frame.slots[static_cast<Slot>(m_site.value)];
    const SiteRows rows = siteRows(*m_model.graph, m_site, value, frame.pool);
    frame.observer->observe(m_index, rows.view);
    if (frame.profile != nullptr) {
        frame.profile->observation
            += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    }
}

std::vector<Slot> ObserveStep::reads() const
{
    return {static_cast<Slot>(m_site.value)};
}

std::string ObserveStep::name() const
{
    return "observe " + m_site.name;
}

TransformStep::TransformStep(const Model& model,
    const std::vector<std::shared_ptr<const RowTransform>>& transforms, int site, Slot target)
    : m_model(model)
    , m_transforms(transforms)
    , m_index(static_cast<std::size_t>(site))
    , m_site(model.sites[m_index])
    , m_target(target)
{
}

void TransformStep::run(Frame& frame) const
{
    StepClock clock(frame.profile, 1);
    frame.slots[m_target]
        = transformed(*m_model.graph, m_site, frame.slots[source()], transform(), frame.pool);
    const StepClock::Part part;
    clock.finish({&part, 1});
}

bool TransformStep::isRowWise() const
{
    return !hasHeads(*m_model.graph, m_site);
}

std::vector<Slot> TransformStep::reads() const
{
    return {source()};
}

std::string TransformStep::name() const
{
    return "transform " + m_site.name;
}

std::vector<Array> runNode(const Node& node, std::span<const Array> inputs,
    std::span<const std::uint8_t> constantInputs, Frame& frame)
{
    const KernelEntry* kernel = KernelRegistry::instance().find(node.op);
    const KernelCall call {node, inputs, frame.pool, frame.constants, frame.context, constantInputs};
    return kernel->run(call);
}

} // namespace qs
