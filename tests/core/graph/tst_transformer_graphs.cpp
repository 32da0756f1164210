#include "core/base/error.h"
#include "core/graph/recognition.h"
#include "core/models/model.h"
#include "core/runtime/executor.h"
#include "tests/core/graph/onnx_runtime_runs.h"

#include <onnx/onnx_pb.h>

#include <QTest>

#include <array>
#include <cmath>
#include <fstream>
#include <map>
#include <random>

using namespace qs;
using namespace qs::test;

namespace {

/// What a look at each graph says must be found; `why` where a file must be refused.
struct Expected
{
    const char* file;
    int normalizations;
    int activations;
    int softmaxes;
    int attentions;
    const char* why = "";
    bool half = false; ///< ONNX Runtime computes in binary16, this program in float
    const char* runtimeRefuses = ""; ///< what ONNX Runtime says instead of running it
    const char* reference = ""; ///< the file that computes the same before its nodes were fused
};

constexpr std::array kExpected {
    Expected {"attention_int32_mask", 1, 0, 1, 1},
    Expected {"attention_mha", 2, 0, 1, 1},
    Expected {"attention_past_no_unidir", 2, 1, 1, 1},
    Expected {"attention_symbolic_batch", 1, 0, 1, 1},
    Expected {"attention_with_varied_qkv_opt", 2, 0, 1, 1},
    Expected {"bias_gelu_fusion_format_2", 0, 1, 0, 0},
    Expected {"bias_onnx_fast_gelu_fusion", 0, 1, 0, 0},
    Expected {"conv_clip", 0, 0, 0, 0},
    Expected {"dynamic_quantize_matmul", 0, 0, 0, 0},
    Expected {"dynamic_quantize_matmul_bias_ND", 0, 0, 0, 0},
    // 9 columns do not make 12 heads: ONNX Runtime opens the file, and refuses to run it.
    Expected {"embed_layer_norm_format1", 0, 0, 0, 0, "com.microsoft.Attention"},
    Expected {"embed_layer_norm_format3", 1, 0, 1, 1},
    Expected {"embed_layer_norm_format3_no_cast_opset13", 1, 0, 1, 1},
    Expected {"embed_layer_norm_format4", 0, 0, 0, 0, "com.microsoft.Attention"}, // as format1
    Expected {"embed_layer_norm_format5_opset13", 1, 0, 1, 1},
    Expected {"embed_layer_norm_format6_opset13", 1, 0, 1, 1},
    Expected {"embed_layer_norm_format7_opset13", 1, 0, 1, 1, "", false, "out of data bounds"},
    Expected {"embed_layer_norm_format8_opset13", 1, 0, 1, 1},
    Expected {"embed_layer_norm_format9_opset13", 1, 0, 1, 1},
    Expected {"embed_layer_norm_multiple_opset13", 2, 0, 2, 2},
    Expected {"fast_gelu2", 0, 1, 0, 0},
    Expected {"fast_gelu2_with_bias", 0, 1, 0, 0},
    Expected {"fast_gelu3_with_casts", 0, 1, 0, 0},
    Expected {"fast_gelu_with_bias", 0, 1, 0, 0},
    Expected {"fuse-matmul-bn-directly-dont-fuse", 0, 0, 0, 0, "", false, "Invalid input scale"},
    Expected {"fuse-matmul-bn-non-ignorable-node", 0, 0, 0, 0},
    Expected {"fuse-matmul-bn-only-transpose", 0, 0, 0, 0, "", false, "Invalid input scale"},
    Expected {"gelu", 0, 1, 0, 0},
    Expected {"gelu_format2_0_with_bias_use_graph_output", 0, 0, 0, 0}, // an inner value is an output
    Expected {"gelu_format2_1_use_graph_input", 0, 1, 0, 0},
    Expected {"gemma3-vision-attention_fp16", 2, 0, 1, 1, "", true},
    Expected {"gemmfastgelu_nobias_opt", 0, 1, 0, 0, "", false, "Could not find an implementation"},
    Expected {"gpt2_attention_add_opt_no_skiplayernorm", 2, 0, 1, 1},
    Expected {"gpt2_attention_no_past_add_opt", 2, 0, 1, 1},
    Expected {"gpt2_attention_opt_no_skiplayernorm", 2, 0, 1, 1},
    Expected {"gpt2_megatron", 3, 1, 1, 1},
    // Its mask is one that ONNX Runtime's own kernel for processors refuses.
    Expected {"gpt2_megatron_opt_skiplayernorm", 3, 1, 1, 1, "", false, "", "gpt2_megatron"},
    Expected {"gpt2_one_layer", 2, 1, 1, 1},
    Expected {"gpt2_past_one_layer", 2, 1, 1, 1},
    Expected {"layer_norm_fusion_scale_bias", 1, 0, 0, 0, "", true},
    Expected {"layer_norm_sub_dup", 1, 0, 0, 0},
    Expected {"layer_norm_with_cast", 1, 0, 0, 0},
    Expected {"layer_norm_with_cast_3", 1, 0, 0, 0, "", true},
    Expected {"matmul_integer_to_float", 0, 0, 0, 0},
    Expected {"matmul_integer_to_float_large_tensor", 0, 0, 0, 0, "the graph has no output"},
    Expected {"matmul_scale_in0", 0, 0, 0, 0},
    Expected {"matmul_scale_in0_in1_out", 0, 0, 0, 0},
    Expected {"matmul_scale_reused_input_scale", 0, 0, 0, 0},
    Expected {"matmul_scale_unfusable_div_not_scale", 0, 0, 0, 0},
    Expected {"matmul_scale_unfusable_scale_not_constant", 0, 0, 0, 0},
    Expected {"matmul_scale_with_scale_input", 0, 0, 0, 0},
    Expected {"phi-3.5-v-instruct-vision-attention", 2, 0, 1, 1},
    Expected {"phi-3.5-v-instruct-vision-quickgelu", 0, 1, 0, 0},
    Expected {"pruned_attention_opt", 2, 0, 1, 1},
    Expected {"reshape_fusion_distillbert", 0, 0, 0, 0},
    Expected {"skip_layer_norm", 0, 0, 0, 0}, // subtracts the mean of another value
    Expected {"skip_layer_norm_format1_graph_output", 1, 0, 0, 0},
    Expected {"skip_layer_norm_format1_partial", 1, 0, 0, 0},
    Expected {"skip_layer_norm_format1_with_cast", 1, 0, 0, 0, "", true},
    Expected {"skip_layer_norm_format2_graph_output", 1, 0, 0, 0},
    Expected {"skip_layer_norm_format2_partial", 1, 0, 0, 0},
    Expected {"skip_layer_norm_format2_with_cast", 1, 0, 0, 0, "", true},
    Expected {"skip_layer_norm_format3_graph_output", 1, 0, 0, 0},
    Expected {"skip_layer_norm_format3_no_fusion", 1, 0, 0, 0},
    Expected {"skip_layer_norm_format3_with_cast", 1, 0, 0, 0, "", true},
    Expected {"skip_layer_norm_input_output_with_cast_check", 1, 0, 0, 0, "", true},
    Expected {"skip_layer_norm_no_beta_with_cast", 1, 0, 0, 0, "", true},
    Expected {"transpose_cast_matmul_4d_fusion1", 0, 0, 0, 0, "", true},
    Expected {"transpose_cast_matmul_4d_fusion3", 0, 0, 0, 0, "", true},
    Expected {"transpose_cast_matmul_4d_fusion5", 0, 0, 0, 0, "", true},
    Expected {"transpose_matmul_2d_fusion_with_preserved_transpose", 0, 0, 0, 0},
    Expected {"transpose_matmul_4d_fusion_2_transpose", 0, 0, 0, 0},
    Expected {"transpose_matmul_4d_fusion_invalid_datatype_int32", 0, 0, 0, 0},
    Expected {"transpose_matmul_4d_fusion_invalid_default_perm", 0, 0, 0, 0},
    Expected {"transpose_matmul_trans_batch_fusion1", 0, 0, 0, 0},
    Expected {"transpose_matmul_trans_batch_fusion3", 0, 0, 0, 0},
    Expected {"transpose_matmul_trans_batch_fusion_invalid_case2", 0, 0, 0, 0},
};

/// Sizes of dynamic dimensions by the names the files give them; 3 for others.
std::int64_t sizeOfDimension(const std::string& name)
{
    static const std::map<std::string, std::int64_t> sizes {{"batch", 2}, {"batch_size", 2}, {"seq_len", 3},
        {"sequence_length", 3}, {"past_seq_len", 2}, {"total_seq_len", 5},
        {"past_sequence_length + sequence_length", 5}, {"past_sequence_length", 2}, {"M", 4}, {"K", 5},
        {"N", 6}, {"unk_1", 2}, {"unk__14", 2}, {"", 2}};
    const auto known = sizes.find(name);
    return known == sizes.end() ? 3 : known->second;
}

std::filesystem::path pathOf(const char* file)
{
    return std::filesystem::path(QS_SHARED_DATA) / "onnx-transformer-graphs" / (std::string(file) + ".onnx");
}

std::vector<std::int64_t> shapeOf(const onnx::ValueInfoProto& info)
{
    std::vector<std::int64_t> dims;
    for (const auto& dim : info.type().tensor_type().shape().dim()) {
        dims.push_back(dim.dim_value() > 0 ? dim.dim_value() : sizeOfDimension(dim.dim_param()));
    }
    return dims;
}

bool contains(const std::string& text, const char* part)
{
    return text.find(part) != std::string::npos;
}

/// Values for an input that every file accepts: masks are ones with zeros for the last keys (square ones are
/// causal), indices lie in the smallest table, scales are positive, other floats random and exact in
/// binary16.
Tensor inputFor(const onnx::ValueInfoProto& info, std::mt19937& generator)
{
    const std::string& name = info.name();
    const std::vector<std::int64_t> dims = shapeOf(info);
    const bool isFloat = info.type().tensor_type().elem_type() == onnx::TensorProto::FLOAT
        || info.type().tensor_type().elem_type() == onnx::TensorProto::FLOAT16;
    const bool isCode = info.type().tensor_type().elem_type() == onnx::TensorProto::UINT8
        || info.type().tensor_type().elem_type() == onnx::TensorProto::INT8;
    Tensor tensor(DType::F32, Shape(dims));
    const auto data = tensor.mutableData<float>();
    const std::int64_t width = dims.empty() ? 1 : dims.back();
    for (std::size_t i = 0; i < data.size(); ++i) {
        const auto column = static_cast<std::int64_t>(i) % width;
        if (contains(name, "mask")) {
            const std::int64_t row = static_cast<std::int64_t>(i) / width;
            const bool square = dims.size() == 4;
            data[i] = (square ? column <= row % width : column == 0 || column < width - row % 2 - 1) ? 1.0F
                                                                                                     : 0.0F;
        } else if (isCode) {
            data[i] = static_cast<float>(generator() % 120);
        } else if (!isFloat) {
            data[i] = static_cast<float>(generator() % 2);
        } else if (contains(name, "scale") || contains(name, "Scale")) {
            data[i] = 0.015625F;
        } else {
            data[i] = (static_cast<float>(generator() % 1024) - 512.0F) / 256.0F;
        }
    }
    return tensor;
}

/// The same values in the input's type.
Tensor converted(const Tensor& values, DType type)
{
    const auto from = values.data<float>();
    const auto as = [&]<typename T>(T) {
        Tensor result(DTypeOf<T>::value, values.shape());
        const auto to = result.mutableData<T>();
        for (std::size_t i = 0; i < from.size(); ++i) {
            to[i] = static_cast<T>(from[i]);
        }
        return result;
    };
    switch (type) {
    case DType::I64: return as(std::int64_t {});
    case DType::I32: return as(std::int32_t {});
    case DType::I8: return as(std::int8_t {});
    case DType::U8: return as(std::uint8_t {});
    case DType::Bool: return as(bool {});
    default: return values;
    }
}

constexpr double kHalfTolerance = 1e-3; // two roundings of 11 bits
constexpr double kHalfStep = 1.0 / (1 << 24); // between the smallest numbers of binary16

/// Largest difference beyond `ignored` over the expected values' largest magnitude; infinite for another
/// shape.
double relativeDifference(const Tensor& actual, const Tensor& expected, double ignored)
{
    if (actual.shape() != expected.shape()) {
        return HUGE_VAL;
    }
    const Tensor a = actual.toF32();
    double largest = 1e-30;
    double difference = 0.0;
    for (std::size_t i = 0; i < a.data<float>().size(); ++i) {
        const auto x = static_cast<double>(a.data<float>()[i]);
        const auto y = static_cast<double>(expected.data<float>()[i]);
        if (std::isnan(x) != std::isnan(y)) {
            return HUGE_VAL;
        }
        largest = std::isnan(y) ? largest : std::max(largest, std::abs(y));
        difference = std::isnan(y) ? difference : std::max(difference, std::abs(x - y) - ignored);
    }
    return difference / largest;
}

} // namespace

