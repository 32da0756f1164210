#include "core/base/error.h"
#include "core/io/onnx_reader.h"

#include <onnx/onnx_pb.h>

#include <QTemporaryDir>
#include <QTest>

#include <fstream>
#include <functional>
#include <sstream>

using namespace qs;

namespace {

using Dims = std::vector<std::int64_t>;

/// x [batch, 3] -> MatMul with w [3, 2] -> Add b [2] -> y, made with the protobuf classes alone.
onnx::ModelProto linearModel()
{
    onnx::ModelProto model;
    model.set_ir_version(8);
    model.set_producer_name("hand");
    model.add_opset_import()->set_version(17);
    onnx::GraphProto& graph = *model.mutable_graph();
    const auto describe = [](onnx::ValueInfoProto& info, const char* name, std::int64_t width) {
        info.set_name(name);
        auto& type = *info.mutable_type()->mutable_tensor_type();
        type.set_elem_type(onnx::TensorProto::FLOAT);
        type.mutable_shape()->add_dim()->set_dim_param("batch");
        type.mutable_shape()->add_dim()->set_dim_value(width);
    };
    describe(*graph.add_input(), "x", 3);
    describe(*graph.add_output(), "y", 2);
    auto& weight = *graph.add_initializer();
    weight.set_name("w");
    weight.set_data_type(onnx::TensorProto::FLOAT);
    weight.add_dims(3);
    weight.add_dims(2);
    const float values[] = {1, 2, 3, 4, 5, 6.5F};
    weight.set_raw_data(values, sizeof values);
    auto& bias = *graph.add_initializer();
    bias.set_name("b");
    bias.set_data_type(onnx::TensorProto::FLOAT);
    bias.add_dims(2);
    bias.add_float_data(-1);
    bias.add_float_data(0.25F);
    auto& product = *graph.add_node();
    product.set_op_type("MatMul");
    product.set_name("/blocks.0/fc/MatMul");
    product.add_input("x");
    product.add_input("w");
    product.add_output("/p");
    auto& sum = *graph.add_node();
    sum.set_op_type("Add");
    sum.add_input("/p");
    sum.add_input("b");
    sum.add_output("y");
    return model;
}

onnx::AttributeProto& addInts(onnx::NodeProto& node, const char* name, const Dims& values)
{
    auto& attribute = *node.add_attribute();
    attribute.set_name(name);
    attribute.set_type(onnx::AttributeProto::INTS);
    attribute.mutable_ints()->Add(values.begin(), values.end());
    return attribute;
}

Dims integers(const Tensor& tensor)
{
    const auto data = tensor.data<std::int64_t>();
    return {data.begin(), data.end()};
}

} // namespace

class TestOnnxReader : public QObject
{
    Q_OBJECT

    QTemporaryDir m_folder;

    [[nodiscard]] std::filesystem::path save(const std::string& bytes, const char* name = "m.onnx") const
    {
        const auto path = std::filesystem::path(m_folder.path().toStdString()) / name;
        std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
        return path;
    }
    [[nodiscard]] OnnxFile read(const onnx::ModelProto& model) const
    {
        return readOnnxFile(save(model.SerializeAsString()));
    }
    [[nodiscard]] static const Value& valueNamed(const Graph& graph, const char* name)
    {
        return graph.value(graph.findValue(name).value());
    }

private slots:
    void readsNodesConstantsAndShapes()
    {
        auto model = linearModel();
        auto* entry = model.add_metadata_props();
        entry->set_key("colour");
        entry->set_value("red");
        const OnnxFile file = read(model);
        QCOMPARE(file.opset, std::int64_t {17});
        QCOMPARE(file.irVersion, std::int64_t {8});
        QCOMPARE(file.producer, std::string("hand"));
        QCOMPARE(file.metadata.at("colour"), std::string("red"));

        const Graph& graph = *file.graph;
        QCOMPARE(graph.nodes().size(), std::size_t {2});
        QCOMPARE(graph.node(0).name, std::string("blocks.0.fc.MatMul"));
        QCOMPARE(graph.node(1).name, std::string("Add"));
        QCOMPARE(graph.value(graph.inputs().at(0)).dims, (Dims {-1, 3}));
        QCOMPARE(graph.value(graph.outputs().at(0)).name, std::string("y"));
        QCOMPARE(graph.value(graph.outputs().at(0)).dims, (Dims {-1, 2}));
        const Tensor& weight = valueNamed(graph, "w").constant;
        QCOMPARE(weight.shape(), (Shape {3, 2}));
        QCOMPARE(weight.data<float>()[5], 6.5F);
        QCOMPARE(valueNamed(graph, "b").constant.data<float>()[1], 0.25F);
    }

