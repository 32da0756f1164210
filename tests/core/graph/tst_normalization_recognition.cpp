#include "core/graph/graph_cleanup.h"
#include "core/graph/graph_queries.h"
#include "core/graph/normalization_recognition.h"
#include "tests/core/graph/recognition_check.h"

#include <QTest>

#include <array>

using namespace qs;
using namespace qs::test;

namespace {

/// How the parts of a layer normalization are written.
struct Form
{
    const char* name;
    bool subtractsMean;
    bool powSquare;
    bool duplicateSub;
    bool casts;
    enum class Root { Divide, DivideOne, Reciprocal, PowMinusHalf } root;
    enum class Affine { None, GammaBeta, GammaOnly, BetaOnly, GammaFirst, InRoot, TensorFlow } affine;
};

using Root = Form::Root;
using Affine = Form::Affine;

constexpr std::array kForms {
    Form {"PyTorch", true, true, false, false, Root::Divide, Affine::GammaBeta},
    Form {"square as product", true, false, false, false, Root::Divide, Affine::GammaBeta},
    Form {"difference twice", true, true, true, false, Root::Divide, Affine::GammaBeta},
    Form {"square of two differences", true, false, true, false, Root::Divide, Affine::GammaBeta},
    Form {"casts between", true, true, false, true, Root::Divide, Affine::GammaBeta},
    Form {"no parameters", true, true, false, false, Root::Divide, Affine::None},
    Form {"no beta", true, true, false, false, Root::Divide, Affine::GammaOnly},
    Form {"no gamma", true, true, false, false, Root::Divide, Affine::BetaOnly},
    Form {"gamma first", true, true, false, false, Root::Divide, Affine::GammaFirst},
    Form {"reciprocal", true, false, false, false, Root::Reciprocal, Affine::GammaBeta},
    Form {"one divided", true, false, false, false, Root::DivideOne, Affine::GammaBeta},
    Form {"power of -0.5", true, true, false, false, Root::PowMinusHalf, Affine::GammaBeta},
    Form {"gamma in the root", true, true, false, false, Root::Reciprocal, Affine::InRoot},
    Form {"RMS", false, true, false, false, Root::Divide, Affine::GammaOnly},
    Form {"RMS, square as product", false, false, false, false, Root::Divide, Affine::GammaFirst},
    Form {"RMS, reciprocal", false, true, false, true, Root::Reciprocal, Affine::GammaOnly},
    Form {"RMS, power of -0.5", false, true, false, false, Root::PowMinusHalf, Affine::None},
    Form {"RMS, gamma in the root", false, false, false, false, Root::Reciprocal, Affine::InRoot},
    Form {"TensorFlow", true, false, false, false, Root::Reciprocal, Affine::TensorFlow},
};

/// The last values of the form applied to x [B, 5, 8].
ValueId write(PrimitiveGraph& g, const Form& form, ValueId x)
{
    const auto cast = [&](ValueId value) {
        return form.casts ? g.op("Cast", {value}, {{"to", std::int64_t {1}}}) : value;
    };
    const ValueId mean = form.subtractsMean ? g.mean(x) : kNoValue;
    const auto difference = [&] { return form.subtractsMean ? g.op("Sub", {x, mean}) : x; };
    const ValueId first = difference();
    const ValueId second = form.duplicateSub ? difference() : first;
    const ValueId square
        = form.powSquare ? g.op("Pow", {cast(first), g.constant(2.0)}) : g.op("Mul", {first, second});
    const ValueId variance = g.op("Add", {g.mean(square), g.constant(1e-3)});
    const ValueId gamma
        = form.affine == Affine::None || form.affine == Affine::BetaOnly ? kNoValue : g.parameter({8});
    const bool hasBeta
        = form.subtractsMean && form.affine != Affine::None && form.affine != Affine::GammaOnly;
    const ValueId beta = hasBeta ? g.parameter({8}) : kNoValue;
    ValueId y = kNoValue;
    if (form.root == Root::Divide) {
        y = cast(g.op("Div", {second, g.op("Sqrt", {variance})}));
    } else {
        ValueId inverse = form.root == Root::PowMinusHalf ? g.op("Pow", {variance, g.constant(-0.5)})
            : form.root == Root::Reciprocal               ? g.op("Reciprocal", {g.op("Sqrt", {variance})})
                                            : g.op("Div", {g.constant(1.0), g.op("Sqrt", {variance})});
        if (form.affine == Affine::TensorFlow) {
            const ValueId factor = g.op("Mul", {inverse, gamma});
            const ValueId shift = g.op("Sub", {beta, g.op("Mul", {mean, factor})});
            return g.op("Add", {g.op("Mul", {x, factor}), shift});
        }
        inverse = form.affine == Affine::InRoot ? g.op("Mul", {inverse, gamma}) : inverse;
        y = g.op("Mul", {second, inverse});
    }
    if (gamma != kNoValue && form.affine != Affine::InRoot) {
        y = form.affine == Affine::GammaFirst ? g.op("Mul", {gamma, y}) : g.op("Mul", {y, gamma});
    }
    if (beta != kNoValue) {
        y = form.affine == Affine::GammaFirst ? g.op("Add", {beta, y}) : g.op("Add", {y, beta});
    }
    return y;
}

std::shared_ptr<const Graph> recognised(const std::shared_ptr<const Graph>& graph)
{
    return recogniseNormalizations(*removeIdleNodes(*graph));
}

} // namespace

