#include "core/base/parallel.h"
#include "core/gradient/adam.h"
#include "core/gradient/tape.h"
#include "core/graph/cut_values.h"
#include "core/graph/graph_builder.h"
#include "core/io/npz_file.h"

#include <QTest>

#include <cmath>
#include <cstring>

using namespace qs;

/// Against PyTorch's automatic differentiation in float64 (tests/reference/make_gradients.py).
class TestGradientReference : public QObject
{
    Q_OBJECT

private slots:
    void initTestCase();
    void floatingPoint();
    void quantized();
    void sameBitsForAnyThreadCount();
    void adamFollowsPyTorch();
    void decoderOperators_data();
    void decoderOperators();
    void missingBackwardIsNamed();

private:
    [[nodiscard]] Tensor sample(const std::string& array, std::int64_t index) const;
    [[nodiscard]] TapeBindings quantizers() const;
    /// Gradients of all wanted values, summed over the two samples, which run on two tapes at once.
    [[nodiscard]] std::map<ValueId, std::vector<double>> gradients(const TapeBindings& bindings,
        std::map<int, std::vector<double>>* sites = nullptr, std::vector<float>* logits = nullptr) const;
    void compare(const std::string& array, const std::vector<double>& ours, double tolerance) const;

    std::shared_ptr<const Model> m_model;
    std::unique_ptr<NpzFile> m_reference;
    std::vector<ValueId> m_wanted;
    ValueId m_tokens = kNoValue;
};

void TestGradientReference::initTestCase()
{
    m_model = loadModel(std::filesystem::path(QS_TEST_DATA) / "tiny_vit_timm");
    m_reference
        = std::make_unique<NpzFile>(NpzFile::open(std::filesystem::path(QS_TEST_DATA) / "gradients.npz"));
    const Graph& graph = *m_model->graph;
    const NodeId norm = graph.findNode("blocks.0.norm1").value();
    m_tokens = graph.node(norm).inputs[0];
    m_wanted = {m_tokens};
    for (const std::string& name : m_reference->names()) {
        const std::string prefix = "float/gradient/";
        if (name.starts_with(prefix) && name != prefix + "tokens") {
            m_wanted.push_back(graph.findValue(name.substr(prefix.size())).value());
        }
    }
    QCOMPARE(m_wanted.size(), std::size_t {29}); // tokens, 12 per block, norm and head
}

Tensor TestGradientReference::sample(const std::string& array, std::int64_t index) const
{
    const Tensor all = m_reference->read(array);
    const std::int64_t size = all.elementCount() / all.shape()[0];
    std::vector<std::int64_t> dims {1};
    for (std::size_t i = 1; i < all.shape().rank(); ++i) {
        dims.push_back(all.shape()[i]);
    }
    return Tensor::of<float>(Shape(dims),
        all.data<float>().subspan(static_cast<std::size_t>(index * size), static_cast<std::size_t>(size)));
}

TapeBindings TestGradientReference::quantizers() const
{
    TapeBindings bindings;
    for (std::size_t i = 0; i < m_model->sites.size(); ++i) {
        const Site& site = m_model->sites[i];
        if (!m_reference->contains("quantized/site/" + site.name)) {
            continue;
        }
        const Tensor parameters = m_reference->read("quantized/site/" + site.name);
        QuantParams params;
        params.bits = 4;
        params.axis = site.groupAxis;
        params.scales = {parameters.data<float>()[0]};
        params.zeroPoints = {0};
        params.bounds = {Bounds {0.0, 1.0}};
        if (site.role == Role::Softmax) {
            params.kind = QuantizerKind::LogSqrt2;
        } else {
            params.zeroPoints = {static_cast<std::int32_t>(parameters.data<float>()[1])};
        }
        bindings.quantizers[static_cast<int>(i)] = std::make_shared<TrainableQuantizer>(params);
    }
    return bindings;
}

