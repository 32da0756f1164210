// What the statistics of all sites cost: plain forward passes and calibration over the same decoded images,
// in turns. Usage: bench_calibration MODEL IMAGES [samples = 16] [rounds = 5] [batch = 8]
#include "core/base/parallel.h"
#include "core/eval/calibrate.h"
#include "core/runtime/executor.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
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

double milliseconds(std::chrono::steady_clock::time_point since)
{
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - since).count();
}

/// One pass over all samples; milliseconds.
double forward(Executor& executor, const DataSource& data, std::int64_t batch, SiteObserver* observer)
{
    const Graph& graph = *executor.model().graph;
    const ValueId output = graph.outputs().front();
    const auto start = std::chrono::steady_clock::now();
    for (std::int64_t first = 0; first < data.size(); first += batch) {
        const Feed feed {
            graph.inputs().front(), loadBatch(data, first, std::min(batch, data.size() - first))};
        (void)executor.run({&feed, 1}, {&output, 1}, observer);
    }
    return milliseconds(start);
}

double median(std::vector<double> values)
{
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
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
    std::vector<double> plain;
    std::vector<double> observed;
    std::vector<double> calibrated;
    for (int round = 0; round < rounds; ++round) {
        plain.push_back(forward(executor, data, batch, nullptr));
        observed.push_back(forward(executor, data, batch, &counting));
        const auto start = std::chrono::steady_clock::now();
        (void)calibrate(model, data, 0, {}, batch);
        calibrated.push_back(milliseconds(start));
    }
    const auto images = static_cast<double>(data.size());
    std::printf("%d threads, %lld images, batch %lld, %.2f million values an image\n", threadCount(),
        static_cast<long long>(data.size()), static_cast<long long>(batch),
        static_cast<double>(counting.values()) / images / 1e6 / (rounds + 1));
    const auto print = [&](const char* name, const std::vector<double>& times) {
        std::printf("%-28s median %7.2f ms/image, best %7.2f\n", name, median(times) / images,
            *std::min_element(times.begin(), times.end()) / images);
    };
    print("plain forward pass", plain);
    print("with an idle observer", observed);
    print("calibration", calibrated);
    std::printf("calibration / plain: median %.3f, best %.3f\n", median(calibrated) / median(plain),
        *std::min_element(calibrated.begin(), calibrated.end())
            / *std::min_element(plain.begin(), plain.end()));
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
