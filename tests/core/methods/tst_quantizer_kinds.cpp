#include "core/eval/evaluate.h"
#include "core/eval/model_feeds.h"
#include "core/methods/repquant_fast.h"
#include "core/methods/sequential_calibration.h"
#include "core/methods/shifted_input.h"
#include "core/quant/fake_quantizer.h"

#include <QTest>

#include <set>

using namespace qs;

/// Which sites of the demo get logarithmic quantizers, against runs of the layers themselves.
class TestQuantizerKinds : public QObject
{
    Q_OBJECT

    MethodInput m_input;

    /// Keeps what reaches one site.
    class Probe final : public SiteObserver
    {
    public:
        Probe(const Site& site, int index, const SiteChoice& choice)
            : m_site(site)
            , m_index(index)
            , m_choice(choice)
        {
        }
        [[nodiscard]] bool wants(int site) const override { return site == m_index; }
        void observe(int, const ActivationView& view) override
        {
            params = quantizerOfValues(m_site, m_choice, view);
        }
        QuantParams params;

    private:
        const Site& m_site;
        int m_index;
        SiteChoice m_choice;
    };

    /// Mean squared error of what reads the site when only the site is quantized, over the first 8 samples;
    /// bounds from the values of all samples, not from histograms.
    static double outputError(const MethodInput& input, int site, QuantizerKind kind, int bits)
    {
        const Model& model = *input.model;
        const Site& at = model.sites[static_cast<std::size_t>(site)];
        SiteChoice choice;
        choice.kind = kind;
        choice.bits = bits;
        choice.method = BoundMethod::Mse;
        Executor executor(input.model);
        Probe probe(at, site, choice);
        const ValueId output = model.graph->node(at.readers.front().first).outputs.front();
        const auto run = [&](SiteObserver* observer) {
            return executor.run(feedsOf(*model.graph, input.samples), {&output, 1}, observer).front();
        };
        const Tensor exact = run(&probe);
        executor.setSiteTransform(site, std::make_shared<FakeQuantizer>(probe.params));
        const Tensor quantized = run(nullptr);
        const auto count = static_cast<std::size_t>(exact.elementCount() / exact.shape()[0] * 8);
        double sum = 0.0;
        for (std::size_t i = 0; i < count; ++i) {
            const double error = static_cast<double>(exact.data<float>()[i])
                - static_cast<double>(quantized.data<float>()[i]);
            sum += error * error;
        }
        return sum / static_cast<double>(count);
    }

private slots:
    void initTestCase()
    {
        const std::shared_ptr<const Model> model = loadModel(QS_DEMO);
        m_input = methodInput(model, *openData(QS_DEMO "/calib", *model), 16);
    }
    void theLayerBehindDecides_data()
    {
        QTest::addColumn<int>("bits");
        for (const int bits : {3, 4, 6, 8}) {
            QTest::addRow("%d bits", bits) << bits;
        }
    }
    void theLayerBehindDecides()
    {
        QFETCH(int, bits);
        MethodOptions options;
        options.activationBits = bits;
        options.softmaxKind = QuantizerKind::LogSqrt2;
        options.geluKind = QuantizerKind::LogSqrt2;
        const ShiftedInput shifted = shiftedInput(m_input, options);
        QVERIFY(!shifted.shifts.empty());
        std::set<std::string> sites;
        for (const auto& [name, kind] : shifted.kinds) {
            sites.insert(name);
        }
        const SiteKinds chosen = kindsOfLeastLayerError(shifted.input, sites, bits);
        QCOMPARE(chosen.size(), sites.size());
        int decided = 0;
        for (const auto& [name, kind] : chosen) {
            const int site = indexOfSite(shifted.input.model->sites, name);
            const auto errorOf
                = [&](QuantizerKind each) { return outputError(shifted.input, site, each, bits); };
            const QuantizerKind few = bits <= 3 ? QuantizerKind::AdaLog : QuantizerKind::LogSqrt2;
            const double logarithmic = errorOf(few);
            const double uniform = errorOf(QuantizerKind::Uniform);
            if (std::max(logarithmic, uniform) < 1.1 * std::min(logarithmic, uniform)) {
                continue; // the bounds' own difference may decide
            }
            ++decided;
            QVERIFY2(kind == (uniform < logarithmic ? QuantizerKind::Uniform : few),
                qPrintable(QStringLiteral("%1: %2 against %3")
                               .arg(QString::fromStdString(name))
                               .arg(logarithmic)
                               .arg(uniform)));
        }
        QVERIFY(decided > 0);
    }
    void fewBitsAreLogarithmicAndManyUniform()
    {
        const auto kindsAt = [&](int bits) {
            MethodOptions options;
            options.activationBits = bits;
            std::multiset<QuantizerKind> kinds;
            for (const auto& [site, kind] : shiftedInput(m_input, options).kinds) {
                kinds.insert(kind);
            }
            return kinds;
        };
        QVERIFY(kindsAt(8).count(QuantizerKind::Uniform) > kindsAt(4).count(QuantizerKind::Uniform));
    }
    void aGivenKindIsTaken()
    {
        MethodOptions options;
        options.activationBits = 8;
        options.softmaxKind = QuantizerKind::AdaLog;
        options.geluKind = QuantizerKind::Uniform;
        const ShiftedInput shifted = shiftedInput(m_input, options);
        QVERIFY(shifted.shifts.empty());
        QCOMPARE(shifted.input.model.get(), m_input.model.get());
        for (const Site& site : m_input.model->sites) {
            const auto kind = shifted.kinds.find(site.name);
            if (kind != shifted.kinds.end()) {
                QVERIFY(kind->second
                    == (site.role == Role::Softmax ? QuantizerKind::AdaLog : QuantizerKind::Uniform));
            }
        }
        options.without = {Ingredient::LogSqrt2Softmax, Ingredient::LogGelu};
        QVERIFY(shiftedInput(m_input, options).kinds.empty());
    }
    void atEightBitsTheResultIsBetterThanWithLogarithms()
    {
        MethodOptions options;
        options.weightBits = 8;
        options.activationBits = 8;
        const auto data = openData(QS_DEMO "/eval", *m_input.model);
        Executor fp32(m_input.model);
        const Fp32Reference reference = computeReference(fp32, *data, 64);
        const auto errorOf = [&] {
            const MethodResult result = quantizeRepquantFast(m_input, options);
            return evaluatePlan(result.model, result.quantizers, *data, reference, {}, m_input.model)
                .metrics.klNats;
        };
        const double chosen = errorOf();
        options.softmaxKind = QuantizerKind::LogSqrt2;
        options.geluKind = QuantizerKind::LogSqrt2;
        const double logarithmic = errorOf();
        qInfo("W8A8 repquant-fast, 64 of the demo's samples: KL %.6f, with logarithms %.6f", chosen,
            logarithmic);
        QVERIFY(chosen < logarithmic);
    }
};

QTEST_GUILESS_MAIN(TestQuantizerKinds)
#include "tst_quantizer_kinds.moc"