class TestNormalizationRecognition : public QObject
{
    Q_OBJECT

private slots:
    void everyFormIsOneNodeThatComputesTheSame_data()
    {
        QTest::addColumn<int>("index");
        for (std::size_t i = 0; i < kForms.size(); ++i) {
            QTest::newRow(kForms[i].name) << static_cast<int>(i);
        }
    }
    void everyFormIsOneNodeThatComputesTheSame()
    {
        QFETCH(int, index);
        const Form& form = kForms[static_cast<std::size_t>(index)];
        PrimitiveGraph g;
        const ValueId x = g.builder.addInput("x", DType::F32, {-1, 5, 8});
        const ValueId y = write(g, form, x);
        const std::string last = g.builder.lastNode().name;
        g.builder.addOutput(y);
        const auto before = g.builder.build();
        const auto after = recognised(before);
        QCOMPARE(opsOf(*after),
            std::string(form.subtractsMean ? "LayerNormalization:" : "RMSNormalization:") + last + " ");
        QCOMPARE(after->node(0).intAttribute("axis", 0), std::int64_t {-1});
        QVERIFY(std::abs(after->node(0).floatAttribute("epsilon", 0.0) - 1e-3) < 1e-9);
        QVERIFY(differenceOf(before, after, {3, 5, 8}) < 2e-6);
    }
    void severalLastDimensionsAreNormalizedTogether()
    {
        PrimitiveGraph g;
        const ValueId x = g.builder.addInput("x", DType::F32, {-1, 3, 4});
        const ValueId d = g.op("Sub", {x, g.mean(x, {1, 2})});
        const ValueId variance = g.mean(g.op("Pow", {d, g.constant(2.0)}), {-2, -1});
        const ValueId n = g.op("Div", {d, g.op("Sqrt", {g.op("Add", {g.constant(1e-5, {1}), variance})})});
        g.builder.addOutput(g.op("Add", {g.op("Mul", {n, g.parameter({3, 4})}), g.constant(3.0, {1})}));
        const auto before = g.builder.build();
        const auto after = recognised(before);
        QCOMPARE(after->nodes().size(), std::size_t {1});
        QCOMPARE(after->node(0).intAttribute("axis", 0), std::int64_t {-2});
        QVERIFY(differenceOf(before, after, {2, 3, 4}) < 2e-6);
    }
    void whatOthersReadStays_data()
    {
        QTest::addColumn<int>("which");
        QTest::addColumn<QString>("ops");
        QTest::newRow("the difference is an output") << 0 << QString();
        QTest::newRow("the root is read twice") << 1 << QString();
        QTest::newRow("two gammas share the normalized value")
            << 2 << QStringLiteral("LayerNormalization Mul Mul Add");
        QTest::newRow("beta is added twice") << 3 << QStringLiteral("LayerNormalization Add Add Add");
        QTest::newRow("the mean of something else")
            << 4 << QStringLiteral("Relu ReduceMean Sub RMSNormalization"); // of the difference
        QTest::newRow("a gamma per token") << 5 << QStringLiteral("LayerNormalization Mul");
        QTest::newRow("other dimensions") << 6 << QString();
    }
    void whatOthersReadStays()
    {
        QFETCH(int, which);
        QFETCH(QString, ops);
        PrimitiveGraph g;
        const ValueId x = g.builder.addInput("x", DType::F32, {-1, 5, 8});
        const ValueId other = which == 4 ? g.op("Relu", {x}) : x;
        const ValueId d = g.op("Sub", {x, g.mean(other)});
        const ValueId variance = g.mean(g.op("Mul", {d, d}), {std::int64_t {which == 6 ? -2 : -1}});
        const ValueId root = g.op("Sqrt", {g.op("Add", {variance, g.constant(1e-5)})});
        ValueId y = g.op("Div", {d, root});
        if (which == 1) {
            y = g.op("Add", {y, root});
        } else if (which == 2) {
            y = g.op("Add", {g.op("Mul", {y, g.parameter({8})}), g.op("Mul", {y, g.parameter({8})})});
        } else if (which == 3) {
            y = g.op("Add", {g.op("Add", {y, g.parameter({8})}), g.op("Add", {y, g.parameter({8})})});
        } else if (which == 5) {
            y = g.op("Mul", {y, g.parameter({5, 1})});
        }
        g.builder.addOutput(y);
        if (which == 0) {
            g.builder.addOutput(d);
        }
        const auto before = g.builder.build();
        const auto after = recognised(before);
        if (ops.isEmpty()) {
            QCOMPARE(opsOf(*after), opsOf(*before));
        } else {
            QStringList actual;
            for (const Node& node : after->nodes()) {
                actual << QString::fromStdString(node.op);
            }
            QCOMPARE(actual.join(QLatin1Char(' ')), ops);
        }
        QVERIFY(differenceOf(before, after, {2, 5, 8}) < 2e-6);
    }
    void idleNodesGo()
    {
        PrimitiveGraph g;
        const ValueId x = g.builder.addInput("x", DType::F32, {-1, 4});
        const ValueId copy = g.op("Cast", {g.op("Identity", {x})}, {{"to", std::int64_t {1}}});
        const ValueId count = g.op("Cast", {copy}, {{"to", std::int64_t {7}}});
        const ValueId back = g.op("Cast", {count}, {{"to", std::int64_t {1}}});
        static_cast<void>(g.op("Relu", {copy})); // nobody reads it
        g.builder.addOutput(g.op("Dropout", {back}));
        const auto before = g.builder.build();
        const auto after = removeIdleNodes(*before);
        QCOMPARE(
            after->nodes().size(), std::size_t {3}); // to integers, back, and the Dropout that is the output
        QCOMPARE(after->node(0).inputs.front(), after->inputs().front());
        QVERIFY(differenceOf(before, after, {2, 4}) == 0.0);
    }
};

QTEST_GUILESS_MAIN(TestNormalizationRecognition)
#include "tst_normalization_recognition.moc"
