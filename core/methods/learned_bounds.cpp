#include "core/methods/learned_bounds.h"

#include <algorithm>

namespace qs {

namespace {

/// Gamma or beta of a norm, or `otherwise` for every channel where it has none.
std::vector<double> parameterOf(
    const Graph& graph, const Node& norm, std::size_t input, std::size_t channels, double otherwise)
{
    std::vector<double> result(channels, otherwise);
    if (input < norm.inputs.size() && norm.inputs[input] != kNoValue) {
        const Tensor values = graph.value(norm.inputs[input]).constant.toF32();
        std::ranges::transform(
            values.data<float>(), result.begin(), [](float value) { return static_cast<double>(value); });
    }
    return result;
}

struct NormParameters
{
    std::vector<double> gamma;
    std::vector<double> beta;
};

NormParameters parametersOf(const Graph& graph, NodeId id, std::size_t channels)
{
    const Node& norm = graph.node(id);
    return {parameterOf(graph, norm, 1, channels, 1.0), parameterOf(graph, norm, 2, channels, 0.0)};
}

} // namespace

void setLearnedBounds(const Model& original, const Model& trained, const ResolvedPlan& quantizers,
    std::vector<Reparameterization>& reparameterizations)
{
    const std::vector<NormSite> norms = findNormSites(original, NormScope::All);
    for (Reparameterization& each : reparameterizations) {
        const auto norm = std::ranges::find_if(norms, [&](const NormSite& site) {
            return original.sites[static_cast<std::size_t>(site.site)].name == each.site;
        });
        const auto after = trained.graph->findNode(original.graph->node(norm->norm).name);
        const std::size_t channels = each.channels.bounds.size();
        const NormParameters before = parametersOf(*original.graph, norm->norm, channels);
        const NormParameters now = parametersOf(*trained.graph, *after, channels);
        const QuantParams& tensor = quantizers.at(each.site);
        const double step = static_cast<double>(tensor.scales.front());
        const double lower = (tensor.minimumCode() - tensor.zeroPoint(0)) * step;
        const double upper = (tensor.maximumCode() - tensor.zeroPoint(0)) * step;
        for (std::size_t c = 0; c < channels; ++c) {
            if (before.gamma[c] == 0.0 || now.gamma[c] == 0.0) {
                continue;
            }
            const auto back = [&](double bound) {
                return before.beta[c] + before.gamma[c] * (bound - now.beta[c]) / now.gamma[c];
            };
            const double one = back(lower);
            const double other = back(upper);
            each.channels.bounds[c] = {std::min(one, other), std::max(one, other)};
        }
    }
}

} // namespace qs
