#include "core/methods/section_trainer.h"

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/methods/section_run.h"
#include "core/quant/weight_layout.h"

#include <algorithm>
#include <cmath>

namespace qs {

struct SectionTrainer::Parameters
{
    Parameters(std::vector<float> start, double learningRate)
        : values(std::move(start))
        , gradient(values.size(), 0.0F)
        , adam(values.size())
        , rate(learningRate)
    {
    }
    void step(const TrainingOptions& options, std::int64_t iteration)
    {
        adam.step(values, gradient, cosineRate(rate, iteration, options.iterations, options.warmUp));
    }

    std::vector<float> values;
    std::vector<float> gradient;
    Adam adam;
    double rate;
};

/// A quantized weight: real-valued codes (before rounding, without the zero point) and the step of every
/// output channel.
struct SectionTrainer::WeightState
{
    int site = -1;
    ValueId constant = kNoValue;
    QuantParams params;
    WeightLayout layout;
    Parameters codes;
    Parameters logSteps;

    /// Values in a row that share a channel.
    [[nodiscard]] std::size_t run() const
    {
        return layout.rowsAreChannels ? static_cast<std::size_t>(layout.width) : 1;
    }
    [[nodiscard]] std::size_t channel(std::size_t element) const
    {
        const auto width = static_cast<std::size_t>(layout.width);
        return params.index(static_cast<std::int64_t>(layout.rowsAreChannels
                ? element / width % static_cast<std::size_t>(layout.channels)
                : element % width));
    }
    [[nodiscard]] float lowest(std::size_t channel) const
    {
        return static_cast<float>(params.minimumCode() - params.zeroPoints[channel]);
    }
    [[nodiscard]] float highest(std::size_t channel) const
    {
        return static_cast<float>(params.maximumCode() - params.zeroPoints[channel]);
    }
    [[nodiscard]] float stepOf(std::size_t channel) const
    {
        return params.scales[channel] * std::exp(logSteps.values[channel]);
    }
    void dequantize(float* out) const;
    void differentiate(std::span<const float> gradient);
};

namespace {

/// Half to even for |x| < 2^22, without a call per element.
float rounded(float x)
{
    constexpr float kShift = 12582912.0F; // 1.5 * 2^23
    return (x + kShift) - kShift;
}

} // namespace

void SectionTrainer::WeightState::dequantize(float* out) const
{
    const std::size_t inner = run();
    for (std::size_t begin = 0; begin < codes.values.size(); begin += inner) {
        const std::size_t c = channel(begin);
        const float step = stepOf(c);
        const float low = lowest(c);
        const float high = highest(c);
        for (std::size_t i = begin; i < begin + inner; ++i) {
            out[i] = rounded(std::clamp(codes.values[i], low, high)) * step;
        }
    }
}

void SectionTrainer::WeightState::differentiate(std::span<const float> gradient)
{
    const std::size_t inner = run();
    std::ranges::fill(logSteps.gradient, 0.0F);
    for (std::size_t begin = 0; begin < codes.values.size(); begin += inner) {
        const std::size_t c = channel(begin);
        const float step = stepOf(c);
        const float low = lowest(c) - 0.5F;
        const float high = highest(c) + 0.5F;
        float sum = 0.0F;
        for (std::size_t i = begin; i < begin + inner; ++i) {
            const float v = codes.values[i];
            codes.gradient[i] = v >= low && v <= high ? gradient[i] * step : 0.0F;
            sum += gradient[i] * rounded(std::clamp(v, low + 0.5F, high - 0.5F)) * step;
        }
        logSteps.gradient[c] += sum;
    }
}

struct SectionTrainer::ConstantState
{
    ValueId constant = kNoValue;
    Parameters parameters;
};

struct SectionTrainer::QuantizerState
{
    int site = -1;
    std::shared_ptr<TrainableQuantizer> quantizer;
    Parameters steps;
    Parameters zeroPoints;
};

/// Gradients of one sample, in the order of the trainer's weights, constants and quantizers.
struct SectionTrainer::SampleResult
{
    double error = 0.0;
    double power = 0.0;
    std::vector<Array> constants;
    std::vector<std::vector<double>> quantizers;
};

SectionTrainer::SectionTrainer(std::shared_ptr<const Model> model, const BlockSection& block,
    const ResolvedPlan& quantizers, TrainingOptions options)
    : m_model(std::move(model))
    , m_block(block)
    , m_options(options)
{
    m_section = std::make_unique<const Section>(m_model, std::vector<ValueId> {block.feed},
        std::vector<ValueId> {block.fetch}, std::vector<ValueId> {});
    addWeights(quantizers);
    addConstants();
    addQuantizers(quantizers);
    std::vector<ValueId> trained;
    for (const WeightState& weight : m_weights) {
        trained.push_back(weight.constant);
    }
    for (const ConstantState& constant : m_constants) {
        trained.push_back(constant.constant);
    }
    m_section = std::make_unique<const Section>(
        m_model, std::vector<ValueId> {block.feed}, std::vector<ValueId> {block.fetch}, std::move(trained));
    bind();
}

SectionTrainer::~SectionTrainer() = default;

void SectionTrainer::addWeights(const ResolvedPlan& quantizers)
{
    for (std::size_t s = 0; s < m_model->sites.size(); ++s) {
        const Site& site = m_model->sites[s];
        const auto quantizer = quantizers.find(site.name);
        if (site.kind != SiteKind::Weight || quantizer == quantizers.end()
            || quantizer->second.kind != QuantizerKind::Uniform
            || !std::ranges::binary_search(m_section->constants(), site.value)) {
            continue;
        }
        const Tensor weight = m_model->graph->value(site.value).constant.toF32();
        const WeightLayout layout = layoutOfWeight(weight, site.weightAxis, quantizer->second.scales.size());
        WeightState state {static_cast<int>(s), site.value, quantizer->second, layout,
            Parameters(std::vector<float>(weight.data<float>().begin(), weight.data<float>().end()),
                m_options.weightRate),
            Parameters(std::vector<float>(quantizer->second.scales.size(), 0.0F), m_options.weightStepRate)};
        for (std::size_t i = 0; i < state.codes.values.size(); ++i) {
            state.codes.values[i] /= state.params.scales[state.channel(i)];
        }
        m_weights.push_back(std::move(state));
    }
}

void SectionTrainer::addConstant(ValueId constant, double rate)
{
    if (constant == kNoValue) {
        return;
    }
    const Value& value = m_model->graph->value(constant);
    const bool isOurs = value.isConstant() && std::ranges::all_of(value.consumers, [&](NodeId node) {
        return std::ranges::binary_search(m_section->nodes(), node);
    });
    const bool isKnown = std::ranges::any_of(
        m_constants, [&](const ConstantState& state) { return state.constant == constant; });
    if (isOurs && !isKnown) {
        const Tensor values = value.constant.toF32();
        m_constants.push_back({constant,
            Parameters(std::vector<float>(values.data<float>().begin(), values.data<float>().end()), rate)});
    }
}

void SectionTrainer::addConstants()
{
    for (const NodeId id : m_section->nodes()) {
        const Node& node = m_model->graph->node(id);
        const bool isNorm = node.op == "LayerNormalization" || node.op == "RMSNormalization";
        for (std::size_t i = 1; i < node.inputs.size(); ++i) {
            if (isNorm || (node.op == "Linear" && i == 2)) {
                addConstant(node.inputs[i], isNorm ? m_options.normRate : m_options.biasRate);
            }
        }
    }
}

void SectionTrainer::addQuantizers(const ResolvedPlan& quantizers)
{
    for (const int index : m_section->sites()) {
        const auto found = quantizers.find(m_model->sites[static_cast<std::size_t>(index)].name);
        if (found == quantizers.end()) {
            continue;
        }
        auto quantizer = std::make_shared<TrainableQuantizer>(found->second);
        const auto all = quantizer->parameters();
        const auto steps = all.first(quantizer->groups());
        const auto zeros = all.subspan(quantizer->groups());
        m_quantizers.push_back(
            {index, quantizer, Parameters(std::vector<float>(steps.begin(), steps.end()), m_options.stepRate),
                Parameters(std::vector<float>(zeros.begin(), zeros.end()), m_options.zeroPointRate)});
    }
}

/// Puts the parameters into effect.
void SectionTrainer::bind()
{
    m_bindings.constants.clear();
    const Graph& graph = *m_model->graph;
    for (const WeightState& weight : m_weights) {
        const Array values
            = Array::make(m_pool, DType::F32, Dims(graph.value(weight.constant).constant.shape().dims()));
        weight.dequantize(values.f32());
        m_bindings.constants[weight.constant] = values;
    }
    for (const ConstantState& constant : m_constants) {
        const Array values
            = Array::make(m_pool, DType::F32, Dims(graph.value(constant.constant).constant.shape().dims()));
        std::ranges::copy(constant.parameters.values, values.f32());
        m_bindings.constants[constant.constant] = values;
    }
    for (QuantizerState& state : m_quantizers) {
        std::vector<float> parameters = state.steps.values;
        parameters.insert(parameters.end(), state.zeroPoints.values.begin(), state.zeroPoints.values.end());
        auto quantizer = std::make_shared<TrainableQuantizer>(*state.quantizer);
        quantizer->setParameters(parameters);
        state.quantizer = quantizer;
        m_bindings.quantizers[state.site] = quantizer;
    }
}

SectionTrainer::SampleResult SectionTrainer::runSample(const Tensor& input, const Tensor& target,
    std::span<const float> weights, double scale, BufferPool& pool, const TaskContext& context) const
{
    Tape tape(*m_section, m_bindings, pool);
    const Feed feed {m_block.feed, input};
    tape.forward({&feed, 1}, context);
    const Array output = contiguous(tape.value(m_block.fetch), pool);
    const auto wanted = target.data<float>();
    Tensor seed(DType::F32, target.shape());
    SampleResult result;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        const auto weight = static_cast<double>(weights[i]);
        const double error = static_cast<double>(output.f32()[i]) - static_cast<double>(wanted[i]);
        result.error += weight * error * error;
        result.power += weight * static_cast<double>(wanted[i]) * static_cast<double>(wanted[i]);
        seed.mutableData<float>()[i] = static_cast<float>(2.0 * scale * weight * error);
    }
    const Feed given {m_block.fetch, seed};
    tape.backward({&given, 1}, context);
    const auto keep = [&](ValueId constant) {
        const Array& gradient = tape.gradient(constant);
        result.constants.push_back(gradient.valid() ? contiguous(gradient, pool) : Array());
    };
    for (const WeightState& weight : m_weights) {
        keep(weight.constant);
    }
    for (const ConstantState& constant : m_constants) {
        keep(constant.constant);
    }
    for (const QuantizerState& quantizer : m_quantizers) {
        const auto gradient = tape.quantizerGradient(quantizer.site);
        result.quantizers.emplace_back(gradient.begin(), gradient.end());
    }
    return result;
}

