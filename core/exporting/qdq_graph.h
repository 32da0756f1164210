#pragma once

#include "core/graph/graph_builder.h"
#include "core/graph/site.h"
#include "core/quant/resolve.h"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace qs {

/// Rewrites a graph with its quantizers as the graph of an ONNX file in the portable profile (int8, opset 17;
/// interop.md 4.1): QuantizeLinear and DequantizeLinear in front of what reads an activation site, weights as
/// int8 codes behind a DequantizeLinear (linears as [K, N] with axis 1, bias in float), fewer than 8 bits
/// with an int8 Clip between the two, logarithmic quantizers as a table of their levels. Linear, Gelu,
/// RMSNormalization and Swish become operators of that opset. Everything else, and every site without a quantizer, stays as it is. Inputs and
/// outputs keep their names. Used once.
class QdqGraphBuilder
{
public:
    QdqGraphBuilder(const Graph& graph, const std::vector<Site>& sites, const ResolvedPlan& quantizers);

    /// Throws Error(Unsupported) naming a site that the profile cannot express; lintOnnxQdq finds those
    /// first.
    [[nodiscard]] std::shared_ptr<const Graph> build();

private:
    enum class Layout { AsStored, Transposed };

    void addNode(const Node& node, NodeId id);
    /// An operator that opset 17 has not, in its terms; kNoValue for others.
    [[nodiscard]] ValueId lower(const Node& node, NodeId id);
    [[nodiscard]] ValueId inputOf(NodeId id, int index);
    [[nodiscard]] ValueId linearWeight(const Node& node, NodeId id);
    [[nodiscard]] ValueId plainConstant(ValueId original, Layout layout);
    [[nodiscard]] ValueId quantizedWeight(const Site& site, const QuantParams& params, Layout layout);
    [[nodiscard]] ValueId quantizedActivation(const Site& site, const QuantParams& params, ValueId raw);
    [[nodiscard]] ValueId logarithmicActivation(const Site& site, const QuantParams& params, ValueId raw);
    [[nodiscard]] ValueId addCodes(
        const std::string& name, const Shape& shape, const std::vector<std::int32_t>& codes);
    [[nodiscard]] ValueId addPerGroup(const std::string& name, const std::vector<float>& values);

    const Graph& m_graph;
    const std::vector<Site>& m_sites;
    const ResolvedPlan& m_quantizers;
    GraphBuilder m_builder;
    std::vector<ValueId> m_raw; ///< by original value; kNoValue until made
    std::map<std::pair<NodeId, int>, const Site*> m_readers; ///< quantized reads of the original graph
    std::map<std::pair<std::string, Layout>, ValueId> m_quantized; ///< by site
    std::map<std::pair<ValueId, Layout>, ValueId> m_constants; ///< by original value
};

} // namespace qs
