#pragma once

#include "core/models/activation.h"
#include "core/models/architecture.h"

#include <string>

namespace qs {

/// What config.json says of a BERT (arXiv 1810.04805).
struct BertConfig
{
    std::string network; ///< "BertModel", "BertForSequenceClassification" or "BertForMaskedLM"
    std::int64_t hidden = 768;
    std::int64_t mlp = 3072;
    std::int64_t layers = 12;
    std::int64_t heads = 12; ///< a divisor of hidden
    std::int64_t vocabulary = 30522;
    std::int64_t positions = 512; ///< the longest sequence
    std::int64_t tokenTypes = 2;
    std::optional<std::int64_t> classes; ///< where stated
    double epsilon = 1e-12;
    ActivationFunction activation;
    bool tied = true; ///< the masked language model's decoder multiplies with the embedding
};

/// Throws Error: CorruptFile, Unsupported; the sentence names file and key.
[[nodiscard]] BertConfig readBertConfig(const ConfigReader& config);

/// Input "input_ids" int64 [-1, -1]. The values "token_type_ids" and "attention_mask" (1: a token, 0:
/// padding), both int64 [-1, -1], are made in the graph as zeros and ones; feed them to replace that.
/// Post-norm: Add, then LayerNormalization. Output "logits" ([-1, classes], or [-1, -1, vocabulary] for each
/// token itself), or "last_hidden_state" and, where the checkpoint has a pooler, "pooler_output".
[[nodiscard]] Network makeBert(const ModelFolder& folder);

} // namespace qs
