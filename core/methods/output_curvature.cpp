#include "core/methods/output_curvature.h"

#include "core/base/parallel.h"
#include "core/methods/section_run.h"

#include <algorithm>
#include <cmath>
#include <random>

namespace qs {

namespace {

/// softmax(z) - onehot(y) per row, y drawn from softmax(z) with the given uniform numbers.
Tensor labelGradient(const Array& logits, std::mt19937_64& generator)
{
    const std::int64_t classes = logits.dims.back();
    Tensor gradient(DType::F32, Shape(logits.dims));
    float* out = gradient.mutableData<float>().data();
    for (std::int64_t at = 0; at < logits.count(); at += classes) {
        const float* row = logits.f32() + at;
        const double top = static_cast<double>(*std::max_element(row, row + classes));
        double sum = 0.0;
        for (std::int64_t i = 0; i < classes; ++i) {
            sum += std::exp(static_cast<double>(row[i]) - top);
        }
        double left = static_cast<double>(generator() >> 11U) * 0x1p-53 * sum;
        std::int64_t label = -1;
        for (std::int64_t i = 0; i < classes; ++i) {
            const double p = std::exp(static_cast<double>(row[i]) - top);
            out[at + i] = static_cast<float>(p / sum);
            left -= p;
            if (label < 0 && (left < 0.0 || i + 1 == classes)) {
                label = i;
            }
        }
        out[at + label] -= 1.0F;
    }
    return gradient;
}

/// Half of each value, half the mean over the rows of its channel, scaled to mean 1, plus a floor.
std::vector<float> smoothed(const std::vector<double>& values, std::size_t width)
{
    constexpr double kFloor = 1e-3;
    std::vector<double> channels(width, 0.0);
    double mean = 0.0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        channels[i % width] += values[i] * static_cast<double>(width) / static_cast<double>(values.size());
        mean += values[i] / static_cast<double>(values.size());
    }
    std::vector<float> result;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double value = 0.5 * (values[i] + channels[i % width]);
        result.push_back(static_cast<float>((mean > 0.0 ? value / mean : 1.0) + kFloor));
    }
    return result;
}

} // namespace

std::vector<std::vector<float>> outputCurvature(std::shared_ptr<const Model> model,
    const std::vector<BlockSection>& sections, std::span<const Feed> inputs, int draws, std::int64_t seed,
    const TaskContext& context)
{
    std::vector<ValueId> outputs;
    for (const BlockSection& section : sections) {
        outputs.push_back(section.fetch);
    }
    const ValueId logits = model->graph->outputs().front();
    const bool predicts = model->task != ModelTask::Features;
    const Section section(model, valuesOf(inputs), {predicts ? logits : outputs.back()}, outputs);
    const std::int64_t samples = inputs.front().tensor.shape()[0];
    const TapeBindings bindings;
    BufferPool pool;
    std::vector<std::vector<double>> sums(outputs.size());
    std::vector<std::size_t> widths(outputs.size(), 1);
    for (std::int64_t sample = 0; sample < samples; sample += threadCount()) {
        const std::int64_t count = std::min<std::int64_t>(threadCount(), samples - sample);
        std::vector<std::vector<std::vector<double>>> parts(static_cast<std::size_t>(count));
        parallelFor(count, 1, [&](std::int64_t index, std::int64_t) {
            std::mt19937_64 generator(
                static_cast<std::uint64_t>(seed) * 1000003U + static_cast<std::uint64_t>(sample + index));
            auto& squares = parts[static_cast<std::size_t>(index)];
            squares.resize(outputs.size());
            for (int draw = 0; draw < (predicts ? draws : 1); ++draw) {
                Tape tape(section, bindings, pool);
                tape.forward(sampleOf(inputs, sample + index), context);
                if (predicts) {
                    const Feed seedOfLogits {
                        logits, labelGradient(contiguous(tape.value(logits), pool), generator)};
                    tape.backward({&seedOfLogits, 1}, context);
                }
                for (std::size_t k = 0; k < outputs.size(); ++k) {
                    const Array value = tape.value(outputs[k]);
                    squares[k].resize(static_cast<std::size_t>(value.count()), 0.0);
                    widths[k] = static_cast<std::size_t>(value.dims.back());
                    const Array& given = tape.gradient(outputs[k]);
                    const Array gradient = given.valid() ? contiguous(given, pool) : Array();
                    for (std::size_t i = 0; gradient.valid() && i < squares[k].size(); ++i) {
                        const auto g = static_cast<double>(gradient.f32()[i]);
                        squares[k][i] += g * g;
                    }
                }
            }
        });
        for (const auto& squares : parts) {
            for (std::size_t k = 0; k < outputs.size(); ++k) {
                sums[k].resize(squares[k].size(), 0.0);
                std::ranges::transform(sums[k], squares[k], sums[k].begin(), std::plus<>());
            }
        }
        context.report("curvature", sample + count, samples);
    }
    std::vector<std::vector<float>> result;
    for (std::size_t k = 0; k < outputs.size(); ++k) {
        result.push_back(smoothed(sums[k], widths[k]));
    }
    return result;
}

} // namespace qs
