#pragma once

#include "core/graph/graph.h"

#include <memory>
#include <unordered_set>

namespace qs {

/// Makes a Graph node by node, in execution order; every add… names what it makes. Names must be unique and
/// inputs must exist: throws Error(CorruptFile) otherwise, since graphs come from files. Used up by build().
class GraphBuilder
{
public:
    /// dims: -1 where dynamic.
    ValueId addInput(const std::string& name, DType dtype, std::vector<std::int64_t> dims);
    /// An input of which not even the rank is known.
    ValueId addInput(const std::string& name, DType dtype);
    ValueId addConstant(const std::string& name, Tensor tensor);
    /// Adds a node with one output, named like the node, or "<name>.output" where that value name is taken.
    ValueId addNode(std::string op, std::string name, std::vector<ValueId> inputs,
        std::map<std::string, Attribute> attributes = {});
    /// Adds a node with the given output names ("" = an output nobody reads still gets a value of its own).
    std::vector<ValueId> addNodeWithOutputs(std::string op, std::string name, std::vector<ValueId> inputs,
        std::vector<std::string> outputNames, std::map<std::string, Attribute> attributes = {});
    void addOutput(ValueId value);
    /// Records what is known of a value's shape (-1 = dynamic).
    void setDims(ValueId value, std::vector<std::int64_t> dims, DType dtype = DType::F32);
    [[nodiscard]] const Value& value(ValueId id) const { return m_graph->value(id); }
    /// The node added last; there must be one.
    [[nodiscard]] const Node& lastNode() const { return m_graph->nodes().back(); }

    [[nodiscard]] std::shared_ptr<const Graph> build();

private:
    ValueId addValue(const std::string& name);

    std::shared_ptr<Graph> m_graph = std::make_shared<Graph>();
    std::unordered_set<std::string> m_valueNames;
    std::unordered_set<std::string> m_nodeNames;
};

} // namespace qs
