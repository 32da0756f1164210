#include "core/graph/layer_naming.h"
#include "core/graph/layer_path.h"
#include "core/graph/recognition.h"
#include "core/graph/site.h"
#include "tests/core/graph/recognition_check.h"

#include <QTest>

using namespace qs;
using namespace qs::test;

namespace {

/// Decoder blocks as exporters write them, in primitive operators.
class DecoderSketch
{
public:
    PrimitiveGraph g;

    ValueId weight(const std::string& name, std::int64_t inputs, std::int64_t outputs)
    {
        std::mt19937 generator(static_cast<unsigned>(++m_count));
        return g.builder.addConstant(name.empty() ? "onnx::MatMul_" + std::to_string(m_count) : name,
            qs::testing::randomTensor({inputs, outputs}, generator, 0.3F));
    }
    ValueId linear(const std::string& node, const std::string& parameter, ValueId x, std::int64_t inputs,
        std::int64_t outputs)
    {
        return g.builder.addNode("MatMul", node.empty() ? "MatMul_" + std::to_string(++m_count) : node,
            {x, weight(parameter, inputs, outputs)});
    }
    ValueId heads(ValueId x, std::int64_t count, std::vector<std::int64_t> order = {0, 2, 1, 3})
    {
        const std::string name = "heads" + std::to_string(++m_count);
        const ValueId shape
            = g.builder.addConstant(name, Tensor::of<std::int64_t>(Shape {4}, {0, 0, count, -1}));
        return g.op("Transpose", {g.op("Reshape", {x, shape})}, {{"perm", std::move(order)}});
    }
    /// Post-norm block of width 8 with q, k, v of their own, rotary halves of q and a gated MLP.
    ValueId block(ValueId x, const std::string& path)
    {
        const auto node = [&](const char* name) { return path.empty() ? std::string() : path + name; };
        const ValueId q = heads(linear(node("self_attn.q_proj.MatMul"), "", x, 8, 8), 2);
        const ValueId k = heads(linear(node("self_attn.k_proj.MatMul"), "", x, 8, 8), 2, {0, 2, 3, 1});
        const ValueId v = heads(linear(node("self_attn.v_proj.MatMul"), "", x, 8, 8), 2);
        const ValueId turned = g.op(
            "Add", {g.op("Mul", {q, g.parameter({4})}), g.op("Mul", {g.op("Neg", {q}), g.parameter({4})})});
        const ValueId scores = g.op("Mul", {g.op("MatMul", {turned, k}), g.constant(0.5)});
        const ValueId masked = g.op("Add", {scores, g.parameter({1, 1, 5, 5})});
        const ValueId context = g.op("MatMul", {g.op("Softmax", {masked}, {{"axis", std::int64_t {-1}}}), v});
        const ValueId shape = g.builder.addConstant(
            "join" + std::to_string(++m_count), Tensor::of<std::int64_t>(Shape {3}, {0, 0, 8}));
        const ValueId joined = g.op("Reshape",
            {g.op("Transpose", {context}, {{"perm", std::vector<std::int64_t> {0, 2, 1, 3}}}), shape});
        const ValueId y = norm(g.op("Add", {x, linear(node("self_attn.o_proj.MatMul"), "", joined, 8, 8)}));
        const ValueId gate = g.op("Relu", {linear(node("mlp.gate_proj.MatMul"), "", y, 8, 16)});
        const ValueId up = linear(node("mlp.up_proj.MatMul"), "", y, 8, 16);
        const ValueId down = linear(node("mlp.down_proj.MatMul"), "", g.op("Mul", {gate, up}), 16, 8);
        return norm(g.op("Add", {y, down}));
    }
    ValueId norm(ValueId x)
    {
        const ValueId d = g.op("Sub", {x, g.mean(x)});
        const ValueId variance = g.op("Add", {g.mean(g.op("Mul", {d, d})), g.constant(1e-5)});
        return g.op("Add",
            {g.op("Mul", {g.op("Div", {d, g.op("Sqrt", {variance})}), g.parameter({8})}), g.parameter({8})});
    }

private:
    int m_count = 0;
};

Role roleOf(const std::vector<Site>& sites, const std::string& name)
{
    const int index = indexOfSite(sites, name);
    return index < 0 ? Role::PatchEmbedding : sites[static_cast<std::size_t>(index)].role;
}

} // namespace

