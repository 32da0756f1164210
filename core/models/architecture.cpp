#include "core/models/architecture.h"

#include "core/base/error.h"
#include "core/io/json_text.h"
#include "core/models/bert_network.h"
#include "core/models/clip_network.h"
#include "core/models/gpt2_network.h"
#include "core/models/llama_network.h"
#include "core/models/opt_network.h"
#include "core/models/swin_network.h"
#include "core/models/vit_graph.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace qs {

namespace {

struct Entry
{
    std::string_view name;
    NetworkMaker make;
};

/// By the beginning of timm's "architecture".
constexpr std::array kTimm {
    Entry {"vit_", makeVit}, Entry {"deit_", makeVit}, Entry {"deit3_", makeVit}, Entry {"swin_", makeSwin}};

/// By Hugging Face's "model_type".
constexpr std::array kHuggingFace {Entry {"vit", makeVit}, Entry {"deit", makeVit}, Entry {"swin", makeSwin},
    Entry {"bert", makeBert}, Entry {"gpt2", makeGpt2}, Entry {"opt", makeOpt}, Entry {"llama", makeLlama},
    Entry {"clip", makeClip}, Entry {"clip_vision_model", makeClip}, Entry {"clip_text_model", makeClip}};

} // namespace

NetworkMaker networkMakerFor(const ConfigReader& config)
{
    if (const auto architecture = config.text("architecture")) {
        const auto it = std::ranges::find_if(
            kTimm, [&](const Entry& entry) { return architecture->starts_with(entry.name); });
        if (it == kTimm.end()) {
            failUnsupported(config, "architecture", *architecture);
        }
        return it->make;
    }
    if (const auto type = config.text("model_type")) {
        const auto it = std::ranges::find(kHuggingFace, *type, &Entry::name);
        if (it == kHuggingFace.end()) {
            failUnsupported(config, "the model type", *type);
        }
        return it->make;
    }
    throw Error(ErrorCode::Unsupported,
        "'" + config.file().string() + "' has neither 'architecture' (timm) nor 'model_type' (Hugging Face)");
}

std::string networkClass(const ConfigReader& config, const std::vector<std::string>& known)
{
    const std::vector<std::string> stated = config.texts("architectures");
    if (stated.empty()) {
        return known.front();
    }
    if (std::ranges::find(known, stated.front()) == known.end()) {
        failUnsupported(config, "the architecture", stated.front());
    }
    return stated.front();
}

void failUnsupported(const ConfigReader& config, const std::string& key, const std::string& value)
{
    throw Error(ErrorCode::Unsupported,
        "'" + config.file().string() + "' asks for " + key + " " + quotedName(value)
            + ", which is not supported");
}

} // namespace qs
