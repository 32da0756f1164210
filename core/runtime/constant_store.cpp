#include "core/runtime/constant_store.h"

#include "core/base/error.h"
#include "core/tensor/weight_values.h"

#include <algorithm>

namespace qs {

ConstantStore::ConstantStore(std::shared_ptr<const Graph> graph, std::size_t budget)
    : m_graph(std::move(graph))
    , m_budget(budget)
{
}

bool ConstantStore::isUsedAsStored(ValueId constant) const
{
    const Value& value = m_graph->value(constant);
    const auto takesIt = [&](NodeId id) {
        const Node& node = m_graph->node(id);
        const std::size_t expected = node.op == "Gather" ? 0 : 1;
        for (std::size_t i = 0; i < node.inputs.size(); ++i) {
            if (node.inputs[i] == constant && i != expected) {
                return false;
            }
        }
        return node.op == "Gather" || node.op == "Linear" || node.op == "Gemm";
    };
    return isWeightType(value.constant.dtype()) && std::ranges::all_of(value.consumers, takesIt);
}

const Array& ConstantStore::array(ValueId constant)
{
    const auto replaced = m_replacements.find(constant);
    if (replaced != m_replacements.end()) {
        return replaced->second;
    }
    const auto [it, isNew] = m_arrays.try_emplace(constant);
    if (isNew) {
        const Tensor& tensor = m_graph->value(constant).constant;
        it->second = isUsedAsStored(constant) ? Array::stored(tensor) : Array::of(tensor);
    }
    return it->second;
}

void ConstantStore::replace(ValueId constant, const Tensor& tensor)
{
    const bool exists = constant >= 0 && static_cast<std::size_t>(constant) < m_graph->values().size();
    if (!exists || !m_graph->value(constant).isConstant()) {
        throw Error(ErrorCode::InvalidArgument, "value " + std::to_string(constant) + " is not a constant");
    }
    ++m_revision;
    if (!tensor.valid()) {
        m_replacements.erase(constant);
        return;
    }
    const Value& value = m_graph->value(constant);
    if (tensor.shape() != value.constant.shape()) {
        throw Error(ErrorCode::ShapeMismatch,
            "constant '" + value.name + "' of shape " + value.constant.shape().text()
                + " cannot be replaced by one of shape " + tensor.shape().text());
    }
    m_replacements[constant] = Array::of(tensor);
}

std::shared_ptr<const PackedMatrix> ConstantStore::packed(ValueId key, const Array& values)
{
    const auto known = m_packed.find(key);
    if (known != m_packed.end()) {
        const Array& source = known->second.source;
        if (source.data == values.data && source.dims == values.dims && source.strides == values.strides) {
            return known->second.matrix;
        }
        m_keptBytes -= known->second.matrix->byteCount();
        m_packed.erase(known);
    }
    auto matrix = std::make_shared<const PackedMatrix>(StoredMatrix {
        values.data, values.dtype, values.dims[0], values.dims[1], values.strides[0], values.strides[1]});
    const std::size_t bytes = matrix->byteCount();
    if (key != kNoValue && bytes <= m_budget - m_keptBytes) {
        m_keptBytes += bytes;
        m_packed[key] = {values, matrix};
    } else if (key != kNoValue) {
        m_isOverBudget = true;
    }
    return matrix;
}

} // namespace qs
