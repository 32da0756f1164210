#include "core/graph/contrib_activations.h"

namespace qs {

namespace {

void addGelu(ContribCall& call, ValueId x, std::size_t bias, const char* approximate)
{
    if (call.has(bias)) {
        x = call.op("Add", "bias", {x, call.input(bias)});
    }
    call.result(0, "Gelu", "", {x}, {{"approximate", std::string(approximate)}});
}

} // namespace

void decomposeGelu(ContribCall& call)
{
    call.result(0, "Gelu", "", {call.input(0)}, {{"approximate", std::string("none")}});
}

void decomposeBiasGelu(ContribCall& call)
{
    addGelu(call, call.input(0), 1, "none");
}

void decomposeFastGelu(ContribCall& call)
{
    addGelu(call, call.input(0), 1, "tanh");
}

void decomposeGemmFastGelu(ContribCall& call)
{
    addGelu(call, call.op("MatMul", "fc.MatMul", {call.input(0), call.input(1)}), 2, "tanh");
}

void decomposeQuickGelu(ContribCall& call)
{
    call.result(0, "Swish", "", {call.input(0)}, {{"alpha", call.node().floatAttribute("alpha", 1.702)}});
}

} // namespace qs
