#include "core/runtime/constant_store.h"

#include "core/base/error.h"

namespace qs {

ConstantStore::ConstantStore(std::shared_ptr<const Graph> graph)
    : m_graph(std::move(graph))
{
}

const Array& ConstantStore::array(ValueId constant)
{
    const auto replaced = m_replacements.find(constant);
    if (replaced != m_replacements.end()) {
        return replaced->second;
    }
    const auto [it, isNew] = m_arrays.try_emplace(constant);
    if (isNew) {
        it->second = Array::of(m_graph->value(constant).constant);
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
    if (key != kNoValue) {
        const auto known = m_packed.find(key);
        if (known != m_packed.end() && known->second.source.data == values.data
            && known->second.source.dims == values.dims && known->second.source.strides == values.strides) {
            return known->second.matrix;
        }
    }
    auto matrix = std::make_shared<const PackedMatrix>(
        values.f32(), values.dims[0], values.dims[1], values.strides[0], values.strides[1]);
    if (key != kNoValue) {
        m_packed[key] = {values, matrix};
    }
    return matrix;
}

} // namespace qs
