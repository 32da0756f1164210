#include "core/base/error.h"
#include "core/runtime/node_evaluator.h"
#include "core/tensor/small_float.h"

#include <QTest>

#include <cmath>
#include <limits>

using namespace qs;

namespace {

using Ints = std::vector<std::int64_t>;
using Attributes = std::map<std::string, Attribute>;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

Tensor floats(const Shape& shape, std::initializer_list<float> values)
{
    return Tensor::of<float>(shape, values);
}

Tensor integers(std::initializer_list<std::int64_t> values)
{
    return Tensor::of<std::int64_t>(Shape {static_cast<std::int64_t>(values.size())}, values);
}

/// Outputs of one node; an input without values is omitted.
std::vector<Tensor> evaluate(const std::string& op, const std::vector<Tensor>& inputs,
    const Attributes& attributes = {}, std::size_t outputs = 1)
{
    Node node {op, "n", std::vector<ValueId>(inputs.size(), 0), std::vector<ValueId>(outputs, 0), attributes};
    return NodeEvaluator(1 << 20).run(node, inputs);
}

template<typename T>
std::vector<T> valuesOf(const Tensor& tensor)
{
    const auto data = tensor.data<T>();
    return {data.begin(), data.end()};
}

/// "" when all are within 1e-6.
std::string difference(const Tensor& actual, const std::vector<float>& expected)
{
    const auto values = actual.data<float>();
    if (values.size() != expected.size()) {
        return std::to_string(values.size()) + " values";
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
        const bool bothNan = std::isnan(values[i]) && std::isnan(expected[i]);
        if (!bothNan && values[i] != expected[i] && !(std::abs(values[i] - expected[i]) <= 1e-6F)) {
            return "element " + std::to_string(i) + " is " + std::to_string(values[i]);
        }
    }
    return {};
}

struct FloatCase
{
    const char* name;
    const char* op;
    std::vector<Tensor> inputs;
    Attributes attributes;
    std::vector<float> expected;
};

std::vector<FloatCase> floatCases()
{
    const Tensor ramp = floats(Shape {1, 1, 1, 4}, {1, 2, 3, 4});
    const Tensor square = floats(Shape {1, 1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9});
    const Attributes linear {{"mode", std::string("linear")}};
    const auto with = [](Attributes attributes, const char* key, Attribute value) {
        attributes[key] = std::move(value);
        return attributes;
    };
    const Tensor half = floats(Shape {4}, {1, 1, 1, 0.5F});
    const Tensor toSix = integers({1, 1, 1, 6});
    const Attributes pool {{"kernel_shape", Ints {2, 2}}, {"strides", Ints {2, 2}}};
    return {
        // Pixel centres: results at 0.5 and 2.5 between four pixels at 0..3.
        {"Resize, linear, half", "Resize", {ramp, {}, half}, linear, {1.5F, 3.5F}},
        {"Resize, linear, corners", "Resize", {ramp, {}, {}, toSix},
            with(linear, "coordinate_transformation_mode", std::string("align_corners")),
            {1, 1.6F, 2.2F, 2.8F, 3.4F, 4}},
        {"Resize, nearest, halves down", "Resize", {ramp, {}, half}, {}, {1, 3}},
        {"Resize, nearest, halves up", "Resize", {ramp, {}, half},
            {{"nearest_mode", std::string("round_prefer_ceil")}}, {2, 4}},
        // The triangle is two pixels wide on either side: (1*.75 + 2*.75 + 3*.25) / 2 with the border once
        // more.
        {"Resize, antialias", "Resize", {ramp, {}, half}, with(linear, "antialias", std::int64_t {1}),
            {(0.25F * 1 + 0.75F * 1 + 0.75F * 2 + 0.25F * 3) / 2,
                (0.25F * 2 + 0.75F * 3 + 0.75F * 4 + 0.25F * 4) / 2}},
        {"AveragePool, hanging over", "AveragePool", {square}, with(pool, "ceil_mode", std::int64_t {1}),
            {3, 4.5F, 7.5F, 9}},
        {"AveragePool, padding counts", "AveragePool", {square},
            with(with(pool, "pads", Ints {1, 1, 0, 0}), "count_include_pad", std::int64_t {1}),
            {0.25F, 1.25F, 2.75F, 7}},
        {"AveragePool, padding does not count", "AveragePool", {square},
            with(pool, "pads", Ints {1, 1, 0, 0}), {1, 2.5F, 5.5F, 7}},
        {"MaxPool, dilated", "MaxPool", {square}, {{"kernel_shape", Ints {2, 2}}, {"dilations", Ints {2, 2}}},
            {9}},
        {"RMSNormalization", "RMSNormalization",
            {floats(Shape {2, 2}, {3, 4, 0, 0}), floats(Shape {2}, {1, 2})},
            {{"epsilon", 0.0}, {"axis", std::int64_t {-1}}},
            {3 / std::sqrt(12.5F), 8 / std::sqrt(12.5F), kNan, kNan}},
        {"RotaryEmbedding, halves", "RotaryEmbedding",
            {floats(Shape {1, 1, 1, 4}, {1, 2, 3, 4}), floats(Shape {1, 1, 2}, {0, 1}),
                floats(Shape {1, 1, 2}, {1, 0})},
            {}, {-3, 2, 1, 4}},
        {"RotaryEmbedding, neighbours", "RotaryEmbedding",
            {floats(Shape {1, 1, 1, 4}, {1, 2, 3, 4}), floats(Shape {1, 1, 2}, {0, 1}),
                floats(Shape {1, 1, 2}, {1, 0})},
            {{"interleaved", std::int64_t {1}}}, {-2, 1, 3, 4}},
        {"GroupNormalization", "GroupNormalization",
            {floats(Shape {1, 2, 2}, {0, 2, 4, 6}), floats(Shape {2}, {1, 10}), floats(Shape {2}, {0, 1})},
            {{"num_groups", std::int64_t {2}}, {"epsilon", 0.0}}, {-1, 1, -9, 11}},
        {"BatchNormalization", "BatchNormalization",
            {floats(Shape {1, 2, 1}, {3, 10}), floats(Shape {2}, {2, 1}), floats(Shape {2}, {0, 5}),
                floats(Shape {2}, {1, 8}), floats(Shape {2}, {4, 1})},
            {{"epsilon", 0.0}}, {2, 7}},
        {"Pad, reflect", "Pad", {floats(Shape {3}, {1, 2, 3}), integers({2, 1})},
            {{"mode", std::string("reflect")}}, {3, 2, 1, 2, 3, 2}},
        {"Pad, edge, and cut", "Pad", {floats(Shape {3}, {1, 2, 3}), integers({2, -1})},
            {{"mode", std::string("edge")}}, {1, 1, 1, 2}},
        {"Trilu, above the diagonal", "Trilu", {floats(Shape {2, 3}, {1, 2, 3, 4, 5, 6}), integers({1})}, {},
            {0, 2, 3, 0, 0, 6}},
        {"Trilu, below the diagonal", "Trilu", {floats(Shape {2, 3}, {1, 2, 3, 4, 5, 6})},
            {{"upper", std::int64_t {0}}}, {1, 0, 0, 4, 5, 0}},
        {"CumSum, backwards without itself", "CumSum", {floats(Shape {3}, {1, 2, 4}), integers({0})},
            {{"exclusive", std::int64_t {1}}, {"reverse", std::int64_t {1}}}, {6, 4, 0}},
        {"Cast to E4M3FN", "Cast", {floats(Shape {6}, {0.06F, 17, 1000, -kInfinity, kNan, 1.0e-4F})},
            {{"to", std::int64_t {17}}}, {0.05859375F, 16, 448, -448, kNan, 0}},
        {"Cast to E4M3FN without saturation", "Cast", {floats(Shape {2}, {464, 465})},
            {{"to", std::int64_t {17}}, {"saturate", std::int64_t {0}}}, {448, kNan}},
        {"Cast to F16", "Cast", {floats(Shape {3}, {2049, 65519, 65520})}, {{"to", std::int64_t {10}}},
            {2048, 65504, kInfinity}},
        {"QuantizeLinear to E4M3FN", "QuantizeLinear",
            {floats(Shape {3}, {1, 34, 1000}), floats(Shape {}, {2}), floats(Shape {}, {0})},
            {{"output_dtype", std::int64_t {17}}}, {0.5F, 16, 448}},
        {"DequantizeLinear in blocks", "DequantizeLinear",
            {Tensor::of<std::int8_t>(Shape {1, 3}, {1, 2, 3}), floats(Shape {1, 2}, {10, 100})},
            {{"axis", std::int64_t {1}}, {"block_size", std::int64_t {2}}}, {10, 20, 300}},
        {"ReduceLogSumExp of large numbers", "ReduceLogSumExp", {floats(Shape {2}, {1000, 1000})}, {},
            {1000 + std::log(2.0F)}},
    };
}

} // namespace

