#include "core/quant/reparameterization.h"

#include "core/base/error.h"
#include "core/graph/graph_edit.h"
#include "core/models/rewritten_model.h"
#include "core/quant/linear_weights.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string_view>

namespace qs {

namespace {

constexpr double kDeadChannel = 0x1p-20;

bool isNorm(const Graph& graph, const Node& node)
{
    if (node.op != "LayerNormalization" && node.op != "RMSNormalization") {
        return false;
    }
    const auto isAbsentOrConstant = [&](std::size_t index) {
        return index >= node.inputs.size() || node.inputs[index] == kNoValue
            || graph.value(node.inputs[index]).isConstant();
    };
    if (node.inputs.size() < 2 || !graph.value(node.inputs[1]).isConstant() || !isAbsentOrConstant(2)) {
        return false;
    }
    const Value& output = graph.value(node.outputs.front());
    const std::int64_t axis = node.intAttribute("axis", -1);
    return graph.value(node.inputs[1]).constant.shape().rank() == 1
        && (axis == -1 || (output.dimsKnown && axis == static_cast<std::int64_t>(output.dims.size()) - 1));
}

/// Whether the node hands rows of `width` values on whole.
bool keepsRows(const Graph& graph, const Node& node, std::int64_t width)
{
    const Value& output = graph.value(node.outputs.front());
    if (!output.dimsKnown || output.dims.empty() || output.dims.back() != width) {
        return false;
    }
    const auto last = static_cast<std::int64_t>(output.dims.size()) - 1;
    if (node.op == "Transpose") {
        const std::vector<std::int64_t> order = node.intsAttribute("perm");
        return !order.empty() && order.back() == last;
    }
    if (node.op == "Concat") {
        const std::int64_t axis = node.intAttribute("axis", 0);
        return axis != -1 && axis != last;
    }
    if (node.op == "Slice") {
        const Value& input = graph.value(node.inputs.front());
        return input.dimsKnown && !input.dims.empty() && input.dims.back() == width;
    }
    if (node.op == "Gather") {
        const std::int64_t axis = node.intAttribute("axis", 0);
        const Value& input = graph.value(node.inputs.front());
        return input.dimsKnown && axis != -1 && axis + 1 != static_cast<std::int64_t>(input.dims.size());
    }
    return node.op == "Reshape" || node.op == "Identity";
}

/// Follows a value back to the one norm that all its rows come from.
class PathFinder
{
public:
    explicit PathFinder(const Graph& graph)
        : m_graph(graph)
    {
    }

    bool walk(ValueId value)
    {
        const NodeId producer = m_graph.value(value).producer;
        if (producer == kNoNode) {
            return false;
        }
        const Node& node = m_graph.node(producer);
        if (isNorm(m_graph, node)) {
            const bool isSame = norm == kNoNode || norm == producer;
            norm = producer;
            return isSame;
        }
        if (!m_graph.value(value).dimsKnown || m_graph.value(value).dims.empty()) {
            return false;
        }
        if (path.contains(producer)) {
            return true;
        }
        const std::int64_t width = m_graph.value(value).dims.back();
        if (node.outputs.size() != 1 || !keepsRows(m_graph, node, width)) {
            return false;
        }
        path.insert(producer);
        const std::size_t data = node.op == "Concat" ? node.inputs.size() : 1;
        for (std::size_t i = 0; i < data; ++i) {
            if (!walk(node.inputs[i])) {
                return false;
            }
        }
        return true;
    }

