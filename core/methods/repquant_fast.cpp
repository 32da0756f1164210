#include "core/methods/repquant_fast.h"

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/methods/layer_reconstruction.h"
#include "core/methods/sequential_calibration.h"
#include "core/methods/shifted_input.h"
#include "core/methods/staged_run.h"
#include "core/methods/weighted_source.h"
#include "core/models/rewritten_model.h"
#include "core/quant/fake_quantizer.h"
#include "core/quant/manual_choice.h"
#include "core/quant/scale.h"

#include <algorithm>
#include <optional>

namespace qs {

namespace {

/// Layers with fewer rows than this many times their inputs keep their weights: the correction would fit
/// noise.
constexpr std::int64_t kRowsPerInput = 4;

/// A dense value [..., width] as rows.
ActivationView rowsOf(const Tensor& tensor)
{
    const std::int64_t width = tensor.shape().back();
    const std::int64_t rows = tensor.elementCount() / width;
    return {tensor.data<float>().data(), 1, 1, rows, width, rows * width, rows * width, width};
}

/// Rows [first, last) of a dense value as [last - first, width], over the same memory.
Tensor rowRange(const Tensor& tensor, std::int64_t first, std::int64_t last)
{
    const std::int64_t width = tensor.shape().back();
    const auto bytes = static_cast<std::size_t>(width) * sizeof(float);
    return Tensor(DType::F32, Shape {last - first, width}, std::make_shared<const Tensor>(tensor),
        {tensor.bytes() + static_cast<std::size_t>(first) * bytes,
            static_cast<std::size_t>(last - first) * bytes});
}

Tensor quantized(const Tensor& tensor, const QuantParams& params)
{
    const FakeQuantizer quantizer(params);
    const ActivationView view = rowsOf(tensor);
    Tensor result(DType::F32, tensor.shape());
    float* out = result.mutableData<float>().data();
    parallelFor(view.rows, 64, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
            quantizer.transformRow(
                0, {view.row(0, 0, row), static_cast<std::size_t>(view.width)}, out + row * view.width);
        }
    });
    return result;
}

/// One run of the method; state between layers.
class FastQuantization
{
public:
    FastQuantization(const ShiftedInput& shifted, const MethodOptions& options, const TaskContext& context)
        : m_input(shifted.input)
        , m_kinds(shifted.kinds)
        , m_options(options)
        , m_context(context)
        , m_model(m_input.model)
        , m_reference(m_input.model, m_input.samples)
        , m_quantized(m_input.model, m_input.samples)
    {
        m_result.rewriting.shifts = shifted.shifts;
    }

    MethodResult run();

private:
    [[nodiscard]] Plan initialPlan() const;
    void quantizeOtherWeights();
    void advance(const std::string& node);
    void quantizeInput(const Site& site, const NormSite* norm);
    [[nodiscard]] QuantParams inputQuantizer(
        const Site& site, const SiteChoice& choice, const Tensor& values) const;
    [[nodiscard]] std::int64_t rowsBeforeHoldOut(std::int64_t rows) const;
    void reconstruct(const Site& input, NodeId linear);
    [[nodiscard]] Tensor targetOf(const Node& linear);
    [[nodiscard]] LayerWeights weightsOf(const Node& linear) const;
    void store(const Node& linear, const Site& site, const ReconstructedLayer& layer);
    void setModel(std::shared_ptr<const Model> model);

    const MethodInput& m_input;
    const SiteKinds& m_kinds; ///< of single sites
    const MethodOptions& m_options;
    const TaskContext& m_context;
    std::shared_ptr<const Model> m_model; ///< rewritten so far
    StagedRun m_reference; ///< FP32
    StagedRun m_quantized;
    MethodResult m_result; ///< quantizers: of the sites done so far
};

Plan FastQuantization::initialPlan() const
{
    PresetOptions preset;
    preset.weightBits = m_options.weightBits;
    preset.activationBits = m_options.activationBits;
    preset.patchInputBits = m_options.patchInputBits;
    preset.method = m_options.has(Ingredient::DualClipping) ? BoundMethod::Mse : BoundMethod::Percentile;
    Plan plan = makePreset(m_input.model->sites, preset);
    for (const Site& site : m_input.model->sites) {
        SiteChoice& choice = plan.choices[site.name];
        const auto kind = m_kinds.find(site.name);
        choice.kind = kind == m_kinds.end() ? choice.kind : kind->second;
        if (site.role == Role::Query || site.role == Role::Key || site.role == Role::Value) {
            choice.granularity = Granularity::Group;
        } else if (site.role == Role::Softmax && choice.kind != QuantizerKind::Uniform) {
            choice.method = BoundMethod::Percentile;
        }
    }
    return plan;
}

