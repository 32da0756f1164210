#include "core/base/parallel.h"
#include "core/eval/plan_applier.h"
#include "core/io/npz_file.h"
#include "core/methods/block_reconstruction.h"
#include "core/methods/output_curvature.h"
#include "core/methods/repq_vit.h"
#include "core/methods/repquant.h"
#include "tests/core/runtime/small_transformer.h"

#include <QTemporaryDir>
#include <QTest>

#include <cmath>
#include <cstring>

using namespace qs;
using namespace qs::testing;

namespace {

bool sameBits(const Tensor& a, const Tensor& b)
{
    return a.shape() == b.shape() && std::memcmp(a.bytes(), b.bytes(), a.byteCount()) == 0;
}

double relativeDifference(std::span<const float> ours, std::span<const float> theirs)
{
    double error = 0.0;
    double power = 0.0;
    for (std::size_t i = 0; i < theirs.size(); ++i) {
        const double difference = static_cast<double>(ours[i]) - static_cast<double>(theirs[i]);
        error += difference * difference;
        power += static_cast<double>(theirs[i]) * static_cast<double>(theirs[i]);
    }
    return std::sqrt(error / power);
}

} // namespace

class TestBlockReconstruction : public QObject
{
    Q_OBJECT

private slots:
    void initTestCase();
    void findsBlocks();
    void curvatureIsTheFisherDiagonal();
    void trainsAsPyTorch();
    void repquantComesCloser();
    void sameBitsForAnyThreadCount();
    void goesOnAfterCancel();
    void refusesAnotherRunsState();

private:
    [[nodiscard]] MethodInput input() const { return {m_model, m_samples, "0123"}; }
    [[nodiscard]] MethodOptions options() const
    {
        MethodOptions result;
        result.iterations = 12;
        return result;
    }
    [[nodiscard]] double errorOf(const MethodResult& result) const;

    std::shared_ptr<const Model> m_model;
    Tensor m_samples;
};

void TestBlockReconstruction::initTestCase()
{
    SmallTransformer transformer;
    m_model = transformer.make();
    m_samples = transformer.input(10);
}

void TestBlockReconstruction::findsBlocks()
{
    const auto blocks = findBlockSections(*m_model);
    QCOMPARE(blocks.size(), std::size_t {2});
    QCOMPARE(blocks[0].name, std::string("blocks.0"));
    QCOMPARE(blocks[0].feed, m_model->graph->inputs().front());
    QCOMPARE(blocks[0].fetch, m_model->graph->findValue("blocks.0.residual2").value());
    QCOMPARE(blocks[1].feed, blocks[0].fetch);
    QCOMPARE(blocks[1].fetch, m_model->graph->findValue("blocks.1.residual2").value());
}

/// One linear layer behind the "block": the expectation over labels can be written down.
void TestBlockReconstruction::curvatureIsTheFisherDiagonal()
{
    std::mt19937 generator(3);
    GraphBuilder builder;
    const ValueId x = builder.addInput("x", DType::F32, {-1, 4});
    const ValueId y = builder.addNode("Tanh", "block", {x});
    const Tensor weight = randomTensor({3, 4}, generator);
    const ValueId z = builder.addNode(
        "Linear", "head", {y, builder.addConstant("w", weight)}, {{"transB", std::int64_t {1}}});
    builder.addOutput(z);
    auto model = std::make_shared<Model>();
    model->graph = builder.build();
    const Tensor inputs = randomTensor({1, 4}, generator);
    const auto curvature = outputCurvature(model, {{"block", x, y}}, inputs, 20000, 1);
    double p[3];
    double sum = 0.0;
    for (int c = 0; c < 3; ++c) {
        double logit = 0.0;
        for (int i = 0; i < 4; ++i) {
            logit += static_cast<double>(weight.data<float>()[static_cast<std::size_t>(4 * c + i)])
                * std::tanh(static_cast<double>(inputs.data<float>()[static_cast<std::size_t>(i)]));
        }
        p[c] = std::exp(logit);
        sum += p[c];
    }
    double expected[4] {};
    double mean = 0.0;
    for (int i = 0; i < 4; ++i) {
        for (int label = 0; label < 3; ++label) {
            double gradient = 0.0;
            for (int c = 0; c < 3; ++c) {
                gradient += (p[c] / sum - (c == label ? 1.0 : 0.0))
                    * static_cast<double>(weight.data<float>()[static_cast<std::size_t>(4 * c + i)]);
            }
            expected[i] += p[label] / sum * gradient * gradient;
        }
        mean += expected[i] / 4.0;
    }
    QCOMPARE(curvature.size(), std::size_t {1});
    for (int i = 0; i < 4; ++i) {
        const double ours = static_cast<double>(curvature[0][static_cast<std::size_t>(i)]);
        QVERIFY2(std::abs(ours - (expected[i] / mean + 1e-3)) < 0.03,
            (std::to_string(ours) + " " + std::to_string(expected[i] / mean)).c_str());
    }
}

