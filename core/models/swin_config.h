#pragma once

#include "core/models/activation.h"
#include "core/models/architecture.h"

#include <optional>
#include <string>
#include <vector>

namespace qs {

enum class SwinForm { Timm, HuggingFace };

/// Where the patches of one stage are merged into those of the next.
enum class SwinMerging {
    EndOfStage, ///< stage s ends with "layers.s.downsample" (Hugging Face, timm before 0.8)
    StartOfStage ///< stage s + 1 begins with "layers.(s + 1).downsample"
};

/// The sizes of a Swin transformer (arXiv 2103.14030), all known and free of contradiction.
struct SwinConfig
{
    SwinForm form = SwinForm::Timm;
    std::string prefix; ///< Hugging Face: "swin."
    bool hasHead = true; ///< else the output is the pooled state
    std::int64_t channels = 3;
    std::int64_t imageHeight = 224; ///< pixels
    std::int64_t imageWidth = 224;
    std::int64_t patchHeight = 4;
    std::int64_t patchWidth = 4;
    std::int64_t embedDim = 96; ///< of stage 0; doubles with every stage
    std::vector<std::int64_t> depths {2, 2, 6, 2};
    std::vector<std::int64_t> heads {3, 6, 12, 24};
    std::int64_t window = 7; ///< patches a side
    double mlpRatio = 4.0;
    bool qkvBias = true;
    bool absolutePositions = false;
    double epsilon = 1e-5;
    ActivationFunction activation;
    std::int64_t classes = 1000;
    std::string head; ///< "head.fc", "head" or "classifier"
    SwinMerging merging = SwinMerging::EndOfStage;
    std::optional<Preprocessing> preprocessing; ///< three channels

    [[nodiscard]] std::int64_t width(std::size_t stage) const { return embedDim << stage; }
};

/// timm's form: depths, heads and window are read off the tensors where model_args does not state them.
/// Throws Error: CorruptFile, Unsupported; the sentence names file and key or tensor.
[[nodiscard]] SwinConfig readSwinConfig(const ModelFolder& folder);

} // namespace qs
