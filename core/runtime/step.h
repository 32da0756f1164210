#pragma once

#include "core/models/model.h"
#include "core/runtime/execution_profile.h"
#include "core/runtime/executor.h"
#include "core/runtime/kernel_registry.h"

#include <memory>
#include <string>
#include <vector>

namespace qs {

/// Place of an array during a run: slots [0, values) hold the graph's values, slot values + s what the
/// readers of site s see once its transform was applied.
using Slot = std::size_t;
inline constexpr Slot kNoSlot = static_cast<Slot>(-1);

/// What the steps of one run share.
struct Frame
{
    std::vector<Array> slots;
    BufferPool& pool;
    ConstantStore& constants;
    SiteObserver* observer = nullptr;
    const TaskContext& context;
    ExecutionProfile* profile = nullptr; ///< null: nothing is measured
};

/// One piece of work on a frame.
class Step
{
public:
    virtual ~Step() = default;
    virtual void run(Frame& frame) const = 0;
    [[nodiscard]] virtual std::vector<Slot> reads() const = 0;
    [[nodiscard]] virtual std::vector<Slot> writes() const = 0;
    [[nodiscard]] virtual std::string name() const = 0; ///< for measurements: operator and node
};

/// Runs one node with its registered kernel.
class NodeStep : public Step
{
public:
    /// inputs: a slot per input of the node, kNoSlot where omitted; constantInputs: 1 for inputs that never
    /// change.
    NodeStep(const Node& node, std::vector<Slot> inputs, std::vector<std::uint8_t> constantInputs);

    void run(Frame& frame) const override;
    [[nodiscard]] std::vector<Slot> reads() const override;
    [[nodiscard]] std::vector<Slot> writes() const override;
    [[nodiscard]] std::string name() const override;

    [[nodiscard]] const Node& node() const { return m_node; }
    [[nodiscard]] Slot input(std::size_t index) const
    {
        return index < m_inputs.size() ? m_inputs[index] : kNoSlot;
    }
    [[nodiscard]] bool isConstant(std::size_t index) const
    {
        return index < m_constantInputs.size() && m_constantInputs[index] != 0;
    }
    /// Slot of the first output.
    [[nodiscard]] Slot output() const { return static_cast<Slot>(m_node.outputs.front()); }

private:
    const Node& m_node;
    std::vector<Slot> m_inputs;
    std::vector<std::uint8_t> m_constantInputs;
};

/// Shows a site's raw value to the observer.
class ObserveStep : public Step
{
public:
    ObserveStep(const Model& model, int site);

    void run(Frame& frame) const override;
    [[nodiscard]] std::vector<Slot> reads() const override;
    [[nodiscard]] std::vector<Slot> writes() const override { return {}; }
    [[nodiscard]] std::string name() const override;

private:
    const Model& m_model;
    const Site& m_site;
    int m_index;
};

/// Makes what the readers of a site see from its raw value.
class TransformStep : public Step
{
public:
    /// transforms: per site, read when the step runs.
    TransformStep(const Model& model, const std::vector<std::shared_ptr<const RowTransform>>& transforms,
        int site, Slot target);

    void run(Frame& frame) const override;
    [[nodiscard]] std::vector<Slot> reads() const override;
    [[nodiscard]] std::vector<Slot> writes() const override { return {m_target}; }
    [[nodiscard]] std::string name() const override;

    [[nodiscard]] const Site& site() const { return m_site; }
    [[nodiscard]] Slot source() const { return static_cast<Slot>(m_site.value); }
    /// True when rows are transformed one by one without heads.
    [[nodiscard]] bool isRowWise() const;
    [[nodiscard]] Slot target() const { return m_target; }
    [[nodiscard]] const RowTransform& transform() const { return *m_transforms[m_index]; }

private:
    const Model& m_model;
    const std::vector<std::shared_ptr<const RowTransform>>& m_transforms;
    std::size_t m_index;
    const Site& m_site;
    Slot m_target;
};

/// Runs one node on given inputs, outside a plan.
[[nodiscard]] std::vector<Array> runNode(const Node& node, std::span<const Array> inputs,
    std::span<const std::uint8_t> constantInputs, Frame& frame);

} // namespace qs