/// Three iterations against PyTorch in float64 (tests/reference/make_gradients.py).
void TestBlockReconstruction::trainsAsPyTorch()
{
    const auto model = loadModel(std::filesystem::path(QS_TEST_DATA) / "tiny_vit_timm");
    const NpzFile reference = NpzFile::open(std::filesystem::path(QS_TEST_DATA) / "gradients.npz");
    const BlockSection block = findBlockSections(*model).front();
    QCOMPARE(block.name, std::string("blocks.0"));
    ResolvedPlan quantizers;
    for (const Site& site : model->sites) {
        if (site.block != block.name) {
            continue;
        }
        QuantParams params;
        params.bits = 4;
        params.axis = site.groupAxis;
        if (site.kind == SiteKind::Weight) {
            const Tensor scales = reference.read("train/scale/" + site.name);
            const Tensor zeros = reference.read("train/zero/" + site.name);
            params.granularity = Granularity::Group;
            params.scales.assign(scales.data<float>().begin(), scales.data<float>().end());
            params.zeroPoints.assign(zeros.data<float>().begin(), zeros.data<float>().end());
        } else {
            const Tensor start = reference.read("train/site/" + site.name);
            params.kind = site.role == Role::Softmax ? QuantizerKind::LogSqrt2 : QuantizerKind::Uniform;
            params.scales = {start.data<float>()[0]};
            params.zeroPoints
                = {static_cast<std::int32_t>(site.role == Role::Softmax ? 0.0F : start.data<float>()[1])};
        }
        params.bounds.resize(params.scales.size());
        quantizers[site.name] = params;
    }
    QCOMPARE(quantizers.size(), std::size_t {12});
    TrainingOptions training;
    training.iterations = 3;
    training.warmUp = 0.0;
    SectionTrainer trainer(model, block, quantizers, training);
    const Tensor tokens = reference.read("tokens");
    const Section teacher(model, {block.feed}, {block.fetch}, {});
    Tensor targets(DType::F32, tokens.shape());
    for (std::int64_t i = 0; i < 2; ++i) {
        BufferPool pool;
        const TapeBindings none;
        Tape tape(teacher, none, pool);
        const std::int64_t size = tokens.elementCount() / 2;
        const Feed feed {block.feed,
            Tensor::of<float>({1, 5, 32},
                tokens.data<float>().subspan(
                    static_cast<std::size_t>(i * size), static_cast<std::size_t>(size)))};
        tape.forward({&feed, 1});
        std::copy_n(contiguous(tape.value(block.fetch), pool).f32(), size,
            targets.mutableData<float>().data() + i * size);
    }
    const Tensor importance = reference.read("train/importance");
    const Tensor losses = reference.read("train/losses");
    const std::int64_t rows[] {0, 1};
    for (std::size_t i = 0; i < 3; ++i) {
        const double loss = trainer.step(tokens, targets, rows, importance.data<float>());
        const auto expected = static_cast<double>(losses.data<float>()[i]);
        // a value near the middle between two codes may fall to the other side in float
        QVERIFY2(std::abs(loss - expected) < (i < 2 ? 1e-3 : 1e-2) * expected,
            (std::to_string(i) + ": " + std::to_string(loss) + " " + std::to_string(expected)).c_str());
    }
    std::map<std::string, RewrittenConstant> constants;
    trainer.store(constants, quantizers);
    QCOMPARE(constants.size(), std::size_t {12});
    for (const auto& [name, constant] : constants) {
        const Tensor end = reference.read("train/end/" + name);
        const double difference = relativeDifference(constant.values.data<float>(), end.data<float>());
        // single codes may differ, and Adam moves parameters without a gradient (the key bias) by rounding
        // errors
        QVERIFY2(difference < 2e-2, (name + ": " + std::to_string(difference)).c_str());
    }
    for (const auto& [name, params] : quantizers) {
        if (reference.contains("train/end_site/" + name)) {
            const auto end = static_cast<double>(reference.read("train/end_site/" + name).data<float>()[0]);
            QVERIFY2(std::abs(static_cast<double>(params.scales[0]) - end) < 1e-4 * end, name.c_str());
        }
    }
    const Tensor output = reference.read("train/output");
    const double ours = relativeDifference(trainer.run(tokens).data<float>(), targets.data<float>());
    const double theirs = relativeDifference(output.data<float>(), targets.data<float>());
    QVERIFY2(std::abs(ours - theirs) < 0.03 * theirs,
        (std::to_string(ours) + " " + std::to_string(theirs)).c_str());
}

