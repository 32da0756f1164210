#include "core/eval/sample_outcomes.h"

#include "core/base/error.h"
#include "core/eval/metrics.h"

#include <algorithm>
#include <cmath>

namespace qs {

namespace {

/// softmax(row)[index].
float probabilityOf(std::span<const float> row, std::size_t index)
{
    const auto largest = static_cast<double>(*std::max_element(row.begin(), row.end()));
    double sum = 0.0;
    for (const float value : row) {
        sum += std::exp(static_cast<double>(value) - largest);
    }
    return static_cast<float>(std::exp(static_cast<double>(row[index]) - largest) / sum);
}

} // namespace

std::vector<SampleOutcome> sampleOutcomes(const Tensor& logits, const Tensor& reference, std::int64_t first)
{
    const Shape& shape = logits.shape();
    if (shape.rank() == 0 || !(shape == reference.shape()) || logits.elementCount() == 0) {
        throw Error(ErrorCode::ShapeMismatch, "outcomes need logits [N, ..., C] of one shape");
    }
    const std::int64_t samples = shape[0];
    const auto classes = static_cast<std::size_t>(shape.rank() == 1 ? 1 : shape[shape.rank() - 1]);
    const auto rows = static_cast<std::size_t>(logits.elementCount() / samples) / classes;
    const auto quantized = logits.data<float>();
    const auto fp32 = reference.data<float>();
    std::vector<SampleOutcome> outcomes;
    for (std::int64_t sample = 0; sample < samples; ++sample) {
        SampleOutcome outcome {first + sample, static_cast<std::int64_t>(rows)};
        std::size_t shown = 0;
        for (std::size_t row = 0; row < rows; ++row) {
            const std::size_t at = (static_cast<std::size_t>(sample) * rows + row) * classes;
            if (topClass(quantized.subspan(at, classes)) != topClass(fp32.subspan(at, classes))) {
                shown = outcome.changedRows == 0 ? row : shown;
                ++outcome.changedRows;
            }
        }
        const std::size_t at = (static_cast<std::size_t>(sample) * rows + shown) * classes;
        const auto ours = quantized.subspan(at, classes);
        const auto theirs = fp32.subspan(at, classes);
        outcome.row = static_cast<std::int64_t>(shown);
        outcome.quantizedClass = static_cast<int>(topClass(ours));
        outcome.referenceClass = static_cast<int>(topClass(theirs));
        outcome.quantizedProbability = probabilityOf(ours, topClass(ours));
        outcome.referenceProbability = probabilityOf(theirs, topClass(theirs));
        outcomes.push_back(outcome);
    }
    return outcomes;
}

std::vector<Flip> flipsBetween(
    const std::vector<SampleOutcome>& before, const std::vector<SampleOutcome>& after)
{
    std::vector<Flip> flips;
    const std::size_t count = before.empty() ? after.size()
        : after.empty()                      ? before.size()
                                             : std::min(before.size(), after.size());
    for (std::size_t i = 0; i < count; ++i) {
        Flip flip;
        const SampleOutcome& any = before.empty() ? after[i] : before[i];
        flip.sample = any.sample;
        flip.before = before.empty() ? any.referenceClass : before[i].quantizedClass;
        flip.beforeProbability = before.empty() ? any.referenceProbability : before[i].quantizedProbability;
        flip.after = after.empty() ? any.referenceClass : after[i].quantizedClass;
        flip.afterProbability = after.empty() ? any.referenceProbability : after[i].quantizedProbability;
        const bool otherRow = !before.empty() && !after.empty() && before[i].row != after[i].row;
        if (flip.before != flip.after || (otherRow && before[i].changedRows + after[i].changedRows > 0)) {
            flips.push_back(flip);
        }
    }
    return flips;
}

} // namespace qs