/// The 77 graphs of ONNX Runtime's transformer tests: what is found in each, and that it computes what ONNX
/// Runtime computes.
class TestTransformerGraphs : public QObject
{
    Q_OBJECT

    OnnxRuntimeRuns m_runtime;
    std::map<std::string, std::size_t> m_run; ///< by file
    std::map<std::string, std::shared_ptr<const Model>> m_models;
    std::map<std::string, std::vector<Tensor>> m_inputs; ///< as F32
    std::map<std::string, QString> m_refusals;

    void runInOnnxRuntime();

private slots:
    void initTestCase()
    {
        for (const Expected& expected : kExpected) {
            try {
                m_models[expected.file] = loadModel(pathOf(expected.file));
            } catch (const Error& error) {
                m_refusals[expected.file] = QString::fromUtf8(error.what());
            }
        }
        runInOnnxRuntime();
    }
    void theTableIsComplete()
    {
        int files = 0;
        for (const auto& entry : std::filesystem::directory_iterator(pathOf("").parent_path())) {
            files += entry.path().extension() == ".onnx" ? 1 : 0;
        }
        QCOMPARE(files, static_cast<int>(kExpected.size()));
    }
    void findsWhatIsThere_data()
    {
        QTest::addColumn<int>("index");
        for (std::size_t i = 0; i < kExpected.size(); ++i) {
            QTest::newRow(kExpected[i].file) << static_cast<int>(i);
        }
    }
    void findsWhatIsThere()
    {
        QFETCH(int, index);
        const Expected& expected = kExpected[static_cast<std::size_t>(index)];
        const auto model = m_models.find(expected.file);
        if (model == m_models.end()) {
            const QString sentence = m_refusals[expected.file];
            qInfo("%-52s refused: %s", expected.file, qPrintable(sentence));
            QVERIFY2(expected.why[0] != '\0', qPrintable(sentence));
            QVERIFY(sentence.contains(QString::fromUtf8(expected.why)));
            return;
        }
        const RecognisedCounts counts = countRecognised(*model->second->graph);
        qInfo("%-52s norm %d  gelu %d  softmax %d  attention %d", expected.file, counts.normalizations,
            counts.activations, counts.softmaxes, counts.attentions);
        QCOMPARE(expected.why, "");
        QCOMPARE(counts.normalizations, expected.normalizations);
        QCOMPARE(counts.activations, expected.activations);
        QCOMPARE(counts.softmaxes, expected.softmaxes);
        QCOMPARE(counts.attentions, expected.attentions);
    }
    void computesWhatOnnxRuntimeComputes_data() { findsWhatIsThere_data(); }
    void computesWhatOnnxRuntimeComputes();
};

