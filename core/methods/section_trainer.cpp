#include "core/methods/section_trainer.h"

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/methods/section_run.h"

#include <algorithm>
#include <functional>

namespace qs {

struct SectionTrainer::ConstantState
{
    ValueId constant = kNoValue;
    TrainedParameters parameters;
};

struct SectionTrainer::QuantizerState
{
    int site = -1;
    std::shared_ptr<TrainableQuantizer> quantizer;
    TrainedParameters steps;
    TrainedParameters zeroPoints;
};

/// Gradients of one sample, in the order of the trainer's weights, constants and quantizers.
struct SectionTrainer::SampleResult
{
    std::vector<double> errors; ///< by goal
    std::vector<double> powers;
    std::vector<Array> constants;
    std::vector<std::vector<double>> quantizers;
};

SectionTrainer::SectionTrainer(std::shared_ptr<const Model> model, std::vector<ValueId> feeds,
    std::vector<ValueId> fetches, const ResolvedPlan& quantizers, TrainingOptions options,
    const std::map<std::string, Tensor>& codes)
    : m_model(std::move(model))
    , m_feeds(std::move(feeds))
    , m_fetches(std::move(fetches))
    , m_options(options)
{
    m_section = std::make_unique<const Section>(m_model, m_feeds, m_fetches, std::vector<ValueId> {});
    addWeights(quantizers, codes);
    addConstants();
    addQuantizers(quantizers);
    std::vector<ValueId> trained;
    for (const TrainedWeight& weight : m_weights) {
        trained.push_back(weight.constant());
    }
    for (const ConstantState& constant : m_constants) {
        trained.push_back(constant.constant);
    }
    m_section = std::make_unique<const Section>(m_model, m_feeds, m_fetches, std::move(trained));
    bind();
}

SectionTrainer::~SectionTrainer() = default;

void SectionTrainer::addWeights(const ResolvedPlan& quantizers, const std::map<std::string, Tensor>& codes)
{
    for (std::size_t s = 0; s < m_model->sites.size(); ++s) {
        const Site& site = m_model->sites[s];
        const auto quantizer = quantizers.find(site.name);
        if (site.kind != SiteKind::Weight || quantizer == quantizers.end()
            || quantizer->second.kind != QuantizerKind::Uniform
            || !std::ranges::binary_search(m_section->constants(), site.value)) {
            continue;
        }
        const Value& value = m_model->graph->value(site.value);
        const auto known = codes.find(value.name);
        const bool isCoded = known != codes.end();
        const Tensor start = isCoded ? known->second : value.constant.toF32();
        m_weights.emplace_back(static_cast<int>(s), site.value, quantizer->second,
            layoutOfWeight(start, site.weightAxis, quantizer->second.scales.size()),
            std::vector<float>(start.data<float>().begin(), start.data<float>().end()), isCoded,
            TrainedWeight::Rates {m_options.weightRate, m_options.weightStepRate});
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
            TrainedParameters(
                std::vector<float>(values.data<float>().begin(), values.data<float>().end()), rate)});
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
        m_quantizers.push_back({index, quantizer,
            TrainedParameters(std::vector<float>(steps.begin(), steps.end()), m_options.stepRate),
            TrainedParameters(std::vector<float>(zeros.begin(), zeros.end()), m_options.zeroPointRate)});
    }
}