/// Operators by numbers that can be checked by hand: what the conformance cases pin down is not in the
/// repository.
class TestOperators : public QObject
{
    Q_OBJECT

private slots:
    void floatsComeAsComputedByHand_data()
    {
        QTest::addColumn<int>("index");
        int index = 0;
        for (const FloatCase& one : floatCases()) {
            QTest::newRow(one.name) << index++;
        }
    }
    void floatsComeAsComputedByHand()
    {
        QFETCH(int, index);
        const FloatCase one = floatCases()[static_cast<std::size_t>(index)];
        const std::string wrong
            = difference(evaluate(one.op, one.inputs, one.attributes).front(), one.expected);
        QVERIFY2(wrong.empty(), wrong.c_str());
    }

    void fourBitCastsKeepTheLowestBits()
    {
        const Tensor x = floats(Shape {4}, {-9, -8, 7.9F, 8});
        QCOMPARE(valuesOf<std::int8_t>(evaluate("Cast", {x}, {{"to", std::int64_t {22}}}).front()),
            (std::vector<std::int8_t> {7, -8, 7, -8}));
        QCOMPARE(valuesOf<std::uint8_t>(evaluate("Cast", {x}, {{"to", std::int64_t {21}}}).front()),
            (std::vector<std::uint8_t> {7, 8, 7, 8}));
    }

