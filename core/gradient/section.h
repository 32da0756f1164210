#pragma once

#include "core/models/model.h"

#include <memory>
#include <vector>

namespace qs {

/// The part of a model's graph between fed and fetched values, and what of it a backward pass has to visit:
/// made once, run by any number of tapes. Immutable.
class Section
{
public:
    /// gradients: feeds and constants whose gradient is wanted. Throws Error(Unsupported) naming the node
    /// when an operator on the way has no kernel or no backward pass, Error(InvalidArgument) when a graph
    /// input is needed and not fed.
    Section(std::shared_ptr<const Model> model, std::vector<ValueId> feeds, std::vector<ValueId> fetches,
        std::vector<ValueId> gradients);

    [[nodiscard]] const Model& model() const { return *m_model; }
    [[nodiscard]] const std::vector<ValueId>& fetches() const { return m_fetches; }
    [[nodiscard]] const std::vector<ValueId>& gradients() const { return m_gradients; }
    [[nodiscard]] const std::vector<NodeId>& nodes() const { return m_nodes; } ///< in execution order
    /// Constants its nodes read, ascending.
    [[nodiscard]] const std::vector<ValueId>& constants() const { return m_constants; }
    /// Activation sites (indices into Model::sites) read by its nodes, in order.
    [[nodiscard]] const std::vector<int>& sites() const { return m_sites; }
    /// Site through whose quantizer a node reads this input, or -1.
    [[nodiscard]] int siteOf(NodeId node, std::size_t input) const;
    /// True when dL/dvalue is wanted or needed on the way to one that is.
    [[nodiscard]] bool isActive(ValueId value) const
    {
        return m_active[static_cast<std::size_t>(value)] != 0;
    }

private:
    void selectNodes(const std::vector<ValueId>& feeds);
    void findSites();
    void markActive();

    std::shared_ptr<const Model> m_model;
    std::vector<ValueId> m_fetches;
    std::vector<ValueId> m_gradients;
    std::vector<NodeId> m_nodes;
    std::vector<ValueId> m_constants;
    std::vector<int> m_sites;
    std::vector<std::vector<int>> m_siteOfInput; ///< by node; empty: none
    std::vector<std::uint8_t> m_active; ///< by value
};

} // namespace qs
