#include "core/base/parallel.h"
#include "core/eval/plan_applier.h"
#include "core/io/npz_file.h"
#include "core/methods/block_reconstruction.h"
#include "core/methods/output_curvature.h"
#include "core/methods/repq_vit.h"
#include "core/methods/repquant.h"
#include "core/methods/repquant_fast.h"
#include "core/methods/section_run.h"
#include "core/methods/sequential_calibration.h"
#include "tests/core/runtime/small_transformer.h"
#include "tests/support/failure_of.h"

#include <QTemporaryDir>
#include <QTest>

#include <cmath>
#include <cstring>

using namespace qs;
using namespace qs::test;
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
    void trainsTogetherAsPyTorch();
    void repquantComesCloser();
    void sameBitsForAnyThreadCount();
    void goesOnAfterCancel();
    void goesOnWithinTheLastStage();
    void leavesOutIngredients();
    void learnedBoundsSayWhatIsClipped();
    void sampleBySampleFindsTheSame();
    void repquantFastSampleBySampleIsTheSame();
    void refusesViewsOfWhatIsNoImage();
    void refusesAnotherRunsState();

private:
    void cancelAt(int block, std::int64_t iteration, MethodOptions kept);
    [[nodiscard]] MethodInput input() const { return {m_model, m_samples, "0123"}; }
    [[nodiscard]] MethodOptions options() const
    {
        MethodOptions result;
        result.iterations = 12;
        result.endToEndIterations = 14; // beyond one checkpoint
        return result;
    }
    [[nodiscard]] static ResolvedPlan startOf(
        const Model& model, const NpzFile& reference, const std::string& key);
    static void compareWithPyTorch(
        const TrainingResult& result, const NpzFile& reference, const std::string& key);
    [[nodiscard]] double errorOf(const MethodResult& result) const;
    static void compareBits(const MethodResult& one, const MethodResult& other);

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
    const Feed feed {x, inputs};
    const auto curvature = outputCurvature(model, {{"block", x, y}}, {&feed, 1}, 20000, 1);
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

/// What make_gradients.py started the training of the first blocks from.
ResolvedPlan TestBlockReconstruction::startOf(
    const Model& model, const NpzFile& reference, const std::string& key)
{
    ResolvedPlan quantizers;
    for (const Site& site : model.sites) {
        const bool isWeight = site.kind == SiteKind::Weight;
        if (!reference.contains(key + (isWeight ? "/scale/" : "/site/") + site.name)) {
            continue;
        }
        QuantParams params;
        params.bits = 4;
        params.axis = site.groupAxis;
        if (isWeight) {
            const Tensor scales = reference.read(key + "/scale/" + site.name);
            const Tensor zeros = reference.read(key + "/zero/" + site.name);
            params.granularity = Granularity::Group;
            params.scales.assign(scales.data<float>().begin(), scales.data<float>().end());
            params.zeroPoints.assign(zeros.data<float>().begin(), zeros.data<float>().end());
        } else {
            const Tensor start = reference.read(key + "/site/" + site.name);
            params.kind = site.role == Role::Softmax ? QuantizerKind::LogSqrt2 : QuantizerKind::Uniform;
            params.scales = {start.data<float>()[0]};
            params.zeroPoints
                = {static_cast<std::int32_t>(site.role == Role::Softmax ? 0.0F : start.data<float>()[1])};
        }
        params.bounds.resize(params.scales.size());
        quantizers[site.name] = params;
    }
    return quantizers;
}

void TestBlockReconstruction::compareWithPyTorch(
    const TrainingResult& result, const NpzFile& reference, const std::string& key)
{
    for (const auto& [name, constant] : result.constants) {
        const Tensor end = reference.read(key + "/end/" + name);
        const double difference = relativeDifference(constant.values.data<float>(), end.data<float>());
        // single codes may differ, and Adam moves parameters without a gradient (the key bias) by rounding
        // errors
        QVERIFY2(difference < 2e-2, (name + ": " + std::to_string(difference)).c_str());
    }
    for (const auto& [name, params] : result.quantizers) {
        if (reference.contains(key + "/end_site/" + name)) {
            const auto end = static_cast<double>(reference.read(key + "/end_site/" + name).data<float>()[0]);
            QVERIFY2(std::abs(static_cast<double>(params.scales[0]) - end) < 1e-4 * end, name.c_str());
        }
    }
}

