// Forward pass of a model: images per second and the share of the processor's measured multiply-add peak.
// Usage: qs_bench_forward MODEL [Google Benchmark's options]; batch and threads are the benchmark's
// arguments.

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/runtime/executor.h"
#include "tests/bench/fma_peak.h"

#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdio>
#include <map>

namespace {

using namespace qs;

std::shared_ptr<const Model> g_model; // NOLINT: benchmarks are free functions

std::int64_t countOf(const Value& value)
{
    std::int64_t count = 1;
    for (const std::int64_t dim : value.dims) {
        count *= dim < 0 ? 1 : dim; // per sample
    }
    return count;
}

/// Multiplications and additions of the matrix products and convolutions for one sample.
double operationsPerSample(const Graph& graph)
{
    double operations = 0.0;
    for (const Node& node : graph.nodes()) {
        const auto results = static_cast<double>(countOf(graph.value(node.outputs.front())));
        if (node.op == "Linear" || node.op == "MatMul") {
            operations += 2.0 * results * static_cast<double>(graph.value(node.inputs[0]).dims.back());
        } else if (node.op == "Conv") {
            const Value& weight = graph.value(node.inputs[1]);
            operations
                += 2.0 * results * static_cast<double>(countOf(weight)) / static_cast<double>(weight.dims[0]);
        }
    }
    return operations;
}

double peakOf(int threads)
{
    static std::map<int, double> known;
    const auto [it, isNew] = known.try_emplace(threads, 0.0);
    if (isNew) {
        it->second = bench::measuredPeak(threads);
    }
    return it->second;
}

Tensor samplesFor(const Value& input, std::int64_t batch)
{
    std::vector<std::int64_t> dims = input.dims;
    dims.front() = batch;
    Tensor samples(DType::F32, Shape(dims));
    const auto values = samples.mutableData<float>();
    for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = std::sin(static_cast<float>(i % 100003));
    }
    return samples;
}

void forward(benchmark::State& state)
{
    const std::int64_t batch = state.range(0);
    const auto threads = static_cast<int>(state.range(1));
    const double peak = peakOf(threads);
    setThreadCount(threads);
    Executor executor(g_model);
    const Graph& graph = *g_model->graph;
    const Feed feed {graph.inputs().front(), samplesFor(graph.value(graph.inputs().front()), batch)};
    const ValueId output = graph.outputs().front();
    for (int warmUp = 0; warmUp < 3; ++warmUp) {
        benchmark::DoNotOptimize(executor.run({&feed, 1}, {&output, 1}));
    }
    for (auto unused : state) {
        static_cast<void>(unused);
        benchmark::DoNotOptimize(executor.run({&feed, 1}, {&output, 1}));
    }
    const auto images = static_cast<double>(state.iterations() * batch);
    state.counters["images_per_second"] = benchmark::Counter(images, benchmark::Counter::kIsRate);
    state.counters["share_of_peak"]
        = benchmark::Counter(images * operationsPerSample(graph) / peak, benchmark::Counter::kIsRate);
    state.counters["peak_gflops"] = peak / 1e9;
}

} // namespace

int main(int argc, char** argv)
{
    if (argc < 2 || argv[1][0] == '-') {
        std::fprintf(stderr, "usage: qs_bench_forward MODEL [--benchmark_filter=...]\n");
        return 2;
    }
    try {
        g_model = loadModel(argv[1]);
    } catch (const Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    argv[1] = argv[0];
    int rest = argc - 1;
    benchmark::Initialize(&rest, argv + 1);
    benchmark::RegisterBenchmark("forward", forward)
        ->ArgNames({"batch", "threads"})
        ->ArgsProduct({{1, 8}, {1, 2}})
        ->Unit(benchmark::kMillisecond)
        ->UseRealTime();
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