    void nodesInAnotherOrderAreSorted()
    {
        auto model = linearModel();
        model.mutable_graph()->mutable_node()->SwapElements(0, 1);
        const OnnxFile file = read(model);
        QCOMPARE(file.graph->node(0).op, std::string("MatMul"));
        QCOMPARE(file.graph->node(1).op, std::string("Add"));
    }

    void readsEveryElementTypeFromItsTypedField_data()
    {
        QTest::addColumn<int>("type");
        QTest::addColumn<int>("dtype");
        const auto row = [](const char* name, int type, DType dtype) {
            QTest::newRow(name) << type << static_cast<int>(dtype);
        };
        row("float", onnx::TensorProto::FLOAT, DType::F32);
        row("double", onnx::TensorProto::DOUBLE, DType::F64);
        row("int8", onnx::TensorProto::INT8, DType::I8);
        row("uint8", onnx::TensorProto::UINT8, DType::U8);
        row("int16", onnx::TensorProto::INT16, DType::I16);
        row("uint16", onnx::TensorProto::UINT16, DType::U16);
        row("int32", onnx::TensorProto::INT32, DType::I32);
        row("uint32", onnx::TensorProto::UINT32, DType::U32);
        row("int64", onnx::TensorProto::INT64, DType::I64);
        row("uint64", onnx::TensorProto::UINT64, DType::U64);
        row("bool", onnx::TensorProto::BOOL, DType::Bool);
        row("float16", onnx::TensorProto::FLOAT16, DType::F16);
        row("bfloat16", onnx::TensorProto::BFLOAT16, DType::BF16);
    }
    void readsEveryElementTypeFromItsTypedField()
    {
        QFETCH(int, type);
        QFETCH(int, dtype);
        auto model = linearModel();
        auto& tensor = *model.mutable_graph()->add_initializer();
        tensor.set_name("t");
        tensor.set_data_type(type);
        tensor.add_dims(2);
        // 1 in each type; half 1.0 is 0x3C00, bfloat16 1.0 is 0x3F80
        const int one = type == onnx::TensorProto::FLOAT16 ? 0x3C00
            : type == onnx::TensorProto::BFLOAT16          ? 0x3F80
                                                           : 1;
        for (const int value : {one, 0}) {
            switch (type) {
            case onnx::TensorProto::FLOAT: tensor.add_float_data(static_cast<float>(value)); break;
            case onnx::TensorProto::DOUBLE: tensor.add_double_data(value); break;
            case onnx::TensorProto::INT64: tensor.add_int64_data(value); break;
            case onnx::TensorProto::UINT32:
            case onnx::TensorProto::UINT64: tensor.add_uint64_data(static_cast<std::uint64_t>(value)); break;
            default: tensor.add_int32_data(value); break;
            }
        }
        const OnnxFile file = read(model);
        const Tensor& made = valueNamed(*file.graph, "t").constant;
        QCOMPARE(made.dtype(), static_cast<DType>(dtype));
        QCOMPARE(made.toF32().data<float>()[0], 1.0F);
        QCOMPARE(made.toF32().data<float>()[1], 0.0F);
    }

