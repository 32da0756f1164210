#pragma once

#include "core/models/activation.h"
#include "core/models/architecture.h"

namespace qs {

/// What config.json says of an OPT (arXiv 2205.01068).
struct OptConfig
{
    bool hasHead = true; ///< OPTForCausalLM; OPTModel ends with its last hidden state
    std::int64_t hidden = 768;
    std::int64_t embedding
        = 768; ///< width of the token embeddings; projected in and out where it is not hidden
    std::int64_t mlp = 3072;
    std::int64_t layers = 12;
    std::int64_t heads = 12; ///< a divisor of hidden
    std::int64_t vocabulary = 50272;
    std::int64_t positions = 2048; ///< the longest sequence
    ActivationFunction activation {"Relu", {}};
    bool normBefore = true; ///< pre-norm; the 350M model is post-norm
    bool finalNorm = true; ///< behind the last layer of a pre-norm network
    bool bias = true;
    bool tied = true; ///< the head multiplies with the embedding
};

/// Throws Error: CorruptFile, Unsupported; the sentence names file and key.
[[nodiscard]] OptConfig readOptConfig(const ConfigReader& config);

/// Input "input_ids" int64 [-1, -1]; output "logits" [-1, -1, vocabulary], or "last_hidden_state". Position p
/// has row p + 2 of its table. No token is padding.
[[nodiscard]] Network makeOpt(const ModelFolder& folder);

} // namespace qs
