#include "core/base/error.h"
#include "core/graph/graph_builder.h"
#include "core/io/recipe_file.h"
#include "core/quant/activation_shift.h"
#include "core/quant/fake_quantizer.h"
#include "core/quant/linear_weights.h"
#include "core/quant/rewriting.h"
#include "core/runtime/executor.h"
#include "tests/support/relative_difference.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <cmath>
#include <random>

using namespace qs;
using qs::test::relativeDifference;

namespace {

Tensor random(Shape shape, unsigned seed, float scale)
{
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal(0.0F, scale);
    Tensor result(DType::F32, std::move(shape));
    for (float& value : result.mutableData<float>()) {
        value = normal(generator);
    }
    return result;
}

struct Form
{
    std::string op = "Gelu";
    std::map<std::string, Attribute> attributes {{"approximate", std::string("none")}};
    bool hasBias = true;
    bool outputsFirst = true; ///< layout of fc2's weight
    bool isReshaped = false; ///< between the activation function and fc2
};

/// x [batch, 40, 8] -> fc1 -> activation function -> fc2 [5] -> tanh and, beside the shift, the function's
/// output.
std::shared_ptr<const Model> mlp(const Form& form)
{
    GraphBuilder builder;
    const ValueId x = builder.addInput("x", DType::F32, {-1, 40, 8});
    const auto linear = [&](const std::string& name, ValueId input, Shape shape, std::int64_t outputs,
                            bool hasBias, bool outputsFirst, unsigned seed) {
        std::vector<ValueId> inputs {
            input, builder.addConstant(name + ".weight", random(std::move(shape), seed, 0.5F))};
        if (hasBias) {
            inputs.push_back(builder.addConstant(name + ".bias", random({outputs}, seed + 1, 0.5F)));
        }
        const ValueId value = builder
                                  .addNodeWithOutputs("Linear", name, inputs, {name},
                                      {{"transB", std::int64_t {outputsFirst ? 1 : 0}}})
                                  .front();
        builder.setDims(value, {-1, 40, outputs});
        return value;
    };
    const ValueId hidden = linear("mlp.fc1", x, {16, 8}, 16, true, true, 1);
    const ValueId active
        = builder.addNodeWithOutputs(form.op, "mlp.act", {hidden}, {"active"}, form.attributes).front();
    builder.setDims(active, {-1, 40, 16});
    ValueId hiddenRows = active;
    if (form.isReshaped) {
        const ValueId shape = builder.addConstant("shape", Tensor::of<std::int64_t>(Shape {3}, {0, 40, 16}));
        hiddenRows = builder.addNode("Reshape", "mlp.rows", {active, shape});
        builder.setDims(hiddenRows, {-1, 40, 16});
    }
    const Shape weight = form.outputsFirst ? Shape {5, 16} : Shape {16, 5};
    const ValueId out = linear("mlp.fc2", hiddenRows, weight, 5, form.hasBias, form.outputsFirst, 3);
    const ValueId last = builder.addNode("Tanh", "last", {out}); // else fc2 would be the classifier
    builder.setDims(last, {-1, 40, 5});
    builder.addOutput(last);
    builder.addOutput(active);
    auto model = std::make_shared<Model>();
    model->hash = "mlp";
    model->graph = builder.build();
    model->sites = findSites(*model->graph);
    return model;
}

std::vector<Tensor> outputsOf(const std::shared_ptr<const Model>& model, const Tensor& x)
{
    Executor executor(model);
    const Feed feed {model->graph->inputs().front(), x};
    return executor.run({&feed, 1}, model->graph->outputs());
}

QuantParams weightGrid(const Tensor& weight, int axis)
{
    SiteChoice choice;
    choice.granularity = Granularity::Group;
    choice.bits = 3;
    return resolveWeight(choice, weight, axis);
}

} // namespace

