#pragma once

#include "core/graph/graph_builder.h"

#include <map>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

namespace qs {

/// Base of the passes that build a changed copy of a graph, node by node in execution order: keeps for every
/// value of the original what stands for it in the copy. Constants come along when a node first reads them;
/// dimensions are inferred on the way. The original must outlive the rewriter.
class GraphRewriter
{
public:
    /// Takes over the inputs.
    explicit GraphRewriter(const Graph& graph);

    /// What stands for a value of the original; kNoValue for kNoValue. Throws Error(Internal) when its maker
    /// has been neither copied nor replaced.
    [[nodiscard]] ValueId made(ValueId original);
    /// made() of all inputs of a node.
    [[nodiscard]] std::vector<ValueId> inputsOf(const Node& node);
    /// Takes the node over as it is, with its names.
    void copy(const Node& node);
    /// Adds a node with one output; both are called `name`, numbered where that is taken.
    ValueId add(std::string op, const std::string& name, std::vector<ValueId> inputs,
        std::map<std::string, Attribute> attributes = {});
    /// As add(), for a node whose output stands for `original` and keeps its name.
    ValueId addFor(ValueId original, std::string op, const std::string& name, std::vector<ValueId> inputs,
        std::map<std::string, Attribute> attributes = {});
    /// As add(), for a node with `count` outputs that stand for nothing in the original.
    std::vector<ValueId> addMany(std::string op, const std::string& name, std::vector<ValueId> inputs,
        std::map<std::string, Attribute> attributes, std::size_t count);
    /// A constant called `name`, numbered where that is taken.
    ValueId addConstant(const std::string& name, Tensor tensor);
    /// From here on a constant of the same name stands for `original`.
    void replaceByConstant(ValueId original, Tensor tensor);
    /// From here on `made`, a value of the copy, stands for `original`.
    void replaceByValue(ValueId original, ValueId made);
    /// Lets add() and addFor() use the name of a node that is not copied.
    void releaseName(const Node& node);
    /// True when the value's dimensions follow from the inputs' alone, not from what a file says of inner
    /// values.
    [[nodiscard]] bool dimsAreInferred(ValueId original) const
    {
        return m_inferred[static_cast<std::size_t>(original)];
    }
    [[nodiscard]] const GraphBuilder& builder() const { return m_builder; }

    /// Takes over the outputs. Used once.
    [[nodiscard]] std::shared_ptr<const Graph> finish();

private:
    void takeRecordedDims(ValueId original);

    const Graph& m_graph;
    GraphBuilder m_builder;
    std::vector<ValueId> m_made; ///< per value of the original
    std::vector<bool> m_inferred; ///< per value of the original
    std::unordered_set<std::string> m_valueNames; ///< of the original and of what was added
    std::unordered_set<std::string> m_nodeNames;
};

} // namespace qs
