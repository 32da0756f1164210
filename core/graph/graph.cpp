#include "core/graph/graph.h"

#include "core/base/error.h"

#include <algorithm>
#include <set>

namespace qs {

namespace {

template<typename T>
const T* findAttribute(const Node& node, std::string_view key)
{
    const auto it = node.attributes.find(std::string(key));
    if (it == node.attributes.end()) {
        return nullptr;
    }
    if (const T* value = std::get_if<T>(&it->second)) {
        return value;
    }
    throw Error(ErrorCode::InvalidArgument,
        "attribute '" + std::string(key) + "' of node '" + node.name + "' (" + node.op
            + ") has the wrong type");
}

} // namespace

std::int64_t Node::intAttribute(std::string_view key, std::int64_t fallback) const
{
    const auto* value = findAttribute<std::int64_t>(*this, key);
    return value == nullptr ? fallback : *value;
}

double Node::floatAttribute(std::string_view key, double fallback) const
{
    const auto* value = findAttribute<double>(*this, key);
    return value == nullptr ? fallback : *value;
}

std::string Node::stringAttribute(std::string_view key, std::string_view fallback) const
{
    const auto* value = findAttribute<std::string>(*this, key);
    return value == nullptr ? std::string(fallback) : *value;
}

std::vector<std::int64_t> Node::intsAttribute(std::string_view key) const
{
    const auto* value = findAttribute<std::vector<std::int64_t>>(*this, key);
    return value == nullptr ? std::vector<std::int64_t> {} : *value;
}

std::optional<ValueId> Graph::findValue(std::string_view name) const
{
    const auto it = std::ranges::find(m_values, name, &Value::name);
    return it == m_values.end() ? std::nullopt : std::optional(static_cast<ValueId>(it - m_values.begin()));
}

std::optional<NodeId> Graph::findNode(std::string_view name) const
{
    const auto it = std::ranges::find(m_nodes, name, &Node::name);
    return it == m_nodes.end() ? std::nullopt : std::optional(static_cast<NodeId>(it - m_nodes.begin()));
}

std::int64_t Graph::parameterCount() const
{
    std::int64_t count = 0;
    std::set<const std::byte*> counted; // tied weights are two constants over the same bytes
    for (const Value& value : m_values) {
        const DType type = value.dtype;
        if (value.isConstant() && value.constant.shape().rank() > 0 && counted.insert(value.constant.bytes()).second
            && (type == DType::F32 || type == DType::F16 || type == DType::BF16 || type == DType::F64)) {
            count += value.constant.elementCount();
        }
    }
    return count;
}

} // namespace qs
