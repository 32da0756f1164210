#include "core/base/parallel.h"
#include "core/runtime/executor.h"
#include "tests/core/runtime/small_transformer.h"

#include <QTest>

#include <atomic>
#include <chrono>
#include <cstring>
#include <map>
#include <thread>

using namespace qs;
using namespace qs::testing;

namespace {

bool sameBits(const Tensor& a, const Tensor& b)
{
    return a.shape() == b.shape() && a.byteCount() == b.byteCount()
        && std::memcmp(a.bytes(), b.bytes(), a.byteCount()) == 0;
}

/// Values that depend on the graph's input, in order.
std::vector<ValueId> computedValues(const Graph& graph)
{
    std::vector<ValueId> values;
    for (const Node& node : graph.nodes()) {
        values.insert(values.end(), node.outputs.begin(), node.outputs.end());
    }
    return values;
}

Tensor runOne(
    Executor& executor, ValueId feed, const Tensor& tensor, ValueId fetch, SiteObserver* observer = nullptr)
{
    const Feed given {feed, tensor};
    return executor.run({&given, 1}, {&fetch, 1}, observer).front();
}

/// Copies every view it is shown.
class Recorder : public SiteObserver
{
public:
    [[nodiscard]] bool wants(int site) const override { return only < 0 || site == only; }
    void observe(int site, const ActivationView& view) override
    {
        std::vector<float>& values = seen[site];
        for (std::int64_t b = 0; b < view.batch; ++b) {
            for (std::int64_t h = 0; h < view.heads; ++h) {
                for (std::int64_t r = 0; r < view.rows; ++r) {
                    const float* row = view.row(b, h, r);
                    values.insert(values.end(), row, row + view.width);
                }
            }
        }
        thread = std::this_thread::get_id();
    }
    int only = -1;
    std::map<int, std::vector<float>> seen;
    std::thread::id thread;
};

/// Negates every element.
class Negate : public RowTransform
{
public:
    void transformRow(std::int64_t head, std::span<const float> in, float* out) const override
    {
        for (std::size_t i = 0; i < in.size(); ++i) {
            out[i] = -in[i] * static_cast<float>(head + 1);
        }
    }
};

class Same : public RowTransform
{
public:
    void transformRow(std::int64_t, std::span<const float> in, float* out) const override
    {
        std::memmove(out, in.data(), in.size_bytes());
    }
};

} // namespace

/// x + down(swish(gate(n)) * up(n)) with n the RMS norm of x [B, 9, 24]: the MLP of LLaMA.
std::shared_ptr<const Model> gatedMlp()
{
    std::mt19937 generator(4);
    GraphBuilder builder;
    const auto linear = [&](const std::string& name, ValueId x, std::int64_t inputs, std::int64_t outputs) {
        const ValueId weight
            = builder.addConstant(name + ".weight", randomTensor({outputs, inputs}, generator, 0.2F));
        return builder.addNode("Linear", name, {x, weight}, {{"transB", std::int64_t {1}}});
    };
    const ValueId x = builder.addInput("x", DType::F32, {-1, 9, 24});
    const ValueId scale = builder.addConstant("scale", randomTensor({24}, generator));
    const ValueId norm = builder.addNode(
        "RMSNormalization", "norm", {x, scale}, {{"axis", std::int64_t {-1}}, {"epsilon", 1e-5}});
    const ValueId gate = builder.addNode("Swish", "act", {linear("gate", norm, 24, 40)});
    const ValueId product = builder.addNode("Mul", "mul", {gate, linear("up", norm, 24, 40)});
    builder.addOutput(builder.addNode("Add", "residual", {x, linear("down", product, 40, 24)}));
    auto model = std::make_shared<Model>();
    model->graph = builder.build();
    return model;
}

class TestExecutor : public QObject
{
    Q_OBJECT

