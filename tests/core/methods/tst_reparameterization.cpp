#include "core/base/error.h"
#include "core/graph/graph_builder.h"
#include "core/io/npy_file.h"
#include "core/io/recipe_file.h"
#include "core/quant/fake_quantizer.h"
#include "core/quant/reparameterization.h"
#include "core/runtime/executor.h"
#include "core/runtime/kernel_registry.h"
#include "tests/support/relative_difference.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <cmath>
#include <cstring>
#include <random>

using namespace qs;
using qs::test::relativeDifference;

namespace {

Tensor random(Shape shape, unsigned seed, float scale, float offset = 0.0F)
{
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal(offset, scale);
    Tensor result(DType::F32, std::move(shape));
    for (float& value : result.mutableData<float>()) {
        value = normal(generator);
    }
    return result;
}

enum class Form { Plain, NoBias, TwoLinears, RmsNorm, Residual, Windows };

/// x [batch, 200, 6] -> norm -> linear(s) -> GELU -> head; "Residual": the norm's output is also added behind
/// the linear, as in a post-norm block; "Windows": rows are reordered between norm and linear.
std::shared_ptr<const Model> normModel(Form form)
{
    GraphBuilder builder;
    const ValueId x = builder.addInput("x", DType::F32, {-1, 200, 6});
    const ValueId gamma = builder.addConstant("norm.weight", random({6}, 1, 1.0F, 2.0F));
    std::vector<ValueId> operands {x, gamma};
    if (form != Form::RmsNorm && form != Form::NoBias) {
        operands.push_back(builder.addConstant("norm.bias", random({6}, 2, 1.0F)));
    }
    const char* op = form == Form::RmsNorm ? "RMSNormalization" : "LayerNormalization";
    ValueId y = builder.addNode(op, "norm", operands, {{"axis", std::int64_t {-1}}, {"epsilon", 1e-6}});
    builder.setDims(y, {-1, 200, 6});
    const ValueId normed = y;
    if (form == Form::Windows) {
        const ValueId shape
            = builder.addConstant("shape", Tensor::of<std::int64_t>(Shape {4}, {0, 20, 10, 6}));
        y = builder.addNode("Reshape", "windows.reshape", {y, shape});
        builder.setDims(y, {-1, 20, 10, 6});
        y = builder.addNode("Transpose", "windows", {y}, {{"perm", std::vector<std::int64_t> {0, 2, 1, 3}}});
        builder.setDims(y, {-1, 10, 20, 6});
    }
    const auto linear = [&](const std::string& name, unsigned seed) {
        std::vector<ValueId> inputs {y, builder.addConstant(name + ".weight", random({6, 6}, seed, 0.5F))};
        if (form != Form::NoBias && form != Form::RmsNorm) {
            inputs.push_back(builder.addConstant(name + ".bias", random({6}, seed + 1, 0.5F)));
        }
        const ValueId value
            = builder.addNodeWithOutputs("Linear", name, inputs, {name}, {{"transB", std::int64_t {1}}})
                  .front();
        builder.setDims(value, builder.value(y).dims);
        return value;
    };
    ValueId out = linear("fc", 3);
    if (form == Form::TwoLinears) {
        out = builder.addNode("Add", "sum", {out, linear("other", 7)});
    } else if (form == Form::Residual) {
        out = builder.addNode("Add", "sum", {out, normed});
    }
    const ValueId active = builder.addNode("Gelu", "act", {out}, {{"approximate", std::string("none")}});
    builder.setDims(active, builder.value(out).dims);
    const ValueId weight = builder.addConstant("head.weight", random({6, 6}, 21, 0.5F));
    const ValueId logits = builder.addNodeWithOutputs("Linear", "head", {active, weight}, {"logits"}).front();
    builder.setDims(logits, builder.value(out).dims);
    builder.addOutput(logits);
    auto model = std::make_shared<Model>();
    model->hash = "norm";
    model->graph = builder.build();
    model->sites = findSites(*model->graph);
    return model;
}

/// Zero points of golden vector 9.10 and scales of its kind.
QuantParams goldenChannels(Symmetry symmetry = Symmetry::Asymmetric)
{
    QuantParams params;
    params.symmetry = symmetry;
    params.granularity = Granularity::Group;
    params.bits = 4;
    params.scales = {0.21F, 0.4F, 0.33F, 0.5F, 0.18F, 0.29F};
    params.zeroPoints = symmetry == Symmetry::Symmetric ? std::vector<std::int32_t>(6, 0)
                                                        : std::vector<std::int32_t> {7, 8, 7, -5, 9, 7};
    params.bounds.resize(6);
    return params;
}

Tensor valueOf(const Model& model, const std::string& name, const Tensor& x,
    std::shared_ptr<const RowTransform> transform = nullptr)
{
    Executor executor(std::make_shared<Model>(model));
    if (transform) {
        executor.setSiteTransform(indexOfSite(model.sites, "fc.input"), std::move(transform));
    }
    const Feed feed {model.graph->inputs().front(), x};
    const ValueId value = *model.graph->findValue(name);
    return executor.run({&feed, 1}, {&value, 1}).front();
}

Tensor outputOf(const Model& model, const Tensor& x, std::shared_ptr<const RowTransform> transform = nullptr)
{
    return valueOf(model, model.graph->value(model.graph->outputs().front()).name, x, std::move(transform));
}

std::vector<double> codesOf(const Tensor& x, const QuantParams& params)
{
    std::vector<double> codes;
    for (std::size_t i = 0; i < x.data<float>().size(); ++i) {
        const std::size_t c = params.scales.size() == 1 ? 0 : i % params.scales.size();
        const double code = std::nearbyint(static_cast<double>(x.data<float>()[i] / params.scales[c]));
        codes.push_back(std::clamp(code + params.zeroPoint(c), static_cast<double>(params.minimumCode()),
            static_cast<double>(params.maximumCode())));
    }
    return codes;
}

} // namespace