    void readsFourBitIntegersLowNibbleFirst()
    {
        auto model = linearModel();
        auto& tensor = *model.mutable_graph()->add_initializer();
        tensor.set_name("t");
        tensor.set_data_type(22); // INT4
        tensor.add_dims(5);
        tensor.set_raw_data("\x78\xf1\x03", 3); // ONNX: [-8, 7, 1, -1, 3]
        const OnnxFile file = read(model);
        const auto codes = valueNamed(*file.graph, "t").constant.data<std::int8_t>();
        QCOMPARE((std::vector<int>(codes.begin(), codes.end())), (std::vector<int> {-8, 7, 1, -1, 3}));
    }

    void constantNodesBecomeConstants()
    {
        auto model = linearModel();
        auto& node = *model.mutable_graph()->add_node();
        node.set_op_type("Constant");
        node.add_output("axes");
        addInts(node, "value_ints", {2, 0});
        const OnnxFile file = read(model);
        QCOMPARE(integers(valueNamed(*file.graph, "axes").constant), (Dims {2, 0}));
        QCOMPARE(file.graph->nodes().size(), std::size_t {2});
    }

    void oldOpsetsAreBroughtToTheFormOf17()
    {
        auto model = linearModel();
        model.mutable_opset_import(0)->set_version(9);
        auto& graph = *model.mutable_graph();
        auto& slice = *graph.add_node();
        slice.set_op_type("Slice");
        slice.add_input("y");
        slice.add_output("s");
        addInts(slice, "starts", {0});
        addInts(slice, "ends", {1});
        auto& unsqueeze = *graph.add_node();
        unsqueeze.set_op_type("Unsqueeze");
        unsqueeze.set_name("u");
        unsqueeze.add_input("s");
        unsqueeze.add_output("u");
        addInts(unsqueeze, "axes", {0, 3});
        auto& clip = *graph.add_node();
        clip.set_op_type("Clip");
        clip.add_input("u");
        clip.add_output("c");
        auto& upper = *clip.add_attribute();
        upper.set_name("max");
        upper.set_type(onnx::AttributeProto::FLOAT);
        upper.set_f(1.5F);
        const OnnxFile file = read(model);
        const Graph& made = *file.graph;

        const Node& sliced = made.node(made.findNode("Slice").value());
        QCOMPARE(sliced.inputs.size(), std::size_t {3});
        QCOMPARE(integers(made.value(sliced.inputs[2]).constant), Dims {1});
        QVERIFY(sliced.attributes.empty());
        const Node& unsqueezed = made.node(made.findNode("u").value());
        QCOMPARE(integers(made.value(unsqueezed.inputs.at(1)).constant), (Dims {0, 3}));
        const Node& clipped = made.node(made.findNode("Clip").value());
        QCOMPARE(clipped.inputs.at(1), kNoValue);
        QCOMPARE(made.value(clipped.inputs.at(2)).constant.data<float>()[0], 1.5F);
    }

    void axesOfReductionsReturnToAttributes()
    {
        auto model = linearModel();
        model.mutable_opset_import(0)->set_version(18);
        auto& graph = *model.mutable_graph();
        auto& axes = *graph.add_initializer();
        axes.set_name("axes");
        axes.set_data_type(onnx::TensorProto::INT64);
        axes.add_dims(1);
        axes.add_int64_data(-1);
        auto& mean = *graph.add_node();
        mean.set_op_type("ReduceMean");
        mean.add_input("y");
        mean.add_input("axes");
        mean.add_output("m");
        const OnnxFile file = read(model);
        const Node& node = file.graph->nodes().back();
        QCOMPARE(node.inputs.size(), std::size_t {1});
        QCOMPARE(node.intsAttribute("axes"), Dims {-1});
    }

    void axesThatAreComputedStayAnInput()
    {
        auto model = linearModel();
        model.mutable_opset_import(0)->set_version(18);
        auto& graph = *model.mutable_graph();
        auto& shape = *graph.add_node();
        shape.set_op_type("Shape");
        shape.add_input("y");
        shape.add_output("axes");
        auto& mean = *graph.add_node();
        mean.set_op_type("ReduceMean");
        mean.add_input("y");
        mean.add_input("axes");
        mean.add_output("m");
        const OnnxFile file = read(model);
        const Node& node = file.graph->nodes().back();
        QCOMPARE(node.inputs.size(), std::size_t {2});
        QVERIFY(!node.attributes.contains("axes"));
    }

