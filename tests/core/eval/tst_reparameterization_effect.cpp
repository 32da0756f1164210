#include "core/eval/calibrate.h"
#include "core/eval/model_feeds.h"
#include "core/eval/reparameterization_effect.h"

#include <QTest>

#include <cmath>
#include <map>

using namespace qs;

namespace {

constexpr std::int64_t kSamples = 6;

Tensor randomImages()
{
    Tensor samples(DType::F32, Shape {kSamples, 3, 16, 16});
    std::uint32_t state = 5;
    for (float& value : samples.mutableData<float>()) {
        state = state * 1664525U + 1013904223U;
        value = static_cast<float>(state >> 8U) / 8388608.0F - 1.0F;
    }
    return samples;
}

class Images : public DataSource
{
public:
    [[nodiscard]] std::int64_t size() const override { return kSamples; }
    [[nodiscard]] Tensor load(std::int64_t index) const override
    {
        const auto all = m_samples.data<float>();
        const std::size_t count = 3 * 16 * 16;
        return Tensor::of<float>(
            Shape {3, 16, 16}, all.subspan(static_cast<std::size_t>(index) * count, count));
    }
    [[nodiscard]] std::string sampleName(std::int64_t) const override { return "image"; }
    [[nodiscard]] std::optional<int> label(std::int64_t) const override { return std::nullopt; }
    [[nodiscard]] std::filesystem::path samplePath(std::int64_t) const override { return {}; }
    [[nodiscard]] std::string hash() const override { return "images"; }

private:
    Tensor m_samples = randomImages();
};

/// Fake quantization as methods.md 0.2 writes it, in double.
double quantized(double x, double scale, double zeroPoint, int bits)
{
    const double code = std::clamp(std::nearbyint(x / scale) + zeroPoint, 0.0, std::pow(2.0, bits) - 1.0);
    return (code - zeroPoint) * scale;
}

double decibel(double signal, double noise)
{
    return 10.0 * std::log10(signal / noise);
}

} // namespace

/// The figures of the what-if screen, against plain loops over the values themselves.
class TestReparameterizationEffect : public QObject
{
    Q_OBJECT

    std::shared_ptr<const Model> m_model;
    std::shared_ptr<const Calibration> m_calibration;
    NormSite m_norm;
    Plan m_plan;
    Tensor m_input; ///< FP32 values of the site, [rows, width]
    ReparameterizationEffect m_effect;

