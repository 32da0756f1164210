// What the statistics of all sites cost: plain forward passes and calibration over the same decoded images,
// in turns. Usage: bench_calibration MODEL IMAGES [samples = 16] [rounds = 5] [batch = 8]
#include "core/base/parallel.h"
#include "core/eval/calibrate.h"
#include "core/runtime/executor.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <vector>

using namespace qs;

namespace {

/// Decoded images, so that reading them is in neither figure.
class DecodedData final : public DataSource
{
public:
    DecodedData(const DataSource& data, std::int64_t samples)
    {
        for (std::int64_t i = 0; i < std::min(samples, data.size()); ++i) {
            m_samples.push_back(data.load(i));
        }
    }
    [[nodiscard]] std::int64_t size() const override { return static_cast<std::int64_t>(m_samples.size()); }
    [[nodiscard]] std::string sampleName(std::int64_t index) const override
    {
        return "#" + std::to_string(index);
    }
    [[nodiscard]] std::optional<int> label(std::int64_t) const override { return {}; }
    [[nodiscard]] std::filesystem::path samplePath(std::int64_t) const override { return {}; }
    [[nodiscard]] Tensor load(std::int64_t index) const override
    {
        return m_samples[static_cast<std::size_t>(index)];
    }
    [[nodiscard]] std::string hash() const override { return {}; }

private:
    std::vector<Tensor> m_samples;
};

class CountingObserver final : public SiteObserver
{
public:
    explicit CountingObserver(const Model& model)
        : m_model(model)
    {
    }
    [[nodiscard]] bool wants(int site) const override
    {
        return m_model.sites[static_cast<std::size_t>(site)].kind == SiteKind::Activation;
    }
    void observe(int, const ActivationView& view) override { m_values += view.elementCount(); }
    [[nodiscard]] std::int64_t values() const { return m_values; }

private:
    const Model& m_model;
    std::int64_t m_values = 0;
};

/// Milliseconds by the clock on the wall, and of all processors together.
struct Duration
{
    double wall = 0.0;
    double processor = 0.0;
};

class Stopwatch
{
public:
    [[nodiscard]] Duration elapsed() const
    {
        const std::chrono::duration<double, std::milli> wall = std::chrono::steady_clock::now() - m_start;
        return {wall.count(), 1e3 * static_cast<double>(std::clock() - m_processor) / CLOCKS_PER_SEC};
    }

private:
    std::chrono::steady_clock::time_point m_start = std::chrono::steady_clock::now();
    std::clock_t m_processor = std::clock();
};

/// One pass over all samples.
Duration forward(Executor& executor, const DataSource& data, std::int64_t batch, SiteObserver* observer)
{
    const Graph& graph = *executor.model().graph;
    const ValueId output = graph.outputs().front();
    const Stopwatch watch;
    for (std::int64_t first = 0; first < data.size(); first += batch) {
        const Feed feed {
            graph.inputs().front(), loadBatch(data, first, std::min(batch, data.size() - first))};
        (void)executor.run({&feed, 1}, {&output, 1}, observer);
    }
    return watch.elapsed();
}

/// The median of each of the two.
Duration median(std::vector<Duration> durations)
{
    const auto middle = durations.begin() + static_cast<std::ptrdiff_t>(durations.size() / 2);
    std::nth_element(durations.begin(), middle, durations.end(),
        [](const Duration& a, const Duration& b) { return a.processor < b.processor; });
    const double processor = middle->processor;
    std::nth_element(durations.begin(), middle, durations.end(),
        [](const Duration& a, const Duration& b) { return a.wall < b.wall; });
    return {middle->wall, processor};
}

int run(int argc, char** argv)
{
    if (argc < 3) {
        std::fprintf(stderr, "usage: bench_calibration MODEL IMAGES [samples] [rounds] [batch]\n");
        return 2;
    }
    const std::int64_t samples = argc > 3 ? std::atoll(argv[3]) : 16;
    const int rounds = argc > 4 ? std::atoi(argv[4]) : 5;
    const std::int64_t batch = argc > 5 ? std::atoll(argv[5]) : 8;
    const auto model = loadModel(argv[1]);
    const DecodedData data(*openData(argv[2], *model), samples);
    Executor executor(model);
    CountingObserver counting(*model);
    (void)forward(executor, data, batch, &counting); // warms up
    std::vector<Duration> plain;
    std::vector<Duration> observed;
    std::vector<Duration> calibrated;
    for (int round = 0; round < rounds; ++round) {
        plain.push_back(forward(executor, data, batch, nullptr));
        observed.push_back(forward(executor, data, batch, &counting));
        const Stopwatch watch;
        (void)calibrate(executor, data, 0, {}, batch);
        calibrated.push_back(watch.elapsed());
    }
    const auto images = static_cast<double>(data.size());
    std::printf("%d threads, %lld images, batch %lld, %.2f million values an image\n", threadCount(),
        static_cast<long long>(data.size()), static_cast<long long>(batch),
        static_cast<double>(counting.values()) / images / 1e6 / (rounds + 1));
    const auto print = [&](const char* name, const std::vector<Duration>& durations) {
        const Duration middle = median(durations);
        std::printf("%-24s %8.2f ms/image, %8.2f ms/image of processor time\n", name, middle.wall / images,
            middle.processor / images);
        return middle;
    };
    const Duration base = print("plain forward pass", plain);
    (void)print("with an idle observer", observed);
    const Duration full = print("calibration", calibrated);
    std::printf("calibration / plain: %.3f, of processor time %.3f (medians of %d rounds)\n",
        full.wall / base.wall, full.processor / base.processor, rounds);
    return 0;
}

} // namespace

int main(int argc, char** argv)
{
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "bench_calibration: %s\n", error.what());
        return 1;
    }
}