void FastQuantization::setModel(std::shared_ptr<const Model> model)
{
    m_model = std::move(model);
    ResolvedPlan activations;
    for (const Site& site : m_model->sites) {
        const auto found = m_result.quantizers.find(site.name);
        if (site.kind == SiteKind::Activation && found != m_result.quantizers.end()) {
            activations.insert(*found);
        }
    }
    m_quantized.change(m_model, activations);
}

/// Weights that are not those of linears (the patch convolution's) are rounded to nearest before anything
/// runs.
void FastQuantization::quantizeOtherWeights()
{
    std::map<std::string, Tensor> constants;
    for (const Site& site : m_model->sites) {
        const bool isLinear = std::ranges::all_of(site.readers,
            [&](const auto& reader) { return m_model->graph->node(reader.first).op == "Linear"; });
        if (site.kind != SiteKind::Weight || isLinear || !m_result.plan.choices.at(site.name).enabled) {
            continue;
        }
        const Value& value = m_model->graph->value(site.value);
        const Tensor weight = value.constant.toF32();
        QuantParams params = resolveWeight(m_result.plan.choices.at(site.name), weight, site.weightAxis);
        const Tensor rounded = fakeQuantizedWeight(weight, params, site.weightAxis);
        constants[value.name] = rounded;
        m_result.rewriting.constants[value.name] = {rounded, site.name, site.weightAxis};
        m_result.quantizers[site.name] = std::move(params);
    }
    if (!constants.empty()) {
        setModel(withConstants(*m_model, constants));
    }
}

/// Runs both models to the node; activations that do not feed a linear get their quantizers on the way.
void FastQuantization::advance(const std::string& node)
{
    Plan open;
    for (const Site& site : m_model->sites) {
        const bool feedsLinear = std::ranges::any_of(site.readers,
            [&](const auto& reader) { return m_model->graph->node(reader.first).op == "Linear"; });
        if (site.kind == SiteKind::Activation && !feedsLinear && !m_result.quantizers.contains(site.name)) {
            open.choices[site.name] = m_result.plan.choices.at(site.name);
        }
    }
    m_result.quantizers.merge(m_quantized.calibrateTo(node, open, m_context));
    m_reference.advanceTo(node, m_context);
}

QuantParams FastQuantization::inputQuantizer(
    const Site& site, const SiteChoice& choice, const Tensor& values) const
{
    if (choice.method != BoundMethod::Mse || choice.granularity != Granularity::Tensor) {
        return quantizerOfValues(site, choice, rowsOf(values));
    }
    std::vector<float> importance(static_cast<std::size_t>(values.shape().back()), 0.0F);
    for (const auto& [reader, input] : site.readers) {
        const MatrixD weight = weightsOf(m_model->graph->node(reader)).weight;
        for (std::size_t c = 0; c < importance.size(); ++c) {
            importance[c] += static_cast<float>(weight.col(static_cast<Eigen::Index>(c)).squaredNorm());
        }
    }
    const Bounds bounds = searchBounds(choice, WeightedSource(rowsOf(values), std::move(importance)));
    return paramsForBounds(choice.kind, choice.symmetry, choice.bits, bounds);
}

void FastQuantization::quantizeInput(const Site& site, const NormSite* norm)
{
    SiteChoice choice = m_result.plan.choices.at(site.name);
    const std::string valueName = m_model->graph->value(site.value).name;
    const std::string siteName = site.name;
    const Tensor values = m_quantized.value(valueName, m_context);
    if (norm == nullptr) {
        m_result.quantizers[siteName] = inputQuantizer(site, choice, values);
        setModel(m_model);
        return;
    }
    choice.granularity = Granularity::Group;
    if (m_model->graph->node(norm->norm).op != "LayerNormalization") {
        choice.symmetry = Symmetry::Symmetric; // an RMS norm cannot shift channels
    }
    Reparameterization r = meanReparameterization(
        siteName, quantizerOfValues(site, choice, rowsOf(values)), m_options.zeroPoint);
    m_result.quantizers[siteName] = r.tensor;
    setModel(reparameterized(*m_model, {r}));
    m_result.rewriting.reparameterizations.push_back(std::move(r));
}

