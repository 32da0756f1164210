#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/eval/calibrate.h"
#include "core/eval/sensitivity_json.h"
#include "core/graph/graph_builder.h"

#include <nlohmann/json.hpp>

#include <QFile>
#include <QTest>

#include <cmath>

using namespace qs;

namespace {

/// Samples and labels in memory.
class LabelledData final : public DataSource
{
public:
    LabelledData(Tensor samples, std::vector<int> labels)
        : m_samples(std::move(samples))
        , m_labels(std::move(labels))
    {
    }
    [[nodiscard]] std::int64_t size() const override { return m_samples.shape()[0]; }
    [[nodiscard]] std::string sampleName(std::int64_t index) const override
    {
        return "#" + std::to_string(index);
    }
    [[nodiscard]] std::optional<int> label(std::int64_t index) const override
    {
        return m_labels.at(static_cast<std::size_t>(index));
    }
    [[nodiscard]] std::filesystem::path samplePath(std::int64_t) const override { return {}; }
    [[nodiscard]] Tensor load(std::int64_t index) const override
    {
        const auto size = static_cast<std::size_t>(m_samples.shape()[1]);
        return Tensor::of<float>(Shape {m_samples.shape()[1]},
            m_samples.data<float>().subspan(static_cast<std::size_t>(index) * size, size));
    }
    [[nodiscard]] std::string hash() const override { return "memory"; }

private:
    Tensor m_samples;
    std::vector<int> m_labels;
};

Tensor matrix(const nlohmann::json& rows)
{
    std::vector<float> values;
    for (const auto& row : rows) {
        for (const auto& value : row) {
            values.push_back(value.get<float>());
        }
    }
    return Tensor::of<float>(
        Shape {static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(rows.front().size())},
        values);
}

bool same(const std::vector<SiteSensitivity>& a, const std::vector<SiteSensitivity>& b)
{
    const auto text = [](const std::vector<SiteSensitivity>& results) {
        std::string all;
        for (const SiteSensitivity& result : results) {
            all += sensitivityAsJson(result).dump() + '\n'; // shortest digits that read back the same
        }
        return all;
    };
    return text(a) == text(b);
}

} // namespace

/// Sensitivity of a small classifier against NumPy (tests/reference/make_sensitivity.py).
class TestSensitivity : public QObject
{
    Q_OBJECT
private slots:
    void initTestCase()
    {
        QFile file(QStringLiteral(QS_TEST_DATA "/sensitivity.json"));
        QVERIFY(file.open(QIODevice::ReadOnly));
        m_expected = nlohmann::json::parse(file.readAll().toStdString());
        const Tensor w1 = matrix(m_expected["w1"]);
        const Tensor w2 = matrix(m_expected["w2"]);
        GraphBuilder b;
        ValueId x = b.addInput("x", DType::F32, {-1, w1.shape()[1]});
        x = b.addNode("Linear", "fc1", {x, b.addConstant("fc1.weight", w1)}, {{"transB", std::int64_t {1}}});
        x = b.addNode("Gelu", "act", {x}, {{"approximate", std::string("none")}});
        x = b.addNode("Linear", "fc2", {x, b.addConstant("fc2.weight", w2)}, {{"transB", std::int64_t {1}}});
        b.setDims(x, {-1, w2.shape()[0]});
        b.addOutput(x);
        auto model = std::make_shared<Model>();
        model->hash = "small";
        model->graph = b.build();
        model->sites = findSites(*model->graph);
        m_model = model;
        m_data = std::make_shared<LabelledData>(
            matrix(m_expected["x"]), m_expected["labels"].get<std::vector<int>>());
        m_calibration = calibrate(m_model, *m_data, 0);
        for (const Site& site : m_model->sites) {
            SiteChoice& choice = m_plan.choices[site.name];
            choice.enabled = true;
            choice.bits = 3;
            if (site.kind == SiteKind::Weight) {
                choice.granularity = Granularity::Group;
            } else {
                const auto& bounds = m_expected["manual"][site.name];
                choice.method = BoundMethod::Manual;
                choice.manualBounds = {{bounds[0].get<double>(), bounds[1].get<double>()}};
            }
        }
        m_options.samples = 0;
        m_options.widths = {3, 4};
        m_options.causes = true;
        m_options.bootstrap = {m_expected["resamples"].get<std::int64_t>(),
            m_expected["seed"].get<std::uint64_t>(), m_expected["coverage"].get<double>()};
        m_results = measure(m_options);
    }
    void cleanup() { setThreadCount(2); }

