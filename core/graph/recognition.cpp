#include "core/graph/recognition.h"

#include "core/graph/activation_recognition.h"
#include "core/graph/attention_decomposition.h"
#include "core/graph/attention_pattern.h"
#include "core/graph/constant_folding.h"
#include "core/graph/contrib_decomposition.h"
#include "core/graph/duplicate_merging.h"
#include "core/graph/graph_cleanup.h"
#include "core/graph/graph_queries.h"
#include "core/graph/layer_naming.h"
#include "core/graph/linear_recognition.h"
#include "core/graph/normalization_recognition.h"
#include "core/graph/softmax_recognition.h"

namespace qs {

ExtractedQuantizers recogniseOperators(std::shared_ptr<const Graph> graph)
{
    graph = decomposeContribOperators(*graph);
    graph = recogniseSoftmaxes(*removeIdleNodes(*graph));
    graph = foldConstants(*decomposeAttention(*graph));
    ExtractedQuantizers result = extractQuantizers(*graph);
    if (!result.quantizers.empty()) {
        result.graph = foldConstants(*removeIdleNodes(*result.graph));
    }
    result.graph = removeIdleNodes(*mergeDuplicates(*result.graph)); // also the constants nobody reads now
    result.graph = recogniseNormalizations(*result.graph);
    result.graph = recogniseActivations(*result.graph);
    result.graph = recogniseLinears(*result.graph);
    result.graph = nameLayers(*result.graph);
    return result;
}

RecognisedCounts countRecognised(const Graph& graph)
{
    RecognisedCounts counts;
    for (const Node& node : graph.nodes()) {
        counts.normalizations += isOneOf(node.op, {"LayerNormalization", "RMSNormalization"}) ? 1 : 0;
        counts.activations += isOneOf(node.op, {"Gelu", "Swish"}) ? 1 : 0;
        counts.softmaxes += node.op == "Softmax" ? 1 : 0;
        counts.linears += node.op == "Linear" ? 1 : 0;
    }
    counts.attentions = static_cast<int>(findAttention(graph).size());
    return counts;
}

} // namespace qs