class TestActivationShift : public QObject
{
    Q_OBJECT

private slots:
    void outputsStayAndNothingIsNegative_data()
    {
        QTest::addColumn<QString>("op");
        QTest::addColumn<double>("alpha");
        QTest::addColumn<bool>("hasBias");
        QTest::addColumn<bool>("outputsFirst");
        QTest::addColumn<double>("amount");
        // Minima found with NumPy on a grid of 1e-6 around them, in float64.
        QTest::addRow("GELU") << "none" << 0.0 << true << true << 0.1699712;
        QTest::addRow("GELU by tanh") << "tanh" << 0.0 << true << false << 0.1700407;
        QTest::addRow("SiLU, no bias") << "" << 1.0 << false << true << 0.2784645;
        QTest::addRow("quick GELU, no bias") << "" << 1.702 << false << false << 0.1636101;
        QTest::addRow("ReLU") << "relu" << 0.0 << true << true << 0.0;
    }
    void outputsStayAndNothingIsNegative()
    {
        QFETCH(QString, op);
        QFETCH(double, alpha);
        QFETCH(bool, hasBias);
        QFETCH(bool, outputsFirst);
        QFETCH(double, amount);
        Form form {"Gelu", {{"approximate", op.toStdString()}}, hasBias, outputsFirst};
        if (op.isEmpty()) {
            form.op = "Swish";
            form.attributes = {{"alpha", alpha}};
        } else if (op == "relu") {
            form.op = "Relu";
            form.attributes = {};
        }
        const auto model = mlp(form);
        const std::vector<ActivationShift> shifts = findActivationShifts(*model);
        QCOMPARE(shifts.size(), std::size_t {1});
        QCOMPARE(shifts.front().site, std::string("mlp.fc2.input"));
        QVERIFY(std::abs(shifts.front().amount - amount) < 2e-7);
        const auto after = shifted(*model, shifts);
        const Tensor x = random({3, 40, 8}, 9, 2.0F);
        const std::vector<Tensor> before = outputsOf(model, x);
        const std::vector<Tensor> now = outputsOf(after, x);
        QVERIFY(relativeDifference(before[0], now[0]) < 1e-6);
        QVERIFY(
            std::ranges::equal(before[1].data<float>(), now[1].data<float>())); // other readers see no shift
        const int index = indexOfSite(after->sites, "mlp.fc2.input");
        QVERIFY(index >= 0);
        const Site& site = after->sites[static_cast<std::size_t>(index)];
        QVERIFY(site.role == Role::PostGeluFc2);
        Executor executor(after);
        const Feed feed {after->graph->inputs().front(), x};
        const Tensor values = executor.run({&feed, 1}, {&site.value, 1}).front();
        const auto least = *std::ranges::min_element(values.data<float>());
        QVERIFY(least > -1e-7F && least < 1e-3F); // 1920 values of which some lie at the minimum
        QCOMPARE(after->sites.size(), model->sites.size());
        for (std::size_t i = 0; i < model->sites.size(); ++i) {
            QCOMPARE(after->sites[i].name, model->sites[i].name);
            QVERIFY(after->sites[i].role == model->sites[i].role);
        }
    }
    void aReshapeMayLieBetween()
    {
        Form form;
        form.isReshaped = true;
        const auto model = mlp(form);
        const auto shifts = findActivationShifts(*model);
        QCOMPARE(shifts.size(), std::size_t {1});
        const auto after = shifted(*model, shifts);
        const Tensor x = random({2, 40, 8}, 3, 2.0F);
        QVERIFY(relativeDifference(outputsOf(model, x)[0], outputsOf(after, x)[0]) < 1e-6);
        const int index = indexOfSite(after->sites, "mlp.fc2.input");
        QVERIFY(after->sites[static_cast<std::size_t>(index)].role == Role::PostGeluFc2);
    }
    void biasesTakeBackWhatQuantizedWeightsMakeOfTheShift()
    {
        for (const bool outputsFirst : {true, false}) {
            const auto model = mlp({"Gelu", {{"approximate", std::string("none")}}, true, outputsFirst});
            const auto shifts = findActivationShifts(*model);
            const Site& weight
                = model->sites[static_cast<std::size_t>(indexOfSite(model->sites, "mlp.fc2.weight"))];
            const Tensor exact = model->graph->value(weight.value).constant;
            const QuantParams grid = weightGrid(exact, weight.weightAxis);
            const Tensor rounded = fakeQuantizedWeight(exact, grid, weight.weightAxis);
            const auto corrected
                = withShiftsOfQuantizedWeights(*shifted(*model, shifts), shifts, {{"mlp.fc2.weight", grid}});
            const auto rewrittenModel
                = rewritten(corrected, {{}, {}, {{"mlp.fc2.weight", {rounded, "", 0}}}});
            const auto plain = rewritten(model, {{}, {}, {{"mlp.fc2.weight", {rounded, "", 0}}}});
            const Tensor x = random({2, 40, 8}, 5, 2.0F);
            QVERIFY(relativeDifference(outputsOf(plain, x)[0], outputsOf(rewrittenModel, x)[0]) < 1e-6);
            const auto uncorrected
                = rewritten(shifted(*model, shifts), {{}, {}, {{"mlp.fc2.weight", {rounded, "", 0}}}});
            QVERIFY(relativeDifference(outputsOf(plain, x)[0], outputsOf(uncorrected, x)[0]) > 1e-3);
        }
    }
    void refusesWhatItCannotShift()
    {
        const auto model = mlp({});
        const auto refuses = [&](const ActivationShift& shift, const char* part) {
            try {
                (void)shifted(*model, {shift});
            } catch (const Error& error) {
                return error.code() == ErrorCode::InvalidArgument
                    && std::string(error.what()).find(part) != std::string::npos;
            }
            return false;
        };
        QVERIFY(refuses({"mlp.fc1.input", 0.1}, "mlp.fc1.input"));
        QVERIFY(refuses({"nothing", 0.1}, "nothing"));
        QVERIFY(refuses({"mlp.fc2.input", -0.1}, "0 or more"));
        QVERIFY(refuses({"mlp.fc2.input", std::nan("")}, "0 or more"));
    }
    void aRecipeKeepsThem()
    {
        const auto model = mlp({});
        QTemporaryDir folder;
        const std::string path = folder.filePath("r.json").toStdString();
        Recipe recipe;
        recipe.modelHash = model->hash;
        recipe.rewriting.shifts = findActivationShifts(*model);
        writeRecipe(recipe, path);
        const Recipe back = readRecipe(path);
        QVERIFY(back.rewriting.shifts == recipe.rewriting.shifts);
        const Tensor x = random({1, 40, 8}, 13, 2.0F);
        QVERIFY(std::ranges::equal(outputsOf(modelOf(back, model), x)[0].data<float>(),
            outputsOf(shifted(*model, recipe.rewriting.shifts), x)[0].data<float>()));
        QFile file(QString::fromStdString(path));
        QVERIFY(file.open(QIODevice::ReadOnly));
        QByteArray text = file.readAll();
        QVERIFY(text.contains("\"format_version\": 3"));
        file.close();
        const auto refuses = [&](const QByteArray& from, const QByteArray& to, const char* part) {
            QByteArray changed = text;
            changed.replace(from, to);
            QFile other(folder.filePath("other.json"));
            if (!other.open(QIODevice::WriteOnly)) {
                return false;
            }
            other.write(changed);
            other.close();
            try {
                (void)modelOf(readRecipe(other.fileName().toStdString()), model);
            } catch (const Error& error) {
                return std::string(error.what()).find(part) != std::string::npos;
            }
            return false;
        };
        QVERIFY(refuses("\"format_version\": 3", "\"format_version\": 2", "shifts"));
        QVERIFY(refuses("mlp.fc2.input", "mlp.fc9.input", "mlp.fc9.input"));
        QVERIFY(refuses("\"amount\": 0", "\"amount\": -0", "0 or more"));
        QVERIFY(refuses("\"amount\"", "\"amuont\"", "amount"));
    }
};

QTEST_GUILESS_MAIN(TestActivationShift)
#include "tst_activation_shift.moc"
