#pragma once

#include "core/graph/graph.h"
#include "core/models/config_reader.h"

#include <map>
#include <string>

namespace qs {

/// An activation function as a node: the operator and its attributes.
struct ActivationFunction
{
    std::string op = "Gelu";
    std::map<std::string, Attribute> attributes = {{"approximate", std::string("none")}};
};

/// What the text under `key` names, in timm's and Hugging Face's spelling: "gelu" and its variants,
/// "quick_gelu" (x sigmoid(1.702 x)), "relu", "silu", "tanh". `fallback` where it is absent. Throws
/// Error(Unsupported) for others.
[[nodiscard]] ActivationFunction activationOf(
    const ConfigReader& config, const char* key, const std::string& fallback);

} // namespace qs
