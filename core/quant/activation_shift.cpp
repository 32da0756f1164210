#include "core/quant/activation_shift.h"

#include "core/base/error.h"
#include "core/graph/graph_edit.h"
#include "core/graph/graph_queries.h"
#include "core/models/rewritten_model.h"
#include "core/quant/fake_quantizer.h"
#include "core/quant/linear_weights.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace qs {

namespace {

/// Minus the minimum of the activation function.
std::optional<double> depthOf(const Node& node)
{
    if (node.op == "Relu") {
        return 0.0;
    }
    if (node.op == "Gelu") { // minima of x Phi(x) and of its tanh form, rounded up
        return node.stringAttribute("approximate", "none") == "tanh" ? 0.17004076 : 0.16997124;
    }
    const double alpha = node.floatAttribute("alpha", 1.0);
    if (node.op == "Swish" && alpha > 0.0) {
        return 0.27846455 / alpha; // x sigmoid(alpha x)
    }
    return std::nullopt;
}

/// The node that makes the elements, behind those that only arrange them anew.
NodeId producerOfElements(const Graph& graph, ValueId value)
{
    NodeId producer = graph.value(value).producer;
    while (producer != kNoNode
        && isOneOf(graph.node(producer).op,
            {"Reshape", "Transpose", "Identity", "Squeeze", "Unsqueeze", "Flatten"})) {
        producer = graph.value(graph.node(producer).inputs.front()).producer;
    }
    return producer;
}

/// Whether the readers are linears whose bias can be changed for them alone.
bool canTakeBack(const Graph& graph, const Site& site)
{
    return !site.readers.empty() && std::ranges::all_of(site.readers, [&](const auto& reader) {
        const Node& node = graph.node(reader.first);
        if (node.op != "Linear" || reader.second != 0 || !graph.value(node.inputs[1]).isConstant()) {
            return false;
        }
        const bool hasBias = node.inputs.size() > 2 && node.inputs[2] != kNoValue;
        return !hasBias
            || (graph.value(node.inputs[2]).isConstant()
                && graph.value(node.inputs[2]).consumers.size() == 1);
    });
}

double storedAmount(const ActivationShift& shift)
{
    return static_cast<double>(static_cast<float>(shift.amount));
}

} // namespace

std::vector<ActivationShift> findActivationShifts(const Model& model)
{
    const Graph& graph = *model.graph;
    std::vector<ActivationShift> found;
    for (const Site& site : model.sites) {
        const NodeId producer = producerOfElements(graph, site.value);
        if (site.kind != SiteKind::Activation || producer == kNoNode || !canTakeBack(graph, site)) {
            continue;
        }
        if (const auto depth = depthOf(graph.node(producer))) {
            found.push_back({site.name, *depth});
        }
    }
    return found;
}

std::shared_ptr<const Model> shifted(const Model& model, const std::vector<ActivationShift>& shifts)
{
    const Graph& graph = *model.graph;
    const std::vector<ActivationShift> possible = findActivationShifts(model);
    GraphEdit edit(graph);
    for (const ActivationShift& shift : shifts) {
        if (std::ranges::find(possible, shift.site, &ActivationShift::site) == possible.end()) {
            throw Error(ErrorCode::InvalidArgument,
                "site '" + shift.site
                    + "' cannot be shifted: it is not between an activation function and linears");
        }
        if (!std::isfinite(shift.amount) || shift.amount < 0.0) {
            throw Error(ErrorCode::InvalidArgument,
                "the shift of site '" + shift.site + "' is not a number of 0 or more");
        }
        if (shift.amount == 0.0) {
            continue;
        }
        const Site& site = model.sites[static_cast<std::size_t>(indexOfSite(model.sites, shift.site))];
        std::set<NodeId> linears;
        for (const auto& [reader, input] : site.readers) {
            linears.insert(reader);
        }
        for (const NodeId linear : linears) {
            const Node& node = graph.node(linear);
            addToBias(edit, graph, linear, rowSums(node, graph.value(node.inputs[1]).constant),
                -storedAmount(shift));
        }
        edit.shiftFor(site.value, linears, static_cast<float>(shift.amount));
    }
    return withGraph(model, edit.build());
}

std::shared_ptr<const Model> withShiftsOfQuantizedWeights(
    const Model& model, const std::vector<ActivationShift>& shifts, const ResolvedPlan& quantizers)
{
    const Graph& graph = *model.graph;
    GraphEdit edit(graph);
    for (const ActivationShift& shift : shifts) {
        const Site& input = model.sites[static_cast<std::size_t>(indexOfSite(model.sites, shift.site))];
        for (const auto& [linear, index] : input.readers) {
            const Node& node = graph.node(linear);
            const auto weight = std::ranges::find_if(model.sites, [&](const Site& site) {
                return site.kind == SiteKind::Weight && site.value == node.inputs[1];
            });
            const auto found = weight == model.sites.end() ? quantizers.end() : quantizers.find(weight->name);
            if (found == quantizers.end()) {
                continue;
            }
            const Tensor exact = graph.value(node.inputs[1]).constant.toF32();
            std::vector<double> terms = rowSums(node, exact);
            const std::vector<double> rounded
                = rowSums(node, fakeQuantizedWeight(exact, found->second, weight->weightAxis));
            for (std::size_t i = 0; i < terms.size(); ++i) {
                terms[i] -= rounded[i];
            }
            addToBias(edit, graph, linear, terms, storedAmount(shift));
        }
    }
    return withGraph(model, edit.build());
}

} // namespace qs
