#include "core/models/activation.h"

#include "core/models/architecture.h"

#include <map>

namespace qs {

ActivationFunction activationOf(const ConfigReader& config, const char* key, const std::string& fallback)
{
    const ActivationFunction exact {"Gelu", {{"approximate", std::string("none")}}};
    const ActivationFunction byTanh {"Gelu", {{"approximate", std::string("tanh")}}};
    const ActivationFunction quick {"Swish", {{"alpha", 1.702}}};
    const std::map<std::string, ActivationFunction> known {{"gelu", exact}, {"gelu_python", exact},
        {"gelu_tanh", byTanh}, {"gelu_new", byTanh}, {"gelu_pytorch_tanh", byTanh}, {"gelu_fast", byTanh},
        {"quick_gelu", quick}, {"relu", {"Relu", {}}}, {"silu", {"Swish", {}}}, {"swish", {"Swish", {}}},
        {"tanh", {"Tanh", {}}}};
    const std::string name = config.text(key).value_or(fallback);
    const auto it = known.find(name);
    if (it == known.end()) {
        failUnsupported(config, key, name);
    }
    return it->second;
}

} // namespace qs