    [[nodiscard]] Tensor fetched(const Model& model, ValueId value) const
    {
        Executor executor(std::make_shared<Model>(model));
        return executor.run(feedsOf(*model.graph, randomImages()), {&value, 1}).front();
    }
    [[nodiscard]] const Site& site() const { return m_model->sites[static_cast<std::size_t>(m_norm.site)]; }
    [[nodiscard]] const Node& linear() const { return m_model->graph->node(m_norm.linears.front()); }
    [[nodiscard]] std::size_t width() const { return static_cast<std::size_t>(site().groups); }
    /// SQNR of the site's values under one quantizer, or one per channel.
    [[nodiscard]] double activationDb(const QuantParams& params) const
    {
        double signal = 0.0;
        double noise = 0.0;
        const auto values = m_input.data<float>();
        for (std::size_t i = 0; i < values.size(); ++i) {
            const std::size_t c = params.scales.size() == 1 ? 0 : i % width();
            const double x = static_cast<double>(values[i]);
            const double difference
                = x - quantized(x, static_cast<double>(params.scales[c]), params.zeroPoints[c], params.bits);
            signal += x * x;
            noise += difference * difference;
        }
        return decibel(signal, noise);
    }

private slots:
    void initTestCase()
    {
        m_model = loadModel(QS_TEST_DATA "/tiny_vit_timm");
        m_calibration = calibrate(m_model, Images(), 0);
        m_norm = findNormSites(*m_model).at(1);
        m_plan = makePreset(m_model->sites, {.weightBits = 4, .activationBits = 4});
        m_input = fetched(*m_model, site().value);
        m_effect = measureReparameterization(m_model, m_norm, m_plan, *m_calibration, randomImages());
    }
    void theActivationsErrorIsThatOfItsValues()
    {
        QVERIFY(std::abs(m_effect.errorBefore.sqnrDb() - activationDb(m_effect.before)) < 0.05);
        QVERIFY(std::abs(m_effect.errorAfter.sqnrDb() - activationDb(m_effect.change.channels)) < 0.05);
        QVERIFY(m_effect.errorAfter.sqnrDb() > m_effect.errorBefore.sqnrDb());
    }
    void rangesAreThoseOfTheValuesAndOfTheRewrittenOnes()
    {
        const auto after = reparameterized(*m_model, {m_effect.change});
        const int index = indexOfSite(after->sites, site().name);
        const Tensor rewritten = fetched(*after, after->sites[static_cast<std::size_t>(index)].value);
        std::vector<Bounds> before(width(), {1e30, -1e30});
        std::vector<Bounds> now = before;
        for (std::size_t i = 0; i < m_input.data<float>().size(); ++i) {
            const auto extend = [&](Bounds& bounds, const Tensor& values) {
                const double x = static_cast<double>(values.data<float>()[i]);
                bounds = {std::min(bounds.lower, x), std::max(bounds.upper, x)};
            };
            extend(before[i % width()], m_input);
            extend(now[i % width()], rewritten);
        }
        for (std::size_t c = 0; c < width(); ++c) {
            QCOMPARE(m_effect.ranges[c].lower, before[c].lower);
            QCOMPARE(m_effect.ranges[c].upper, before[c].upper);
            const double tolerance = 1e-5 * (now[c].upper - now[c].lower + std::abs(now[c].upper));
            QVERIFY(std::abs(m_effect.rewrittenRanges[c].lower - now[c].lower) < tolerance);
            QVERIFY(std::abs(m_effect.rewrittenRanges[c].upper - now[c].upper) < tolerance);
        }
    }
    void weightAndOutputErrorsAreThoseOfPlainLoops()
    {
        const auto after = reparameterized(*m_model, {m_effect.change});
        const LinearEffect& effect = m_effect.linears.front();
        QCOMPARE(effect.layer, linear().name);
        const auto rows = m_input.data<float>().size() / width();
        std::vector<double> exact;
        for (const bool isAfter : {false, true}) {
            const Graph& graph = isAfter ? *after->graph : *m_model->graph;
            const Node& node = graph.node(*graph.findNode(linear().name));
            QCOMPARE(node.intAttribute("transB", 0), std::int64_t {1});
            const Tensor weight = graph.value(node.inputs[1]).constant.toF32();
            const Tensor bias = graph.value(node.inputs[2]).constant.toF32();
            const auto outputs = static_cast<std::size_t>(weight.shape()[0]);
            std::vector<double> rounded(outputs * width());
            double signal = 0.0;
            double noise = 0.0;
            for (std::size_t n = 0; n < outputs; ++n) { // 4 bits, asymmetric min-max per output channel
                float least = 1e30F;
                float most = -1e30F;
                for (std::size_t c = 0; c < width(); ++c) {
                    least = std::min(least, weight.data<float>()[n * width() + c]);
                    most = std::max(most, weight.data<float>()[n * width() + c]);
                }
                const float scale = (most - least) / 15.0F;
                const double zero = std::nearbyint(static_cast<double>(-least / scale));
                for (std::size_t c = 0; c < width(); ++c) {
                    const double w = static_cast<double>(weight.data<float>()[n * width() + c]);
                    const double q = quantized(w, static_cast<double>(scale), zero, 4);
                    rounded[n * width() + c] = q;
                    signal += w * w;
                    noise += (w - q) * (w - q);
                }
            }
            const double weightDb = isAfter ? effect.weightDbAfter : effect.weightDbBefore;
            QVERIFY2(std::abs(weightDb - decibel(signal, noise)) < 0.02,
                qPrintable(QStringLiteral("%1 %2").arg(weightDb).arg(decibel(signal, noise))));

            const int index = indexOfSite(after->sites, site().name);
            const Tensor values
                = isAfter ? fetched(*after, after->sites[static_cast<std::size_t>(index)].value) : m_input;
            const QuantParams& params = isAfter ? m_effect.change.tensor : m_effect.before;
            double outputSignal = 0.0;
            double outputNoise = 0.0;
            std::size_t at = 0;
            for (std::size_t row = 0; row < rows; ++row) {
                for (std::size_t n = 0; n < outputs; ++n, ++at) {
                    double plain = static_cast<double>(bias.data<float>()[n]);
                    double coarse = plain;
                    for (std::size_t c = 0; c < width(); ++c) {
                        const double x = static_cast<double>(values.data<float>()[row * width() + c]);
                        plain += x * static_cast<double>(weight.data<float>()[n * width() + c]);
                        coarse += quantized(x, static_cast<double>(params.scales[0]), params.zeroPoints[0], 4)
                            * rounded[n * width() + c];
                    }
                    if (!isAfter) {
                        exact.push_back(plain);
                    }
                    outputSignal += exact[at] * exact[at];
                    outputNoise += (exact[at] - coarse) * (exact[at] - coarse);
                }
            }
            const double outputDb = isAfter ? effect.outputDbAfter : effect.outputDbBefore;
            QVERIFY2(std::abs(outputDb - decibel(outputSignal, outputNoise)) < 0.1,
                qPrintable(QStringLiteral("%1 %2").arg(outputDb).arg(decibel(outputSignal, outputNoise))));
        }
    }
    void theModelInFloatingPointSaysTheSame()
    {
        QVERIFY(m_effect.largestRelativeDifference > 0.0); // another order of the same sums
        QVERIFY(m_effect.largestRelativeDifference < 1e-5);
        QCOMPARE(m_effect.samples, kSamples);
    }
    void boundsPerChannelOfThePlanAreTaken()
    {
        Plan plan = m_plan;
        SiteChoice& choice = plan.choices.at(site().name);
        choice.granularity = Granularity::Group;
        choice.method = BoundMethod::Manual;
        choice.manualBounds.assign(width(), {-1.0, 2.0});
        choice.manualBounds[3] = {-0.5, 1.0};
        const QuantParams params = channelQuantizer(*m_model, m_norm, plan, *m_calibration);
        QCOMPARE(params.scales[0], 3.0F / 15.0F);
        QCOMPARE(params.scales[3], 1.5F / 15.0F);
        QCOMPARE(params.zeroPoints[3], 5);
    }
};

QTEST_GUILESS_MAIN(TestReparameterizationEffect)
#include "tst_reparameterization_effect.moc"
