#include "core/graph/duplicate_merging.h"

#include "core/graph/graph_queries.h"
#include "core/graph/graph_rewriter.h"

#include <map>
#include <optional>

namespace qs {

namespace {

constexpr std::int64_t kLongestShape = 32;

/// Text that is equal for nodes that compute the same; nothing for nodes that are not looked at.
std::optional<std::string> keyOf(
    const Graph& graph, const Node& node, const GraphRewriter& rewriter, const std::vector<ValueId>& inputs)
{
    if (!isOneOf(node.op, {"Reshape", "Transpose", "Squeeze", "Unsqueeze", "Flatten"})
        || node.outputs.size() != 1 || isGraphOutput(graph, node.outputs.front())) {
        return std::nullopt;
    }
    std::string key = node.op;
    for (const ValueId input : inputs) {
        key += " " + std::to_string(input);
        const Tensor* constant = input == kNoValue ? nullptr : &rewriter.builder().value(input).constant;
        if (constant != nullptr && constant->valid() && constant->dtype() == DType::I64
            && constant->elementCount() <= kLongestShape) {
            key.resize(key.rfind(' '));
            key += " [";
            for (const std::int64_t number : constant->data<std::int64_t>()) {
                key += std::to_string(number) + ",";
            }
        }
    }
    for (const auto& [name, attribute] : node.attributes) {
        key += " " + name + "=";
        if (const auto* number = std::get_if<std::int64_t>(&attribute)) {
            key += std::to_string(*number);
        } else if (const auto* numbers = std::get_if<std::vector<std::int64_t>>(&attribute)) {
            for (const std::int64_t each : *numbers) {
                key += std::to_string(each) + ",";
            }
        } else {
            return std::nullopt;
        }
    }
    return key;
}

} // namespace

std::shared_ptr<const Graph> mergeDuplicates(const Graph& graph)
{
    GraphRewriter rewriter(graph);
    std::map<std::string, ValueId> made;
    for (const Node& node : graph.nodes()) {
        const auto key = keyOf(graph, node, rewriter, rewriter.inputsOf(node));
        const auto known = key ? made.find(*key) : made.end();
        if (known != made.end()) {
            rewriter.replaceByValue(node.outputs.front(), known->second);
            continue;
        }
        rewriter.copy(node);
        if (key) {
            made[*key] = rewriter.made(node.outputs.front());
        }
    }
    return rewriter.finish();
}

} // namespace qs
