#pragma once

#include "core/graph/quantizer_extraction.h"

#include <memory>

namespace qs {

/// A graph as a file has it, in the operators of this program: the recognition passes in their order. What it
/// computes stays, to float rounding, except that quantizers are taken out and returned beside it.
[[nodiscard]] ExtractedQuantizers recogniseOperators(std::shared_ptr<const Graph> graph);

/// How often a graph has what makes a transformer.
struct RecognisedCounts
{
    int normalizations = 0; ///< LayerNormalization, RMSNormalization
    int activations = 0; ///< Gelu, Swish
    int softmaxes = 0;
    int attentions = 0; ///< a softmax between two products of activations
    int linears = 0;

    friend bool operator==(const RecognisedCounts&, const RecognisedCounts&) = default;
};
[[nodiscard]] RecognisedCounts countRecognised(const Graph& graph);

} // namespace qs
