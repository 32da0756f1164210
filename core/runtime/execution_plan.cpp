#include "core/runtime/execution_plan.h"

#include "core/base/error.h"
#include "core/runtime/step_fusion.h"

#include <algorithm>

namespace qs {

namespace {

std::size_t indexOf(int id)
{
    return static_cast<std::size_t>(id);
}

class PlanMaker
{
public:
    PlanMaker(const PlanContext& context, const PlanRequest& request)
        : m_context(context)
        , m_graph(*context.model.graph)
        , m_request(request)
        , m_dynamic(m_graph.values().size(), 0)
        , m_isFed(m_graph.values().size(), 0)
        , m_needed(m_graph.nodes().size(), 0)
    {
    }

    ExecutionPlan make()
    {
        markDynamic();
        for (const ValueId fetch : m_request.fetches) {
            need(fetch);
        }
        for (std::size_t site = 0; site < m_context.model.sites.size(); ++site) {
            sitesOf(m_context.model.sites[site].value).push_back(static_cast<int>(site));
        }
        for (ValueId id = 0; id < static_cast<ValueId>(m_graph.values().size()); ++id) {
            if (m_isFed[indexOf(id)] != 0) {
                addSiteSteps(id);
            }
        }
        for (NodeId id = 0; id < static_cast<NodeId>(m_graph.nodes().size()); ++id) {
            if (m_needed[indexOf(id)] != 0) {
                addNode(id);
            }
        }
        std::vector<Slot> kept;
        for (const ValueId fetch : m_request.fetches) {
            kept.push_back(indexOf(fetch));
        }
        m_plan.steps = fuseSteps(std::move(m_plan.steps), kept);
        addReleases();
        return std::move(m_plan);
    }

private:
    /// Values that change from run to run: the feeds and all that follows from them.
    void markDynamic()
    {
        for (const ValueId feed : m_request.feeds) {
            m_isFed[indexOf(feed)] = 1;
            m_dynamic[indexOf(feed)] = 1;
        }
        for (const ValueId input : m_graph.inputs()) {
            m_dynamic[indexOf(input)] = 1;
        }
        for (const Node& node : m_graph.nodes()) {
            const bool any = std::ranges::any_of(
                node.inputs, [&](ValueId id) { return id != kNoValue && m_dynamic[indexOf(id)] != 0; });
            for (const ValueId output : node.outputs) {
                if (any && output != kNoValue) {
                    m_dynamic[indexOf(output)] = 1;
                }
            }
        }
    }

    /// Marks the nodes that must run for this value.
    void need(ValueId wanted)
    {
        std::vector<ValueId> open {wanted};
        while (!open.empty()) {
            const ValueId id = open.back();
            open.pop_back();
            if (id == kNoValue || m_isFed[indexOf(id)] != 0) {
                continue;
            }
            if (m_dynamic[indexOf(id)] == 0) {
                if (std::ranges::find(m_plan.staticValues, id) == m_plan.staticValues.end()) {
                    m_plan.staticValues.push_back(id);
                }
                continue;
            }
            const NodeId producer = m_graph.value(id).producer;
            if (producer == kNoNode) {
                throw Error(ErrorCode::InvalidArgument, "input '" + m_graph.value(id).name + "' is not fed");
            }
            if (m_needed[indexOf(producer)] == 0) {
                m_needed[indexOf(producer)] = 1;
                const Node& node = m_graph.node(producer);
                open.insert(open.end(), node.inputs.begin(), node.inputs.end());
            }
        }
    }

    std::vector<int>& sitesOf(ValueId value)
    {
        m_sitesOf.resize(m_graph.values().size());
        return m_sitesOf[indexOf(value)];
    }

    /// Observation and transforms of a value that has just become known.
    void addSiteSteps(ValueId value)
    {
        for (const int index : sitesOf(value)) {
            const Site& site = m_context.model.sites[indexOf(index)];
            if (site.kind != SiteKind::Activation) {
                continue;
            }
            if (m_request.observed[indexOf(index)] != 0) {
                m_plan.steps.push_back(std::make_unique<ObserveStep>(m_context.model, index));
            }
            const bool isRead = std::ranges::any_of(
                site.readers, [&](const auto& reader) { return m_needed[indexOf(reader.first)] != 0; });
            if (m_request.transformed[indexOf(index)] != 0 && isRead) {
                m_plan.steps.push_back(std::make_unique<TransformStep>(
                    m_context.model, m_context.transforms, index, transformedSlot(index)));
            }
        }
    }

    [[nodiscard]] Slot transformedSlot(int site) const { return m_graph.values().size() + indexOf(site); }

    /// Where input `index` of a node is read from.
    Slot sourceOf(NodeId node, std::size_t index)
    {
        const ValueId value = m_graph.node(node).inputs[index];
        for (const int site : sitesOf(value)) {
            const Site& candidate = m_context.model.sites[indexOf(site)];
            if (candidate.kind == SiteKind::Activation && m_request.transformed[indexOf(site)] != 0
                && std::ranges::find(candidate.readers, std::pair(node, static_cast<int>(index)))
                    != candidate.readers.end()) {
                return transformedSlot(site);
            }
        }
        return indexOf(value);
    }

    void addNode(NodeId id)
    {
        const Node& node = m_graph.node(id);
        std::vector<Slot> inputs(node.inputs.size(), kNoSlot);
        std::vector<std::uint8_t> constantInputs(node.inputs.size(), 0);
        for (std::size_t i = 0; i < node.inputs.size(); ++i) {
            if (node.inputs[i] != kNoValue) {
                inputs[i] = sourceOf(id, i);
                const bool isRaw = inputs[i] < m_graph.values().size();
                constantInputs[i] = m_dynamic[indexOf(node.inputs[i])] == 0 && isRaw ? 1 : 0;
            }
        }
        m_plan.steps.push_back(
            std::make_unique<NodeStep>(node, std::move(inputs), std::move(constantInputs)));
        for (const ValueId output : node.outputs) {
            if (output != kNoValue) {
                addSiteSteps(output);
            }
        }
    }

    void addReleases()
    {
        std::vector<std::size_t> last(m_graph.values().size() + m_context.model.sites.size(), 0);
        for (std::size_t step = 0; step < m_plan.steps.size(); ++step) {
            for (const Slot slot : m_plan.steps[step]->reads()) {
                last[slot] = step;
            }
            for (const Slot slot : m_plan.steps[step]->writes()) {
                last[slot] = step;
            }
        }
        std::vector<std::uint8_t> keep(last.size(), 0);
        for (const ValueId fetch : m_request.fetches) {
            keep[indexOf(fetch)] = 1;
        }
        m_plan.releases.resize(m_plan.steps.size());
        for (Slot slot = 0; slot < last.size() && !m_plan.steps.empty(); ++slot) {
            if (keep[slot] == 0) {
                m_plan.releases[last[slot]].push_back(slot);
            }
        }
    }

    const PlanContext& m_context;
    const Graph& m_graph;
    const PlanRequest& m_request;
    std::vector<std::uint8_t> m_dynamic;
    std::vector<std::uint8_t> m_isFed;
    std::vector<std::uint8_t> m_needed;
    std::vector<std::vector<int>> m_sitesOf;
    ExecutionPlan m_plan;
};

} // namespace

ExecutionPlan makePlan(const PlanContext& context, const PlanRequest& request)
{
    return PlanMaker(context, request).make();
}

} // namespace qs