/// Three iterations against PyTorch in float64 (tests/reference/make_gradients.py).
void TestBlockReconstruction::trainsAsPyTorch()
{
    const auto model = loadModel(std::filesystem::path(QS_TEST_DATA) / "tiny_vit_timm");
    const NpzFile reference = NpzFile::open(std::filesystem::path(QS_TEST_DATA) / "gradients.npz");
    const BlockSection block = findBlockSections(*model).front();
    QCOMPARE(block.name, std::string("blocks.0"));
    const ResolvedPlan quantizers = startOf(*model, reference, "train");
    QCOMPARE(quantizers.size(), std::size_t {12});
    TrainingOptions training;
    training.schedule = {3, 0.0};
    SectionTrainer trainer(model, {block.feed}, {block.fetch}, quantizers, training);
    const Tensor tokens = reference.read("tokens");
    const Feed feed {block.feed, tokens};
    const Tensor importance = reference.read("train/importance/0");
    // relative to the power, as there: the noise of gradients that are 0 then stays below Adam's epsilon
    const auto power = static_cast<double>(reference.read("train/power").data<float>()[0]);
    const TrainingGoal goal {reference.read("train/target/0"), importance.data<float>(), 2.0 / power};
    const Tensor losses = reference.read("train/losses");
    const std::int64_t rows[] {0, 1};
    for (std::size_t i = 0; i < 3; ++i) {
        const double loss = trainer.step({&feed, 1}, {&goal, 1}, rows);
        const auto expected = static_cast<double>(losses.data<float>()[i]);
        // a value near the middle between two codes may fall to the other side in float
        QVERIFY2(std::abs(loss - expected) < (i < 2 ? 1e-3 : 1e-2) * expected,
            (std::to_string(i) + ": " + std::to_string(loss) + " " + std::to_string(expected)).c_str());
    }
    TrainingResult result;
    trainer.store(result);
    QCOMPARE(result.constants.size(), std::size_t {12});
    QCOMPARE(result.codes.size(), std::size_t {4});
    compareWithPyTorch(result, reference, "train");
    const Tensor output = reference.read("train/output");
    const double ours = relativeDifference(trainer.run({&feed, 1}).data<float>(), goal.targets.data<float>());
    const double theirs = relativeDifference(output.data<float>(), goal.targets.data<float>());
    QVERIFY2(std::abs(ours - theirs) < 0.03 * theirs,
        (std::to_string(ours) + " " + std::to_string(theirs)).c_str());
}

/// The same of both blocks at once.
void TestBlockReconstruction::trainsTogetherAsPyTorch()
{
    const auto model = loadModel(std::filesystem::path(QS_TEST_DATA) / "tiny_vit_timm");
    const NpzFile reference = NpzFile::open(std::filesystem::path(QS_TEST_DATA) / "gradients.npz");
    TrainingResult result;
    result.quantizers = startOf(*model, reference, "together");
    QCOMPARE(result.quantizers.size(), std::size_t {24});
    const Tensor tokens = reference.read("tokens");
    std::vector<std::vector<float>> importance;
    for (const char* block : {"0", "1"}) {
        const Tensor values = reference.read(std::string("together/importance/") + block);
        importance.emplace_back(values.data<float>().begin(), values.data<float>().end());
    }
    EndToEndOptions options;
    options.training.schedule = {3, 0.0};
    std::vector<double> losses;
    options.onStep = [&](std::int64_t, double loss) { losses.push_back(loss); };
    trainEndToEnd(model, model, {findBlockSections(*model).front().feed, tokens, tokens, {}}, importance,
        result, {}, options);
    const Tensor expected = reference.read("together/losses");
    QCOMPARE(losses.size(), std::size_t {3});
    for (std::size_t i = 0; i < 3; ++i) {
        const auto theirs = static_cast<double>(expected.data<float>()[i]);
        QVERIFY2(std::abs(losses[i] - theirs) < (i < 2 ? 2e-3 : 1e-2) * theirs,
            (std::to_string(i) + ": " + std::to_string(losses[i]) + " " + std::to_string(theirs)).c_str());
    }
    QCOMPARE(result.constants.size(), std::size_t {24});
    compareWithPyTorch(result, reference, "together");
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
    many.endToEndIterations = 20;
    std::vector<LossPoint> curve;
    many.onLoss = [&](const LossPoint& point) { curve.push_back(point); };
    const MethodResult trained = quantizeRepquant(input(), many);
    const double before = errorOf(quantizeRepqVit(input(), options()));
    const double after = errorOf(trained);
    QVERIFY2(after < 0.98 * before, (std::to_string(before) + " " + std::to_string(after)).c_str());
    QCOMPARE(curve.size(), std::size_t {140});
    QCOMPARE(curve[60].block, std::string("blocks.1"));
    QCOMPARE(curve[120].block, std::string("all blocks"));
    QCOMPARE(trained.layers.size(), std::size_t {3});
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
    compareBits(one, three);
}