/// Sums the samples' gradients in their order and moves every parameter.
void SectionTrainer::update(const std::vector<SampleResult>& results)
{
    std::vector<std::vector<float>> sums(m_weights.size() + m_constants.size());
    parallelFor(static_cast<std::int64_t>(sums.size()), 1, [&](std::int64_t begin, std::int64_t) {
        const auto k = static_cast<std::size_t>(begin);
        Parameters& parameters
            = k < m_weights.size() ? m_weights[k].codes : m_constants[k - m_weights.size()].parameters;
        sums[k].assign(parameters.values.size(), 0.0F);
        for (const SampleResult& result : results) {
            const Array& part = result.constants[k];
            for (std::size_t i = 0; part.valid() && i < sums[k].size(); ++i) {
                sums[k][i] += part.f32()[i];
            }
        }
        if (k < m_weights.size()) {
            m_weights[k].differentiate(sums[k]);
            m_weights[k].logSteps.step(m_options, m_iteration);
        } else {
            parameters.gradient = sums[k];
        }
        parameters.step(m_options, m_iteration);
    });
    for (std::size_t q = 0; q < m_quantizers.size(); ++q) {
        QuantizerState& state = m_quantizers[q];
        std::vector<double> sum(state.steps.values.size() + state.zeroPoints.values.size(), 0.0);
        for (const SampleResult& result : results) {
            std::ranges::transform(sum, result.quantizers[q], sum.begin(), std::plus<>());
        }
        const auto toFloat = [](double value) { return static_cast<float>(value); };
        const auto zeros = sum.begin() + static_cast<std::ptrdiff_t>(state.steps.values.size());
        std::transform(sum.begin(), zeros, state.steps.gradient.begin(), toFloat);
        std::transform(zeros, sum.end(), state.zeroPoints.gradient.begin(), toFloat);
        state.steps.step(m_options, m_iteration);
        state.zeroPoints.step(m_options, m_iteration);
    }
    ++m_iteration;
}

