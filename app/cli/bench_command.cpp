#include "app/cli/commands.h"
#include "core/base/parallel.h"
#include "core/base/process_memory.h"
#include "core/base/processor_peak.h"
#include "core/eval/model_benchmark.h"
#include "core/eval/model_feeds.h"
#include "core/eval/random_feeds.h"
#include "core/io/data_source.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <vector>

namespace qs {

namespace {

struct BenchArguments
{
    std::string model;
    std::string data;
    std::int64_t batch = 8;
    std::int64_t samples = 32;
    double seconds = 5.0;
    bool json = false;
};

/// Samples of the data, or made up, cut into batches.
FeedBatches batchesOf(const Model& model, const BenchArguments& arguments)
{
    FeedBatches batches;
    if (arguments.data.empty()) {
        for (std::int64_t first = 0; first < arguments.samples; first += arguments.batch) {
            batches.push_back(randomFeeds(model, std::min(arguments.batch, arguments.samples - first),
                static_cast<unsigned>(batches.size())));
        }
        return batches;
    }
    const auto data = openData(arguments.data, model);
    const std::int64_t samples = std::min(arguments.samples, data->size());
    for (std::int64_t first = 0; first < samples; first += arguments.batch) {
        const std::int64_t count = std::min(arguments.batch, samples - first);
        batches.push_back(feedsOf(*model.graph, loadBatch(*data, first, count)));
    }
    return batches;
}

/// Milliseconds per round and rates of one or more nodes.
nlohmann::json costJson(const NodeCost& cost, double total)
{
    return {{"milliseconds", 1e3 * cost.seconds}, {"share", total > 0.0 ? cost.seconds / total : 0.0},
        {"gflops", cost.seconds > 0.0 ? cost.operations / cost.seconds / 1e9 : 0.0}};
}

nlohmann::json describe(const Model& model, const ModelBenchmark& result, const BenchArguments& arguments)
{
    const Graph& graph = *model.graph;
    double total = 0.0;
    std::map<std::string, std::pair<NodeCost, int>> byOperator;
    for (std::size_t i = 0; i < result.nodes.size(); ++i) {
        total += result.nodes[i].seconds;
        auto& [cost, count] = byOperator[graph.nodes()[i].op];
        cost.seconds += result.nodes[i].seconds;
        cost.operations += result.nodes[i].operations;
        ++count;
    }
    std::vector<nlohmann::json> operators;
    for (const auto& [op, entry] : byOperator) {
        nlohmann::json row = costJson(entry.first, total);
        row["op"] = op;
        row["nodes"] = entry.second;
        operators.push_back(row);
    }
    std::ranges::stable_sort(operators, std::greater(),
        [](const nlohmann::json& row) { return row["milliseconds"].get<double>(); });
    nlohmann::json nodes = nlohmann::json::array();
    for (std::size_t i = 0; i < result.nodes.size(); ++i) {
        nlohmann::json row = costJson(result.nodes[i], total);
        row["op"] = graph.nodes()[i].op;
        row["name"] = graph.nodes()[i].name;
        nodes.push_back(row);
    }
    const double peak = measuredPeak(threadCount());
    nlohmann::json description {{"model", model.name}, {"batch", arguments.batch}, {"threads", threadCount()},
        {"samples", result.samples}, {"rounds", result.rounds},
        {"milliseconds_per_round", 1e3 * result.plainSeconds},
        {"calibration_overhead", result.calibrationOverhead()},
        {"observation_milliseconds", 1e3 * result.observationSeconds},
        {"peak_memory_bytes", peakResidentBytes()}, {"gflops", result.operationsPerSecond() / 1e9},
        {"peak_gflops", peak / 1e9}, {"share_of_peak", result.operationsPerSecond() / peak},
        {"operators", operators}, {"nodes", nodes}};
    if (result.tokens > 0) {
        description["tokens_per_second"] = result.tokensPerSecond();
    } else {
        description[model.preprocessing ? "images_per_second" : "samples_per_second"]
            = result.samplesPerSecond();
    }
    return description;
}

void printRow(const std::string& name, const nlohmann::json& row)
{
    std::printf("%-52s %10.3f %7.2f %% %9.1f\n", name.c_str(), row["milliseconds"].get<double>(),
        100.0 * row["share"].get<double>(), row["gflops"].get<double>());
}

void print(const nlohmann::json& bench)
{
    std::printf("%s: %lld samples in batches of %lld, %d threads, medians of %d rounds\n",
        bench["model"].get_ref<const std::string&>().c_str(),
        static_cast<long long>(bench["samples"].get<std::int64_t>()),
        static_cast<long long>(bench["batch"].get<std::int64_t>()), bench["threads"].get<int>(),
        bench["rounds"].get<int>());
    for (const char* rate : {"images_per_second", "samples_per_second", "tokens_per_second"}) {
        if (bench.contains(rate)) {
            std::string words = rate;
            std::ranges::replace(words, '_', ' ');
            std::printf("%-24s %10.2f\n", words.c_str(), bench[rate].get<double>());
        }
    }
    std::printf("%-24s %10.1f of %.1f measured (%.1f %%)\n", "GFLOP/s", bench["gflops"].get<double>(),
        bench["peak_gflops"].get<double>(), 100.0 * bench["share_of_peak"].get<double>());
    std::printf(
        "%-24s %10.3f times a plain pass\n", "calibration", bench["calibration_overhead"].get<double>());
    std::printf("%-24s %10.1f MB\n", "peak memory", bench["peak_memory_bytes"].get<double>() / 1e6);
    std::printf("\n%-52s %10s %9s %9s\n", "operator (nodes)", "ms", "share", "GFLOP/s");
    for (const auto& row : bench["operators"]) {
        printRow(row["op"].get<std::string>() + " (" + std::to_string(row["nodes"].get<int>()) + ")", row);
    }
    std::printf("\n%-52s %10s %9s %9s\n", "node", "ms", "share", "GFLOP/s");
    for (const auto& row : bench["nodes"]) {
        printRow(row["op"].get<std::string>() + " " + row["name"].get<std::string>(), row);
    }
}

} // namespace

void declareBench(CLI::App& app, CommandAction& action)
{
    auto arguments = std::make_shared<BenchArguments>();
    CLI::App* command
        = app.add_subcommand("bench", "Speed of the forward pass and of calibration, operator by operator");
    command->add_option("MODEL", arguments->model, "Model directory, .onnx or .h5 file")->required();
    command->add_option("--data", arguments->data, "Samples to run on (default: random ones)");
    command->add_option("--batch", arguments->batch, "Samples at once (default: 8)")
        ->check(CLI::PositiveNumber);
    command->add_option("--samples", arguments->samples, "Samples in one round (default: 32)")
        ->check(CLI::PositiveNumber);
    command->add_option("--seconds", arguments->seconds, "Measure for about this long (default: 5)")
        ->check(CLI::PositiveNumber);
    command->add_flag("--json", arguments->json, "Print one JSON object");
    command->callback([arguments, &action] {
        action = [arguments](Console& console) {
            const auto model = loadModel(arguments->model);
            const ModelBenchmark result
                = benchmarkModel(model, batchesOf(*model, *arguments), arguments->seconds, console.context());
            const nlohmann::json description = describe(*model, result, *arguments);
            if (arguments->json) {
                std::cout << description.dump(1) << '\n';
            } else {
                print(description);
            }
            return 0;
        };
    });
}

} // namespace qs
