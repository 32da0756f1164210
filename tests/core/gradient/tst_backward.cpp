#include "core/gradient/tape.h"
#include "tests/core/runtime/small_transformer.h"

#include <QTest>

#include <functional>

using namespace qs;
using namespace qs::testing;

namespace {

/// One node with inputs of the given shapes; those in `constants` come as they are.
struct Case
{
    std::string op;
    std::vector<Shape> shapes;
    std::map<std::string, Attribute> attributes {};
    std::vector<Tensor> constants {}; ///< further inputs
    std::size_t outputs = 1;
    float shift = 0.0F; ///< added to the inputs, to keep away from poles
};

double lossOf(const Tape& tape, const std::vector<Feed>& seeds)
{
    BufferPool pool;
    double loss = 0.0;
    for (const Feed& seed : seeds) {
        const Array y = contiguous(tape.value(seed.value), pool);
        for (std::int64_t i = 0; i < y.count(); ++i) {
            loss += static_cast<double>(y.f32()[i])
                * static_cast<double>(seed.tensor.data<float>()[static_cast<std::size_t>(i)]);
        }
    }
    return loss;
}

Tensor plus(const Tensor& x, const Tensor& direction, float step)
{
    Tensor result(DType::F32, x.shape());
    for (std::size_t i = 0; i < x.data<float>().size(); ++i) {
        result.mutableData<float>()[i] = x.data<float>()[i] + step * direction.data<float>()[i];
    }
    return result;
}

} // namespace

/// Every operator's backward pass against central differences of its forward pass along random directions.
class TestBackward : public QObject
{
    Q_OBJECT

private slots:
    void operators_data();
    void operators();
    void inputReadTwice();
};

Q_DECLARE_METATYPE(Case)

void TestBackward::operators_data()
{
    QTest::addColumn<Case>("description");
    const auto integers = [](std::vector<std::int64_t> values) {
        return Tensor::of<std::int64_t>(
            Shape {static_cast<std::int64_t>(values.size())}, std::span<const std::int64_t>(values));
    };
    const std::int64_t one = 1;
    QTest::newRow("linear") << Case {"Linear", {{2, 3, 5}, {7, 5}, {7}}, {{"transB", one}}};
    QTest::newRow("linear, inputs first")
        << Case {"Linear", {{4, 5}, {5, 7}, {7}}, {{"transB", std::int64_t {0}}}};
    QTest::newRow("matmul") << Case {"MatMul", {{2, 3, 4, 5}, {2, 3, 5, 6}}};
    QTest::newRow("matmul, repeated") << Case {"MatMul", {{2, 3, 4, 5}, {5, 6}}};
    QTest::newRow("layer norm") << Case {"LayerNormalization", {{3, 4, 11}, {11}, {11}}, {{"epsilon", 1e-6}}};
    QTest::newRow("rms norm") << Case {"RMSNormalization", {{3, 4, 11}, {11}}, {{"epsilon", 1e-6}}};
    QTest::newRow("swish") << Case {"Swish", {{4, 33}}, {{"alpha", 1.5}}};
    QTest::newRow("softmax") << Case {"Softmax", {{2, 3, 9}}, {{"axis", std::int64_t {-1}}}};
    QTest::newRow("add") << Case {"Add", {{2, 3, 4}, {4}}};
    QTest::newRow("sub") << Case {"Sub", {{2, 1, 4}, {3, 1}}};
    QTest::newRow("mul") << Case {"Mul", {{2, 3, 4}, {3, 1}}};
    QTest::newRow("div") << Case {"Div", {{2, 3, 4}, {2, 3, 4}}, {}, {}, 1, 9.0F};
    QTest::newRow("neg") << Case {"Neg", {{5}}};
    QTest::newRow("gelu") << Case {"Gelu", {{4, 33}}, {{"approximate", std::string("none")}}};
    QTest::newRow("gelu, tanh") << Case {"Gelu", {{4, 33}}, {{"approximate", std::string("tanh")}}};
    QTest::newRow("sigmoid") << Case {"Sigmoid", {{3, 17}}};
    QTest::newRow("tanh") << Case {"Tanh", {{3, 17}}};
    QTest::newRow("relu") << Case {"Relu", {{3, 17}}, {}, {}, 1, 9.0F};
    QTest::newRow("identity") << Case {"Identity", {{3, 4}}};
    QTest::newRow("reshape") << Case {"Reshape", {{3, 4}}, {}, {integers({2, 6})}};
    QTest::newRow("flatten") << Case {"Flatten", {{2, 3, 4}}};
    QTest::newRow("unsqueeze") << Case {"Unsqueeze", {{3, 4}}, {}, {integers({1})}};
    QTest::newRow("squeeze") << Case {"Squeeze", {{3, 1, 4}}, {}, {integers({1})}};
    QTest::newRow("transpose") << Case {
        "Transpose", {{2, 3, 4}}, {{"perm", std::vector<std::int64_t> {2, 0, 1}}}};
    QTest::newRow("split") << Case {"Split", {{2, 6}}, {{"axis", one}}, {integers({1, 2, 3})}, 3};
    QTest::newRow("slice") << Case {
        "Slice", {{5, 6}}, {}, {integers({1, 4}), integers({5, 0}), integers({0, 1}), integers({2, -1})}};
    QTest::newRow("expand") << Case {"Expand", {{3, 1}}, {}, {integers({2, 3, 4})}};
    QTest::newRow("concat") << Case {"Concat", {{2, 3}, {2, 4}}, {{"axis", one}}};
    QTest::newRow("gather") << Case {"Gather", {{4, 3, 2}}, {{"axis", one}}, {integers({2, 0, 2, -1})}};
}

