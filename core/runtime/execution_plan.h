#pragma once

#include "core/models/model.h"
#include "core/runtime/executor.h"
#include "core/runtime/kernel_registry.h"

#include <functional>
#include <memory>
#include <vector>

namespace qs {

/// Place of an array during a run: slots [0, values) hold the graph's values, slot values + s what the
/// readers of site s see once its transform was applied.
using Slot = std::size_t;

/// What the steps of one run share.
struct Frame
{
    std::vector<Array> slots;
    BufferPool& pool;
    ConstantStore& constants;
    SiteObserver* observer = nullptr;
    const TaskContext& context;
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

/// What a plan is made for: two runs with equal requests use the same plan.
struct PlanRequest
{
    std::vector<ValueId> feeds;
    std::vector<ValueId> fetches;
    std::vector<std::uint8_t> observed; ///< per site
    std::vector<std::uint8_t> transformed; ///< per site

    friend auto operator<=>(const PlanRequest&, const PlanRequest&) = default;
};

/// Steps in order; after each, the slots nobody reads any more.
struct ExecutionPlan
{
    std::vector<std::unique_ptr<Step>> steps;
    std::vector<std::vector<Slot>> releases;
    std::vector<ValueId>
        staticValues; ///< constants and what follows from them alone, to be put in before the run
};

/// What the steps need of the executor.
struct PlanContext
{
    const Model& model;
    const std::vector<std::shared_ptr<const RowTransform>>& transforms; ///< per site; null: none
};

/// The nodes that the fetches need behind the feeds. Throws Error(InvalidArgument) naming a graph input that
/// is needed and not fed.
[[nodiscard]] ExecutionPlan makePlan(const PlanContext& context, const PlanRequest& request);

/// Runs one node on given inputs, outside a plan.
[[nodiscard]] std::vector<Array> runNode(const Node& node, std::span<const Array> inputs,
    std::span<const std::uint8_t> constantInputs, Frame& frame);

} // namespace qs