    NodeId norm = kNoNode;
    std::set<NodeId> path;

private:
    const Graph& m_graph;
};

std::optional<NormSite> normSiteOf(const Model& model, int index, NormScope scope)
{
    const Graph& graph = *model.graph;
    const Site& site = model.sites[static_cast<std::size_t>(index)];
    if (site.kind != SiteKind::Activation || (site.role == Role::Head && scope == NormScope::Blocks)
        || site.groupAxis != GroupAxis::Channel) {
        return std::nullopt;
    }
    PathFinder finder(graph);
    NormSite found;
    found.site = index;
    for (const auto& [reader, input] : site.readers) {
        const Node& node = graph.node(reader);
        if (node.op != "Linear" || input != 0 || !graph.value(node.inputs[1]).isConstant()) {
            return std::nullopt;
        }
        const bool hasBias = node.inputs.size() > 2 && node.inputs[2] != kNoValue;
        if (hasBias && !graph.value(node.inputs[2]).isConstant()) {
            return std::nullopt;
        }
        found.linears.push_back(reader);
    }
    if (found.linears.empty() || !finder.walk(site.value)) {
        return std::nullopt;
    }
    found.norm = finder.norm;
    const ValueId output = graph.node(found.norm).outputs.front();
    if (graph.value(graph.node(found.norm).inputs[1]).constant.elementCount() != site.groups) {
        return std::nullopt;
    }
    const auto isShared = [&](NodeId id) { // rewriting a shared constant would change its other reader too
        const Node& node = graph.node(id);
        return std::ranges::any_of(node.inputs, [&](ValueId input) {
            return input != kNoValue && graph.value(input).isConstant()
                && graph.value(input).consumers.size() > 1;
        });
    };
    if (isShared(found.norm) || std::ranges::any_of(found.linears, isShared)) {
        return std::nullopt;
    }
    found.path = finder.path;
    found.path.insert(found.linears.begin(), found.linears.end());
    const auto isOnPath = [&](NodeId reader) { return found.path.contains(reader); };
    for (const NodeId node : finder.path) { // what is not restored must not leak out of the path
        if (!std::ranges::all_of(graph.value(graph.node(node).outputs.front()).consumers, isOnPath)) {
            return std::nullopt;
        }
    }
    found.hasOtherReaders = !std::ranges::all_of(graph.value(output).consumers, isOnPath)
        || std::ranges::find(graph.outputs(), output) != graph.outputs().end();
    return found;
}

/// What happens to one channel: x' = (x + shift) / ratio.
struct ChannelChange
{
    double ratio = 1.0; ///< r1
    double shift = 0.0; ///< s r2, tensor units
};

std::vector<ChannelChange> changesOf(const Reparameterization& r)
{
    std::vector<ChannelChange> changes(r.channels.scales.size());
    const double scale = static_cast<double>(r.tensor.scales.front());
    const double zeroPoint = r.tensor.zeroPoint(0);
    for (std::size_t c = 0; c < changes.size(); ++c) {
        const double own = static_cast<double>(r.channels.scales[c]);
        changes[c].ratio = own / scale;
        changes[c].shift = own * (r.channels.zeroPoint(c) - zeroPoint);
    }
    return changes;
}

Tensor vectorOf(std::size_t size, const auto& element)
{
    Tensor result(DType::F32, Shape {static_cast<std::int64_t>(size)});
    const auto values = result.mutableData<float>();
    for (std::size_t i = 0; i < size; ++i) {
        values[i] = static_cast<float>(element(i));
    }
    return result;
}

void rewriteNorm(GraphEdit& edit, const Graph& graph, const NormSite& target,
    const std::vector<ChannelChange>& changes, const std::string& siteName)
{
    const Node& norm = graph.node(target.norm);
    const Tensor gamma = graph.value(norm.inputs[1]).constant.toF32();
    const auto old = gamma.data<float>();
    const std::size_t channels = changes.size();
    edit.setConstant(norm.inputs[1],
        vectorOf(channels, [&](std::size_t c) { return static_cast<double>(old[c]) / changes[c].ratio; }));
    const bool hasBeta = norm.inputs.size() > 2 && norm.inputs[2] != kNoValue;
    const bool shifts = std::ranges::any_of(changes, [](const ChannelChange& c) { return c.shift != 0.0; });
    if (hasBeta) {
        const Tensor beta = graph.value(norm.inputs[2]).constant.toF32();
        edit.setConstant(norm.inputs[2], vectorOf(channels, [&](std::size_t c) {
            return (static_cast<double>(beta.data<float>()[c]) + changes[c].shift) / changes[c].ratio;
        }));
    } else if (shifts && norm.op != "LayerNormalization") {
        throw Error(ErrorCode::InvalidArgument,
            "site '" + siteName
                + "' follows an RMS norm, which cannot shift channels: its quantizer must be symmetric");
    } else if (norm.op == "LayerNormalization") {
        edit.addConstantInput(target.norm, 2, norm.name + ".beta",
            vectorOf(channels, [&](std::size_t c) { return changes[c].shift / changes[c].ratio; }));
    }
    if (target.hasOtherReaders) {
        edit.restoreForOthers(norm.outputs.front(), target.path,
            vectorOf(channels, [&](std::size_t c) { return changes[c].ratio; }),
            vectorOf(channels, [&](std::size_t c) { return -changes[c].shift; }));
    }
}

/// Whether a linear without bias needs one: asymmetric channels are shifted.
enum class Shifts { Possible, Never };

void rewriteLinear(
    GraphEdit& edit, const Graph& graph, NodeId id, const std::vector<ChannelChange>& changes, Shifts rule)
{
    const Node& linear = graph.node(id);
    const Tensor weight = graph.value(linear.inputs[1]).constant.toF32();
    const bool transposed = linear.intAttribute("transB", 0) != 0;
    const auto rows = static_cast<std::size_t>(weight.shape()[transposed ? 0 : 1]);
    const std::size_t channels = changes.size();
    const auto at
        = [&](std::size_t row, std::size_t c) { return transposed ? row * channels + c : c * rows + row; };
    Tensor scaled(DType::F32, weight.shape());
    const auto old = weight.data<float>();
    const auto values = scaled.mutableData<float>();
    std::vector<double> shift(rows, 0.0);
    for (std::size_t row = 0; row < rows; ++row) {
        for (std::size_t c = 0; c < channels; ++c) {
            const double w = static_cast<double>(old[at(row, c)]);
            values[at(row, c)] = static_cast<float>(w * changes[c].ratio);
            shift[row] += w * changes[c].shift;
        }
    }
    edit.setConstant(linear.inputs[1], scaled);
    const bool hasBias = linear.inputs.size() > 2 && linear.inputs[2] != kNoValue;
    if (hasBias || rule == Shifts::Possible) {
        addToBias(edit, graph, id, shift, -1.0);
    }
}

} // namespace

std::vector<NormSite> findNormSites(const Model& model, NormScope scope)
{
    std::vector<NormSite> found;
    std::set<NodeId> norms;
    for (int i = 0; i < static_cast<int>(model.sites.size()); ++i) {
        std::optional<NormSite> site = normSiteOf(model, i, scope);
        if (site && norms.insert(site->norm).second) {
            found.push_back(std::move(*site));
        }
    }
    return found;
}

Reparameterization meanReparameterization(const std::string& site, QuantParams channels, ZeroPointRule rule)
{
    const auto count = static_cast<double>(channels.scales.size());
    double scale = 0.0;
    double zeroPoint = 0.0;
    for (std::size_t c = 0; c < channels.scales.size(); ++c) {
        scale += static_cast<double>(channels.scales[c]) / count;
        zeroPoint += channels.zeroPoints[c] / count;
    }
    return reparameterizationTo(site, std::move(channels), static_cast<float>(scale),
        rule == ZeroPointRule::Rounded ? std::nearbyint(zeroPoint) : zeroPoint);
}

Reparameterization reparameterizationTo(
    const std::string& site, QuantParams channels, float scale, double zeroPoint)
{
    const bool isPositive = std::ranges::all_of(channels.scales, [](float s) { return s > 0.0F; });
    if (!std::isnormal(scale) || scale < 0.0F || !isPositive || channels.scales.empty()) {
        throw Error(ErrorCode::InvalidArgument,
            "site '" + site + "' cannot be reparameterized: its scales are not all positive");
    }
    Reparameterization result {site, std::move(channels), {}};
    QuantParams& tensor = result.tensor;
    tensor.kind = result.channels.kind;
    tensor.symmetry = result.channels.symmetry;
    tensor.axis = result.channels.axis;
    tensor.bits = result.channels.bits;
    const double whole = std::nearbyint(zeroPoint);
    tensor.scales = {scale};
    tensor.zeroPoints = {static_cast<std::int32_t>(whole)};
    if (zeroPoint != whole) {
        tensor.zeroPointFractions = {static_cast<float>(zeroPoint - whole)};
    }
    const double step = static_cast<double>(scale);
    tensor.bounds = {{(tensor.minimumCode() - zeroPoint) * step, (tensor.maximumCode() - zeroPoint) * step}};
    for (std::size_t c = 0; c < result.channels.scales.size(); ++c) {
        if (static_cast<double>(result.channels.scales[c]) < kDeadChannel * step) {
            result.channels.scales[c] = scale;
            result.channels.zeroPoints[c] = tensor.zeroPoints.front();
        }
    }
    return result;
}

std::shared_ptr<const Model> reparameterized(
    const Model& model, const std::vector<Reparameterization>& reparameterizations)
{
    const Graph& graph = *model.graph;
    const std::vector<NormSite> targets = findNormSites(model, NormScope::All);
    GraphEdit edit(graph);
    for (const Reparameterization& each : reparameterizations) {
        const auto target = std::ranges::find_if(targets, [&](const NormSite& candidate) {
            return model.sites[static_cast<std::size_t>(candidate.site)].name == each.site;
        });
        if (target == targets.end()) {
            throw Error(ErrorCode::InvalidArgument,
                "site '" + each.site + "' cannot be reparameterized: no normalisation feeds linears there");
        }
        const std::int64_t groups = model.sites[static_cast<std::size_t>(target->site)].groups;
        if (static_cast<std::int64_t>(each.channels.scales.size()) != groups
            || each.channels.zeroPoints.size() != each.channels.scales.size()
            || each.tensor.scales.size() != 1 || each.tensor.zeroPoints.size() != 1) {
            throw Error(ErrorCode::InvalidArgument,
                "the reparameterization of site '" + each.site + "' has "
                    + std::to_string(each.channels.scales.size()) + " channels, the site has "
                    + std::to_string(groups));
        }
        const std::vector<ChannelChange> changes = changesOf(each);
        rewriteNorm(edit, graph, *target, changes, each.site);
        for (const NodeId linear : target->linears) {
            rewriteLinear(edit, graph, linear, changes,
                each.tensor.symmetry == Symmetry::Asymmetric ? Shifts::Possible : Shifts::Never);
        }
    }
    return withGraph(model, edit.build());
}

} // namespace qs