    void groupsOfOpset18BecomeChannels()
    {
        auto model = linearModel();
        model.mutable_opset_import(0)->set_version(18);
        auto& graph = *model.mutable_graph();
        auto& input = *graph.add_input();
        input.set_name("image");
        auto& type = *input.mutable_type()->mutable_tensor_type();
        type.set_elem_type(onnx::TensorProto::FLOAT);
        for (const std::int64_t dim : {1, 4, 2}) {
            type.mutable_shape()->add_dim()->set_dim_value(dim);
        }
        auto& norm = *graph.add_node();
        norm.set_op_type("GroupNormalization");
        norm.set_name("norm");
        for (const char* name : {"image", "b", "b"}) {
            norm.add_input(name);
        }
        norm.add_output("normed");
        auto& groups = *norm.add_attribute();
        groups.set_name("num_groups");
        groups.set_type(onnx::AttributeProto::INT);
        groups.set_i(2);
        const OnnxFile file = read(model);
        const Node& node = file.graph->nodes().back();
        const Node& scale = file.graph->node(file.graph->value(node.inputs.at(1)).producer);
        QCOMPARE(scale.op, std::string("Gather"));
        QCOMPARE(integers(file.graph->value(scale.inputs.at(1)).constant), (Dims {0, 0, 1, 1}));
    }

    void theResizeOfOpset10RoundsDownFromTheCorner()
    {
        auto model = linearModel();
        model.mutable_opset_import(0)->set_version(10);
        auto& resize = *model.mutable_graph()->add_node();
        resize.set_op_type("Resize");
        resize.add_input("y");
        resize.add_input("b");
        resize.add_output("r");
        const OnnxFile file = read(model);
        const Node& node = file.graph->nodes().back();
        QCOMPARE(node.inputs.size(), std::size_t {3});
        QCOMPARE(node.inputs[1], kNoValue);
        QCOMPARE(node.stringAttribute("coordinate_transformation_mode", ""), std::string("asymmetric"));
        QCOMPARE(node.stringAttribute("nearest_mode", ""), std::string("floor"));
    }

    void eightBitFloatsAreReadByValue()
    {
        auto model = linearModel();
        model.mutable_opset_import(0)->set_version(21);
        auto& zero = *model.mutable_graph()->add_initializer();
        zero.set_name("zero");
        zero.set_data_type(17); // FLOAT8E4M3FN
        zero.add_dims(3);
        zero.set_raw_data(std::string("\x38\xFE\x01", 3));
        auto& quantize = *model.mutable_graph()->add_node();
        quantize.set_op_type("QuantizeLinear");
        for (const char* name : {"y", "b", "zero"}) {
            quantize.add_input(name);
        }
        quantize.add_output("q");
        const OnnxFile file = read(model);
        const auto values = valueNamed(*file.graph, "zero").constant.data<float>();
        QCOMPARE((std::vector<float>(values.begin(), values.end())),
            (std::vector<float> {1.0F, -448.0F, 0x1p-9F}));
        QCOMPARE(file.graph->nodes().back().intAttribute("output_dtype", 0), std::int64_t {17});
    }

    void externalDataBehindALinkOutOfTheFolderIsRefused()
    {
        const std::filesystem::path inside = save("", "link.bin");
        std::filesystem::remove(inside);
        std::filesystem::create_symlink("/etc/hostname", inside);
        auto model = linearModel();
        auto& weight = *model.mutable_graph()->mutable_initializer(0);
        weight.clear_raw_data();
        weight.set_data_location(onnx::TensorProto::EXTERNAL);
        auto* entry = weight.add_external_data();
        entry->set_key("location");
        entry->set_value("link.bin");
        try {
            (void)read(model);
            QFAIL("the link was followed");
        } catch (const Error& error) {
            QCOMPARE(error.code(), ErrorCode::Unsupported);
            QVERIFY(std::string(error.what()).find("outside the model's folder") != std::string::npos);
        }
        std::filesystem::remove(inside);
    }

