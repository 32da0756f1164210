#pragma once

#include "core/models/activation.h"
#include "core/models/architecture.h"

namespace qs {

/// What config.json says of a GPT-2.
struct Gpt2Config
{
    bool hasHead = true; ///< GPT2LMHeadModel; GPT2Model ends with its last hidden state
    std::int64_t hidden = 768;
    std::int64_t mlp = 3072;
    std::int64_t layers = 12;
    std::int64_t heads = 12; ///< a divisor of hidden
    std::int64_t vocabulary = 50257;
    std::int64_t positions = 1024; ///< the longest sequence
    double epsilon = 1e-5;
    ActivationFunction activation;
    bool scaled = true; ///< scores are divided by the root of the head's dimension
    bool scaledByLayer = false; ///< and by the layer's number, counted from 1
    bool tied = true; ///< the head multiplies with the embedding
};

/// Throws Error: CorruptFile, Unsupported; the sentence names file and key.
[[nodiscard]] Gpt2Config readGpt2Config(const ConfigReader& config);

/// Input "input_ids" int64 [-1, -1]; output "logits" [-1, -1, vocabulary], or "last_hidden_state". The
/// linears inside the blocks are stored [in, out] (transB = 0); query, key and value are one product
/// "attn.c_attn", split along its last axis.
[[nodiscard]] Network makeGpt2(const ModelFolder& folder);

} // namespace qs
