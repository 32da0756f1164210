#include "core/base/error.h"
#include "core/graph/recognition.h"
#include "core/models/model.h"
#include "core/runtime/executor.h"
#include "tests/core/graph/onnx_runtime_runs.h"

#include <onnx/onnx_pb.h>

#include <QTest>

#include <cmath>
#include <fstream>
#include <functional>
#include <map>
#include <random>

using namespace qs;
using namespace qs::test;

namespace {

using Dims = std::vector<std::int64_t>;

/// An ONNX file of one contrib operator, made with the protobuf classes alone, and values for its inputs.
class OperatorFile
{
public:
    onnx::ModelProto model;
    std::vector<Tensor> inputs;
    onnx::NodeProto* node = nullptr;

    explicit OperatorFile(const std::string& op)
    {
        model.set_ir_version(8);
        auto* standard = model.add_opset_import();
        standard->set_domain("");
        standard->set_version(17);
        auto* contrib = model.add_opset_import();
        contrib->set_domain("com.microsoft");
        contrib->set_version(1);
        model.mutable_graph()->set_name("graph");
        node = model.mutable_graph()->add_node();
        node->set_name("node");
        node->set_op_type(op);
        node->set_domain("com.microsoft");
    }
    /// A graph input; integers get the values that `number` gives, floats random ones.
    void input(const std::string& name, const Dims& dims, int type = onnx::TensorProto::FLOAT,
        const std::function<int(std::size_t)>& number = {})
    {
        auto* info = model.mutable_graph()->add_input();
        setType(info, name, dims, type);
        inputs.push_back(values(dims, number));
        node->add_input(name);
    }
    void weight(const std::string& name, const Dims& dims, float scale = 0.3F)
    {
        auto* tensor = model.mutable_graph()->add_initializer();
        tensor->set_name(name);
        tensor->set_data_type(onnx::TensorProto::FLOAT);
        for (const std::int64_t dim : dims) {
            tensor->add_dims(dim);
        }
        const Tensor random = values(dims, {});
        for (const float value : random.data<float>()) {
            tensor->add_float_data(value * scale);
        }
        node->add_input(name);
    }
    void none() { node->add_input(""); }
    void output(const std::string& name, const Dims& dims = {}, int type = onnx::TensorProto::FLOAT)
    {
        node->add_output(name);
        if (!name.empty()) {
            auto* info = model.mutable_graph()->add_output();
            info->set_name(name);
            info->mutable_type()->mutable_tensor_type()->set_elem_type(type);
            for (const std::int64_t dim : dims) {
                info->mutable_type()->mutable_tensor_type()->mutable_shape()->add_dim()->set_dim_value(dim);
            }
        }
    }
    void set(const char* name, std::int64_t value)
    {
        auto* attribute = node->add_attribute();
        attribute->set_name(name);
        attribute->set_type(onnx::AttributeProto::INT);
        attribute->set_i(value);
    }
    void setFloat(const char* name, float value)
    {
        auto* attribute = node->add_attribute();
        attribute->set_name(name);
        attribute->set_type(onnx::AttributeProto::FLOAT);
        attribute->set_f(value);
    }

private:
    static void setType(onnx::ValueInfoProto* info, const std::string& name, const Dims& dims, int type)
    {
        info->set_name(name);
        info->mutable_type()->mutable_tensor_type()->set_elem_type(type);
        info->mutable_type()->mutable_tensor_type()->mutable_shape();
        for (const std::int64_t dim : dims) {
            info->mutable_type()->mutable_tensor_type()->mutable_shape()->add_dim()->set_dim_value(dim);
        }
    }
    Tensor values(const Dims& dims, const std::function<int(std::size_t)>& number)
    {
        Tensor tensor(DType::F32, Shape(dims));
        for (std::size_t i = 0; i < tensor.mutableData<float>().size(); ++i) {
            tensor.mutableData<float>()[i] = number
                ? static_cast<float>(number(i))
                : (static_cast<float>(m_generator() % 1024) - 512.0F) / 256.0F;
        }
        return tensor;
    }