double SectionTrainer::step(const Tensor& inputs, const Tensor& targets, std::span<const std::int64_t> rows,
    std::span<const float> weights, const TaskContext& context)
{
    std::vector<SampleResult> results(rows.size());
    const double scale = 1.0 / static_cast<double>(rows.size());
    parallelFor(static_cast<std::int64_t>(rows.size()), 1, [&](std::int64_t begin, std::int64_t) {
        const auto i = static_cast<std::size_t>(begin);
        results[i] = runSample(
            sampleOf(inputs, rows[i]), sampleOf(targets, rows[i]), weights, scale, m_pool, context);
    });
    update(results);
    bind();
    double error = 0.0;
    double power = 0.0;
    for (const SampleResult& result : results) {
        error += result.error;
        power += result.power;
    }
    return power > 0.0 ? error / power : 0.0;
}

Tensor SectionTrainer::run(const Tensor& inputs, const TaskContext& context) const
{
    return runSection(*m_section, m_bindings, m_block.feed, inputs, context);
}

void SectionTrainer::restore(
    const std::map<std::string, RewrittenConstant>& constants, const ResolvedPlan& quantizers)
{
    const Graph& graph = *m_model->graph;
    for (auto& [id, values] : m_bindings.constants) {
        const auto found = constants.find(graph.value(id).name);
        if (found == constants.end() || !(found->second.values.shape() == graph.value(id).constant.shape())) {
            throw Error(ErrorCode::CorruptFile, "the kept state lacks '" + graph.value(id).name + "'");
        }
        values = Array::of(found->second.values);
    }
    for (auto& [site, quantizer] : m_bindings.quantizers) {
        const auto found = quantizers.find(m_model->sites[static_cast<std::size_t>(site)].name);
        if (found == quantizers.end()) {
            throw Error(ErrorCode::CorruptFile,
                "the kept state lacks '" + m_model->sites[static_cast<std::size_t>(site)].name + "'");
        }
        quantizer = std::make_shared<const TrainableQuantizer>(found->second);
    }
}

