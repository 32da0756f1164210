// Values per second of the streaming statistics on the activations of a ViT with D = 192 and 197 tokens.
#include "core/base/parallel.h"
#include "core/stats/site_accumulator.h"

#include <benchmark/benchmark.h>

#include <cmath>
#include <random>
#include <vector>

using namespace qs;

namespace {

constexpr std::int64_t kSamples = 8;

std::vector<float> normalValues(std::int64_t count)
{
    std::mt19937 generator(7);
    std::normal_distribution<float> normal;
    std::vector<float> values(static_cast<std::size_t>(count));
    for (float& value : values) {
        value = normal(generator);
    }
    return values;
}

void observeMany(benchmark::State& state, const std::vector<float>& values, const ActivationView& view,
    GroupAxis axis, Role role, std::int64_t groups)
{
    ActivationView batch = view;
    batch.data = values.data();
    batch.batch = kSamples;
    setThreadCount(static_cast<int>(state.range(0)));
    SiteAccumulator accumulator("site", axis, role, groups);
    for (auto _ : state) {
        accumulator.observe(batch);
    }
    state.SetItemsProcessed(state.iterations() * batch.elementCount());
}

void postNorm(benchmark::State& state)
{
    const ActivationView view {
        .rows = 197, .width = 192, .batchStride = 197 * 192, .headStride = 0, .rowStride = 192};
    const std::vector<float> values = normalValues(kSamples * 197 * 192);
    observeMany(state, values, view, GroupAxis::Channel, Role::PostNormQkv, 192);
}

void postGelu(benchmark::State& state)
{
    const ActivationView view {
        .rows = 197, .width = 768, .batchStride = 197 * 768, .headStride = 0, .rowStride = 768};
    std::vector<float> values = normalValues(kSamples * 197 * 768);
    for (float& value : values) {
        value *= 0.5F * (1.0F + std::erf(value / std::sqrt(2.0F)));
    }
    observeMany(state, values, view, GroupAxis::Channel, Role::PostGeluFc2, 768);
}

void queries(benchmark::State& state)
{
    // Heads inside a fused [B, T, 3 * 192] product.
    const ActivationView view {
        .heads = 3, .rows = 197, .width = 64, .batchStride = 197 * 576, .headStride = 64, .rowStride = 576};
    const std::vector<float> values = normalValues(kSamples * 197 * 576);
    observeMany(state, values, view, GroupAxis::Head, Role::Query, 3);
}

void softmax(benchmark::State& state)
{
    const ActivationView view {.heads = 3,
        .rows = 197,
        .width = 197,
        .batchStride = 3 * 197 * 197,
        .headStride = 197 * 197,
        .rowStride = 197};
    std::vector<float> values = normalValues(kSamples * 3 * 197 * 197);
    for (std::size_t row = 0; row < values.size(); row += 197) {
        float sum = 0.0F;
        for (std::size_t i = row; i < row + 197; ++i) {
            values[i] = std::exp(2.0F * values[i]);
            sum += values[i];
        }
        for (std::size_t i = row; i < row + 197; ++i) {
            values[i] /= sum;
        }
    }
    observeMany(state, values, view, GroupAxis::Head, Role::Softmax, 3);
}

} // namespace

BENCHMARK(postNorm)->Arg(1)->Arg(2)->UseRealTime();
BENCHMARK(postGelu)->Arg(1)->Arg(2)->UseRealTime();
BENCHMARK(queries)->Arg(1)->Arg(2)->UseRealTime();
BENCHMARK(softmax)->Arg(1)->Arg(2)->UseRealTime();

BENCHMARK_MAIN();
