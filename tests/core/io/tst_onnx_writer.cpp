#include "core/base/error.h"
#include "core/graph/graph_builder.h"
#include "core/io/onnx_reader.h"
#include "core/io/onnx_tensor.h"
#include "core/io/onnx_writer.h"

#include <onnx/onnx_pb.h>

#include <QTemporaryDir>
#include <QTest>

#include <fstream>
#include <iterator>

using namespace qs;

namespace {

std::shared_ptr<const Graph> smallGraph()
{
    GraphBuilder builder;
    const ValueId x = builder.addInput("x", DType::F32, {-1, 3});
    const ValueId weight = builder.addConstant("w", Tensor::of<float>(Shape {3, 2}, {1, 2, 3, 4, 5, 6.5F}));
    const ValueId half = builder.addConstant("half", Tensor::of<std::uint16_t>(Shape {1}, {0x3C00}));
    const ValueId product = builder.addNode("MatMul", "product", {x, weight});
    const ValueId soft = builder.addNodeWithOutputs("Softmax", "soft", {product}, {"y"},
        {{"axis", std::int64_t {-1}}, {"scale", 0.5}, {"mode", "fast"}})[0];
    const ValueId clip = builder.addNode("Clip", "clip", {soft, kNoValue, half});
    builder.setDims(clip, {-1, 2});
    builder.addOutput(clip);
    return builder.build();
}

std::string contentsOf(const std::filesystem::path& path)
{
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

} // namespace

class TestOnnxWriter : public QObject
{
    Q_OBJECT

    QTemporaryDir m_folder;
    [[nodiscard]] std::filesystem::path at(const char* name) const
    {
        return std::filesystem::path(m_folder.path().toStdString()) / name;
    }

private slots:
    void writesWhatTheProtobufClassesRead()
    {
        OnnxDescription description;
        description.graphName = "small";
        description.producerVersion = "1.2";
        description.metadata = {{"b", "2"}, {"a", "1"}};
        writeOnnxFile(*smallGraph(), description, at("a.onnx"));

        onnx::ModelProto model;
        QVERIFY(model.ParseFromString(contentsOf(at("a.onnx"))));
        QCOMPARE(model.ir_version(), 8);
        QCOMPARE(model.producer_name(), std::string("quantoscope"));
        QCOMPARE(model.producer_version(), std::string("1.2"));
        QCOMPARE(model.opset_import(0).version(), 17);
        QCOMPARE(model.metadata_props(0).key(), std::string("a"));
        const onnx::GraphProto& graph = model.graph();
        QCOMPARE(graph.node_size(), 3);
        QCOMPARE(graph.node(1).op_type(), std::string("Softmax"));
        QCOMPARE(graph.node(1).input(0), std::string("product"));
        QCOMPARE(graph.node(1).output(0), std::string("y"));
        QCOMPARE(graph.node(1).attribute(0).name(), std::string("axis"));
        QCOMPARE(graph.node(1).attribute(0).i(), -1);
        QCOMPARE(graph.node(1).attribute(2).f(), 0.5F);
        QCOMPARE(graph.node(2).input(1), std::string());
        const auto& inputShape = graph.input(0).type().tensor_type().shape();
        QCOMPARE(inputShape.dim(0).dim_param(), std::string("batch"));
        QCOMPARE(inputShape.dim(1).dim_value(), 3);
        const onnx::TensorProto& weight = graph.initializer(0);
        QCOMPARE(weight.name(), std::string("w"));
        QCOMPARE(weight.dims(0), 3);
        QCOMPARE(weight.dims(1), 2);
        QCOMPARE(weight.raw_data().size(), std::size_t {24});
        float last = 0;
        std::memcpy(&last, weight.raw_data().data() + 20, 4);
        QCOMPARE(last, 6.5F);
    }

    void whatWasWrittenReadsBack()
    {
        writeOnnxFile(*smallGraph(), {}, at("b.onnx"));
        const OnnxFile file = readOnnxFile(at("b.onnx"));
        const auto original = smallGraph();
        QCOMPARE(file.graph->nodes().size(), original->nodes().size());
        for (std::size_t i = 0; i < original->nodes().size(); ++i) {
            QCOMPARE(file.graph->nodes()[i].op, original->nodes()[i].op);
            QCOMPARE(file.graph->nodes()[i].name, original->nodes()[i].name);
        }
        QCOMPARE(file.graph->node(1).stringAttribute("mode", ""), std::string("fast"));
        QCOMPARE(file.graph->value(file.graph->outputs()[0]).dims, (std::vector<std::int64_t> {-1, 2}));
    }

    void theSameGraphGivesTheSameBytes()
    {
        const OnnxDescription description {
            .graphName = "g", .producerVersion = "1", .metadata = {{"z", "1"}}};
        writeOnnxFile(*smallGraph(), description, at("c.onnx"));
        writeOnnxFile(*smallGraph(), description, at("d.onnx"));
        QVERIFY(contentsOf(at("c.onnx")) == contentsOf(at("d.onnx")));
    }

    void ourOwnOperatorsAreRefusedAndNothingIsLeft()
    {
        GraphBuilder builder;
        const ValueId x = builder.addInput("x", DType::F32, {-1, 3});
        builder.addOutput(builder.addNode("Gelu", "act", {x}));
        const auto graph = builder.build();
        try {
            writeOnnxFile(*graph, {}, at("e.onnx"));
            QFAIL("wrote an operator that opset 17 does not have");
        } catch (const Error& error) {
            QCOMPARE(error.code(), ErrorCode::Unsupported);
        }
        QVERIFY(!std::filesystem::exists(at("e.onnx")));
    }

    void moreThanTwoGibibytesAreRefusedBeforeWriting()
    {
        GraphBuilder builder;
        const ValueId x = builder.addInput("x", DType::F32, {-1});
        static const std::byte one {};
        // A tensor that claims 3 GiB and is never read: the size is refused first.
        const std::int64_t count = std::int64_t {3} << 30;
        const auto owner = std::make_shared<int>(0);
        const ValueId big = builder.addConstant("big",
            Tensor(DType::I8, Shape {count}, owner,
                std::span<const std::byte>(&one, static_cast<std::size_t>(count))));
        builder.addOutput(builder.addNode("Add", "sum", {x, big}));
        const auto graph = builder.build();
        QVERIFY_THROWS_EXCEPTION(Error, writeOnnxFile(*graph, {}, at("f.onnx")));
        QVERIFY(!std::filesystem::exists(at("f.onnx")));
    }

    void packsFourBitCodesLowNibbleFirst()
    {
        // Golden bytes of the ONNX specification's layout: [-8, 7, 1, -1, 3] is 78 f1 03.
        const std::vector<std::int8_t> codes {-8, 7, 1, -1, 3};
        const std::vector<std::uint8_t> packed = packNibbles(codes);
        QCOMPARE(packed, (std::vector<std::uint8_t> {0x78, 0xf1, 0x03}));
        QVERIFY(unpackSignedNibbles(packed, 5) == codes);
        QVERIFY_THROWS_EXCEPTION(Error, (void)unpackSignedNibbles(packed, 7));
    }
};

QTEST_GUILESS_MAIN(TestOnnxWriter)
#include "tst_onnx_writer.moc"
