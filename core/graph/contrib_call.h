#pragma once

#include "core/graph/graph_rewriter.h"

#include <cstdint>
#include <string>
#include <vector>

namespace qs {

/// One node of ONNX Runtime's domain com.microsoft while standard operators take its place: inputs as values
/// of the new graph, and what is added is named after the node.
class ContribCall
{
public:
    ContribCall(const Graph& graph, const Node& node, GraphRewriter& rewriter)
        : m_graph(graph)
        , m_node(node)
        , m_rewriter(rewriter)
    {
    }

    [[nodiscard]] const Node& node() const { return m_node; }
    [[nodiscard]] bool has(std::size_t input) const;
    /// Throws Error(CorruptFile) when the node omits it.
    [[nodiscard]] ValueId input(std::size_t index);
    /// The input's constant; invalid where it is computed or omitted.
    [[nodiscard]] Tensor constantInput(std::size_t index) const;
    /// What is known of a value of the new graph.
    [[nodiscard]] const Value& value(ValueId made) const { return m_rewriter.builder().value(made); }
    /// Throws Error(Unsupported) when the file does not tell how many dimensions the value has.
    [[nodiscard]] std::size_t rank(ValueId made) const;
    /// Whether anybody reads that output.
    [[nodiscard]] bool wants(std::size_t output) const;

    /// Adds "<node>.<suffix>" and returns its output.
    ValueId op(const std::string& op, const std::string& suffix, std::vector<ValueId> inputs,
        std::map<std::string, Attribute> attributes = {});
    std::vector<ValueId> split(const std::string& suffix, ValueId x, std::vector<std::int64_t> sizes);
    /// Codes, scale and zero point of x by DynamicQuantizeLinear.
    std::vector<ValueId> quantizedNow(const std::string& suffix, ValueId x);
    ValueId constant(const std::string& suffix, Tensor tensor);
    ValueId scalar(const std::string& suffix, double value);
    ValueId integers(const std::string& suffix, std::vector<std::int64_t> values);
    ValueId integer(const std::string& suffix, std::int64_t value); ///< of rank 0
    ValueId transpose(const std::string& suffix, ValueId x, std::vector<std::int64_t> order);
    ValueId reshape(const std::string& suffix, ValueId x, std::vector<std::int64_t> shape);
    ValueId unsqueeze(const std::string& suffix, ValueId x, std::vector<std::int64_t> axes);
    /// Size of one dimension, as an integer of rank 0.
    ValueId sizeOf(const std::string& suffix, ValueId x, std::int64_t axis);
    /// Adds the node that makes an output of the original: "<node>.<suffix>", or the node's own name for "".
    void result(std::size_t output, const std::string& op, const std::string& suffix,
        std::vector<ValueId> inputs, std::map<std::string, Attribute> attributes = {});

    /// Throws Error(Unsupported): "node '…' is com.microsoft.…, <what>".
    [[noreturn]] void refuse(const std::string& what) const;

private:
    const Graph& m_graph;
    const Node& m_node;
    GraphRewriter& m_rewriter;
};

} // namespace qs