/// What the linear's output should be: the FP32 model's, plus what the residual stream that it is added to
/// lacks.
Tensor FastQuantization::targetOf(const Node& linear)
{
    const Graph& graph = *m_model->graph;
    const ValueId output = linear.outputs.front();
    Tensor target = m_reference.value(graph.value(output).name, m_context);
    if (graph.value(output).consumers.size() != 1) {
        return target;
    }
    const Node& reader = graph.node(graph.value(output).consumers.front());
    if (reader.op != "Add" || reader.inputs.size() != 2) {
        return target;
    }
    const ValueId other = reader.inputs[reader.inputs[0] == output ? 1 : 0];
    if (other == output || graph.value(other).isConstant()) {
        return target;
    }
    const std::string name = graph.value(other).name;
    const Tensor wanted = m_reference.value(name, m_context);
    const Tensor present = m_quantized.value(name, m_context);
    if (wanted.shape() != target.shape() || present.shape() != target.shape()) {
        return target;
    }
    Tensor sum(DType::F32, target.shape());
    const auto out = sum.mutableData<float>();
    for (std::size_t i = 0; i < out.size(); ++i) {
        out[i] = target.data<float>()[i] + (wanted.data<float>()[i] - present.data<float>()[i]);
    }
    return sum;
}

LayerWeights FastQuantization::weightsOf(const Node& linear) const
{
    const Graph& graph = *m_model->graph;
    const Tensor weight = graph.value(linear.inputs[1]).constant.toF32();
    const bool transposed = linear.intAttribute("transB", 0) != 0;
    const std::int64_t n = weight.shape()[transposed ? 0 : 1];
    const std::int64_t k = weight.shape()[transposed ? 1 : 0];
    LayerWeights layer;
    layer.weight.resize(n, k);
    for (std::int64_t row = 0; row < n; ++row) {
        for (std::int64_t c = 0; c < k; ++c) {
            const std::int64_t at = transposed ? row * k + c : c * n + row;
            layer.weight(row, c) = static_cast<double>(weight.data<float>()[static_cast<std::size_t>(at)]);
        }
    }
    if (linear.inputs.size() > 2 && linear.inputs[2] != kNoValue) {
        const Tensor bias = graph.value(linear.inputs[2]).constant.toF32();
        for (const float value : bias.data<float>()) {
            layer.bias.push_back(static_cast<double>(value));
        }
    }
    return layer;
}

void FastQuantization::store(const Node& linear, const Site& site, const ReconstructedLayer& layer)
{
    const Graph& graph = *m_model->graph;
    const Value& weightValue = graph.value(linear.inputs[1]);
    const bool transposed = linear.intAttribute("transB", 0) != 0;
    const Eigen::Index n = layer.layer.weight.rows();
    const Eigen::Index k = layer.layer.weight.cols();
    Tensor weight(DType::F32, weightValue.constant.shape());
    const auto out = weight.mutableData<float>();
    for (Eigen::Index row = 0; row < n; ++row) {
        for (Eigen::Index c = 0; c < k; ++c) {
            out[static_cast<std::size_t>(transposed ? row * k + c : c * n + row)]
                = static_cast<float>(layer.layer.weight(row, c));
        }
    }
    std::map<std::string, Tensor> constants {{weightValue.name, weight}};
    m_result.rewriting.constants[weightValue.name] = {weight, site.name, site.weightAxis};
    if (!layer.layer.bias.empty()) {
        Tensor bias(DType::F32, Shape {n});
        std::ranges::transform(layer.layer.bias, bias.mutableData<float>().begin(),
            [](double value) { return static_cast<float>(value); });
        const std::string& name = graph.value(linear.inputs[2]).name;
        m_result.rewriting.constants[name] = {bias, "", 0};
        constants[name] = bias;
    }
    m_result.quantizers[site.name] = layer.grid;
    m_result.layers.push_back({linear.name, layer.errorBefore, layer.errorAfter});
    setModel(withConstants(*m_model, constants));
}

/// Rows of the samples that the correction is tried on: the last quarter is held out. 0 where there are fewer
/// than four samples, or rows that belong to none.
std::int64_t FastQuantization::rowsBeforeHoldOut(std::int64_t rows) const
{
    const std::int64_t samples = m_input.samples.shape()[0];
    return rows % samples == 0 ? rows / samples * (samples - samples / 4) * (samples >= 4 ? 1 : 0) : 0;
}