    std::shared_ptr<const Model> m_model;
    Tensor m_input;
    Tensor m_otherInput;
    ValueId m_in = kNoValue;
    ValueId m_out = kNoValue;

private slots:
    void initTestCase()
    {
        SmallTransformer maker;
        m_model = maker.make();
        m_input = maker.input(3);
        m_otherInput = maker.input(3);
        m_in = m_model->graph->inputs().front();
        m_out = m_model->graph->outputs().front();
    }
    void cleanup() { setThreadCount(2); }

    void givesTheSameBitsForAnyThreadCount()
    {
        const std::vector<ValueId> all = computedValues(*m_model->graph);
        std::vector<Tensor> expected;
        Tensor logits;
        for (const int threads : {1, 2, 4}) {
            setThreadCount(threads);
            Executor executor(m_model);
            const Feed feed {m_in, m_input};
            const std::vector<Tensor> values = executor.run({&feed, 1}, all);
            const Tensor fused = runOne(executor, m_in, m_input, m_out);
            if (expected.empty()) {
                expected = values;
                logits = fused;
            }
            for (std::size_t i = 0; i < all.size(); ++i) {
                QVERIFY2(sameBits(values[i], expected[i]), m_model->graph->value(all[i]).name.c_str());
            }
            QVERIFY(sameBits(fused, logits));
        }
    }
    void givesTheSameBitsWhateverIsFetched()
    {
        Executor executor(m_model);
        const Tensor logits = runOne(executor, m_in, m_input, m_out);
        for (const ValueId value : computedValues(*m_model->graph)) {
            const std::vector<ValueId> fetches {value, m_out};
            const Feed feed {m_in, m_input};
            const std::vector<Tensor> both = executor.run({&feed, 1}, fetches);
            QVERIFY2(sameBits(both[1], logits), m_model->graph->value(value).name.c_str());
        }
    }
    void aGatedMlpGivesTheSameBitsFusedAndStepByStep()
    {
        const auto model = gatedMlp();
        const Graph& graph = *model->graph;
        std::mt19937 generator(9);
        const Tensor input = randomTensor({3, 9, 24}, generator);
        Executor executor(model);
        const Tensor fused = runOne(executor, graph.inputs().front(), input, graph.outputs().front());
        std::vector<Feed> feeds {{graph.inputs().front(), input}};
        for (const Node& node : graph.nodes()) { // every node alone, from what the one before gave
            const ValueId output = node.outputs.front();
            feeds.push_back({output, executor.run(feeds, {&output, 1}).front()});
        }
        QVERIFY(sameBits(feeds.back().tensor, fused));
    }
    void suffixEqualsTheFullRun()
    {
        Executor executor(m_model);
        const Tensor logits = runOne(executor, m_in, m_input, m_out);
        for (const char* name : {"blocks.0.residual1", "blocks.0.residual2", "blocks.1.residual1", "norm"}) {
            const ValueId value = *m_model->graph->findValue(name);
            const Tensor inner = runOne(executor, m_in, m_input, value);
            QVERIFY2(sameBits(runOne(executor, value, inner, m_out), logits), name);
        }
    }
    void aLayerRunsAloneFromItsInputs()
    {
        Executor executor(m_model);
        const Graph& graph = *m_model->graph;
        for (const char* name : {"blocks.1.attn.matmul1", "blocks.1.attn.matmul2", "blocks.1.mlp.fc2"}) {
            const Node& node = graph.node(*graph.findNode(name));
            std::vector<Feed> feeds;
            for (const ValueId input : node.inputs) {
                if (!graph.value(input).isConstant()) {
                    feeds.push_back({input, runOne(executor, m_in, m_input, input)});
                }
            }
            const ValueId output = node.outputs.front();
            const Tensor alone = executor.run(feeds, {&output, 1}).front();
            QVERIFY2(sameBits(alone, runOne(executor, m_in, m_input, output)), name);
        }
    }
    void aSamplesResultDoesNotDependOnTheBatch()
    {
        Executor executor(m_model);
        const Tensor all = runOne(executor, m_in, m_input, m_out);
        const std::int64_t width = m_input.elementCount() / 3;
        for (std::int64_t i = 0; i < 3; ++i) {
            Shape one {1, m_input.shape()[1], m_input.shape()[2]};
            const auto sample = m_input.data<float>().subspan(
                static_cast<std::size_t>(i * width), static_cast<std::size_t>(width));
            const Tensor alone = runOne(executor, m_in, Tensor::of<float>(one, sample), m_out);
            QCOMPARE(std::memcmp(alone.bytes(), all.bytes() + static_cast<std::size_t>(i) * alone.byteCount(),
                         alone.byteCount()),
                0);
        }
    }
    void observersSeeEverySiteOnTheCallingThread()
    {
        Executor executor(m_model);
        Recorder recorder;
        const Tensor logits = runOne(executor, m_in, m_input, m_out, &recorder);
        QVERIFY(sameBits(logits, runOne(executor, m_in, m_input, m_out)));
        QVERIFY(recorder.thread == std::this_thread::get_id());
        for (int i = 0; i < static_cast<int>(m_model->sites.size()); ++i) {
            const Site& site = m_model->sites[static_cast<std::size_t>(i)];
            if (site.kind == SiteKind::Weight) {
                QVERIFY(!recorder.seen.contains(i));
                continue;
            }
            const Tensor value = runOne(executor, m_in, m_input, site.value);
            const auto values = value.data<float>();
            QVERIFY2(recorder.seen[i] == std::vector<float>(values.begin(), values.end()), site.name.c_str());
        }
    }
    void observingOneSiteChangesNothing()
    {
        Executor executor(m_model);
        const Tensor logits = runOne(executor, m_in, m_input, m_out);
        for (int i = 0; i < static_cast<int>(m_model->sites.size()); ++i) {
            Recorder recorder;
            recorder.only = i;
            QVERIFY(sameBits(logits, runOne(executor, m_in, m_input, m_out, &recorder)));
            const bool isActivation
                = m_model->sites[static_cast<std::size_t>(i)].kind == SiteKind::Activation;
            QCOMPARE(recorder.seen.size(), std::size_t {isActivation ? 1U : 0U});
        }
    }
    void transformsReachTheReadersAlone()
    {
        // Computed by hand from parts: feed the readers' value transformed, keep the raw value elsewhere.
        const Graph& graph = *m_model->graph;
        for (int i = 0; i < static_cast<int>(m_model->sites.size()); ++i) {
            const Site& site = m_model->sites[static_cast<std::size_t>(i)];
            if (site.kind == SiteKind::Weight) {
                continue;
            }
            Executor executor(m_model);
            executor.setSiteTransform(i, std::make_shared<Negate>());
            Recorder recorder;
            recorder.only = i;
            const ValueId reached = graph.node(site.readers.front().first).outputs.front();
            const std::vector<ValueId> fetches {site.value, reached, m_out};
            const Feed feed {m_in, m_input};
            const std::vector<Tensor> values = executor.run({&feed, 1}, fetches, &recorder);

            Executor plain(m_model);
            const Tensor raw = runOne(plain, m_in, m_input, site.value);
            QVERIFY2(sameBits(values[0], raw), site.name.c_str());
            QVERIFY(
                recorder.seen[i] == std::vector<float>(raw.data<float>().begin(), raw.data<float>().end()));

            Tensor negated(DType::F32, raw.shape());
            const std::int64_t perHead
                = site.groupAxis == GroupAxis::Head ? raw.shape()[2] * raw.shape()[3] : raw.elementCount();
            const std::int64_t heads = site.groupAxis == GroupAxis::Head ? raw.shape()[1] : 1;
            for (std::int64_t e = 0; e < raw.elementCount(); ++e) {
                const auto at = static_cast<std::size_t>(e);
                negated.mutableData<float>()[at]
                    = -raw.data<float>()[at] * static_cast<float>(e / perHead % heads + 1);
            }
            std::vector<Feed> feeds {{site.value, negated}};
            for (const ValueId input : graph.node(site.readers.front().first).inputs) {
                if (input != site.value && !graph.value(input).isConstant()) {
                    feeds.push_back({input, runOne(plain, m_in, m_input, input)});
                }
            }
            QVERIFY2(sameBits(plain.run(feeds, {&reached, 1}).front(), values[1]), site.name.c_str());
            // without fetching anything inside, the fused form gives the same logits
            QVERIFY2(sameBits(runOne(executor, m_in, m_input, m_out), values[2]), site.name.c_str());
            executor.setSiteTransform(i, nullptr);
            QVERIFY(sameBits(runOne(executor, m_in, m_input, m_out), runOne(plain, m_in, m_input, m_out)));
        }
    }
    void residualAdditionsReadTheRawValue()
    {
        // The block input feeds norm1 and the residual; its normalised form is the site, so negating that
        // site must leave what the residual adds untouched: with qkv weights 0 the block's attention adds
        // only biases.
        Executor executor(m_model);
        const Graph& graph = *m_model->graph;
        const int site = indexOfSite(m_model->sites, "blocks.1.mlp.fc1.input");
        QVERIFY(site >= 0);
        executor.setSiteTransform(site, std::make_shared<Negate>());
        Executor plain(m_model);
        const ValueId before = *graph.findValue("blocks.1.residual1");
        QVERIFY(sameBits(runOne(executor, m_in, m_input, before), runOne(plain, m_in, m_input, before)));
    }
    void identityTransformsOnAllSitesChangeNothing()
    {
        Executor executor(m_model);
        const Tensor logits = runOne(executor, m_in, m_input, m_out);
        for (int i = 0; i < static_cast<int>(m_model->sites.size()); ++i) {
            if (m_model->sites[static_cast<std::size_t>(i)].kind == SiteKind::Activation) {
                executor.setSiteTransform(i, std::make_shared<Same>());
            }
        }
        QVERIFY(sameBits(runOne(executor, m_in, m_input, m_out), logits));
        Recorder recorder;
        QVERIFY(sameBits(runOne(executor, m_in, m_input, m_out, &recorder), logits));
    }
    void aReplacedWeightIsUsedUntilRestored()
    {
        Executor executor(m_model);
        const Tensor logits = runOne(executor, m_in, m_input, m_out);
        const Graph& graph = *m_model->graph;
        const ValueId weight = *graph.findValue("head.weight");
        const ValueId bias = *graph.findValue("head.bias");
        executor.setConstant(weight, Tensor::zeros(DType::F32, graph.value(weight).constant.shape()));
        const Tensor zeroed = runOne(executor, m_in, m_input, m_out);
        for (std::int64_t i = 0; i < zeroed.elementCount(); ++i) {
            QCOMPARE(zeroed.data<float>()[static_cast<std::size_t>(i)],
                graph.value(bias).constant.data<float>()[static_cast<std::size_t>(i % 10)]);
        }
        executor.setConstant(weight, Tensor());
        QVERIFY(sameBits(runOne(executor, m_in, m_input, m_out), logits));
        QVERIFY_EXCEPTION_THROWN(executor.setConstant(weight, Tensor::zeros(DType::F32, {2, 2})), Error);
        QVERIFY_EXCEPTION_THROWN(executor.setConstant(m_out, Tensor()), Error);
    }
    void fetchedTensorsOutliveTheExecutor()
    {
        Tensor kept;
        Tensor expected;
        {
            Executor executor(m_model);
            kept = runOne(executor, m_in, m_input, m_out);
            expected = Tensor::of<float>(kept.shape(), kept.data<float>());
            Tensor second = runOne(executor, m_in, m_otherInput, m_out);
            QVERIFY(!sameBits(second, kept));
        }
        QVERIFY(sameBits(kept, expected));
    }
    void namesTheOperatorItCannotRun()
    {
        GraphBuilder builder;
        const ValueId x = builder.addInput("x", DType::F32, {-1, 4});
        builder.addOutput(builder.addNode("Hologram", "layer.7", {x}));
        auto model = std::make_shared<Model>();
        model->graph = builder.build();
        try {
            Executor executor(model);
            QFAIL("accepted");
        } catch (const Error& error) {
            QCOMPARE(error.code(), ErrorCode::Unsupported);
            QVERIFY(QString(error.what()).contains("Hologram") && QString(error.what()).contains("layer.7"));
        }
    }
    void refusesWhatDoesNotFit()
    {
        Executor executor(m_model);
        const auto codeOf = [&](std::vector<Feed> feeds, ValueId fetch) {
            try {
                static_cast<void>(executor.run(feeds, {&fetch, 1}));
            } catch (const Error& error) {
                return error.code();
            }
            return ErrorCode::Internal;
        };
        QCOMPARE(codeOf({}, m_out), ErrorCode::InvalidArgument);
        QCOMPARE(codeOf({{m_in, Tensor::zeros(DType::F32, {2, 5})}}, m_out), ErrorCode::ShapeMismatch);
        QCOMPARE(codeOf({{m_in, m_input}}, 100000), ErrorCode::InvalidArgument);
        QCOMPARE(codeOf({{-1, m_input}}, m_out), ErrorCode::InvalidArgument);
        const ValueId inner = *m_model->graph->findValue("blocks.1.residual1");
        QCOMPARE(codeOf({{inner, Tensor::zeros(DType::F32, {2, 21, 23})}}, m_out), ErrorCode::ShapeMismatch);
        QVERIFY(sameBits(runOne(executor, m_in, m_input, m_out), runOne(executor, m_in, m_input, m_out)));
    }
    void reportsProgressToTheEnd()
    {
        Executor executor(m_model);
        std::vector<Progress> reports;
        TaskContext context;
        context.onProgress = [&](const Progress& p) { reports.push_back(p); };
        const Feed feed {m_in, m_input};
        static_cast<void>(executor.run({&feed, 1}, {&m_out, 1}, nullptr, context));
        QVERIFY(reports.size() >= 2);
        QCOMPARE(reports.front().done, std::int64_t {0});
        QCOMPARE(reports.back().done, reports.back().total);
    }
    void stopsWithinATenthOfASecond()
    {
        SmallTransformerOptions options {6, 300, 8, 64, 10}; // seconds of work in one run of batch 32
        SmallTransformer maker(options);
        const auto model = maker.make();
        Executor executor(model);
        const Tensor big = maker.input(32);
        using Clock = std::chrono::steady_clock;
        for (const int delay : {0, 30, 120, 250}) {
            std::stop_source source;
            std::atomic<Clock::time_point> asked {Clock::time_point::max()};
            std::jthread stopper([&] {
                std::this_thread::sleep_for(std::chrono::milliseconds(delay));
                asked = Clock::now();
                source.request_stop();
            });
            const Feed feed {model->graph->inputs().front(), big};
            const ValueId out = model->graph->outputs().front();
            try {
                static_cast<void>(executor.run({&feed, 1}, {&out, 1}, nullptr, {source.get_token(), {}}));
                QFAIL("ran to the end");
            } catch (const Error& error) {
                const auto took = Clock::now() - asked.load();
                QCOMPARE(error.code(), ErrorCode::Cancelled);
                QVERIFY2(took < std::chrono::milliseconds(100),
                    std::to_string(std::chrono::duration<double, std::milli>(took).count()).c_str());
            }
        }
    }
};

QTEST_GUILESS_MAIN(TestExecutor)
#include "tst_executor.moc"
