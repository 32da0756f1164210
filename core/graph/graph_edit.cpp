#include "core/graph/graph_edit.h"

#include "core/base/error.h"
#include "core/graph/graph_builder.h"

#include <algorithm>

namespace qs {

GraphEdit::GraphEdit(const Graph& graph)
    : m_graph(graph)
{
}

void GraphEdit::setConstant(ValueId constant, Tensor values)
{
    const Value& target = m_graph.value(constant);
    if (!target.isConstant()) {
        throw Error(ErrorCode::InvalidArgument, "value '" + target.name + "' is no constant");
    }
    if (target.constant.shape() != values.shape()) {
        throw Error(ErrorCode::ShapeMismatch,
            "constant '" + target.name + "' has shape " + target.constant.shape().text()
                + ", its new values have " + values.shape().text());
    }
    m_constants[constant] = std::move(values);
}

void GraphEdit::addConstantInput(NodeId node, std::size_t index, const std::string& name, Tensor values)
{
    const Node& target = m_graph.node(node);
    if (index > target.inputs.size() || (index < target.inputs.size() && target.inputs[index] != kNoValue)) {
        throw Error(ErrorCode::InvalidArgument,
            "node '" + target.name + "' cannot get another input " + std::to_string(index));
    }
    m_additions[node].push_back({index, name, std::move(values)});
}

void GraphEdit::restoreForOthers(
    ValueId value, const std::set<NodeId>& unchanged, Tensor factor, Tensor offset)
{
    m_restorations[value] = {unchanged, std::move(factor), std::move(offset)};
}

void GraphEdit::shiftFor(ValueId value, const std::set<NodeId>& readers, float amount)
{
    m_shifts[value] = {readers, amount};
}

std::shared_ptr<const Graph> GraphEdit::build()
{
    GraphBuilder builder;
    std::vector<ValueId> made(m_graph.values().size(), kNoValue);
    std::map<ValueId, ValueId> restored;
    std::map<ValueId, ValueId> shifted;
    const auto seenBy = [&](NodeId reader, ValueId value) {
        const auto shift = m_shifts.find(value);
        if (shift != m_shifts.end() && shift->second.readers.contains(reader)) {
            return shifted.at(value);
        }
        const auto restoration = m_restorations.find(value);
        const bool isOther
            = restoration != m_restorations.end() && !restoration->second.unchanged.contains(reader);
        return isOther ? restored.at(value) : made[static_cast<std::size_t>(value)];
    };
    const auto addNode = [&](NodeId id) {
        const Node& node = m_graph.node(id);
        std::vector<ValueId> inputs;
        for (const ValueId input : node.inputs) {
            inputs.push_back(input == kNoValue ? kNoValue : seenBy(id, input));
        }
        const auto additions = m_additions.find(id);
        if (additions != m_additions.end()) {
            for (const Addition& addition : additions->second) {
                inputs.resize(std::max(inputs.size(), addition.index + 1), kNoValue);
                inputs[addition.index] = builder.addConstant(addition.name, addition.values);
            }
        }
        std::vector<std::string> names;
        for (const ValueId output : node.outputs) {
            names.push_back(m_graph.value(output).name);
        }
        const std::vector<ValueId> outputs
            = builder.addNodeWithOutputs(node.op, node.name, std::move(inputs), names, node.attributes);
        for (std::size_t i = 0; i < outputs.size(); ++i) {
            const Value& old = m_graph.value(node.outputs[i]);
            made[static_cast<std::size_t>(node.outputs[i])] = outputs[i];
            if (old.dimsKnown) {
                builder.setDims(outputs[i], old.dims, old.dtype);
            }
            const auto shift = m_shifts.find(node.outputs[i]);
            if (shift != m_shifts.end()) {
                const std::string name = old.name + ".shifted";
                const ValueId amount = builder.addConstant(
                    name + ".amount", Tensor::of<float>(Shape {1}, {shift->second.amount}));
                const ValueId sum = builder.addNode("Add", name, {outputs[i], amount});
                if (old.dimsKnown) {
                    builder.setDims(sum, old.dims, old.dtype);
                }
                shifted[node.outputs[i]] = sum;
            }
            const auto restoration = m_restorations.find(node.outputs[i]);
            if (restoration == m_restorations.end()) {
                continue;
            }
            const std::string name = old.name + ".restored";
            const ValueId factor = builder.addConstant(name + ".factor", restoration->second.factor);
            const ValueId offset = builder.addConstant(name + ".offset", restoration->second.offset);
            const ValueId scaled = builder.addNode("Mul", name + ".scale", {outputs[i], factor});
            const ValueId sum = builder.addNode("Add", name, {scaled, offset});
            if (old.dimsKnown) {
                builder.setDims(scaled, old.dims, old.dtype);
                builder.setDims(sum, old.dims, old.dtype);
            }
            restored[node.outputs[i]] = sum;
        }
    };
    // In the order of the values: where nothing is added, all ids come out as they were.
    for (ValueId id = 0; id < static_cast<ValueId>(made.size()); ++id) {
        const Value& value = m_graph.value(id);
        if (made[static_cast<std::size_t>(id)] != kNoValue) {
            continue;
        }
        if (value.producer != kNoNode) {
            addNode(value.producer);
        } else if (value.isConstant()) {
            const auto replaced = m_constants.find(id);
            made[static_cast<std::size_t>(id)] = builder.addConstant(
                value.name, replaced == m_constants.end() ? value.constant : replaced->second);
        } else {
            made[static_cast<std::size_t>(id)] = builder.addInput(value.name, value.dtype, value.dims);
        }
    }
    for (const ValueId output : m_graph.outputs()) {
        const auto other = restored.find(output);
        builder.addOutput(other == restored.end() ? made[static_cast<std::size_t>(output)] : other->second);
    }
    return builder.build();
}

} // namespace qs