void FastQuantization::reconstruct(const Site& input, NodeId linear)
{
    const Node node = m_model->graph->node(linear);
    const auto site = std::ranges::find_if(m_model->sites, [&](const Site& candidate) {
        return candidate.kind == SiteKind::Weight && candidate.value == node.inputs[1];
    });
    if (site == m_model->sites.end()) {
        return;
    }
    const Site weightSite = *site;
    const Tensor raw = m_quantized.value(m_model->graph->value(input.value).name, m_context);
    const Tensor inputs = quantized(raw, m_result.quantizers.at(input.name));
    const Tensor targets = targetOf(node);
    const std::int64_t width = inputs.shape().back();
    const std::int64_t rows = inputs.elementCount() / width;
    const bool isWellPosed = rows >= kRowsPerInput * width;
    const SiteChoice& choice = m_result.plan.choices.at(weightSite.name);
    ReconstructionOptions options;
    options.bits = choice.bits;
    options.symmetry = choice.symmetry;
    options.corrects = isWellPosed && m_options.has(Ingredient::Reconstruction);
    options.feedsBack = isWellPosed && m_options.has(Ingredient::Reconstruction);
    options.fitsBias = isWellPosed && m_options.has(Ingredient::BiasRefit);
    const LayerWeights layer = weightsOf(node);
    const std::int64_t seen = rowsBeforeHoldOut(rows);
    if (!options.corrects || seen == 0) {
        const LayerMoments moments = layerMoments(inputs, targets, m_context);
        store(node, weightSite, reconstructLayer(moments, layer, options, m_context));
        return;
    }
    const LayerMoments before
        = layerMoments(rowRange(inputs, 0, seen), rowRange(targets, 0, seen), m_context);
    const LayerMoments behind
        = layerMoments(rowRange(inputs, seen, rows), rowRange(targets, seen, rows), m_context);
    options.ridge = ridgeByHoldOut(before, behind, layer, options);
    const double share = static_cast<double>(seen) / static_cast<double>(rows);
    store(node, weightSite, reconstructLayer(pooled(before, behind, share), layer, options, m_context));
}

MethodResult FastQuantization::run()
{
    m_result.plan = initialPlan();
    quantizeOtherWeights();
    const std::vector<Site> sites = m_model->sites;
    const std::vector<NormSite> norms
        = m_options.has(Ingredient::Reparameterization) ? findNormSites(*m_model) : std::vector<NormSite> {};
    for (std::size_t i = 0; i < sites.size(); ++i) {
        m_context.throwIfCancelled();
        m_context.report(
            "reconstruct", static_cast<std::int64_t>(i), static_cast<std::int64_t>(sites.size()));
        const std::string& name = sites[i].name;
        const bool isLinearInput = sites[i].kind == SiteKind::Activation
            && m_input.model->graph->node(sites[i].readers.front().first).op == "Linear";
        if (!isLinearInput || !m_result.plan.choices.at(name).enabled) {
            continue;
        }
        const auto norm = std::ranges::find(norms, static_cast<int>(i), &NormSite::site);
        std::vector<std::string> linears;
        for (const auto& [reader, input] : sites[i].readers) {
            linears.push_back(m_input.model->graph->node(reader).name);
        }
        const bool isNorm = norm != norms.end();
        advance(isNorm ? m_input.model->graph->node(norm->norm).name : linears.front());
        const auto siteNow = [&]() -> const Site& {
            return m_model->sites[static_cast<std::size_t>(indexOfSite(m_model->sites, name))];
        };
        const auto normNow = isNorm ? std::optional<NormSite>(*norm) : std::nullopt;
        if (normNow) { // node ids as they are now
            NormSite present = *normNow;
            present.norm = *m_model->graph->findNode(m_input.model->graph->node(norm->norm).name);
            quantizeInput(siteNow(), &present);
            advance(linears.front());
        } else {
            quantizeInput(siteNow(), nullptr);
        }
        for (const std::string& linear : linears) {
            const Site input = siteNow();
            reconstruct(input, *m_model->graph->findNode(linear));
        }
    }
    const std::string last = m_model->graph->nodes().back().name;
    advance(last);
    m_result.model = m_model;
    for (const auto& [name, params] : m_result.quantizers) {
        m_result.plan.choices[name] = manualChoice(params);
    }
    m_context.report(
        "reconstruct", static_cast<std::int64_t>(sites.size()), static_cast<std::int64_t>(sites.size()));
    return std::move(m_result);
}

} // namespace

MethodResult quantizeRepquantFast(
    const MethodInput& input, const MethodOptions& options, const TaskContext& context)
{
    const ShiftedInput shifted = shiftedInput(input, options, context);
    return FastQuantization(shifted, options, context).run();
}

} // namespace qs