    void controlFlowIsRefusedByTheNodesName()
    {
        auto model = linearModel();
        auto& node = *model.mutable_graph()->add_node();
        node.set_op_type("If");
        node.set_name("/decoder/If");
        node.add_input("y");
        node.add_output("z");
        auto& branch = *node.add_attribute();
        branch.set_name("then_branch");
        branch.set_type(onnx::AttributeProto::GRAPH);
        branch.mutable_g();
        try {
            (void)read(model);
            QFAIL("a model with control flow was read");
        } catch (const Error& error) {
            QCOMPARE(error.code(), ErrorCode::Unsupported);
            QVERIFY2(std::string(error.what()).find("'decoder.If' (If)") != std::string::npos, error.what());
        }
    }

    void theOldSoftmaxFlattensItsInput()
    {
        auto model = linearModel();
        model.mutable_opset_import(0)->set_version(11);
        auto& softmax = *model.mutable_graph()->add_node();
        softmax.set_op_type("Softmax");
        softmax.set_name("soft");
        softmax.add_input("y");
        softmax.add_output("probabilities");
        const OnnxFile file = read(model);
        std::string ops;
        for (const Node& node : file.graph->nodes()) {
            ops += node.op + " ";
        }
        QCOMPARE(ops, std::string("MatMul Add Shape Flatten Softmax Reshape "));
        QCOMPARE(file.graph->node(3).intAttribute("axis", 0), std::int64_t {1});
        QCOMPARE(file.graph->node(4).intAttribute("axis", 0), std::int64_t {-1});
        QVERIFY(file.graph->findValue("probabilities").has_value());
    }

    void externalDataIsReadFromTheModelsFolder()
    {
        const float values[] = {0, 0, 7, 8, 9, 10, 11, 12};
        (void)save(std::string(reinterpret_cast<const char*>(values), sizeof values), "weights.bin");
        auto model = linearModel();
        auto& weight = *model.mutable_graph()->mutable_initializer(0);
        weight.clear_raw_data();
        weight.set_data_location(onnx::TensorProto::EXTERNAL);
        const auto add = [&](const char* key, const char* value) {
            auto* entry = weight.add_external_data();
            entry->set_key(key);
            entry->set_value(value);
        };
        add("location", "weights.bin");
        add("offset", "8");
        add("length", "24");
        const OnnxFile file = read(model);
        QCOMPARE(valueNamed(*file.graph, "w").constant.data<float>()[0], 7.0F);
        QCOMPARE(valueNamed(*file.graph, "w").constant.data<float>()[5], 12.0F);
    }

    void refusesBrokenFiles_data();
    void refusesBrokenFiles();
    void survivesEveryTruncationAndBitFlip();
    void readsDeitTiny();
};