class TestLayerNaming : public QObject
{
    Q_OBJECT

private slots:
    void pathsComeFromNodeNames()
    {
        QCOMPARE(layerOfNode("blocks.blocks.0.attn.qkv.MatMul"), std::string("blocks.0.attn.qkv"));
        QCOMPARE(layerOfNode("vit.encoder.layer.0.attention.attention.query.MatMul_1"),
            std::string("vit.encoder.layer.0.attention.attention.query"));
        QCOMPARE(layerOfNode("output.LayerNorm.Add_1"), std::string("output.LayerNorm"));
        QCOMPARE(layerOfNode("fc.MatMul.3"), std::string("fc"));
        QCOMPARE(layerOfNode("head"), std::string("head"));
        QCOMPARE(layerOfNode("MatMul_14"), std::string());
        QCOMPARE(layerOfNode("node_MatMul_36"), std::string());
        QCOMPARE(layerOfNode("MatMul.2"), std::string());
    }
    void pathsComeFromParameterNames()
    {
        QCOMPARE(layerOfParameter("layers.0.attention.wq.weight"), std::string("layers.0.attention.wq"));
        QCOMPARE(layerOfParameter("t9:net/block/sequential/dense_5/bias"),
            std::string("net.block.sequential.dense_5"));
        QCOMPARE(layerOfParameter("W:net/block/dense_2/Tensordot/Ma_49"), std::string("net.block.dense_2"));
        QCOMPARE(layerOfParameter("W:net/block_2/dense_15/Tensord_229"), std::string("net.block_2.dense_15"));
        QCOMPARE(layerOfParameter("fc.bias"), std::string("fc"));
        QCOMPARE(layerOfParameter("onnx::MatMul_123"), std::string());
        QCOMPARE(layerOfParameter("209"), std::string());
        QCOMPARE(layerOfParameter("weight"), std::string());
    }
    void blocksAreFound()
    {
        QCOMPARE(blockOf("blocks.3.attn.qkv"), std::string("blocks.3"));
        QCOMPARE(blockOf("layers.0.blocks.1.mlp.fc1"), std::string("layers.0.blocks.1"));
        QCOMPARE(blockOf("net.transformer_block_2.dense_15"), std::string("net.transformer_block_2"));
        QCOMPARE(blockOf("net.transformer_block.dense_1"), std::string("net.transformer_block"));
        QCOMPARE(blockOf("block0.attn.qkv"), std::string("block0"));
        QCOMPARE(
            blockOf("encoder.layers.encoder_layer_0.mlp.0"), std::string("encoder.layers.encoder_layer_0"));
        QCOMPARE(blockOf("head"), std::string());
        QCOMPARE(commonParentOf({"a.b.q", "a.b.k", "a.b.v"}), std::string("a.b"));
        QCOMPARE(commonParentOf({"a.attn.qkv"}), std::string("a.attn"));
    }
    void aPostNormDecoderHasItsRoles_data()
    {
        QTest::addColumn<QString>("path");
        QTest::addColumn<QString>("attention");
        QTest::addColumn<QString>("mlp");
        QTest::newRow("named nodes") << "model.layers.%1."
                                     << "model.layers.1.self_attn"
                                     << "model.layers.1.mlp";
        QTest::newRow("no names") << ""
                                  << "block1.attn"
                                  << "block1.mlp";
    }
    void aPostNormDecoderHasItsRoles()
    {
        QFETCH(QString, path);
        QFETCH(QString, attention);
        QFETCH(QString, mlp);
        DecoderSketch sketch;
        ValueId x = sketch.g.builder.addInput("x", DType::F32, {-1, 5, 8});
        for (int i = 0; i < 2; ++i) {
            x = sketch.block(x, path.isEmpty() ? std::string() : path.arg(i).toStdString());
        }
        sketch.g.builder.addOutput(x);
        const auto before = sketch.g.builder.build();
        const auto after = recogniseOperators(before).graph;
        QVERIFY(differenceOf(before, after, {2, 5, 8}) < 1e-5);
        const RecognisedCounts counts = countRecognised(*after);
        QCOMPARE(counts, (RecognisedCounts {4, 0, 2, 2, 14}));
        const std::vector<Site> sites = findSites(*after);
        const std::string a = attention.toStdString() + ".";
        const std::string m = mlp.toStdString() + ".";
        const bool named = !path.isEmpty();
        QCOMPARE(roleOf(sites, a + "qkv.input"), Role::PostNormQkv); // also feeds the residual
        QCOMPARE(roleOf(sites, a + (named ? "k_proj.weight" : "k.weight")), Role::PostNormQkv);
        QCOMPARE(roleOf(sites, a + "query"), Role::Query);
        QCOMPARE(roleOf(sites, a + "key"), Role::Key);
        QCOMPARE(roleOf(sites, a + "softmax"), Role::Softmax);
        QCOMPARE(roleOf(sites, a + "value"), Role::Value);
        QCOMPARE(roleOf(sites, a + (named ? "o_proj.input" : "proj.input")), Role::Projection);
        QCOMPARE(roleOf(sites, m + (named ? "gate_proj.input" : "fc1.input")), Role::PostNormFc1);
        QCOMPARE(roleOf(sites, m + (named ? "up_proj.weight" : "fc2.weight")), Role::PostNormFc1);
        QCOMPARE(roleOf(sites, m + (named ? "down_proj.input" : "fc3.input")), Role::PostGeluFc2);
        const int query = indexOfSite(sites, a + "query");
        QCOMPARE(sites[static_cast<std::size_t>(query)].groups, std::int64_t {2});
        QCOMPARE(sites[static_cast<std::size_t>(query)].block,
            named ? std::string("model.layers.1") : std::string("block1"));
    }
};

QTEST_GUILESS_MAIN(TestLayerNaming)
#include "tst_layer_naming.moc"