    void fourBitCodesSaturate()
    {
        const std::vector<Tensor> inputs {floats(Shape {5}, {-100, -3.5F, -2.5F, 2.5F, 100}),
            floats(Shape {}, {1}), Tensor::of<std::int8_t>(Shape {}, {0})};
        QCOMPARE(valuesOf<std::int8_t>(
                     evaluate("QuantizeLinear", inputs, {{"output_dtype", std::int64_t {22}}}).front()),
            (std::vector<std::int8_t> {-8, -4, -2, 2, 7}));
    }

    void integerProductsSaturateAndRoundHalfToEven()
    {
        const Tensor one = floats(Shape {}, {1});
        const auto code = [](std::int8_t value) { return Tensor::of<std::int8_t>(Shape {}, {value}); };
        const Tensor a = Tensor::of<std::int8_t>(Shape {1, 2}, {3, 4});
        const Tensor b = Tensor::of<std::int8_t>(Shape {2, 3}, {1, 100, -2, 1, 100, 3});
        // Sums less the zero points (1 of a): 2 + 3, 200 + 300, -4 + 9; times 0.5.
        const auto y
            = evaluate("QLinearMatMul", {a, one, code(1), b, one, code(0), floats(Shape {}, {2}), code(-1)});
        QCOMPARE(valuesOf<std::int8_t>(y.front()), (std::vector<std::int8_t> {1, 127, 1}));
    }

    void dynamicQuantizationCoversZero()
    {
        const auto outputs = evaluate("DynamicQuantizeLinear", {floats(Shape {3}, {1, 2, 5.1F})}, {}, 3);
        QCOMPARE(valuesOf<std::uint8_t>(outputs[0]), (std::vector<std::uint8_t> {50, 100, 255}));
        QCOMPARE(valuesOf<float>(outputs[1]).front(), 0.02F);
        QCOMPARE(valuesOf<std::uint8_t>(outputs[2]).front(), std::uint8_t {0});
    }

    void ofEqualElementsTheFirstOrTheLastIsTheLargest()
    {
        const Tensor x = floats(Shape {1, 4}, {1, 7, 7, 2});
        const Attributes along {{"axis", std::int64_t {1}}};
        QCOMPARE(valuesOf<std::int64_t>(evaluate("ArgMax", {x}, along).front()), Ints {1});
        Attributes last = along;
        last["select_last_index"] = std::int64_t {1};
        QCOMPARE(valuesOf<std::int64_t>(evaluate("ArgMax", {x}, last).front()), Ints {2});
        QCOMPARE(valuesOf<std::int64_t>(evaluate("ArgMin", {x}, along).front()), Ints {0});
    }

    void maxPoolNamesThePlaceOfTheLargest()
    {
        const Tensor x = floats(Shape {1, 1, 2, 3}, {1, 5, 2, 4, 3, 6});
        const Attributes window {{"kernel_shape", Ints {2, 2}}};
        QCOMPARE(valuesOf<std::int64_t>(evaluate("MaxPool", {x}, window, 2)[1]), (Ints {1, 5}));
    }