std::map<ValueId, std::vector<double>> TestGradientReference::gradients(
    const TapeBindings& bindings, std::map<int, std::vector<double>>* sites, std::vector<float>* logits) const
{
    const ValueId output = m_model->graph->outputs().front();
    const Section section(m_model, {m_tokens}, {output}, m_wanted);
    BufferPool pool;
    std::vector<std::unique_ptr<Tape>> tapes(2);
    parallelFor(2, 1, [&](std::int64_t begin, std::int64_t) {
        auto tape = std::make_unique<Tape>(section, bindings, pool);
        const Feed feed {m_tokens, sample("tokens", begin)};
        tape->forward({&feed, 1});
        const Feed seed {output, sample("seed", begin)};
        tape->backward({&seed, 1});
        tapes[static_cast<std::size_t>(begin)] = std::move(tape);
    });
    std::map<ValueId, std::vector<double>> sums;
    for (const auto& tape : tapes) {
        const Array& z = tape->value(output);
        if (logits != nullptr) {
            logits->insert(logits->end(), z.f32(), z.f32() + z.count());
        }
        for (const ValueId id : m_wanted) {
            const Array gradient = contiguous(tape->gradient(id), pool);
            std::vector<double>& sum = sums[id];
            const std::size_t offset = id == m_tokens ? sum.size() : 0; // samples stand side by side
            sum.resize(offset + static_cast<std::size_t>(gradient.count()), 0.0);
            for (std::int64_t i = 0; i < gradient.count(); ++i) {
                sum[offset + static_cast<std::size_t>(i)] += static_cast<double>(gradient.f32()[i]);
            }
        }
        for (const auto& [site, quantizer] : bindings.quantizers) {
            const auto part = tape->quantizerGradient(site);
            std::vector<double>& sum = (*sites)[site];
            sum.resize(part.size(), 0.0);
            std::ranges::transform(sum, part, sum.begin(), std::plus<>());
        }
    }
    return sums;
}

void TestGradientReference::compare(
    const std::string& array, const std::vector<double>& ours, double tolerance) const
{
    const Tensor theirs = m_reference->read(array);
    QCOMPARE(static_cast<std::int64_t>(ours.size()), theirs.elementCount());
    double error = 0.0;
    double power = 0.0;
    for (std::size_t i = 0; i < ours.size(); ++i) {
        const auto expected = static_cast<double>(theirs.data<float>()[i]);
        error += (ours[i] - expected) * (ours[i] - expected);
        power += expected * expected;
    }
    const double relative = std::sqrt(error / power);
    QVERIFY2(relative < tolerance, (array + ": " + std::to_string(relative)).c_str());
}

void TestGradientReference::floatingPoint()
{
    std::vector<float> logits;
    const auto ours = gradients({}, nullptr, &logits);
    compare("float/logits", {logits.begin(), logits.end()}, 2e-6);
    for (const auto& [id, values] : ours) {
        const std::string name = id == m_tokens ? "tokens" : m_model->graph->value(id).name;
        compare("float/gradient/" + name, values, 5e-6);
    }
}

void TestGradientReference::quantized()
{
    std::map<int, std::vector<double>> sites;
    std::vector<float> logits;
    const TapeBindings bindings = quantizers();
    QCOMPARE(bindings.quantizers.size(), std::size_t {17}); // 8 per block and the head's input
    const auto ours = gradients(bindings, &sites, &logits);
    compare("quantized/logits", {logits.begin(), logits.end()}, 5e-6);
    for (const auto& [id, values] : ours) {
        const std::string name = id == m_tokens ? "tokens" : m_model->graph->value(id).name;
        compare("quantized/gradient/" + name, values, 2e-5);
    }
    for (auto& [index, values] : sites) {
        const std::string& name = m_model->sites[static_cast<std::size_t>(index)].name;
        values[0]
            /= static_cast<double>(bindings.quantizers.at(index)->params().scales[0]); // of the logarithm
        compare("quantized/site_gradient/" + name, values, 1e-4);
    }
}

