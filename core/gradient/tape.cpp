#include "core/gradient/tape.h"

#include "core/gradient/array_sums.h"
#include "core/gradient/backward.h"
#include "core/runtime/site_view.h"

#include <limits>

namespace qs {

Tape::Tape(const Section& section, const TapeBindings& bindings, BufferPool& pool)
    : m_section(section)
    , m_bindings(bindings)
    , m_pool(pool)
    , m_constants(section.model().graph, std::numeric_limits<std::size_t>::max())
{
    const Graph& graph = *section.model().graph;
    m_values.resize(graph.values().size());
    m_gradients.resize(graph.values().size());
    for (const ValueId constant : section.constants()) {
        const auto it = bindings.constants.find(constant);
        m_values[static_cast<std::size_t>(constant)]
            = it == bindings.constants.end() ? Array::of(graph.value(constant).constant) : it->second;
    }
    for (const int site : section.sites()) {
        if (quantizerOf(site) != nullptr) {
            m_sitesOfValue[section.model().sites[static_cast<std::size_t>(site)].value].push_back(site);
        }
    }
}

const TrainableQuantizer* Tape::quantizerOf(int site) const
{
    const auto it = m_bindings.quantizers.find(site);
    return it == m_bindings.quantizers.end() ? nullptr : it->second.get();
}

Array Tape::input(NodeId node, std::size_t index) const
{
    const ValueId id = m_section.model().graph->node(node).inputs[index];
    if (id == kNoValue) {
        return {};
    }
    const auto quantized = m_quantized.find(m_section.siteOf(node, index));
    return quantized == m_quantized.end() ? value(id) : quantized->second;
}

void Tape::quantize(ValueId value)
{
    const auto it = m_sitesOfValue.find(value);
    if (it == m_sitesOfValue.end()) {
        return;
    }
    for (const int index : it->second) {
        const Site& site = m_section.model().sites[static_cast<std::size_t>(index)];
        m_quantized[index] = transformed(
            *m_section.model().graph, site, this->value(value), quantizerOf(index)->transform(), m_pool);
    }
}

void Tape::forward(std::span<const Feed> feeds, const TaskContext& context)
{
    for (const Feed& feed : feeds) {
        m_values[static_cast<std::size_t>(feed.value)] = Array::of(feed.tensor);
        quantize(feed.value);
    }
    const Graph& graph = *m_section.model().graph;
    for (const NodeId id : m_section.nodes()) {
        context.throwIfCancelled();
        const Node& node = graph.node(id);
        std::vector<Array> inputs;
        for (std::size_t i = 0; i < node.inputs.size(); ++i) {
            inputs.push_back(input(id, i));
        }
        const KernelCall call {node, inputs, m_pool, m_constants, context, {}};
        const std::vector<Array> outputs = KernelRegistry::instance().find(node.op)->run(call);
        for (std::size_t i = 0; i < outputs.size() && i < node.outputs.size(); ++i) {
            if (node.outputs[i] != kNoValue) {
                m_values[static_cast<std::size_t>(node.outputs[i])] = outputs[i];
                quantize(node.outputs[i]);
            }
        }
    }
}

void Tape::accumulate(Array& sum, const Array& addend)
{
    if (!sum.valid()) {
        sum = addend;
        return;
    }
    const Array total = Array::make(m_pool, DType::F32, sum.dims); // the old one may be shared
    copyInto(sum, total);
    addInto(total, addend);
    sum = total;
}

void Tape::backwardSites(ValueId id)
{
    const auto it = m_sitesOfValue.find(id);
    if (it == m_sitesOfValue.end()) {
        return;
    }
    for (const int index : it->second) {
        const TrainableQuantizer& quantizer = *quantizerOf(index);
        std::vector<double>& sums = m_quantizerGradients[index];
        sums.assign(quantizer.parameterCount(), 0.0);
        const auto gradient = m_siteGradients.find(index);
        if (gradient == m_siteGradients.end()) {
            continue;
        }
        const Site& site = m_section.model().sites[static_cast<std::size_t>(index)];
        const SiteRows rows = siteRows(*m_section.model().graph, site, value(id), m_pool);
        const Array dense = contiguous(gradient->second, m_pool);
        const Array dx = Array::make(m_pool, DType::F32, dense.dims);
        quantizer.backward(rows.view, m_quantized.at(index).f32(), dense.f32(), dx.f32(), sums);
        accumulate(m_gradients[static_cast<std::size_t>(id)], dx);
        m_siteGradients.erase(gradient);
        m_quantized.erase(index);
    }
}

void Tape::backwardNode(NodeId id, const TaskContext& context)
{
    const Node& node = m_section.model().graph->node(id);
    std::vector<Array> outputs;
    std::vector<Array> gradients;
    bool any = false;
    for (const ValueId output : node.outputs) {
        if (output == kNoValue) {
            outputs.emplace_back();
            gradients.emplace_back();
            continue;
        }
        backwardSites(output);
        outputs.push_back(value(output));
        const Array& gradient = m_gradients[static_cast<std::size_t>(output)];
        gradients.push_back(gradient.valid() ? contiguous(gradient, m_pool) : Array());
        any = any || gradient.valid();
    }
    std::vector<Array> inputs;
    std::vector<std::uint8_t> wanted;
    bool anyWanted = false;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
        const ValueId from = node.inputs[i];
        inputs.push_back(input(id, i));
        const bool wants = from != kNoValue && (m_section.isActive(from) || m_section.siteOf(id, i) >= 0);
        wanted.push_back(wants ? 1 : 0);
        anyWanted = anyWanted || wants;
    }
    if (!any || !anyWanted) {
        return;
    }
    const KernelCall forward {node, inputs, m_pool, m_constants, context, {}};
    const std::vector<Array> results = backwardOf(node.op)({forward, outputs, gradients, wanted});
    for (std::size_t i = 0; i < results.size() && i < wanted.size(); ++i) {
        if (wanted[i] == 0 || !results[i].valid()) {
            continue;
        }
        const int site = m_section.siteOf(id, i);
        if (m_quantized.contains(site)) {
            accumulate(m_siteGradients[site], results[i]);
        } else {
            accumulate(m_gradients[static_cast<std::size_t>(node.inputs[i])], results[i]);
        }
    }
}

void Tape::backward(std::span<const Feed> seeds, const TaskContext& context)
{
    for (const Feed& seed : seeds) {
        accumulate(m_gradients[static_cast<std::size_t>(seed.value)], Array::of(seed.tensor));
    }
    for (auto it = m_section.nodes().rbegin(); it != m_section.nodes().rend(); ++it) {
        context.throwIfCancelled();
        backwardNode(*it, context);
    }
    while (!m_siteGradients.empty()) { // sites of fed values
        backwardSites(
            m_section.model().sites[static_cast<std::size_t>(m_siteGradients.begin()->first)].value);
    }
}

} // namespace qs