/// Runs until that iteration of that block; its state is kept.
void TestBlockReconstruction::cancelAt(int block, std::int64_t iteration, MethodOptions kept)
{
    std::stop_source stop;
    kept.onLoss = [&](const LossPoint& point) {
        if (point.blockIndex == block && point.iteration == iteration) {
            stop.request_stop();
        }
    };
    const auto failure = failureOf([&] { (void)quantizeRepquant(input(), kept, {stop.get_token(), {}}); });
    QCOMPARE(failure.first, std::optional(ErrorCode::Cancelled));
    QVERIFY(std::filesystem::exists(kept.resume));
}

void TestBlockReconstruction::goesOnAfterCancel()
{
    const MethodResult whole = quantizeRepquant(input(), options());
    const QTemporaryDir folder;
    MethodOptions kept = options();
    kept.resume = std::filesystem::path(folder.path().toStdString()) / "state.h5";
    cancelAt(1, 3, kept);
    int points = 0;
    kept.onLoss = [&](const LossPoint& point) { points += point.blockIndex == 0 ? 100 : 1; };
    const MethodResult resumed = quantizeRepquant(input(), kept);
    QCOMPARE(points, 12 + 14); // only the second block and both together
    compareBits(whole, resumed);
}

void TestBlockReconstruction::compareBits(const MethodResult& one, const MethodResult& other)
{
    QVERIFY(one.quantizers == other.quantizers);
    QCOMPARE(one.rewriting.constants.size(), other.rewriting.constants.size());
    for (const auto& [name, constant] : one.rewriting.constants) {
        QVERIFY2(sameBits(constant.values, other.rewriting.constants.at(name).values), name.c_str());
    }
}

/// From the checkpoint at iteration 10 of the training of all blocks.
void TestBlockReconstruction::goesOnWithinTheLastStage()
{
    const MethodResult whole = quantizeRepquant(input(), options());
    const QTemporaryDir folder;
    MethodOptions kept = options();
    kept.resume = std::filesystem::path(folder.path().toStdString()) / "state.h5";
    cancelAt(2, 12, kept);
    std::vector<std::int64_t> points;
    kept.onLoss = [&](const LossPoint& point) { points.push_back(point.iteration); };
    const MethodResult resumed = quantizeRepquant(input(), kept);
    QCOMPARE(points, (std::vector<std::int64_t> {10, 11, 12, 13}));
    compareBits(whole, resumed);
}

/// What is not to be learned stays where repq-vit left it.
void TestBlockReconstruction::leavesOutIngredients()
{
    const MethodResult start = quantizeRepqVit(input(), options());
    MethodOptions bounds = options();
    bounds.without = {Ingredient::LogGelu, Ingredient::Reconstruction, Ingredient::BiasRefit};
    const MethodResult onlyBounds = quantizeRepquant(input(), bounds);
    MethodOptions weights = options();
    weights.without = {Ingredient::LogGelu, Ingredient::DualClipping};
    const MethodResult onlyWeights = quantizeRepquant(input(), weights);
    bool weightsMoved = false;
    for (const Site& site : m_model->sites) {
        const bool isTrained = !site.block.empty();
        if (site.kind == SiteKind::Activation) {
            QVERIFY2(onlyWeights.quantizers.at(site.name).scales == start.quantizers.at(site.name).scales,
                site.name.c_str());
            QVERIFY2(!isTrained || site.role == Role::Softmax // d of 1 is clipped nowhere
                    || onlyBounds.quantizers.at(site.name).scales != start.quantizers.at(site.name).scales,
                site.name.c_str());
        } else {
            QVERIFY2(onlyBounds.quantizers.at(site.name).scales == start.quantizers.at(site.name).scales,
                site.name.c_str());
            weightsMoved = weightsMoved
                || onlyWeights.quantizers.at(site.name).scales != start.quantizers.at(site.name).scales;
        }
    }
    QVERIFY(weightsMoved);
}