/// Puts the parameters into effect.
void SectionTrainer::bind()
{
    m_bindings.constants.clear();
    const Graph& graph = *m_model->graph;
    for (const TrainedWeight& weight : m_weights) {
        const Array values
            = Array::make(m_pool, DType::F32, Dims(graph.value(weight.constant()).constant.shape().dims()));
        weight.dequantize(values.f32());
        m_bindings.constants[weight.constant()] = values;
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

SectionTrainer::SampleResult SectionTrainer::runSample(std::span<const Feed> input,
    std::span<const TrainingGoal> goals, std::int64_t row, double scale, BufferPool& pool,
    const TaskContext& context) const
{
    Tape tape(*m_section, m_bindings, pool);
    tape.forward(input, context);
    SampleResult result;
    std::vector<Feed> seeds;
    for (std::size_t k = 0; k < goals.size(); ++k) {
        const Array output = contiguous(tape.value(m_fetches[k]), pool);
        const Tensor target = sampleOf(goals[k].targets, row);
        const auto wanted = target.data<float>();
        Tensor seed(DType::F32, target.shape());
        const auto gradient = seed.mutableData<float>();
        double errors = 0.0;
        double power = 0.0;
        for (std::size_t i = 0; i < wanted.size(); ++i) {
            const auto weight = static_cast<double>(goals[k].importance[i]);
            const double error = static_cast<double>(output.f32()[i]) - static_cast<double>(wanted[i]);
            errors += weight * error * error;
            power += weight * static_cast<double>(wanted[i]) * static_cast<double>(wanted[i]);
            gradient[i] = static_cast<float>(2.0 * scale * goals[k].scale * weight * error);
        }
        result.errors.push_back(errors);
        result.powers.push_back(power);
        seeds.push_back({m_fetches[k], std::move(seed)});
    }
    tape.backward(seeds, context);
    const auto keep = [&](ValueId constant) {
        const Array& gradient = tape.gradient(constant);
        result.constants.push_back(gradient.valid() ? contiguous(gradient, pool) : Array());
    };
    for (const TrainedWeight& weight : m_weights) {
        keep(weight.constant());
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

/// Adds the samples' gradients to the sums, in the samples' order.
void SectionTrainer::add(std::vector<SampleResult>& results)
{
    parallelFor(static_cast<std::int64_t>(m_gradients.size()), 1, [&](std::int64_t begin, std::int64_t) {
        const auto k = static_cast<std::size_t>(begin);
        std::vector<float>& sum = m_gradients[k];
        for (const SampleResult& result : results) {
            const Array& part = result.constants[k];
            for (std::size_t i = 0; part.valid() && i < sum.size(); ++i) {
                sum[i] += part.f32()[i];
            }
        }
    });
    for (std::size_t q = 0; q < m_quantizers.size(); ++q) {
        std::vector<double>& sum = m_quantizerGradients[q];
        for (const SampleResult& result : results) {
            std::ranges::transform(sum, result.quantizers[q], sum.begin(), std::plus<>());
        }
    }
}

/// Moves every parameter.
void SectionTrainer::update()
{
    parallelFor(static_cast<std::int64_t>(m_gradients.size()), 1, [&](std::int64_t begin, std::int64_t) {
        const auto k = static_cast<std::size_t>(begin);
        if (k < m_weights.size()) {
            m_weights[k].step(m_gradients[k], m_options.schedule, m_iteration);
        } else {
            TrainedParameters& parameters = m_constants[k - m_weights.size()].parameters;
            parameters.gradient = m_gradients[k];
            parameters.step(m_options.schedule, m_iteration);
        }
    });
    for (std::size_t q = 0; q < m_quantizers.size(); ++q) {
        QuantizerState& state = m_quantizers[q];
        const std::vector<double>& sum = m_quantizerGradients[q];
        const auto toFloat = [](double value) { return static_cast<float>(value); };
        const auto zeros = sum.begin() + static_cast<std::ptrdiff_t>(state.steps.values.size());
        std::transform(sum.begin(), zeros, state.steps.gradient.begin(), toFloat);
        std::transform(zeros, sum.end(), state.zeroPoints.gradient.begin(), toFloat);
        state.steps.step(m_options.schedule, m_iteration);
        state.zeroPoints.step(m_options.schedule, m_iteration);
    }
    ++m_iteration;
}

double SectionTrainer::step(std::span<const Feed> inputs, std::span<const TrainingGoal> goals,
    std::span<const std::int64_t> rows, const TaskContext& context)
{
    m_gradients.resize(m_weights.size() + m_constants.size());
    for (std::size_t k = 0; k < m_gradients.size(); ++k) {
        m_gradients[k].assign(k < m_weights.size()
                ? m_weights[k].codes().size()
                : m_constants[k - m_weights.size()].parameters.values.size(),
            0.0F);
    }
    m_quantizerGradients.resize(m_quantizers.size());
    for (std::size_t q = 0; q < m_quantizers.size(); ++q) {
        m_quantizerGradients[q].assign(m_quantizers[q].quantizer->parameterCount(), 0.0);
    }
    std::vector<double> errors(goals.size(), 0.0);
    std::vector<double> powers(goals.size(), 0.0);
    const double scale = 1.0 / static_cast<double>(rows.size());
    const auto group = static_cast<std::size_t>(threadCount()); // whatever its size, sums are in order
    for (std::size_t first = 0; first < rows.size(); first += group) {
        std::vector<SampleResult> results(std::min(group, rows.size() - first));
        parallelFor(static_cast<std::int64_t>(results.size()), 1, [&](std::int64_t begin, std::int64_t) {
            const auto i = static_cast<std::size_t>(begin);
            const std::int64_t row = rows[first + i];
            results[i] = runSample(sampleOf(inputs, row), goals, row, scale, m_pool, context);
        });
        add(results);
        for (const SampleResult& result : results) {
            std::ranges::transform(errors, result.errors, errors.begin(), std::plus<>());
            std::ranges::transform(powers, result.powers, powers.begin(), std::plus<>());
        }
    }
    update();
    bind();
    double loss = 0.0;
    for (std::size_t k = 0; k < goals.size(); ++k) {
        loss += powers[k] > 0.0 ? errors[k] / powers[k] / static_cast<double>(goals.size()) : 0.0;
    }
    return loss;
}

std::vector<TrainedParameters*> SectionTrainer::allParameters()
{
    std::vector<TrainedParameters*> result;
    for (TrainedWeight& weight : m_weights) {
        std::ranges::copy(weight.parameters(), std::back_inserter(result));
    }
    for (ConstantState& constant : m_constants) {
        result.push_back(&constant.parameters);
    }
    for (QuantizerState& quantizer : m_quantizers) {
        result.push_back(&quantizer.steps);
        result.push_back(&quantizer.zeroPoints);
    }
    return result;
}

std::vector<Tensor> SectionTrainer::state()
{
    std::vector<Tensor> result;
    for (const TrainedParameters* parameters : allParameters()) {
        const std::vector<float> state = parameters->state();
        result.push_back(
            Tensor::of<float>({static_cast<std::int64_t>(state.size())}, std::span<const float>(state)));
    }
    return result;
}

void SectionTrainer::goOn(std::span<const Tensor> state, std::int64_t iteration)
{
    const std::vector<TrainedParameters*> parameters = allParameters();
    bool fits = state.size() == parameters.size();
    for (std::size_t i = 0; fits && i < parameters.size(); ++i) {
        fits = parameters[i]->restore(state[i].data<float>(), iteration);
    }
    if (!fits) {
        throw Error(ErrorCode::CorruptFile, "the kept state of the training does not fit the model");
    }
    m_iteration = iteration;
    bind();
}

Tensor SectionTrainer::run(std::span<const Feed> inputs, const TaskContext& context) const
{
    return runSection(*m_section, m_bindings, inputs, context);
}

void SectionTrainer::restore(const TrainingResult& result)
{
    const Graph& graph = *m_model->graph;
    for (auto& [id, values] : m_bindings.constants) {
        const auto found = result.constants.find(graph.value(id).name);
        if (found == result.constants.end()
            || !(found->second.values.shape() == graph.value(id).constant.shape())) {
            throw Error(ErrorCode::CorruptFile, "the kept state lacks '" + graph.value(id).name + "'");
        }
        values = Array::of(found->second.values);
    }
    for (auto& [site, quantizer] : m_bindings.quantizers) {
        const auto found = result.quantizers.find(m_model->sites[static_cast<std::size_t>(site)].name);
        if (found == result.quantizers.end()) {
            throw Error(ErrorCode::CorruptFile,
                "the kept state lacks '" + m_model->sites[static_cast<std::size_t>(site)].name + "'");
        }
        quantizer = std::make_shared<const TrainableQuantizer>(found->second);
    }
}

void SectionTrainer::store(TrainingResult& result) const
{
    const Graph& graph = *m_model->graph;
    const auto tensorOf = [&](ValueId constant) {
        const Array& values = m_bindings.constants.at(constant);
        return Tensor::of<float>(graph.value(constant).constant.shape(),
            std::span<const float>(values.f32(), static_cast<std::size_t>(values.count())));
    };
    for (const TrainedWeight& weight : m_weights) {
        const Site& site = m_model->sites[static_cast<std::size_t>(weight.site())];
        const Value& value = graph.value(weight.constant());
        result.constants[value.name] = {tensorOf(weight.constant()), site.name, site.weightAxis};
        result.codes[value.name] = Tensor::of<float>(value.constant.shape(), weight.codes());
        result.quantizers[site.name] = weight.quantizer();
    }
    for (const ConstantState& constant : m_constants) {
        result.constants[graph.value(constant.constant).name] = {tensorOf(constant.constant), "", 0};
    }
    for (const QuantizerState& state : m_quantizers) {
        result.quantizers[m_model->sites[static_cast<std::size_t>(state.site)].name]
            = state.quantizer->params();
    }
}

} // namespace qs