namespace {

using Damage = std::function<void(onnx::ModelProto&)>;

struct BrokenCase
{
    const char* name;
    ErrorCode code;
    Damage damage;
};

onnx::TensorProto& firstWeight(onnx::ModelProto& model)
{
    return *model.mutable_graph()->mutable_initializer(0);
}

void makeExternal(onnx::ModelProto& model, const char* location, const char* offset)
{
    auto& weight = firstWeight(model);
    weight.clear_raw_data();
    weight.set_data_location(onnx::TensorProto::EXTERNAL);
    auto* entry = weight.add_external_data();
    entry->set_key("location");
    entry->set_value(location);
    entry = weight.add_external_data();
    entry->set_key("offset");
    entry->set_value(offset);
}

const std::vector<BrokenCase>& brokenCases()
{
    using Model = onnx::ModelProto;
    static const std::vector<BrokenCase> cases {
        {"no opset", ErrorCode::CorruptFile, [](Model& m) { m.clear_opset_import(); }},
        {"opset zero", ErrorCode::CorruptFile, [](Model& m) { m.mutable_opset_import(0)->set_version(0); }},
        {"ir version of the future", ErrorCode::Unsupported, [](Model& m) { m.set_ir_version(99); }},
        {"opset of the future", ErrorCode::Unsupported,
            [](Model& m) { m.mutable_opset_import(0)->set_version(99); }},
        {"no graph", ErrorCode::CorruptFile, [](Model& m) { m.clear_graph(); }},
        {"no output", ErrorCode::CorruptFile, [](Model& m) { m.mutable_graph()->clear_output(); }},
        {"unknown output", ErrorCode::CorruptFile,
            [](Model& m) { m.mutable_graph()->mutable_output(0)->set_name("nothing"); }},
        {"fewer bytes than the shape", ErrorCode::CorruptFile,
            [](Model& m) { firstWeight(m).mutable_raw_data()->pop_back(); }},
        {"more bytes than the shape", ErrorCode::CorruptFile,
            [](Model& m) { firstWeight(m).mutable_raw_data()->push_back('x'); }},
        {"terabytes by dims", ErrorCode::CorruptFile,
            [](Model& m) { firstWeight(m).set_dims(0, 1LL << 40); }},
        {"overflowing dims", ErrorCode::CorruptFile,
            [](Model& m) {
                firstWeight(m).set_dims(0, 1LL << 62);
                firstWeight(m).set_dims(1, 1LL << 62);
            }},
        {"bytes overflow", ErrorCode::CorruptFile,
            [](Model& m) {
                firstWeight(m).set_dims(0, 1LL << 62);
                firstWeight(m).set_dims(1, 1);
            }},
        {"negative dim", ErrorCode::CorruptFile, [](Model& m) { firstWeight(m).set_dims(0, -3); }},
        {"forty dims", ErrorCode::CorruptFile,
            [](Model& m) {
                for (int i = 0; i < 40; ++i) {
                    firstWeight(m).add_dims(1);
                }
            }},
        {"terabytes by typed dims", ErrorCode::CorruptFile,
            [](Model& m) { m.mutable_graph()->mutable_initializer(1)->set_dims(0, 1LL << 40); }},
        {"string tensor", ErrorCode::Unsupported,
            [](Model& m) { firstWeight(m).set_data_type(onnx::TensorProto::STRING); }},
        {"element type 77", ErrorCode::Unsupported, [](Model& m) { firstWeight(m).set_data_type(77); }},
        {"segmented tensor", ErrorCode::Unsupported,
            [](Model& m) { firstWeight(m).mutable_segment()->set_begin(0); }},
        {"external in the parent folder", ErrorCode::Unsupported,
            [](Model& m) { makeExternal(m, "../secret.bin", "0"); }},
        {"external by absolute path", ErrorCode::Unsupported,
            [](Model& m) { makeExternal(m, "/etc/passwd", "0"); }},
        {"external without location", ErrorCode::Unsupported, [](Model& m) { makeExternal(m, "", "0"); }},
        {"external file absent", ErrorCode::Io, [](Model& m) { makeExternal(m, "absent.bin", "0"); }},
        {"external offset outside", ErrorCode::CorruptFile, [](Model& m) { makeExternal(m, "e.bin", "99"); }},
        {"external offset wraps", ErrorCode::CorruptFile,
            [](Model& m) { makeExternal(m, "e.bin", "18446744073709551600"); }},
        {"external offset no number", ErrorCode::CorruptFile,
            [](Model& m) { makeExternal(m, "e.bin", "-4"); }},
        {"input that nothing makes", ErrorCode::CorruptFile,
            [](Model& m) { m.mutable_graph()->mutable_node(0)->set_input(0, "ghost"); }},
        {"nodes in a circle", ErrorCode::CorruptFile,
            [](Model& m) { m.mutable_graph()->mutable_node(0)->set_input(0, "y"); }},
        {"value made twice", ErrorCode::CorruptFile,
            [](Model& m) { m.mutable_graph()->mutable_node(1)->set_output(0, "/p"); }},
        {"node without output", ErrorCode::CorruptFile,
            [](Model& m) { m.mutable_graph()->mutable_node(1)->clear_output(); }},
        {"subgraph", ErrorCode::Unsupported,
            [](Model& m) {
                auto& attribute = *m.mutable_graph()->mutable_node(0)->add_attribute();
                attribute.set_name("then_branch");
                attribute.set_type(onnx::AttributeProto::GRAPH);
                attribute.mutable_g();
            }},
        {"attribute without type", ErrorCode::Unsupported,
            [](Model& m) { m.mutable_graph()->mutable_node(0)->add_attribute()->set_name("a"); }},
        {"sparse initializer", ErrorCode::Unsupported,
            [](Model& m) { m.mutable_graph()->add_sparse_initializer(); }},
        {"input is no tensor", ErrorCode::Unsupported,
            [](Model& m) { m.mutable_graph()->mutable_input(0)->mutable_type()->mutable_sequence_type(); }},
        {"input of strings", ErrorCode::Unsupported,
            [](Model& m) {
                m.mutable_graph()->mutable_input(0)->mutable_type()->mutable_tensor_type()->set_elem_type(
                    onnx::TensorProto::STRING);
            }},
        {"input with a negative dimension", ErrorCode::CorruptFile,
            [](Model& m) {
                auto& type = *m.mutable_graph()->mutable_input(0)->mutable_type()->mutable_tensor_type();
                type.mutable_shape()->mutable_dim(1)->set_dim_value(-7);
            }},
    };
    return cases;
}

} // namespace