void TestGradientReference::sameBitsForAnyThreadCount()
{
    const int before = threadCount();
    setThreadCount(1);
    const auto one = gradients({});
    setThreadCount(2);
    const auto two = gradients({});
    setThreadCount(before);
    QVERIFY(one == two);
}

void TestGradientReference::adamFollowsPyTorch()
{
    const Tensor start = m_reference->read("adam/start");
    const Tensor steps = m_reference->read("adam/gradients");
    const Tensor end = m_reference->read("adam/end");
    std::vector<float> parameters(start.data<float>().begin(), start.data<float>().end());
    Adam adam(parameters.size());
    for (std::int64_t i = 0; i < 5; ++i) {
        adam.step(parameters, steps.data<float>().subspan(static_cast<std::size_t>(i) * 7, 7),
            cosineRate(0.01, i, 5));
    }
    for (std::size_t i = 0; i < 7; ++i) {
        QVERIFY2(std::abs(parameters[i] - end.data<float>()[i]) < 1e-6F,
            (std::to_string(parameters[i]) + " " + std::to_string(end.data<float>()[i])).c_str());
    }
}

void TestGradientReference::decoderOperators_data()
{
    QTest::addColumn<QString>("op");
    QTest::addColumn<QStringList>("inputs");
    QTest::addColumn<QStringList>("constants");
    QTest::newRow("rms") << "RMSNormalization" << QStringList {"x", "gamma"} << QStringList {};
    QTest::newRow("silu") << "Swish" << QStringList {"x"} << QStringList {};
    QTest::newRow("rotary") << "RotaryEmbedding" << QStringList {"x"} << QStringList {"cosines", "sines"};
}

/// RMSNorm, SiLU and rotary embedding, value and gradients.
void TestGradientReference::decoderOperators()
{
    QFETCH(QString, op);
    QFETCH(QStringList, inputs);
    QFETCH(QStringList, constants);
    const std::string key = std::string("operators/") + QTest::currentDataTag() + "/";
    GraphBuilder builder;
    std::vector<ValueId> ids;
    std::vector<Feed> feeds;
    for (const QString& name : inputs) {
        const ValueId id = builder.addInput(name.toStdString(), DType::F32);
        ids.push_back(id);
        feeds.push_back({id, m_reference->read(key + name.toStdString())});
    }
    const std::vector<ValueId> wanted = ids;
    for (const QString& name : constants) {
        ids.push_back(builder.addConstant(name.toStdString(), m_reference->read(key + name.toStdString())));
    }
    if (!constants.isEmpty()) {
        ids.push_back(builder.addConstant(
            "positions", Tensor::of<std::int64_t>(Shape {2, 5}, {0, 1, 2, 3, 4, 0, 1, 2, 3, 4})));
    }
    const ValueId y = builder.addNode(op.toStdString(), "node", ids);
    builder.addOutput(y);
    auto model = std::make_shared<Model>();
    model->graph = builder.build();
    const Section section(model, wanted, {y}, wanted);
    BufferPool pool;
    const TapeBindings bindings;
    Tape tape(section, bindings, pool);
    tape.forward(feeds);
    const auto values = [&](const Array& array) {
        const Array dense = contiguous(array, pool);
        return std::vector<double>(dense.f32(), dense.f32() + dense.count());
    };
    compare(key + "y", values(tape.value(y)), 1e-6);
    const Feed seed {y, m_reference->read(key + "seed")};
    tape.backward({&seed, 1});
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        compare(key + "gradient/" + inputs[static_cast<qsizetype>(i)].toStdString(),
            values(tape.gradient(wanted[i])), 1e-6);
    }
}

void TestGradientReference::missingBackwardIsNamed()
{
    const ValueId pixels = m_model->graph->inputs().front();
    try {
        const Section section(m_model, {pixels}, {m_model->graph->outputs().front()}, {pixels});
        QFAIL("the convolution has no backward pass");
    } catch (const Error& error) {
        QVERIFY(QString(error.what()).contains("Conv"));
    }
}

QTEST_APPLESS_MAIN(TestGradientReference)
#include "tst_gradient_reference.moc"