    std::mt19937 m_generator {23};
};

constexpr int kInt32 = onnx::TensorProto::INT32;

OperatorFile feedForward(const char* op, bool bias)
{
    OperatorFile file(op);
    file.input("x", {2, 3, 8});
    if (bias) {
        file.weight("b", {8});
    }
    file.output("y");
    return file;
}

OperatorFile normalization(const char* op, bool bias)
{
    OperatorFile file(op);
    file.input("x", {2, 3, 8});
    file.input("skip", {2, 3, 8});
    file.weight("gamma", {8});
    if (std::string(op) == "SkipLayerNormalization") {
        file.weight("beta", {8});
    }
    if (bias) {
        file.weight("bias", {8});
    }
    file.setFloat("epsilon", 1e-3F);
    file.output("y");
    file.output("");
    file.output("");
    file.output("sum");
    return file;
}

OperatorFile embedding(bool segments, bool mask)
{
    OperatorFile file("EmbedLayerNormalization");
    const auto index = [](std::size_t i) { return static_cast<int>(i * 7 % 5); };
    file.input("ids", {2, 4}, kInt32, index);
    if (segments) {
        file.input("segments", {2, 4}, kInt32, [](std::size_t i) { return static_cast<int>(i % 2); });
    } else {
        file.none();
    }
    file.weight("word", {5, 8});
    file.weight("position", {6, 8});
    if (segments) {
        file.weight("segment", {2, 8});
    } else {
        file.none();
    }
    file.weight("gamma", {8});
    file.weight("beta", {8});
    if (mask) {
        file.input("mask", {2, 4}, kInt32, [](std::size_t i) { return i % 4 < 3 - i / 4 ? 1 : 0; });
    }
    file.output("y");
    file.output("index", {2}, kInt32);
    return file;
}

/// Attention of 2 heads over 5 tokens of width 8; the mask has that many dimensions.
OperatorFile attention(int maskRank, bool causal, bool past, bool bias)
{
    OperatorFile file("Attention");
    const std::int64_t keys = past ? 8 : 5;
    file.input("x", {2, 5, 8});
    file.weight("w", {8, 24});
    file.weight("b", {24});
    const auto ones = [keys](std::size_t i) {
        return static_cast<std::int64_t>(i) % keys < keys - static_cast<std::int64_t>(i) / keys % 2 ? 1 : 0;
    };
    if (maskRank == 1) {
        file.input("mask", {2}, kInt32,
            [keys](std::size_t i) { return static_cast<int>(keys) - static_cast<int>(i); });
    } else if (maskRank == 2) {
        file.input("mask", {2, keys}, kInt32, ones);
    } else if (maskRank == 3) {
        file.input("mask", {2, 5, keys}, kInt32, ones);
    } else {
        file.none();
    }
    if (past) {
        file.input("past", {2, 2, 2, 3, 4});
    } else {
        file.none();
    }
    if (bias) {
        file.input("scores", {1, 2, 5, keys});
    }
    file.set("num_heads", 2);
    file.set("unidirectional", causal ? 1 : 0);
    file.output("y");
    if (past) {
        file.output("present");
    }
    return file;
}

enum class Packing { Apart, QueryKeyValue, KeyValue };

OperatorFile multiHead(Packing packing, bool bias, int maskRank, bool past, std::int64_t keys = 6)
{
    OperatorFile file("MultiHeadAttention");
    if (packing == Packing::QueryKeyValue) {
        file.input("q", {2, 5, 2, 3, 4});
        file.none();
        file.none();
    } else if (packing == Packing::KeyValue) {
        file.input("q", {2, 5, 8});
        file.input("k", {2, 6, 2, 2, 4});
        file.none();
    } else {
        file.input("q", {2, 5, 8});
        file.input("k", {2, keys, 8});
        file.input("v", {2, keys, 8});
    }
    bias ? file.weight("b", {24}) : file.none();
    if (maskRank == 1) {
        file.input("mask", {2}, kInt32, [](std::size_t i) { return 6 - static_cast<int>(i); });
    } else if (maskRank == 2) {
        file.input("mask", {2, 6}, kInt32, [](std::size_t i) { return i % 6 < 5 - i / 6 ? 1 : 0; });
    } else {
        file.none();
    }
    file.none();
    if (past) {
        file.input("past_k", {2, 2, 3, 4});
        file.input("past_v", {2, 2, 3, 4});
    }
    file.set("num_heads", 2);
    file.output("y");
    if (past) {
        file.output("present_k");
        file.output("present_v");
    }
    return file;
}

/// 4 query heads for 2 key heads of size 16.
OperatorFile grouped(bool packed, int rotary, std::int64_t past)
{
    OperatorFile file("GroupQueryAttention");
    const std::int64_t rows = past > 0 ? 1 : 5;
    const std::int64_t batch = 1;
    if (packed) {
        file.input("q", {batch, rows, 128});
        file.none();
        file.none();
    } else {
        file.input("q", {batch, rows, 64});
        file.input("k", {batch, rows, 32});
        file.input("v", {batch, rows, 32});
    }
    if (past > 0) {
        file.input("past_k", {batch, 2, past, 16});
        file.input("past_v", {batch, 2, past, 16});
    } else {
        file.none();
        file.none();
    }
    file.input("seqlens", {batch}, kInt32, [=](std::size_t) { return static_cast<int>(rows + past - 1); });
    file.input("total", {}, kInt32, [=](std::size_t) { return static_cast<int>(rows + past); });
    if (rotary > 0) {
        file.weight("cos", {16, 8}, 0.5F);
        file.weight("sin", {16, 8}, 0.5F);
    }
    file.set("num_heads", 4);
    file.set("kv_num_heads", 2);
    file.set("do_rotary", rotary > 0 ? 1 : 0);
    file.set("rotary_interleaved", rotary > 1 ? 1 : 0);
    file.output("y");
    file.output("present_k");
    file.output("present_v");
    return file;
}

OperatorFile fusedMatMul(const Dims& a, const Dims& b, std::initializer_list<const char*> flags)
{
    OperatorFile file("FusedMatMul");
    file.input("a", a);
    file.input("b", b);
    for (const char* flag : flags) {
        file.set(flag, 1);
    }
    file.setFloat("alpha", 0.5F);
    file.output("y");
    return file;
}

OperatorFile integerMatMul(const char* op, bool bias)
{
    OperatorFile file(op);
    const bool dynamic = std::string(op) == "DynamicQuantizeMatMul";
    const auto code = [](std::size_t i) { return static_cast<int>(i * 37 % 200); };
    if (dynamic) {
        file.input("a", {3, 4});
    } else {
        file.input("a", {3, 4}, onnx::TensorProto::UINT8, code);
    }
    file.input("w", {4, 5}, onnx::TensorProto::UINT8, code);
    const auto scale = [](std::size_t) { return 2; };
    if (!dynamic) {
        file.input("a_scale", {1}, onnx::TensorProto::FLOAT, scale);
    }
    file.input(
        "w_scale", {5}, onnx::TensorProto::FLOAT, [](std::size_t i) { return static_cast<int>(i) + 1; });
    if (!dynamic) {
        file.input("a_zero", {1}, onnx::TensorProto::UINT8, [](std::size_t) { return 77; });
    }
    file.input(
        "w_zero", {5}, onnx::TensorProto::UINT8, [](std::size_t i) { return static_cast<int>(i) * 20; });
    if (bias) {
        file.weight("b", {5});
    }
    file.output("y");
    return file;
}

const std::vector<std::pair<const char*, std::function<OperatorFile()>>>& cases()
{
    static const std::vector<std::pair<const char*, std::function<OperatorFile()>>> all {
        {"Gelu", [] { return feedForward("Gelu", false); }},
        {"BiasGelu", [] { return feedForward("BiasGelu", true); }},
        {"FastGelu", [] { return feedForward("FastGelu", false); }},
        {"FastGelu with bias", [] { return feedForward("FastGelu", true); }},
        {"QuickGelu", [] { return feedForward("QuickGelu", false); }},
        {"SkipLayerNormalization", [] { return normalization("SkipLayerNormalization", false); }},
        {"SkipLayerNormalization with bias", [] { return normalization("SkipLayerNormalization", true); }},
        {"SkipSimplifiedLayerNormalization",
            [] { return normalization("SkipSimplifiedLayerNormalization", true); }},
        {"EmbedLayerNormalization", [] { return embedding(true, true); }},
        {"EmbedLayerNormalization without segments", [] { return embedding(false, true); }},
        {"FusedMatMul",
            [] {
                return fusedMatMul({2, 3, 4}, {2, 4, 5}, {});
            }},
        {"FusedMatMul transposed",
            [] {
                return fusedMatMul({2, 4, 3}, {2, 5, 4}, {"transA", "transB"});
            }},
        {"FusedMatMul, batch behind",
            [] {
                return fusedMatMul({3, 2, 4}, {5, 2, 4}, {"transBatchA", "transBatchB", "transB"});
            }},
        {"MatMulIntegerToFloat", [] { return integerMatMul("MatMulIntegerToFloat", false); }},
        {"MatMulIntegerToFloat with bias", [] { return integerMatMul("MatMulIntegerToFloat", true); }},
        {"DynamicQuantizeMatMul", [] { return integerMatMul("DynamicQuantizeMatMul", true); }},
        {"Attention", [] { return attention(0, false, false, false); }},
        {"Attention, lengths", [] { return attention(1, false, false, false); }},
        {"Attention, mask of keys", [] { return attention(2, false, false, true); }},
        {"Attention, mask of pairs", [] { return attention(3, true, false, false); }},
        {"Attention, causal with past", [] { return attention(2, true, true, false); }},
        {"MultiHeadAttention", [] { return multiHead(Packing::Apart, true, 0, false); }},
        {"MultiHeadAttention, lengths", [] { return multiHead(Packing::Apart, true, 1, false); }},
        {"MultiHeadAttention, mask", [] { return multiHead(Packing::Apart, false, 2, false); }},
        {"MultiHeadAttention, past", [] { return multiHead(Packing::Apart, false, 0, true); }},
        {"GroupQueryAttention", [] { return grouped(false, 0, 0); }},
        {"GroupQueryAttention, packed", [] { return grouped(true, 0, 0); }},
        {"GroupQueryAttention, rotary", [] { return grouped(false, 1, 0); }},
        {"GroupQueryAttention, rotary of neighbours", [] { return grouped(true, 2, 0); }},
        {"GroupQueryAttention, one more token", [] { return grouped(false, 1, 4); }},
    };
    return all;
}

/// Part `part` of [B, L, heads, parts, size] as [B, L, heads * size].
Tensor partOf(const Tensor& packed, std::int64_t part)
{
    const Shape& shape = packed.shape();
    const std::int64_t rows = shape[0] * shape[1] * shape[2];
    const std::int64_t size = shape[4];
    Tensor result(DType::F32, Shape {shape[0], shape[1], shape[2] * size});
    for (std::int64_t i = 0; i < rows * size; ++i) {
        const auto from = static_cast<std::size_t>((i / size * shape[3] + part) * size + i % size);
        result.mutableData<float>()[static_cast<std::size_t>(i)] = packed.data<float>()[from];
    }
    return result;
}

Tensor converted(const Tensor& values, DType type)
{
    const auto from = values.data<float>();
    const auto as = [&]<typename T>(T) {
        Tensor result(DTypeOf<T>::value, values.shape());
        for (std::size_t i = 0; i < from.size(); ++i) {
            result.mutableData<T>()[i] = static_cast<T>(from[i]);
        }
        return result;
    };
    return type == DType::I32 ? as(std::int32_t {}) : type == DType::U8 ? as(std::uint8_t {}) : values;
}

} // namespace