void TestTransformerGraphs::runInOnnxRuntime()
{
    for (const Expected& expected : kExpected) {
        onnx::ModelProto proto;
        std::ifstream stream(pathOf(expected.file), std::ios::binary);
        QVERIFY(proto.ParseFromIstream(&stream));
        if (proto.graph().output_size() == 0) {
            continue;
        }
        std::mt19937 generator(17);
        std::vector<Tensor>& inputs = m_inputs[expected.file];
        for (const auto& info : proto.graph().input()) {
            const auto& initializers = proto.graph().initializer();
            if (std::ranges::none_of(initializers, [&](const auto& t) { return t.name() == info.name(); })) {
                inputs.push_back(inputFor(info, generator));
            }
        }
        const char* reference = expected.reference[0] != '\0' ? expected.reference : expected.file;
        m_run[expected.file] = m_runtime.add(pathOf(reference).string(), inputs);
    }
    QVERIFY(m_runtime.run());
}

void TestTransformerGraphs::computesWhatOnnxRuntimeComputes()
{
    QFETCH(int, index);
    const Expected& expected = kExpected[static_cast<std::size_t>(index)];
    const std::string file = expected.file;
    if (!m_run.contains(file)) {
        QVERIFY(!m_models.contains(file)); // it has no output
        return;
    }
    const QString runtimeError = m_runtime.error(m_run[file]);
    if (!m_models.contains(file)) {
        QVERIFY2(!runtimeError.isEmpty(), "refused here, yet ONNX Runtime runs it");
        return;
    }
    if (expected.runtimeRefuses[0] != '\0' || !runtimeError.isEmpty()) {
        qInfo("ONNX Runtime: %s", qPrintable(runtimeError));
        QVERIFY(expected.runtimeRefuses[0] != '\0');
        QVERIFY(runtimeError.contains(QString::fromUtf8(expected.runtimeRefuses)));
        return;
    }
    const auto& model = m_models[file];
    std::vector<Feed> feeds;
    for (std::size_t i = 0; i < model->graph->inputs().size(); ++i) {
        const ValueId input = model->graph->inputs()[i];
        feeds.push_back({input, converted(m_inputs[file][i], model->graph->value(input).dtype)});
    }
    std::vector<Tensor> outputs;
    try {
        outputs = Executor(model).run(feeds, model->graph->outputs());
    } catch (const Error& error) {
        QFAIL(error.what());
    }
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        const Tensor reference = m_runtime.output(m_run[file], i);
        const double difference = relativeDifference(outputs[i], reference, expected.half ? kHalfStep : 0.0);
        qInfo("%s, output %zu: %.1e", expected.file, i, difference);
        QVERIFY(difference <= (expected.half ? kHalfTolerance : 1e-4));
    }
}

QTEST_GUILESS_MAIN(TestTransformerGraphs)
#include "tst_transformer_graphs.moc"
