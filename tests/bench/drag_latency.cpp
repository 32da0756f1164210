// Latency of the three error speeds while a bound is dragged, as the window computes them.
// Usage: qs_drag_latency MODEL IMAGES [SITE]      prints one line per figure; the site defaults to the
// largest one.
#include "core/base/error.h"
#include "core/eval/calibrate.h"
#include "core/eval/incremental_evaluator.h"
#include "core/eval/plan_resolver.h"
#include "core/quant/quantization_error.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

using namespace qs;
using Clock = std::chrono::steady_clock;

namespace {

double millisecondsSince(Clock::time_point start)
{
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

double percentile(std::vector<double> values, double p)
{
    std::ranges::sort(values);
    const auto index = static_cast<std::size_t>(std::ceil(p * static_cast<double>(values.size()))) - 1;
    return values[std::min(index, values.size() - 1)];
}

void print(const char* what, const std::vector<double>& values)
{
    std::printf("%-44s n %4zu   median %8.3f ms   p99 %8.3f ms   max %8.3f ms\n", what, values.size(),
        percentile(values, 0.5), percentile(values, 0.99), percentile(values, 1.0));
}

/// The bound of the site at step `i` of a drag from its maximum to half of it.
SiteChoice dragged(const SiteStatistics& statistics, int i, int steps)
{
    SiteChoice choice;
    choice.enabled = true;
    choice.bits = 4;
    choice.method = BoundMethod::Manual;
    const double upper = statistics.maximum() * (1.0 - 0.5 * i / steps);
    choice.manualBounds = {{std::min<double>(statistics.minimum(), 0.0), upper}};
    return choice;
}

int largestSite(const Model& model, const Calibration& calibration)
{
    int best = -1;
    std::uint64_t most = 0;
    for (int i = 0; i < static_cast<int>(model.sites.size()); ++i) {
        const auto statistics = calibration.find(model.sites[static_cast<std::size_t>(i)].name);
        if (statistics && statistics->count() > most) {
            most = statistics->count();
            best = i;
        }
    }
    return best;
}

} // namespace

int main(int argc, char** argv)
try {
    if (argc < 3) {
        std::fprintf(stderr, "usage: qs_drag_latency MODEL IMAGES [SITE]\n");
        return 2;
    }
    const auto model = loadModel(argv[1]);
    const auto data = openData(argv[2], *model);
    const auto calibration = calibrate(model, *data, 32);
    const int site = argc > 3 ? indexOfSite(model->sites, argv[3]) : largestSite(*model, *calibration);
    if (site < 0) {
        std::fprintf(stderr, "no such site\n");
        return 1;
    }
    const std::string name = model->sites[static_cast<std::size_t>(site)].name;
    const SiteStatistics& statistics = *calibration->find(name);
    std::printf("site %s: %llu values of %lld samples in %zu groups\n", name.c_str(),
        static_cast<unsigned long long>(statistics.count()), static_cast<long long>(calibration->sampleCount),
        statistics.groups.size());

    constexpr int kMoves = 500;
    std::vector<double> times;
    for (int i = 0; i < kMoves; ++i) {
        const auto start = Clock::now();
        const QuantParams params = resolveActivation(dragged(statistics, i, kMoves), statistics);
        const QuantizationError error = quantizationError(statistics, params);
        times.push_back(millisecondsSince(start));
        if (!(error.total() >= 0.0)) {
            return 1;
        }
    }
    print("tensor error, every mouse move", times);

    IncrementalEvaluator evaluator(model, loadBatch(*data, 0, std::min<std::int64_t>(8, data->size())));
    evaluator.prepare();
    times.clear();
    for (int i = 0; i < 100; ++i) {
        const auto start = Clock::now();
        (void)evaluator.layerError(site, resolveActivation(dragged(statistics, i, 100), statistics));
        times.push_back(millisecondsSince(start));
    }
    print("layer error, 8 samples", times);

    PresetOptions options;
    options.weightBits = 4;
    options.activationBits = 4;
    Plan plan = makePreset(model->sites, options);
    PlanResolver resolver(model, calibration);
    std::string lastBlock;
    for (int i = 0; i < static_cast<int>(model->sites.size()); ++i) {
        const Site& candidate = model->sites[static_cast<std::size_t>(i)];
        if (candidate.kind != SiteKind::Activation || candidate.block == lastBlock) {
            continue;
        }
        lastBlock = candidate.block;
        times.clear();
        for (int move = 0; move < 20; ++move) {
            Plan edited = plan;
            const auto& moved = *calibration->find(candidate.name);
            edited.choices[candidate.name] = dragged(moved, move, 20);
            const auto start = Clock::now();
            (void)evaluator.modelError(resolver.resolve(edited), i);
            times.push_back(millisecondsSince(start));
        }
        print(("model error, 8 samples, " + candidate.name).c_str(), times);
    }

    times.clear();
    for (int i = 0; i < 20; ++i) {
        Plan edited = plan;
        edited.choices[name] = dragged(statistics, i, 20);
        std::stop_source source;
        Clock::time_point asked;
        std::thread hand([&] {
            std::this_thread::sleep_for(std::chrono::milliseconds(3 + i));
            asked = Clock::now();
            source.request_stop();
        });
        bool cancelled = false;
        try {
            (void)evaluator.modelError(resolver.resolve(edited), site, {source.get_token(), {}});
        } catch (const Error& error) {
            cancelled = error.code() == ErrorCode::Cancelled;
        }
        const auto end = Clock::now();
        hand.join();
        if (cancelled) {
            times.push_back(std::chrono::duration<double, std::milli>(end - asked).count());
        }
    }
    if (!times.empty()) {
        print("superseded: from new move to free", times);
    }
    return 0;
} catch (const Error& error) {
    std::fprintf(stderr, "qs_drag_latency: %s\n", error.what());
    return 1;
}
