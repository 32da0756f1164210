#pragma once

#include "core/models/architecture.h"

#include <string>
#include <vector>

namespace qs {

/// What config.json says of a LLaMA (arXiv 2302.13971; grouped queries: 2307.09288).
struct LlamaConfig
{
    bool hasHead = true; ///< LlamaForCausalLM; LlamaModel ends with its last hidden state
    std::int64_t hidden = 4096;
    std::int64_t mlp = 11008;
    std::int64_t layers = 32;
    std::int64_t heads = 32;
    std::int64_t keyValueHeads = 32; ///< a divisor of heads: each serves heads / keyValueHeads queries
    std::int64_t headDim = 128;
    std::int64_t vocabulary = 32000;
    std::int64_t positions = 2048; ///< the longest sequence
    double epsilon = 1e-6;
    bool attentionBias = false;
    bool mlpBias = false;
    bool tied = false; ///< the head multiplies with the embedding
    std::vector<float> frequencies; ///< radians a position, [headDim / 2], scaled as rope_scaling says
};

/// Throws Error: CorruptFile, Unsupported; the sentence names file and key.
[[nodiscard]] LlamaConfig readLlamaConfig(const ConfigReader& config);

/// Input "input_ids" int64 [-1, -1]; output "logits" [-1, -1, vocabulary], or "last_hidden_state".
/// Per layer: RMSNormalization, three Linears, RotaryEmbedding of query and key, causal attention (keys and
/// values repeated by Expand where heads share them), Linear, Add; RMSNormalization, down(Swish(gate(x)) *
/// up(x)), Add.
[[nodiscard]] Network makeLlama(const ModelFolder& folder);

} // namespace qs
