#include "core/gradient/section.h"

#include "core/base/error.h"
#include "core/gradient/backward.h"
#include "core/runtime/kernel_registry.h"

#include <algorithm>
#include <set>

namespace qs {

Section::Section(std::shared_ptr<const Model> model, std::vector<ValueId> feeds, std::vector<ValueId> fetches,
    std::vector<ValueId> gradients)
    : m_model(std::move(model))
    , m_fetches(std::move(fetches))
    , m_gradients(std::move(gradients))
{
    selectNodes(feeds);
    findSites();
    markActive();
}

void Section::selectNodes(const std::vector<ValueId>& feeds)
{
    const Graph& graph = *m_model->graph;
    const std::set<ValueId> fed(feeds.begin(), feeds.end());
    std::set<NodeId> chosen;
    std::set<ValueId> constants;
    std::vector<ValueId> pending = m_fetches;
    while (!pending.empty()) {
        const ValueId id = pending.back();
        pending.pop_back();
        if (id == kNoValue || fed.contains(id)) {
            continue;
        }
        const Value& value = graph.value(id);
        if (value.isConstant()) {
            constants.insert(id);
        } else if (value.producer == kNoNode) {
            throw Error(ErrorCode::InvalidArgument,
                "the section needs the input '" + value.name + "', which is not fed");
        } else if (chosen.insert(value.producer).second) {
            const Node& node = graph.node(value.producer);
            KernelRegistry::instance().requireSupported(node);
            pending.insert(pending.end(), node.inputs.begin(), node.inputs.end());
        }
    }
    m_nodes.assign(chosen.begin(), chosen.end());
    m_constants.assign(constants.begin(), constants.end());
}

void Section::findSites()
{
    m_siteOfInput.resize(m_model->graph->nodes().size());
    for (std::size_t s = 0; s < m_model->sites.size(); ++s) {
        const Site& site = m_model->sites[s];
        bool isRead = false;
        for (const auto& [node, input] : site.readers) {
            if (site.kind != SiteKind::Activation || !std::ranges::binary_search(m_nodes, node)) {
                continue;
            }
            std::vector<int>& inputs = m_siteOfInput[static_cast<std::size_t>(node)];
            inputs.resize(m_model->graph->node(node).inputs.size(), -1);
            inputs[static_cast<std::size_t>(input)] = static_cast<int>(s);
            isRead = true;
        }
        if (isRead) {
            m_sites.push_back(static_cast<int>(s));
        }
    }
}

int Section::siteOf(NodeId node, std::size_t input) const
{
    const std::vector<int>& inputs = m_siteOfInput[static_cast<std::size_t>(node)];
    return input < inputs.size() ? inputs[input] : -1;
}

/// A quantizer's own parameters are always wanted: what reads through one is active, and so is what it reads,
/// except a fed value nobody asked about.
void Section::markActive()
{
    const Graph& graph = *m_model->graph;
    m_active.assign(graph.values().size(), 0);
    for (const ValueId id : m_gradients) {
        m_active[static_cast<std::size_t>(id)] = 1;
    }
    for (const NodeId id : m_nodes) {
        const Node& node = graph.node(id);
        bool active = false;
        for (std::size_t i = 0; i < node.inputs.size(); ++i) {
            active = active || siteOf(id, i) >= 0 || (node.inputs[i] != kNoValue && isActive(node.inputs[i]));
        }
        if (!active) {
            continue;
        }
        if (backwardOf(node.op) == nullptr) {
            throw Error(ErrorCode::Unsupported,
                "operator " + node.op + " of node '" + node.name + "' has no backward pass");
        }
        for (const ValueId output : node.outputs) {
            m_active[static_cast<std::size_t>(output)] = 1;
        }
    }
}

} // namespace qs