/// Relative error of the last block's output for the class token, which alone reaches the logits.
double TestBlockReconstruction::errorOf(const MethodResult& result) const
{
    const ValueId output = m_model->graph->findValue("pool").value();
    const Feed feed {m_model->graph->inputs().front(), m_samples};
    const Tensor exact = Executor(m_model).run({&feed, 1}, {&output, 1}).front();
    Executor executor(result.model);
    PlanApplier(executor).apply(result.quantizers);
    const ValueId rewrittenOutput = result.model->graph->findValue("pool").value();
    const Tensor quantized = executor.run({&feed, 1}, {&rewrittenOutput, 1}).front();
    return relativeDifference(quantized.data<float>(), exact.data<float>());
}

void TestBlockReconstruction::repquantComesCloser()
{
    MethodOptions many = options();
    many.iterations = 60;
    std::vector<LossPoint> curve;
    many.onLoss = [&](const LossPoint& point) { curve.push_back(point); };
    const MethodResult trained = quantizeRepquant(input(), many);
    const double before = errorOf(quantizeRepqVit(input(), options()));
    const double after = errorOf(trained);
    QVERIFY2(after < 0.98 * before, (std::to_string(before) + " " + std::to_string(after)).c_str());
    QCOMPARE(curve.size(), std::size_t {120});
    QCOMPARE(curve[60].block, std::string("blocks.1"));
    QCOMPARE(trained.layers.size(), std::size_t {2});
    QVERIFY(trained.layers[0].errorAfter < trained.layers[0].errorBefore);
    for (const auto& [name, constant] : trained.rewriting.constants) {
        if (!constant.site.empty()) { // what is stored lies on its own grid
            QVERIFY(sameBits(constant.values,
                fakeQuantizedWeight(
                    constant.values, trained.quantizers.at(constant.site), constant.channelAxis)));
        }
    }
}

void TestBlockReconstruction::sameBitsForAnyThreadCount()
{
    const int before = threadCount();
    setThreadCount(1);
    const MethodResult one = quantizeRepquant(input(), options());
    setThreadCount(3);
    const MethodResult three = quantizeRepquant(input(), options());
    setThreadCount(before);
    QVERIFY(one.quantizers == three.quantizers);
    QCOMPARE(one.rewriting.constants.size(), three.rewriting.constants.size());
    for (const auto& [name, constant] : one.rewriting.constants) {
        QVERIFY2(sameBits(constant.values, three.rewriting.constants.at(name).values), name.c_str());
    }
}

void TestBlockReconstruction::goesOnAfterCancel()
{
    const MethodResult whole = quantizeRepquant(input(), options());
    const QTemporaryDir folder;
    MethodOptions kept = options();
    kept.resume = std::filesystem::path(folder.path().toStdString()) / "state.h5";
    std::stop_source stop;
    kept.onLoss = [&](const LossPoint& point) {
        if (point.blockIndex == 1 && point.iteration == 3) {
            stop.request_stop();
        }
    };
    try {
        (void)quantizeRepquant(input(), kept, {stop.get_token(), {}});
        QFAIL("it was cancelled");
    } catch (const Error& error) {
        QCOMPARE(error.code(), ErrorCode::Cancelled);
    }
    QVERIFY(std::filesystem::exists(kept.resume));
    int points = 0;
    kept.onLoss = [&](const LossPoint& point) { points += point.blockIndex == 0 ? 100 : 1; };
    const MethodResult resumed = quantizeRepquant(input(), kept);
    QCOMPARE(points, 12); // only the second block
    QVERIFY(whole.quantizers == resumed.quantizers);
    for (const auto& [name, constant] : whole.rewriting.constants) {
        QVERIFY2(sameBits(constant.values, resumed.rewriting.constants.at(name).values), name.c_str());
    }
}

void TestBlockReconstruction::refusesAnotherRunsState()
{
    const QTemporaryDir folder;
    MethodOptions kept = options();
    kept.iterations = 1;
    kept.resume = std::filesystem::path(folder.path().toStdString()) / "state.h5";
    (void)quantizeRepquant(input(), kept);
    kept.seed = 5;
    try {
        (void)quantizeRepquant(input(), kept);
        QFAIL("the seed differs");
    } catch (const Error& error) {
        QCOMPARE(error.code(), ErrorCode::InvalidArgument);
    }
}

QTEST_APPLESS_MAIN(TestBlockReconstruction)
#include "tst_block_reconstruction.moc"
