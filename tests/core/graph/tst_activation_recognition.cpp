#include "core/graph/activation_recognition.h"
#include "tests/core/graph/recognition_check.h"

#include <QTest>

#include <numbers>

using namespace qs;
using namespace qs::test;

namespace {

constexpr double kRootTwoByPi = std::numbers::sqrt2 * std::numbers::inv_sqrtpi;

ValueId erfOf(PrimitiveGraph& g, ValueId x, double divisor)
{
    return g.op("Erf", {g.op("Div", {x, g.constant(divisor)})});
}

/// The argument of tanh in the form that FastGelu was made from: k x (1 + 0.044715 x x).
ValueId fastArgument(PrimitiveGraph& g, ValueId x)
{
    const ValueId square = g.op("Mul", {x, g.op("Mul", {x, g.constant(0.044715)})});
    return g.op("Mul", {g.op("Mul", {x, g.constant(kRootTwoByPi)}), g.op("Add", {square, g.constant(1.0)})});
}

ValueId cubicArgument(PrimitiveGraph& g, ValueId x)
{
    const ValueId cube = g.op("Mul", {g.constant(0.044715), g.op("Pow", {x, g.constant(3.0)})});
    return g.op("Mul", {g.constant(kRootTwoByPi), g.op("Add", {cube, x})});
}

ValueId write(PrimitiveGraph& g, ValueId x, const std::string& form)
{
    const auto half = [&] { return g.constant(0.5); };
    const auto one = [&] { return g.constant(1.0); };
    if (form == "erf: half x, then the gate") {
        return g.op(
            "Mul", {g.op("Mul", {x, half()}), g.op("Add", {erfOf(g, x, std::numbers::sqrt2), one()})});
    }
    if (form == "erf: x gate, then half") {
        return g.op("Mul", {half(), g.op("Mul", {g.op("Add", {one(), erfOf(g, x, 1.41421)}), x})});
    }
    if (form == "erf: half gate, then x") {
        return g.op(
            "Mul", {x, g.op("Mul", {g.op("Add", {erfOf(g, x, std::numbers::sqrt2), one()}), half()})});
    }
    if (form == "erf: halves inside the gate") {
        const ValueId scaled = g.op("Mul", {half(), erfOf(g, x, std::numbers::sqrt2)});
        return g.op("Mul", {g.op("Add", {scaled, half()}), x});
    }
    if (form == "erf: multiplied out") {
        const ValueId h = g.op("Mul", {x, half()});
        return g.op("Add", {h, g.op("Mul", {h, erfOf(g, x, std::numbers::sqrt2)})});
    }
    if (form == "erf: times 1 / sqrt 2, divided by 2") {
        const ValueId erf = g.op("Erf", {g.op("Mul", {g.constant(std::numbers::sqrt2 / 2.0), x})});
        return g.op("Div", {g.op("Mul", {x, g.op("Add", {erf, one()})}), g.constant(2.0)});
    }
    if (form == "tanh: fast") {
        const ValueId gate = g.op("Add", {g.op("Tanh", {fastArgument(g, x)}), one()});
        return g.op("Mul", {g.op("Mul", {x, half()}), gate});
    }
    if (form == "tanh: cubic") {
        const ValueId gate = g.op("Add", {one(), g.op("Tanh", {cubicArgument(g, x)})});
        return g.op("Mul", {g.op("Mul", {half(), x}), gate});
    }
    if (form == "sigmoid: quick") {
        return g.op("Mul", {x, g.op("Sigmoid", {g.op("Mul", {x, g.constant(1.702)})})});
    }
    return g.op("Mul", {g.op("Sigmoid", {x}), x});
}

} // namespace

class TestActivationRecognition : public QObject
{
    Q_OBJECT

private slots:
    void everyFormIsOneNodeThatComputesTheSame_data()
    {
        QTest::addColumn<QString>("op");
        QTest::addColumn<QString>("approximate");
        for (const char* form : {"erf: half x, then the gate", "erf: x gate, then half",
                 "erf: half gate, then x", "erf: halves inside the gate", "erf: multiplied out",
                 "erf: times 1 / sqrt 2, divided by 2"}) {
            QTest::newRow(form) << QStringLiteral("Gelu") << QStringLiteral("none");
        }
        QTest::newRow("tanh: fast") << QStringLiteral("Gelu") << QStringLiteral("tanh");
        QTest::newRow("tanh: cubic") << QStringLiteral("Gelu") << QStringLiteral("tanh");
        QTest::newRow("sigmoid: quick") << QStringLiteral("Swish") << QString();
        QTest::newRow("sigmoid: of x itself") << QStringLiteral("Swish") << QString();
    }
    void everyFormIsOneNodeThatComputesTheSame()
    {
        QFETCH(QString, op);
        QFETCH(QString, approximate);
        PrimitiveGraph g;
        const ValueId x = g.op("Add", {g.builder.addInput("x", DType::F32, {-1, 16}), g.parameter({16})});
        const ValueId y = write(g, x, QTest::currentDataTag());
        const std::string last = g.builder.lastNode().name;
        g.builder.addOutput(y);
        const auto before = g.builder.build();
        const auto after = recogniseActivations(*before);
        QCOMPARE(after->nodes().size(), std::size_t {2});
        QCOMPARE(after->node(1).op, op.toStdString());
        QCOMPARE(after->node(1).name, last);
        QCOMPARE(after->node(1).stringAttribute("approximate", ""), approximate.toStdString());
        QVERIFY(differenceOf(before, after, {32, 16}) < 5e-6);
    }
    void aGatedProductKeepsItsActivation()
    {
        PrimitiveGraph g;
        const ValueId x = g.builder.addInput("x", DType::F32, {-1, 16});
        const ValueId up = g.op("Mul", {x, g.parameter({16})});
        g.builder.addOutput(g.op("Mul", {write(g, x, "erf: half x, then the gate"), up}));
        const auto before = g.builder.build();
        const auto after = recogniseActivations(*before);
        QCOMPARE(after->nodes().size(), std::size_t {3});
        QCOMPARE(after->node(1).op, std::string("Gelu"));
        QVERIFY(differenceOf(before, after, {4, 16}) < 2e-6);
    }
    void whatIsNoActivationStays_data()
    {
        QTest::addColumn<int>("which");
        QTest::newRow("the argument is an output") << 0;
        QTest::newRow("another constant in the argument") << 1;
        QTest::newRow("another constant in the gate") << 2;
        QTest::newRow("gate of one value, factor of another") << 3;
        QTest::newRow("the gate is read twice") << 4;
    }
    void whatIsNoActivationStays()
    {
        QFETCH(int, which);
        PrimitiveGraph g;
        const ValueId x = g.builder.addInput("x", DType::F32, {-1, 16});
        const ValueId argument = g.op("Div", {x, g.constant(which == 1 ? 1.4 : std::numbers::sqrt2)});
        const ValueId gate = g.op("Add", {g.op("Erf", {argument}), g.constant(which == 2 ? 1.1 : 1.0)});
        const ValueId factor = which == 3 ? g.op("Relu", {x}) : x;
        ValueId y = g.op("Mul", {g.op("Mul", {factor, g.constant(0.5)}), gate});
        y = which == 4 ? g.op("Sub", {y, gate}) : y;
        g.builder.addOutput(y);
        if (which == 0) {
            g.builder.addOutput(argument);
        }
        const auto before = g.builder.build();
        QCOMPARE(opsOf(*recogniseActivations(*before)), opsOf(*before));
    }
};

QTEST_GUILESS_MAIN(TestActivationRecognition)
#include "tst_activation_recognition.moc"