    void figuresAndIntervalsAreNumPys()
    {
        const auto& sites = m_expected["sites"];
        QCOMPARE(m_results.size(), sites.size());
        for (std::size_t i = 0; i < sites.size(); ++i) {
            const auto& expected = sites[i];
            const SiteSensitivity& found = m_results[i];
            QCOMPARE(found.site, expected["site"].get<std::string>());
            QCOMPARE(found.bits, expected["bits"].get<int>());
            QCOMPARE(found.samples, m_data->size());
            close(found.klNats, expected["kl"]);
            close(found.logitsSqnrDb, expected["sqnr_db"]);
            close(100.0 - found.agreementPercent, expected["changed"]);
            close(*found.top1DropPercent, expected["top1_drop"]);
            close(found.intervals->klNats, expected["kl_interval"]);
            close(found.intervals->changedPercent, expected["changed_interval"]);
            close(found.intervals->logitsSqnrDb, expected["sqnr_db_interval"]);
            close(*found.intervals->top1DropPercent, expected["top1_drop_interval"]);
            QVERIFY(!found.nllNats && !found.intervals->nllIncreaseNats);
            close(*found.clippingAlone, expected["clipping"]);
            close(*found.roundingAlone, expected["rounding"]);
            if (expected["clipped"].get<int>() == 0) {
                QVERIFY(std::isinf(found.clippingAlone->logitsSqnrDb));
                QCOMPARE(found.roundingAlone->klNats, found.klNats);
            }
        }
    }
    void sameBitsHoweverTheSamplesAreHeldAndForAnyThreads()
    {
        SensitivityOptions options = m_options;
        options.cacheBytes = 1; // a batch at a time
        QVERIFY(same(measure(options), m_results));
        setThreadCount(1);
        QVERIFY(same(measure(m_options), m_results));
    }
    void withoutCausesTheRestIsTheSame()
    {
        SensitivityOptions options = m_options;
        options.causes = false;
        const auto results = measure(options);
        for (std::size_t i = 0; i < results.size(); ++i) {
            QCOMPARE(results[i].klNats, m_results[i].klNats);
            QCOMPARE(*results[i].intervals, *m_results[i].intervals);
            QVERIFY(!results[i].clippingAlone);
        }
    }
    void onlyWhatChangedIsMeasuredAgain()
    {
        SensitivityOptions options = m_options;
        options.known = m_results;
        for (SiteSensitivity& result : options.known) {
            result.klNats = -1.0; // shows where it comes from
        }
        Plan plan = m_plan;
        plan.choices["fc2.input"].manualBounds = {{-0.3, 1.1}};
        int calls = 0;
        const auto results = measureSensitivity(m_model, plan, *m_calibration, *m_data, options, {},
            [&](const std::vector<SiteSensitivity>& soFar) {
                QCOMPARE(soFar.size(), std::size_t(7 + calls++)); // 6 known of 8
            });
        QCOMPARE(calls, 2);
        for (const SiteSensitivity& result : results) {
            QCOMPARE(result.klNats == -1.0, result.site != "fc2.input");
        }
        SensitivityOptions other = options;
        other.bootstrap.seed += 1; // another basis: nothing of the known ones may be taken
        for (const SiteSensitivity& result : measure(other)) {
            QVERIFY(result.klNats >= 0.0);
        }
    }
    void jsonComesBackTheSame()
    {
        std::vector<SiteSensitivity> read;
        for (const SiteSensitivity& result : m_results) {
            const nlohmann::json json = nlohmann::json::parse(sensitivityAsJson(result).dump());
            read.push_back(sensitivityFrom(JsonReader(json, "")));
            QVERIFY(read.back().choice == result.choice);
            QVERIFY(*read.back().intervals == *result.intervals);
            QVERIFY(*read.back().clippingAlone == *result.clippingAlone);
        }
        QVERIFY(same(read, m_results));
    }
    void cancelledAtOnceAndOnBadWidths()
    {
        std::stop_source source;
        const TaskContext context {source.get_token(), {}};
        try {
            (void)measureSensitivity(m_model, m_plan, *m_calibration, *m_data, m_options, context,
                [&](const std::vector<SiteSensitivity>&) { source.request_stop(); });
            QFAIL("was not cancelled");
        } catch (const Error& error) {
            QCOMPARE(error.code(), ErrorCode::Cancelled);
        }
        SensitivityOptions options = m_options;
        options.widths = {4, 17};
        QVERIFY_EXCEPTION_THROWN((void)measure(options), Error);
    }
    void intervalsNarrowWithMoreSamplesAndDegenerateOnesAreKnown()
    {
        const auto mean = [](std::span<const std::size_t> draws, std::span<double> values) {
            double sum = 0.0;
            for (const std::size_t draw : draws) {
                sum += static_cast<double>(draw % 10);
            }
            values[0] = sum / static_cast<double>(draws.size());
        };
        const BootstrapInterval few = bootstrapIntervals(10, 1, {}, mean).front();
        const BootstrapInterval many = bootstrapIntervals(1000, 1, {}, mean).front();
        QVERIFY(many.upper - many.lower < 0.2 * (few.upper - few.lower)); // a tenth by the square root
        QVERIFY(few.lower < 4.5 && few.upper > 4.5 && many.lower < 4.5 && many.upper > 4.5);
        const BootstrapInterval one = bootstrapIntervals(1, 1, {}, mean).front();
        QCOMPARE(one.lower, 0.0);
        QCOMPARE(one.upper, 0.0);
        QVERIFY(std::isnan(bootstrapIntervals(0, 1, {}, mean).front().lower));
    }

private:
    [[nodiscard]] std::vector<SiteSensitivity> measure(const SensitivityOptions& options) const
    {
        return measureSensitivity(m_model, m_plan, *m_calibration, *m_data, options);
    }
    /// Products here are in single precision, NumPy's in double.
    static void close(double found, const nlohmann::json& expected)
    {
        if (expected.is_null()) {
            QVERIFY(std::isinf(found));
            return;
        }
        const auto value = expected.get<double>();
        QVERIFY2(std::abs(found - value) <= 1e-5 * std::max(1.0, std::abs(value)),
            qPrintable(QStringLiteral("%1 instead of %2").arg(found).arg(value)));
    }
    static void close(const BootstrapInterval& found, const nlohmann::json& expected)
    {
        close(found.lower, expected[0]);
        close(found.upper, expected[1]);
    }
    static void close(const CauseEffect& found, const nlohmann::json& expected)
    {
        close(found.klNats, expected["kl"]);
        close(found.changedPercent, expected["changed"]);
        close(found.logitsSqnrDb, expected["sqnr_db"]);
    }

    nlohmann::json m_expected;
    std::shared_ptr<const Model> m_model;
    std::shared_ptr<const DataSource> m_data;
    std::shared_ptr<const Calibration> m_calibration;
    Plan m_plan;
    SensitivityOptions m_options;
    std::vector<SiteSensitivity> m_results;
};

QTEST_GUILESS_MAIN(TestSensitivity)
#include "tst_sensitivity.moc"
