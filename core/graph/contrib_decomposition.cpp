#include "core/graph/contrib_decomposition.h"

#include "core/graph/contrib_activations.h"
#include "core/graph/contrib_attention.h"
#include "core/graph/contrib_call.h"
#include "core/graph/contrib_group_query_attention.h"
#include "core/graph/contrib_matmul.h"
#include "core/graph/contrib_normalizations.h"

#include <array>
#include <string_view>
#include <utility>

namespace qs {

namespace {

using Decomposition = void (*)(ContribCall& call);

constexpr std::array<std::pair<std::string_view, Decomposition>, 18> kDecompositions {{
    {"com.microsoft.Attention", decomposeContribAttention}, {"com.microsoft.BiasGelu", decomposeBiasGelu},
    {"com.microsoft.DequantizeLinear", decomposeRenamed},
    {"com.microsoft.DynamicQuantizeMatMul", decomposeDynamicQuantizeMatMul},
    {"com.microsoft.EmbedLayerNormalization", decomposeEmbedLayerNormalization},
    {"com.microsoft.FastGelu", decomposeFastGelu}, {"com.microsoft.FusedMatMul", decomposeFusedMatMul},
    {"com.microsoft.Gelu", decomposeGelu}, {"com.microsoft.GemmFastGelu", decomposeGemmFastGelu},
    {"com.microsoft.GroupQueryAttention", decomposeGroupQueryAttention},
    {"com.microsoft.MatMulIntegerToFloat", decomposeMatMulIntegerToFloat},
    {"com.microsoft.MultiHeadAttention", decomposeMultiHeadAttention},
    {"com.microsoft.QuantizeLinear", decomposeRenamed}, {"com.microsoft.QuickGelu", decomposeQuickGelu},
    {"com.microsoft.SimplifiedLayerNormalization", decomposeSimplifiedLayerNormalization},
    {"com.microsoft.SkipLayerNormalization", decomposeSkipLayerNormalization},
    {"com.microsoft.SkipSimplifiedLayerNormalization", decomposeSkipLayerNormalization},
    {"SimplifiedLayerNormalization", decomposeSimplifiedLayerNormalization}, // the fusion omits the domain
}};

Decomposition decompositionOf(std::string_view op)
{
    for (const auto& [name, decomposition] : kDecompositions) {
        if (op == name) {
            return decomposition;
        }
    }
    return nullptr;
}

} // namespace

std::shared_ptr<const Graph> decomposeContribOperators(const Graph& graph)
{
    GraphRewriter rewriter(graph);
    for (const Node& node : graph.nodes()) {
        ContribCall call(graph, node, rewriter);
        if (const Decomposition decompose = decompositionOf(node.op); decompose != nullptr) {
            decompose(call);
        } else if (node.op.find('.') != std::string::npos) {
            call.refuse("a contrib operator that this program does not know");
        } else {
            rewriter.copy(node);
        }
    }
    return rewriter.finish();
}

} // namespace qs