class TestReparameterization : public QObject
{
    Q_OBJECT

private slots:
    void outputsStayAndCodesAreEqual_data()
    {
        QTest::addColumn<int>("form");
        QTest::addRow("beta and bias") << static_cast<int>(Form::Plain);
        QTest::addRow("neither: both are added") << static_cast<int>(Form::NoBias);
        QTest::addRow("two linears") << static_cast<int>(Form::TwoLinears);
        if (KernelRegistry::instance().find("RMSNormalization") != nullptr) {
            QTest::addRow("RMS norm, symmetric") << static_cast<int>(Form::RmsNorm);
        }
        QTest::addRow("residual compensated") << static_cast<int>(Form::Residual);
        QTest::addRow("windows between") << static_cast<int>(Form::Windows);
    }
    void outputsStayAndCodesAreEqual() // golden vector 9.10
    {
        QFETCH(int, form);
        const auto model = normModel(static_cast<Form>(form));
        const QuantParams channels = goldenChannels(
            static_cast<Form>(form) == Form::RmsNorm ? Symmetry::Symmetric : Symmetry::Asymmetric);
        const Reparameterization r = meanReparameterization("fc.input", channels);
        if (channels.symmetry == Symmetry::Asymmetric) {
            QCOMPARE(r.tensor.zeroPoints.front(), 6); // mean 5.5, half to even
        }
        const auto after = reparameterized(*model, {r});
        const Tensor x = random({1, 200, 6}, 11, 3.0F);
        QVERIFY(relativeDifference(outputOf(*model, x), outputOf(*after, x)) < 1e-6);
        const std::string site = model->graph->value(model->sites[0].value).name;
        const auto before = codesOf(valueOf(*model, site, x), r.channels);
        const auto now = codesOf(valueOf(*after, site, x), r.tensor);
        // The tensor's codes are the channels', moved by what their zero points differ.
        for (std::size_t i = 0; i < before.size(); ++i) {
            QCOMPARE(now[i], before[i]);
        }
        const Tensor quantized = outputOf(*model, x, std::make_shared<FakeQuantizer>(r.channels));
        const Tensor quantizedAfter = outputOf(*after, x, std::make_shared<FakeQuantizer>(r.tensor));
        QVERIFY(relativeDifference(quantized, quantizedAfter) < 1e-6);
        QVERIFY(relativeDifference(quantized, outputOf(*model, x)) > 1e-3); // the quantizers do something
    }
    void theFractionOfThePublishedCodeChangesCodes()
    {
        const auto model = normModel(Form::Plain);
        const Reparameterization r
            = meanReparameterization("fc.input", goldenChannels(), ZeroPointRule::Published);
        QCOMPARE(r.tensor.zeroPoint(0), 5.5);
        const auto after = reparameterized(*model, {r});
        const Tensor x = random({1, 200, 6}, 11, 3.0F);
        QVERIFY(relativeDifference(outputOf(*model, x), outputOf(*after, x)) < 1e-6);
        const Tensor quantized = outputOf(*model, x, std::make_shared<FakeQuantizer>(r.channels));
        const Tensor quantizedAfter = outputOf(*after, x, std::make_shared<FakeQuantizer>(r.tensor));
        QVERIFY(relativeDifference(quantized, quantizedAfter) > 1e-2);
        // round, add 5.5, clamp to [0, 15], subtract 5.5, scale
        const FakeQuantizer quantizer(r.tensor);
        const float s = r.tensor.scales.front();
        const std::vector<float> in {-100.0F, -5.4F * s, 0.4F * s, 9.4F * s, 9.6F * s};
        std::vector<float> out(in.size());
        quantizer.transformRow(0, in, out.data());
        const std::vector<float> expected {-5.5F * s, -5.0F * s, 0.0F, 9.0F * s, 9.5F * s};
        for (std::size_t i = 0; i < in.size(); ++i) {
            QVERIFY(std::abs(out[i] - expected[i]) < 1e-6F);
        }
    }
    void aDeadChannelKeepsTheOutput()
    {
        const auto model = normModel(Form::Plain);
        QuantParams channels = goldenChannels();
        channels.scales[2] = 1e-9F;
        const Reparameterization r = meanReparameterization("fc.input", channels);
        QCOMPARE(r.channels.scales[2], r.tensor.scales.front());
        const auto after = reparameterized(*model, {r});
        const Tensor x = random({1, 200, 6}, 11, 3.0F);
        QVERIFY(relativeDifference(outputOf(*model, x), outputOf(*after, x)) < 1e-6);
    }
    void whatCannotBeDoneIsNamed_data()
    {
        QTest::addColumn<int>("form");
        QTest::addColumn<QString>("site");
        QTest::addColumn<int>("channels");
        QTest::addRow("unknown site") << static_cast<int>(Form::Plain) << "nowhere.input" << 6;
        QTest::addRow("channels") << static_cast<int>(Form::Plain) << "fc.input" << 5;
        QTest::addRow("RMS norm shifts") << static_cast<int>(Form::RmsNorm) << "fc.input" << 6;
    }
    void whatCannotBeDoneIsNamed()
    {
        QFETCH(int, form);
        QFETCH(QString, site);
        QFETCH(int, channels);
        QuantParams params = goldenChannels();
        params.scales.resize(static_cast<std::size_t>(channels));
        params.zeroPoints.resize(params.scales.size());
        const Reparameterization r = meanReparameterization(site.toStdString(), params);
        try {
            (void)reparameterized(*normModel(static_cast<Form>(form)), {r});
            QFAIL("no error");
        } catch (const Error& error) {
            QCOMPARE(error.code(), ErrorCode::InvalidArgument);
            QVERIFY(std::string(error.what()).find(site.toStdString()) != std::string::npos);
        }
    }
    void tinyVitKeepsItsOutputs()
    {
        const std::string folder = std::string(QS_TEST_DATA) + "/tiny_vit_timm";
        const auto model = loadModel(folder);
        const auto sites = findNormSites(*model);
        QCOMPARE(sites.size(), std::size_t {4}); // two blocks, two norms each; not norm -> head
        std::vector<Reparameterization> all;
        std::mt19937 generator(5);
        for (const NormSite& site : sites) {
            QuantParams params;
            params.granularity = Granularity::Group;
            params.bits = 4;
            const Site& target = model->sites[static_cast<std::size_t>(site.site)];
            for (std::int64_t c = 0; c < target.groups; ++c) {
                params.scales.push_back(0.05F + static_cast<float>(generator() % 1000) * 0.001F);
                params.zeroPoints.push_back(static_cast<std::int32_t>(generator() % 16));
            }
            params.bounds.resize(params.scales.size());
            all.push_back(meanReparameterization(target.name, params));
        }
        const auto after = reparameterized(*model, all);
        const Tensor pixels = readNpy(folder + "/pixels.npy").toF32();
        QVERIFY(relativeDifference(outputOf(*model, pixels), outputOf(*after, pixels)) < 1e-5);
    }
    void aRecipeReproducesTheModelBitForBit()
    {
        const auto model = normModel(Form::NoBias);
        Recipe recipe;
        recipe.modelHash = model->hash;
        recipe.rewriting.reparameterizations = {meanReparameterization("fc.input", goldenChannels())};
        const auto first = reparameterized(*model, recipe.rewriting.reparameterizations);
        QuantParams grid = goldenChannels();
        grid.axis = GroupAxis::Channel;
        recipe.quantizers["fc.weight"] = grid;
        const Tensor weight = fakeQuantizedWeight(random({6, 6}, 3, 0.5F), grid, 0);
        recipe.rewriting.constants["fc.weight"] = {weight, "fc.weight", 0};
        recipe.rewriting.constants["fc.bias"] = {random({6}, 9, 1.0F), "", 0};
        const QTemporaryDir folder;
        const std::string path = folder.filePath(QStringLiteral("r.json")).toStdString();
        writeRecipe(recipe, path);
        const Recipe back = readRecipe(path);
        QVERIFY(back.quantizers == recipe.quantizers);
        QVERIFY(back.rewriting.reparameterizations == recipe.rewriting.reparameterizations);
        const auto expected = modelOf(recipe, model);
        const auto actual = modelOf(back, model);
        for (const Value& value : expected->graph->values()) {
            if (!value.isConstant()) {
                continue;
            }
            const Tensor& other = actual->graph->value(*actual->graph->findValue(value.name)).constant;
            QCOMPARE(other.byteCount(), value.constant.byteCount());
            QCOMPARE(std::memcmp(other.bytes(), value.constant.bytes(), other.byteCount()), 0);
        }
        // Weights of a method are on their grid: quantizing them again changes no bit.
        QCOMPARE(
            std::memcmp(fakeQuantizedWeight(weight, grid, 0).bytes(), weight.bytes(), weight.byteCount()), 0);
        QVERIFY_THROWS_EXCEPTION(Error, (void)readPlainRecipe(path)); // its plan alone is not what it says
        QFile constants(folder.filePath(QStringLiteral("r.constants.h5")));
        QVERIFY(constants.open(QIODevice::Append));
        constants.write("x");
        constants.close();
        try {
            (void)readRecipe(path);
            QFAIL("no error");
        } catch (const Error& error) {
            QCOMPARE(error.code(), ErrorCode::CorruptFile);
        }
    }
};

QTEST_APPLESS_MAIN(TestReparameterization)
#include "tst_reparameterization.moc"