void TestBackward::operators()
{
    QFETCH(Case, description);
    std::mt19937 generator(5);
    GraphBuilder builder;
    std::vector<ValueId> inputs;
    std::vector<Feed> feeds;
    for (std::size_t i = 0; i < description.shapes.size(); ++i) {
        const ValueId id = builder.addInput("x" + std::to_string(i), DType::F32);
        Tensor x = randomTensor(description.shapes[i], generator, 0.8F);
        for (float& v : x.mutableData<float>()) {
            v += description.shift;
        }
        inputs.push_back(id);
        feeds.push_back({id, x});
    }
    const std::vector<ValueId> wanted = inputs;
    for (std::size_t i = 0; i < description.constants.size(); ++i) {
        inputs.push_back(builder.addConstant("c" + std::to_string(i), description.constants[i]));
    }
    std::vector<std::string> names;
    for (std::size_t i = 0; i < description.outputs; ++i) {
        names.push_back("y" + std::to_string(i));
    }
    const auto outputs
        = builder.addNodeWithOutputs(description.op, "node", inputs, names, description.attributes);
    for (const ValueId output : outputs) {
        builder.addOutput(output);
    }
    auto model = std::make_shared<Model>();
    model->graph = builder.build();

    const Section section(model, wanted, outputs, wanted);
    BufferPool pool;
    const TapeBindings bindings;
    Tape tape(section, bindings, pool);
    tape.forward(feeds);
    std::vector<Feed> seeds;
    for (const ValueId output : outputs) {
        seeds.push_back({output, randomTensor(Shape(tape.value(output).dims), generator)});
    }
    tape.backward(seeds);
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        const Array gradient = contiguous(tape.gradient(wanted[i]), pool);
        QCOMPARE(gradient.dims, tape.value(wanted[i]).dims);
        for (int repeat = 0; repeat < 4; ++repeat) {
            const Tensor direction = randomTensor(description.shapes[i], generator);
            constexpr float kStep = 4e-3F;
            double difference = 0.0;
            for (const float sign : {1.0F, -1.0F}) {
                std::vector<Feed> moved = feeds;
                moved[i].tensor = plus(feeds[i].tensor, direction, sign * kStep);
                Tape other(section, bindings, pool);
                other.forward(moved);
                difference += static_cast<double>(sign) * lossOf(other, seeds);
            }
            double expected = 0.0;
            double size = 0.0;
            for (std::int64_t k = 0; k < gradient.count(); ++k) {
                const double part = static_cast<double>(gradient.f32()[k])
                    * static_cast<double>(direction.data<float>()[static_cast<std::size_t>(k)]);
                expected += part;
                size += std::abs(part);
            }
            difference /= 2.0 * static_cast<double>(kStep);
            QVERIFY2(std::abs(difference - expected) < 1e-3 * (1.0 + size),
                (std::to_string(difference) + " " + std::to_string(expected)).c_str());
        }
    }
}

void TestBackward::inputReadTwice()
{
    GraphBuilder builder;
    const ValueId x = builder.addInput("x", DType::F32);
    const ValueId y = builder.addNode("Mul", "square", {x, x});
    const ValueId z = builder.addNode("Add", "sum", {y, x});
    builder.addOutput(z);
    auto model = std::make_shared<Model>();
    model->graph = builder.build();
    const Section section(model, {x}, {z}, {x});
    BufferPool pool;
    const TapeBindings bindings;
    Tape tape(section, bindings, pool);
    const Feed feed {x, Tensor::of<float>({2}, {3.0F, -0.5F})};
    tape.forward({&feed, 1});
    const Feed seed {z, Tensor::of<float>({2}, {1.0F, 2.0F})};
    tape.backward({&seed, 1});
    QCOMPARE(tape.gradient(x).f32()[0], 7.0F); // 2 x + 1
    QCOMPARE(tape.gradient(x).f32()[1], 0.0F);
}

QTEST_APPLESS_MAIN(TestBackward)
#include "tst_backward.moc"
