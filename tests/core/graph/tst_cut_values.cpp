#include "core/graph/cut_values.h"
#include "core/graph/graph_builder.h"

#include <QTest>

using namespace qs;

class TestCutValues : public QObject
{
    Q_OBJECT
private slots:
    void residualBranchesAreNotCuts()
    {
        GraphBuilder builder;
        const ValueId x = builder.addInput("x", DType::F32, {-1, 4});
        const ValueId a = builder.addNode("Relu", "a", {x}); // cut: x is not read again
        const ValueId b = builder.addNode("Relu", "b", {a}); // no cut: a lives on
        const ValueId c = builder.addNode("Relu", "c", {b});
        const ValueId sum = builder.addNode("Add", "sum", {a, c}); // cut
        builder.addOutput(builder.addNode("Relu", "y", {sum}));
        const auto graph = builder.build();
        const std::vector<CutValue> expected {{x, kNoNode}, {a, 0}, {sum, 3}};
        QVERIFY(cutValues(*graph) == expected);
    }
    void constantsDoNotCount()
    {
        GraphBuilder builder;
        const ValueId x = builder.addInput("x", DType::F32, {-1, 1});
        const ValueId w = builder.addConstant("w", Tensor::of<float>(Shape {1}, {2.0F}));
        const ValueId folded = builder.addNode("Relu", "folded", {w});
        const ValueId a = builder.addNode("Mul", "a", {x, folded});
        const ValueId b = builder.addNode("Mul", "b", {a, w});
        builder.addOutput(builder.addNode("Mul", "c", {b, folded}));
        const auto graph = builder.build();
        const std::vector<CutValue> expected {{x, kNoNode}, {a, 1}, {b, 2}};
        QVERIFY(cutValues(*graph) == expected);
        QCOMPARE(dependsOnInput(*graph)[static_cast<std::size_t>(folded)], false);
        QCOMPARE(dependsOnInput(*graph)[static_cast<std::size_t>(a)], true);
    }
};

QTEST_GUILESS_MAIN(TestCutValues)
#include "tst_cut_values.moc"
