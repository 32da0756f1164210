#include "core/graph/graph_builder.h"
#include "core/graph/linear_recognition.h"
#include "core/graph/shape_inference.h"

#include <QTest>

using namespace qs;

namespace {

using Dims = std::vector<std::int64_t>;

Tensor floats(const Shape& shape)
{
    return Tensor::zeros(DType::F32, shape);
}

Tensor integers(std::initializer_list<std::int64_t> values)
{
    return Tensor::of<std::int64_t>(Shape {static_cast<std::int64_t>(values.size())}, values);
}

std::string opsOf(const Graph& graph)
{
    std::string ops;
    for (const Node& node : graph.nodes()) {
        ops += node.op + ":" + node.name + " ";
    }
    return ops;
}

const Dims& dimsOf(const Graph& graph, const char* value)
{
    return graph.value(graph.findValue(value).value()).dims;
}

} // namespace

class TestLinearRecognition : public QObject
{
    Q_OBJECT

private slots:
    void matMulAndAddAreOneLinearOfTheLayersName()
    {
        GraphBuilder builder;
        const ValueId x = builder.addInput("x", DType::F32, {-1, 5, 3});
        const ValueId weight = builder.addConstant("onnx::MatMul_7", floats(Shape {3, 4}));
        const ValueId bias = builder.addConstant("b", floats(Shape {4}));
        const ValueId product = builder.addNode("MatMul", "blocks.0.fc.MatMul", {x, weight});
        builder.addOutput(builder.addNodeWithOutputs("Add", "blocks.0.fc.Add", {bias, product}, {"y"})[0]);
        const auto graph = recogniseLinears(*builder.build());
        QCOMPARE(opsOf(*graph), std::string("Linear:blocks.0.fc "));
        QCOMPARE(graph->node(0).intAttribute("transB", 9), std::int64_t {0});
        QCOMPARE(graph->node(0).inputs.size(), std::size_t {3});
        QCOMPARE(dimsOf(*graph, "y"), (Dims {-1, 5, 4}));
    }

    void anAddThatIsNoBiasStays_data()
    {
        QTest::addColumn<int>("which");
        QTest::newRow("another width") << 0;
        QTest::newRow("a second reader") << 1;
        QTest::newRow("the product is an output") << 2;
    }
    void anAddThatIsNoBiasStays()
    {
        QFETCH(int, which);
        GraphBuilder builder;
        const ValueId x = builder.addInput("x", DType::F32, {-1, 3});
        const ValueId weight = builder.addConstant("w", floats(Shape {3, 4}));
        const ValueId other = builder.addConstant("b", floats(which == 0 ? Shape {1} : Shape {4}));
        const ValueId product = builder.addNode("MatMul", "fc.MatMul", {x, weight});
        builder.addOutput(builder.addNode("Add", "sum", {product, other}));
        if (which == 1) {
            builder.addOutput(builder.addNode("Relu", "relu", {product}));
        } else if (which == 2) {
            builder.addOutput(product);
        }
        const auto graph = recogniseLinears(*builder.build());
        QCOMPARE(graph->node(0).op, std::string("Linear"));
        QCOMPARE(graph->node(0).inputs.size(), std::size_t {2});
        QCOMPARE(graph->node(1).op, std::string("Add"));
    }

    void gemmIsALinearOnlyWhereItComputesOne_data()
    {
        QTest::addColumn<double>("alpha");
        QTest::addColumn<int>("transA");
        QTest::addColumn<bool>("linear");
        QTest::newRow("plain") << 1.0 << 0 << true;
        QTest::newRow("scaled") << 0.5 << 0 << false;
        QTest::newRow("transposed input") << 1.0 << 1 << false;
    }
    void gemmIsALinearOnlyWhereItComputesOne()
    {
        QFETCH(double, alpha);
        QFETCH(int, transA);
        QFETCH(bool, linear);
        GraphBuilder builder;
        const ValueId x = builder.addInput("x", DType::F32, {-1, 3});
        const ValueId weight = builder.addConstant("w", floats(Shape {4, 3}));
        const ValueId bias = builder.addConstant("b", floats(Shape {4}));
        builder.addOutput(builder.addNodeWithOutputs("Gemm", "head.Gemm", {x, weight, bias}, {"y"},
            {{"alpha", alpha}, {"transA", std::int64_t {transA}}, {"transB", std::int64_t {1}}})[0]);
        const auto graph = recogniseLinears(*builder.build());
        QCOMPARE(opsOf(*graph), std::string(linear ? "Linear:head " : "Gemm:head.Gemm "));
        if (linear) {
            QCOMPARE(dimsOf(*graph, "y"), (Dims {-1, 4}));
        }
    }