    void layerNormalizationGivesItsStatistics()
    {
        const auto outputs = evaluate("LayerNormalization",
            {floats(Shape {1, 2}, {1, 5}), floats(Shape {2}, {1, 1})}, {{"epsilon", 0.0}}, 3);
        QCOMPARE(difference(outputs[1], {3}), std::string());
        QCOMPARE(difference(outputs[2], {0.5F}), std::string());
    }

    void tuplesPickAndReplace()
    {
        const Tensor x = floats(Shape {2, 2}, {0, 1, 2, 3});
        const Tensor places = Tensor::of<std::int64_t>(Shape {2, 2}, {0, 1, -1, 0});
        QCOMPARE(valuesOf<float>(evaluate("GatherND", {x, places}).front()), (std::vector<float> {1, 2}));
        const Tensor rows = Tensor::of<std::int64_t>(Shape {1, 1}, {1});
        QCOMPARE(valuesOf<float>(evaluate("ScatterND", {x, rows, floats(Shape {1, 2}, {8, 9})}).front()),
            (std::vector<float> {0, 1, 8, 9}));
        QCOMPARE(valuesOf<std::int64_t>(evaluate("NonZero", {x}).front()), (Ints {0, 1, 1, 1, 0, 1}));
        const Tensor beyond = Tensor::of<std::int64_t>(Shape {1, 1}, {2});
        QVERIFY_THROWS_EXCEPTION(Error, evaluate("GatherND", {x, beyond}));
    }

    void rangesStopBeforeTheirLimit()
    {
        const auto scalar = [](std::int64_t value) { return Tensor::of<std::int64_t>(Shape {}, {value}); };
        QCOMPARE(valuesOf<std::int64_t>(evaluate("Range", {scalar(7), scalar(1), scalar(-3)}).front()),
            (Ints {7, 4}));
        QVERIFY(valuesOf<std::int64_t>(evaluate("Range", {scalar(1), scalar(1), scalar(1)}).front()).empty());
        QVERIFY_THROWS_EXCEPTION(Error, evaluate("Range", {scalar(0), scalar(1), scalar(0)}));
    }

    void smallFloatsDecodeAndRound_data()
    {
        QTest::addColumn<int>("format");
        QTest::addColumn<unsigned>("code");
        QTest::addColumn<float>("value");
        const auto row = [](const char* name, SmallFloat format, unsigned code, float value) {
            QTest::newRow(name) << static_cast<int>(format) << code << value;
        };
        row("E4M3FN largest", SmallFloat::E4M3FN, 0x7EU, 448);
        row("E4M3FN smallest", SmallFloat::E4M3FN, 0x01U, 0x1p-9F);
        row("E4M3FNUZ largest", SmallFloat::E4M3FNUZ, 0x7FU, 240);
        row("E5M2 largest", SmallFloat::E5M2, 0x7BU, 57344);
        row("E5M2 smallest, negative", SmallFloat::E5M2, 0x81U, -0x1p-16F);
        row("E5M2FNUZ largest", SmallFloat::E5M2FNUZ, 0x7FU, 57344);
        row("E2M1 largest, negative", SmallFloat::E2M1, 0x0FU, -6);
        row("E2M1 smallest", SmallFloat::E2M1, 0x01U, 0.5F);
    }
    void smallFloatsDecodeAndRound()
    {
        QFETCH(int, format);
        QFETCH(unsigned, code);
        QFETCH(float, value);
        const auto known = static_cast<SmallFloat>(format);
        QCOMPARE(decodeSmallFloat(known, code), value);
        QCOMPARE(roundedToSmallFloat(known, value, Overflow::Saturate), value);
        QCOMPARE(roundedToSmallFloat(known, value * 1.01F, Overflow::Saturate), value);
    }
    void powersOfTwoRoundAsAsked()
    {
        QCOMPARE(decodeSmallFloat(SmallFloat::E8M0, 128U), 2.0F);
        QVERIFY(std::isnan(decodeSmallFloat(SmallFloat::E8M0, 255U)));
        QCOMPARE(roundedToPower(1.1F, PowerRounding::Up, Overflow::Saturate), 2.0F);
        QCOMPARE(roundedToPower(1.9F, PowerRounding::Down, Overflow::Saturate), 1.0F);
        QCOMPARE(roundedToPower(1.5F, PowerRounding::Nearest, Overflow::Saturate), 2.0F);
        QCOMPARE(roundedToPower(0.0F, PowerRounding::Up, Overflow::Saturate), 0x1p-127F);
    }
};

QTEST_GUILESS_MAIN(TestOperators)
#include "tst_operators.moc"