void SectionTrainer::store(
    std::map<std::string, RewrittenConstant>& constants, ResolvedPlan& quantizers) const
{
    const Graph& graph = *m_model->graph;
    const auto tensorOf = [&](ValueId constant) {
        const Array& values = m_bindings.constants.at(constant);
        return Tensor::of<float>(graph.value(constant).constant.shape(),
            std::span<const float>(values.f32(), static_cast<std::size_t>(values.count())));
    };
    for (const WeightState& weight : m_weights) {
        const Site& site = m_model->sites[static_cast<std::size_t>(weight.site)];
        constants[graph.value(weight.constant).name]
            = {tensorOf(weight.constant), site.name, site.weightAxis};
        QuantParams params = weight.params;
        for (std::size_t c = 0; c < params.scales.size(); ++c) {
            params.scales[c] = weight.stepOf(c);
            const auto step = static_cast<double>(params.scales[c]);
            params.bounds[c] = {
                static_cast<double>(weight.lowest(c)) * step, static_cast<double>(weight.highest(c)) * step};
        }
        quantizers[site.name] = std::move(params);
    }
    for (const ConstantState& constant : m_constants) {
        constants[graph.value(constant.constant).name] = {tensorOf(constant.constant), "", 0};
    }
    for (const QuantizerState& state : m_quantizers) {
        quantizers[m_model->sites[static_cast<std::size_t>(state.site)].name] = state.quantizer->params();
    }
}

} // namespace qs