/// The contrib operators, one by one, against ONNX Runtime.
class TestContribOperators : public QObject
{
    Q_OBJECT

    OnnxRuntimeRuns m_runtime;
    std::vector<OperatorFile> m_files;

    [[nodiscard]] std::string pathOf(std::size_t index) const
    {
        return m_runtime.path("case" + std::to_string(index) + ".onnx");
    }

private slots:
    void initTestCase()
    {
        for (std::size_t i = 0; i < cases().size(); ++i) {
            m_files.push_back(cases()[i].second());
            std::ofstream(pathOf(i), std::ios::binary) << m_files[i].model.SerializeAsString();
            m_runtime.add(pathOf(i), m_files[i].inputs);
        }
        QVERIFY(m_runtime.run());
    }
    void packedHeadsAreTheSameAsHeadsApart_data()
    {
        QTest::addColumn<bool>("query");
        QTest::newRow("query, key and value") << true;
        QTest::newRow("key and value") << false;
    }
    /// ONNX Runtime has no packed form on a processor: what is apart is its measure.
    void packedHeadsAreTheSameAsHeadsApart()
    {
        QFETCH(bool, query);
        const OperatorFile packed
            = multiHead(query ? Packing::QueryKeyValue : Packing::KeyValue, false, 0, false);
        const std::string path = m_runtime.path(query ? "packed.onnx" : "packed-keys.onnx");
        std::ofstream(path, std::ios::binary) << packed.model.SerializeAsString();
        const OperatorFile apart = multiHead(Packing::Apart, false, 0, false, query ? 5 : 6);
        const std::string apartPath = m_runtime.path("apart.onnx");
        std::ofstream(apartPath, std::ios::binary) << apart.model.SerializeAsString();
        std::vector<Tensor> inputs;
        if (query) {
            inputs = {partOf(packed.inputs[0], 0), partOf(packed.inputs[0], 1), partOf(packed.inputs[0], 2)};
        } else {
            inputs = {packed.inputs[0], partOf(packed.inputs[1], 0), partOf(packed.inputs[1], 1)};
        }
        const auto run = [](const std::string& file, const std::vector<Tensor>& tensors) {
            const auto model = loadModel(file);
            std::vector<Feed> feeds;
            for (std::size_t k = 0; k < tensors.size(); ++k) {
                feeds.push_back({model->graph->inputs()[k], tensors[k]});
            }
            return Executor(model).run(feeds, model->graph->outputs()).front();
        };
        const Tensor actual = run(path, packed.inputs);
        const Tensor expected = run(apartPath, inputs);
        QCOMPARE(actual.shape(), expected.shape());
        for (std::size_t k = 0; k < expected.data<float>().size(); ++k) {
            QVERIFY(std::abs(actual.data<float>()[k] - expected.data<float>()[k]) < 1e-6F);
        }
    }
    void computesTheSame_data()
    {
        QTest::addColumn<int>("index");
        for (std::size_t i = 0; i < cases().size(); ++i) {
            QTest::newRow(cases()[i].first) << static_cast<int>(i);
        }
    }
    void computesTheSame()
    {
        QFETCH(int, index);
        const auto i = static_cast<std::size_t>(index);
        QCOMPARE(m_runtime.error(i), QString());
        try {
            const auto model = loadModel(pathOf(i));
            std::vector<Feed> feeds;
            for (std::size_t k = 0; k < m_files[i].inputs.size(); ++k) {
                const ValueId input = model->graph->inputs()[k];
                feeds.push_back({input, converted(m_files[i].inputs[k], model->graph->value(input).dtype)});
            }
            const std::vector<Tensor> outputs = Executor(model).run(feeds, model->graph->outputs());
            for (std::size_t k = 0; k < outputs.size(); ++k) {
                const Tensor expected = m_runtime.output(i, k);
                QCOMPARE(outputs[k].shape(), expected.shape());
                const Tensor actual = outputs[k].toF32();
                for (std::size_t e = 0; e < expected.data<float>().size(); ++e) {
                    const auto x = static_cast<double>(actual.data<float>()[e]);
                    const auto y = static_cast<double>(expected.data<float>()[e]);
                    QVERIFY2(std::abs(x - y) <= 1e-5 + 1e-4 * std::abs(y),
                        qPrintable(
                            QStringLiteral("output %1, element %2: %3, not %4").arg(k).arg(e).arg(x).arg(y)));
                }
            }
            const bool attends = std::string(cases()[i].first).find("Attention") != std::string::npos;
            QCOMPARE(countRecognised(*model->graph).attentions, attends ? 1 : 0);
        } catch (const Error& error) {
            QFAIL(error.what());
        }
    }
    void anUnknownOperatorIsRefusedByName()
    {
        OperatorFile file("QAttention");
        file.input("x", {2, 3});
        file.output("y");
        const std::string path = m_runtime.path("unknown.onnx");
        std::ofstream(path, std::ios::binary) << file.model.SerializeAsString();
        try {
            static_cast<void>(loadModel(path));
            QFAIL("it opened");
        } catch (const Error& error) {
            QVERIFY(error.code() == ErrorCode::Unsupported);
            QVERIFY2(
                QByteArray(error.what()).contains("node 'node' is com.microsoft.QAttention"), error.what());
        }
    }
};

QTEST_GUILESS_MAIN(TestContribOperators)
#include "tst_contrib_operators.moc"