/// Values of the norms before and after: those outside a channel's learned bounds are those that the tensor's
/// quantizer clips.
void TestBlockReconstruction::learnedBoundsSayWhatIsClipped()
{
    MethodOptions many = options();
    many.iterations = 30;
    const MethodResult trained = quantizeRepquant(input(), many);
    const MethodResult start = quantizeRepqVit(input(), many);
    const Feed feed {m_model->graph->inputs().front(), m_samples};
    std::int64_t clipped = 0;
    bool moved = false;
    for (const Reparameterization& r : trained.rewriting.reparameterizations) {
        const Site& site = m_model->sites[static_cast<std::size_t>(indexOfSite(m_model->sites, r.site))];
        const std::string& name = m_model->graph->value(site.value).name;
        const ValueId before = m_model->graph->findValue(name).value();
        const ValueId after = trained.model->graph->findValue(name).value();
        const Tensor x = Executor(m_model).run({&feed, 1}, {&before, 1}).front();
        // both norms from the same input
        const Node& norm = m_model->graph->node(m_model->graph->value(before).producer);
        if (norm.op != "LayerNormalization") {
            continue; // the classifier's input, one of its rows
        }
        const ValueId raw = norm.inputs.front();
        const Tensor given = Executor(m_model).run({&feed, 1}, {&raw, 1}).front();
        const Feed inner {trained.model->graph->findValue(m_model->graph->value(raw).name).value(), given};
        const Tensor y = Executor(trained.model).run({&inner, 1}, {&after, 1}).front();
        const QuantParams& tensor = trained.quantizers.at(r.site);
        const double step = static_cast<double>(tensor.scales.front());
        const std::size_t channels = r.channels.bounds.size();
        for (std::size_t i = 0; i < x.data<float>().size(); ++i) {
            const Bounds& bounds = r.channels.bounds[i % channels];
            const auto was = static_cast<double>(x.data<float>()[i]);
            const auto is = static_cast<double>(y.data<float>()[i]);
            const bool outside = was < bounds.lower || was > bounds.upper;
            const bool isClipped = is < (tensor.minimumCode() - tensor.zeroPoint(0)) * step
                || is > (tensor.maximumCode() - tensor.zeroPoint(0)) * step;
            const double margin = std::min(std::abs(was - bounds.lower), std::abs(was - bounds.upper));
            QVERIFY2(outside == isClipped || margin < 1e-5, r.site.c_str());
            clipped += isClipped ? 1 : 0;
        }
        for (const Reparameterization& other : start.rewriting.reparameterizations) {
            moved = moved || (other.site == r.site && other.channels.bounds != r.channels.bounds);
        }
    }
    QVERIFY(clipped > 10);
    QVERIFY(moved);
}

/// One sample at a time, as graphs with a fixed batch want it, gives what one batch of all gives.
void TestBlockReconstruction::sampleBySampleFindsTheSame()
{
    std::set<int> channelwise;
    for (const NormSite& norm : findNormSites(*m_model)) {
        channelwise.insert(norm.site);
    }
    const Plan plan = repqVitPlan(*m_model, options(), channelwise);
    Executor together(m_model);
    SequentialCalibration calibration(together, plan);
    const Feed feed {m_model->graph->inputs().front(), m_samples};
    const ValueId output = m_model->graph->outputs().front();
    (void)together.run({&feed, 1}, {&output, 1}, &calibration);
    Executor single(m_model);
    const auto end = static_cast<NodeId>(m_model->graph->nodes().size());
    const ResolvedPlan found = calibrateSampleBySample(single, plan, samplesOf({&feed, 1}), end);
    QVERIFY(found.size() > 10);
    QVERIFY(found == calibration.quantizers());
}

/// repquant-fast on a graph whose batch is fixed.
void TestBlockReconstruction::repquantFastSampleBySampleIsTheSame()
{
    SmallTransformerOptions fixed;
    fixed.batch = 1;
    const std::shared_ptr<const Model> single = SmallTransformer(fixed).make();
    const MethodResult together = quantizeRepquantFast(input(), {});
    const MethodResult found = quantizeRepquantFast({single, m_samples, "0123"}, {});
    QVERIFY(found.quantizers.size() > 10);
    compareBits(found, together);
}

void TestBlockReconstruction::refusesViewsOfWhatIsNoImage()
{
    MethodOptions views = options();
    views.views = 2;
    try {
        (void)quantizeRepquant(input(), views);
        QFAIL("the model reads no images");
    } catch (const Error& error) {
        QCOMPARE(error.code(), ErrorCode::InvalidArgument);
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
