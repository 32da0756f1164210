#include "core/eval/site_times.h"

namespace qs {

namespace {

constexpr int kNoSite = -1;

std::size_t indexOf(int id)
{
    return static_cast<std::size_t>(id);
}

class SiteOfNode
{
public:
    explicit SiteOfNode(const Model& model)
        : m_graph(*model.graph)
        , m_siteOfValue(m_graph.values().size(), kNoSite)
        , m_siteOfNode(m_graph.nodes().size(), kNoSite)
    {
        for (int site = 0; site < static_cast<int>(model.sites.size()); ++site) {
            int& first = m_siteOfValue[indexOf(model.sites[indexOf(site)].value)];
            first = first == kNoSite ? site : first;
            if (model.sites[indexOf(site)].kind == SiteKind::Weight) {
                for (const auto& [reader, input] : model.sites[indexOf(site)].readers) {
                    m_siteOfNode[indexOf(reader)] = site;
                }
            }
        }
        for (auto id = static_cast<NodeId>(m_graph.nodes().size()) - 1; id >= 0; --id) {
            lookAhead(id);
        }
        for (NodeId id = 0; id < static_cast<NodeId>(m_graph.nodes().size()); ++id) {
            lookBack(id);
        }
    }

    [[nodiscard]] int of(std::size_t node) const { return m_siteOfNode[node]; }

private:
    /// Nodes come in execution order, so the readers of a node's results are known already.
    void lookAhead(NodeId id)
    {
        int& site = m_siteOfNode[indexOf(id)];
        for (const ValueId output : m_graph.node(id).outputs) {
            if (site == kNoSite && output != kNoValue) {
                site = m_siteOfValue[indexOf(output)];
                const std::vector<NodeId>& readers = m_graph.value(output).consumers;
                if (site == kNoSite && !readers.empty()) {
                    site = m_siteOfNode[indexOf(readers.front())];
                }
            }
        }
    }

    void lookBack(NodeId id)
    {
        int& site = m_siteOfNode[indexOf(id)];
        for (const ValueId input : m_graph.node(id).inputs) {
            if (site == kNoSite && input != kNoValue && m_graph.value(input).producer != kNoNode) {
                site = m_siteOfNode[indexOf(m_graph.value(input).producer)];
            }
        }
    }

    const Graph& m_graph;
    std::vector<int> m_siteOfValue;
    std::vector<int> m_siteOfNode;
};

} // namespace

SiteTimes siteTimes(const Model& model, const std::vector<NodeCost>& nodes)
{
    const SiteOfNode sites(model);
    SiteTimes times;
    for (const Site& site : model.sites) {
        times[site.name] = 0.0;
    }
    for (std::size_t node = 0; node < nodes.size(); ++node) {
        if (sites.of(node) != kNoSite) {
            times[model.sites[indexOf(sites.of(node))].name] += nodes[node].seconds;
        }
    }
    return times;
}

} // namespace qs