    void aProductOfTwoActivationsStays()
    {
        GraphBuilder builder;
        const ValueId a = builder.addInput("a", DType::F32, {-1, 2, 3, 4});
        const ValueId b = builder.addInput("b", DType::F32, {-1, 2, 4, 5});
        builder.addOutput(builder.addNode("MatMul", "p", {a, b}));
        const auto graph = recogniseLinears(*builder.build());
        QCOMPARE(opsOf(*graph), std::string("MatMul:p "));
        QCOMPARE(dimsOf(*graph, "p"), (Dims {-1, 2, 3, 5}));
    }

    void dimensionsFollowTheOperators()
    {
        GraphBuilder builder;
        const auto add = [&](const char* op, const char* name, std::vector<ValueId> inputs,
                             std::map<std::string, Attribute> attributes = {}) {
            const ValueId value = builder.addNode(op, name, std::move(inputs), std::move(attributes));
            inferShapes(builder, builder.lastNode());
            return value;
        };
        const auto dims = [&](ValueId value) { return builder.value(value).dims; };
        const ValueId x = builder.addInput("x", DType::F32, {-1, 3, 32, 48});
        const ValueId weight = builder.addConstant("w", floats(Shape {6, 3, 16, 8}));
        const ValueId patches = add("Conv", "conv", {x, weight}, {{"strides", Dims {16, 8}}});
        QCOMPARE(dims(patches), (Dims {-1, 6, 2, 6}));
        const ValueId flat
            = add("Reshape", "flat", {patches, builder.addConstant("s", integers({0, 6, -1}))});
        QCOMPARE(dims(flat), (Dims {-1, 6, 12}));
        const ValueId tokens = add("Transpose", "tokens", {flat}, {{"perm", Dims {0, 2, 1}}});
        QCOMPARE(dims(tokens), (Dims {-1, 12, 6}));
        const ValueId heads
            = add("Reshape", "heads", {tokens, builder.addConstant("h", integers({0, 12, 3, 2}))});
        QCOMPARE(dims(add("Gather", "g",
                     {heads, builder.addConstant("i", Tensor::of<std::int64_t>(Shape {}, {1}))},
                     {{"axis", std::int64_t {2}}})),
            (Dims {-1, 12, 2}));
        QCOMPARE(dims(add("Unsqueeze", "u", {tokens, builder.addConstant("a", integers({0, -1}))})),
            (Dims {1, -1, 12, 6, 1}));
        QCOMPARE(
            dims(add("Concat", "c", {tokens, tokens}, {{"axis", std::int64_t {1}}})), (Dims {-1, 24, 6}));
        QCOMPARE(dims(add("Add", "sum", {tokens, builder.addConstant("p", floats(Shape {1, 12, 6}))})),
            (Dims {-1, 12, 6}));
        QCOMPARE(
            dims(add("ReduceMean", "m", {tokens}, {{"axes", Dims {-1}}, {"keepdims", std::int64_t {0}}})),
            (Dims {-1, 12}));
        QCOMPARE(dims(add("Split", "split", {tokens}, {{"axis", std::int64_t {2}}})), (Dims {-1, 12, 6}));
    }

    void absurdDimensionsStayUnknown()
    {
        GraphBuilder builder;
        const ValueId x = builder.addInput("x", DType::F32, {std::int64_t {1} << 62, 3});
        const ValueId y = builder.addInput("y", DType::F32, {-1, 3, 8, 8});
        const ValueId weight = builder.addConstant("w", floats(Shape {1, 3, 2, 2}));
        const ValueId joined = builder.addNode("Concat", "c", {x, x}, {{"axis", std::int64_t {0}}});
        inferShapes(builder, builder.lastNode());
        QVERIFY(!builder.value(joined).dimsKnown);
        const ValueId conv = builder.addNode("Conv", "k", {y, weight}, {{"pads", Dims {INT64_MAX, 1, 1, 1}}});
        inferShapes(builder, builder.lastNode());
        QVERIFY(!builder.value(conv).dimsKnown);
    }
};

QTEST_GUILESS_MAIN(TestLinearRecognition)
#include "tst_linear_recognition.moc"