void TestOnnxReader::refusesBrokenFiles_data()
{
    QTest::addColumn<int>("index");
    for (std::size_t i = 0; i < brokenCases().size(); ++i) {
        QTest::newRow(brokenCases()[i].name) << static_cast<int>(i);
    }
}

void TestOnnxReader::refusesBrokenFiles()
{
    QFETCH(int, index);
    const BrokenCase& broken = brokenCases()[static_cast<std::size_t>(index)];
    (void)save("0123456789", "e.bin");
    auto model = linearModel();
    QVERIFY(read(model).graph != nullptr);
    broken.damage(model);
    try {
        (void)read(model);
        QFAIL("the damage was not noticed");
    } catch (const Error& error) {
        QCOMPARE(nameOf(error.code()), nameOf(broken.code));
        QVERIFY2(std::string(error.what()).find(".") != std::string::npos, error.what());
        QVERIFY2(std::string(error.what()).find('\n') == std::string::npos, error.what());
    }
}

void TestOnnxReader::survivesEveryTruncationAndBitFlip()
{
    const std::string whole = linearModel().SerializeAsString();
    int refused = 0;
    const auto attempt = [&](const std::string& bytes) {
        try {
            (void)readOnnxFile(save(bytes));
        } catch (const Error&) {
            ++refused;
        }
    };
    for (std::size_t size = 0; size < whole.size(); ++size) {
        attempt(whole.substr(0, size));
    }
    // Cutting behind a complete field can leave a complete message, but hardly ever a complete model.
    QVERIFY2(refused > static_cast<int>(whole.size()) - 8, qPrintable(QString::number(refused)));
    for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
        std::string flipped = whole;
        flipped[bit / 8]
            = static_cast<char>(static_cast<unsigned char>(flipped[bit / 8]) ^ (1U << (bit % 8)));
        attempt(flipped);
    }
}

void TestOnnxReader::readsDeitTiny()
{
    const auto path = std::filesystem::path(QS_SHARED_DATA) / "models/deit_tiny_patch16_224/model.onnx";
    if (std::string(QS_SHARED_DATA).empty() || !std::filesystem::exists(path)) {
        QSKIP("shared models are absent");
    }
    const OnnxFile file = readOnnxFile(path);
    QCOMPARE(file.graph->nodes().size(), std::size_t {360});
    QCOMPARE(file.graph->parameterCount(), std::int64_t {5717416}); // as published
    QCOMPARE(file.graph->value(file.graph->inputs().at(0)).dims, (Dims {-1, 3, 224, 224}));
}

QTEST_GUILESS_MAIN(TestOnnxReader)
#include "tst_onnx_reader.moc"
