#include "core/base/error.h"
#include "core/exporting/onnx_qdq_exporter.h"
#include "core/quant/ada_log.h"
#include "tests/core/exporting/small_models.h"

#include <onnx/onnx_pb.h>

#include <QTemporaryDir>
#include <QTest>

#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>

using namespace qs;
using namespace qs::test;

namespace {

/// An exported file, read with the protobuf classes alone.
class ExportedFile
{
public:
    explicit ExportedFile(const std::filesystem::path& path)
    {
        std::ifstream stream(path, std::ios::binary);
        const std::string bytes {std::istreambuf_iterator<char>(stream), {}};
        m_valid = m_model.ParseFromString(bytes);
        for (const auto& node : m_model.graph().node()) {
            for (const std::string& output : node.output()) {
                m_producers[output] = &node;
            }
            m_ops += node.op_type() + " ";
        }
        for (const auto& tensor : m_model.graph().initializer()) {
            m_tensors[tensor.name()] = &tensor;
        }
    }

    [[nodiscard]] bool valid() const { return m_valid; }
    [[nodiscard]] const onnx::ModelProto& model() const { return m_model; }
    [[nodiscard]] const std::string& ops() const { return m_ops; }
    [[nodiscard]] const onnx::NodeProto& producer(const std::string& value) const
    {
        return *m_producers.at(value);
    }
    /// The node that makes input `index` of `node`.
    [[nodiscard]] const onnx::NodeProto& before(const onnx::NodeProto& node, int index) const
    {
        return producer(node.input(index));
    }
    [[nodiscard]] const onnx::TensorProto& tensor(const std::string& name) const
    {
        return *m_tensors.at(name);
    }
    [[nodiscard]] std::vector<int> int8Values(const std::string& name) const
    {
        const auto& proto = tensor(name);
        if (proto.data_type() != onnx::TensorProto::INT8) {
            return {};
        }
        std::vector<int> values;
        for (const char byte : proto.raw_data()) {
            values.push_back(static_cast<signed char>(byte));
        }
        return values;
    }
    [[nodiscard]] std::vector<float> floats(const std::string& name) const
    {
        const auto& proto = tensor(name);
        std::vector<float> values(proto.raw_data().size() / sizeof(float));
        std::memcpy(values.data(), proto.raw_data().data(), proto.raw_data().size());
        return values;
    }
    [[nodiscard]] static std::int64_t integer(const onnx::NodeProto& node, const char* name)
    {
        for (const auto& attribute : node.attribute()) {
            if (attribute.name() == name) {
                return attribute.i();
            }
        }
        return -99;
    }

private:
    bool m_valid = false;
    onnx::ModelProto m_model;
    std::map<std::string, const onnx::NodeProto*> m_producers;
    std::map<std::string, const onnx::TensorProto*> m_tensors;
    std::string m_ops;
};

} // namespace

class TestOnnxQdqExporter : public QObject
{
    Q_OBJECT

    QTemporaryDir m_folder;
    OnnxQdqExporter m_exporter;

    [[nodiscard]] ExportedFile exported(std::shared_ptr<const Model> model, ResolvedPlan quantizers) const
    {
        const auto path = std::filesystem::path(m_folder.path().toStdString()) / "m.onnx";
        ExportInput input;
        input.model = std::move(model);
        input.plan.choices["fc1.input"].bits = 5;
        input.quantizers = std::move(quantizers);
        input.calibrationHash = "cafe";
        input.toolVersion = "0.1.0";
        m_exporter.write(input, path, {});
        return ExportedFile(path);
    }
    [[nodiscard]] std::vector<LintFinding> lint(
        std::shared_ptr<const Model> model, const char* site, const QuantParams& params) const
    {
        ExportInput input;
        input.model = std::move(model);
        input.quantizers[site] = params;
        return m_exporter.lint(input);
    }

private slots:
    void withoutQuantizersItIsTheFloatGraphInStandardOperators()
    {
        const ExportedFile file = exported(mlpModel(), {});
        QVERIFY(file.valid());
        QCOMPARE(file.model().ir_version(), 8);
        QCOMPARE(file.model().opset_import(0).version(), 17);
        QCOMPARE(file.ops(), std::string("MatMul Add Div Erf Add Mul Mul MatMul "));
        // weight [2, 3] of fc1 lies as [K, N] = [3, 2]
        const auto& weight = file.tensor("fc1.weight.transposed");
        QCOMPARE(weight.dims(0), 3);
        QCOMPARE(weight.dims(1), 2);
        QCOMPARE(file.floats("fc1.weight.transposed"), (std::vector<float> {1, 127, -2, 0, 0.5F, -63.5F}));
        QCOMPARE(file.floats("fc2.weight"), (std::vector<float> {3, -1, 0.5F, 2}));
        QCOMPARE(file.model().graph().output(0).name(), std::string("logits"));
        const auto& shape = file.model().graph().output(0).type().tensor_type().shape();
        QCOMPARE(shape.dim(0).dim_param(), std::string("batch"));
        QCOMPARE(shape.dim(2).dim_value(), 2);
    }

    void theTanhGeluIsWrittenOut()
    {
        QCOMPARE(exported(mlpModel("tanh"), {}).ops(),
            std::string("MatMul Add Mul Mul Mul Add Mul Tanh Add Mul Mul MatMul "));
    }

    void weightsAreInt8CodesBehindADequantizeLinearPerOutputChannel()
    {
        const ExportedFile file
            = exported(mlpModel(), {{"fc1.weight", uniform(Symmetry::Symmetric, 8, {0.5F, 1.0F}, {0, 0})}});
        const auto& product = file.producer("fc1.MatMul");
        QCOMPARE(product.op_type(), std::string("MatMul"));
        const auto& dequantize = file.before(product, 1);
        QCOMPARE(dequantize.op_type(), std::string("DequantizeLinear"));
        QCOMPARE(ExportedFile::integer(dequantize, "axis"), std::int64_t {1});
        // Row 0 of w / 0.5 is 2, -4, 1; row 1 / 1 is 127, 0, -63.5, which rounds half to even: -64. Columns
        // after.
        QCOMPARE(file.int8Values(dequantize.input(0)), (std::vector<int> {2, 127, -4, 0, 1, -64}));
        QCOMPARE(file.tensor(dequantize.input(0)).dims(0), 3);
        QCOMPARE(file.floats(dequantize.input(1)), (std::vector<float> {0.5F, 1.0F}));
        QCOMPARE(file.int8Values(dequantize.input(2)), (std::vector<int> {0, 0}));
        const auto& sum = file.producer("fc1");
        QCOMPARE(sum.op_type(), std::string("Add"));
        QCOMPARE(file.floats(sum.input(1)), (std::vector<float> {0.25F, -0.5F}));
    }

    void weightsStoredAsInputsByOutputsKeepTheirAxis()
    {
        const ExportedFile file
            = exported(mlpModel(), {{"fc2.weight", uniform(Symmetry::Symmetric, 4, {1.0F, 0.5F}, {0, 0})}});
        const auto& dequantize = file.before(file.producer("logits"), 1);
        QCOMPARE(ExportedFile::integer(dequantize, "axis"), std::int64_t {1});
        // [[3, -1], [0.5, 2]] / [1, 0.5]: 3, -2, 0.5 -> 0, 4
        QCOMPARE(file.int8Values(dequantize.input(0)), (std::vector<int> {3, -2, 0, 4}));
    }

    void asymmetricActivationsMoveTheirZeroPointIntoInt8()
    {
        const ExportedFile file
            = exported(mlpModel(), {{"fc1.input", uniform(Symmetry::Asymmetric, 8, {0.1F}, {100})}});
        const auto& dequantize = file.before(file.producer("fc1.MatMul"), 0);
        QCOMPARE(dequantize.op_type(), std::string("DequantizeLinear"));
        const auto& quantize = file.before(dequantize, 0);
        QCOMPARE(quantize.op_type(), std::string("QuantizeLinear"));
        QCOMPARE(quantize.input(0), std::string("x"));
        QCOMPARE(quantize.input(1), dequantize.input(1));
        QCOMPARE(file.floats(quantize.input(1)), std::vector<float> {0.1F});
        QCOMPARE(file.tensor(quantize.input(1)).dims_size(), 0);
        QCOMPARE(file.int8Values(quantize.input(2)), std::vector<int> {100 - 128});
        QCOMPARE(quantize.input(2), dequantize.input(2));
    }

    void fewerBitsAreAClipBetweenQuantizeAndDequantize()
    {
        const ExportedFile file
            = exported(mlpModel(), {{"fc2.input", uniform(Symmetry::Asymmetric, 4, {0.1F}, {3})}});
        const auto& dequantize = file.before(file.producer("logits"), 0);
        const auto& clip = file.before(dequantize, 0);
        QCOMPARE(clip.op_type(), std::string("Clip"));
        QCOMPARE(file.int8Values(clip.input(1)), std::vector<int> {0});
        QCOMPARE(file.int8Values(clip.input(2)), std::vector<int> {15});
        QCOMPARE(file.before(clip, 0).op_type(), std::string("QuantizeLinear"));
        QCOMPARE(file.int8Values(dequantize.input(2)), std::vector<int> {3});
    }

    void attentionOperandsAreQuantizedWhereTheSitesStand()
    {
        const ExportedFile file = exported(attentionModel(),
            {{"attn.key", uniform(Symmetry::Symmetric, 8, {0.1F, 0.2F}, {0, 0}, GroupAxis::Head)},
                {"attn.value", uniform(Symmetry::Symmetric, 8, {0.3F}, {0}, GroupAxis::Head)}});
        const auto& turn = file.producer("attn.turn");
        const auto& key = file.before(turn, 0);
        QCOMPARE(key.op_type(), std::string("DequantizeLinear"));
        QCOMPARE(ExportedFile::integer(key, "axis"), std::int64_t {1});
        QCOMPARE(ExportedFile::integer(file.before(key, 0), "axis"), std::int64_t {1});
        QCOMPARE(file.before(file.producer("context"), 1).op_type(), std::string("DequantizeLinear"));
        QCOMPARE(file.before(file.producer("context"), 0).op_type(), std::string("Softmax"));
        QCOMPARE(file.producer("attn.matmul1").input(0), std::string("query"));
    }

    void logarithmicSoftmaxIsATableOfItsLevels()
    {
        QuantParams params = uniform(Symmetry::Asymmetric, 4, {1.0F}, {0}, GroupAxis::Head);
        params.kind = QuantizerKind::LogSqrt2;
        const ExportedFile file = exported(attentionModel(), {{"attn.softmax", params}});
        QCOMPARE(file.ops(),
            std::string("Transpose MatMul Softmax Log Mul Add Round Clip Cast Gather Mul MatMul "));
        const auto& gather = file.producer("attn.softmax.level");
        const std::vector<float> levels = file.floats(gather.input(0));
        // methods.md section 9, golden 3: codes 0, 1, 2, 3, 7, 11, 15 at b = 4; what is smaller becomes 0.
        QCOMPARE(levels.size(), std::size_t {17});
        const std::map<std::size_t, double> golden {{0, 1.0}, {1, 0.707107}, {2, 0.5}, {3, 0.353553},
            {7, 0.0883883}, {11, 0.0220971}, {15, 0.00552427}};
        for (const auto& [code, level] : golden) {
            QVERIFY2(
                std::abs(static_cast<double>(levels[code]) - level) < 5e-7, std::to_string(code).c_str());
        }
        QCOMPARE(levels[16], 0.0F);
        QCOMPARE(file.floats("attn.softmax.last"), std::vector<float> {16});
    }

    /// Base 2^(29/37) at 3 bits: 2^(-29/37) = 0.5809 and 2^(-21/37) = 0.6747 in parts of 1/14 are 8 and 9.
    void adaLogSoftmaxIsATableOfItsLevels()
    {
        QuantParams params = uniform(Symmetry::Asymmetric, 3, {1.0F}, {0}, GroupAxis::Head);
        params.kind = QuantizerKind::AdaLog;
        params.bounds = {adaLogBounds(1.0, 29)};
        const ExportedFile file = exported(attentionModel(), {{"attn.softmax", params}});
        const std::vector<float> levels = file.floats(file.producer("attn.softmax.level").input(0));
        QCOMPARE(levels.size(), std::size_t {9});
        QCOMPARE(levels[0], 1.0F);
        QCOMPARE(levels[1], 8.0F / 14.0F);
        QCOMPARE(levels[2], 0.5F * (9.0F / 14.0F));
        QCOMPARE(levels[8], 0.0F);
        const double factor = static_cast<double>(file.floats("attn.softmax.factor").front());
        QVERIFY(std::abs(factor + 37.0 / 29.0 / std::log(2.0)) < 1e-6);
    }

    void saysWhereItComesFrom()
    {
        const ExportedFile file = exported(mlpModel(), {});
        std::map<std::string, std::string> metadata;
        for (const auto& entry : file.model().metadata_props()) {
            metadata[entry.key()] = entry.value();
        }
        QCOMPARE(file.model().producer_name(), std::string("quantoscope"));
        QCOMPARE(file.model().producer_version(), std::string("0.1.0"));
        QCOMPARE(metadata.at("quantoscope.model_sha256"), std::string("0123"));
        QCOMPARE(metadata.at("quantoscope.calibration_sha256"), std::string("cafe"));
        QVERIFY(metadata.at("quantoscope.plan").find("\"fc1.input\":{\"bits\":5") != std::string::npos);
    }

    void whatInt8CannotHoldIsALintErrorAndNothingIsWritten_data()
    {
        QTest::addColumn<QString>("site");
        QTest::addColumn<int>("which");
        QTest::newRow("one scale per channel of an activation") << "fc1.input" << 0;
        QTest::newRow("twelve bits") << "fc1.input" << 1;
        QTest::newRow("zero point outside the codes") << "fc1.input" << 2;
        QTest::newRow("negative zero point of 8 bits") << "fc1.weight" << 3;
        QTest::newRow("logarithmic weight") << "fc1.weight" << 4;
        QTest::newRow("unknown site") << "fc9.input" << 5;
        QTest::newRow("scales for another number of channels") << "fc1.weight" << 6;
    }
    void whatInt8CannotHoldIsALintErrorAndNothingIsWritten()
    {
        QFETCH(QString, site);
        QFETCH(int, which);
        QuantParams logarithmic = uniform(Symmetry::Asymmetric, 4, {1.0F}, {0});
        logarithmic.kind = QuantizerKind::Log2;
        const QuantParams params[] = {uniform(Symmetry::Symmetric, 8, {1, 1, 1}, {0, 0, 0}),
            uniform(Symmetry::Symmetric, 12, {1}, {0}), uniform(Symmetry::Asymmetric, 4, {1}, {200}),
            uniform(Symmetry::Asymmetric, 8, {1}, {-5}), logarithmic,
            uniform(Symmetry::Symmetric, 8, {1}, {0}), uniform(Symmetry::Symmetric, 8, {1, 1, 1}, {0, 0, 0})};
        const auto findings = lint(mlpModel(), qPrintable(site), params[which]);
        QCOMPARE(findings.size(), std::size_t {1});
        QVERIFY(findings[0].severity == LintFinding::Severity::Error);
        QCOMPARE(findings[0].site, site.toStdString());

        const auto path = std::filesystem::path(m_folder.path().toStdString()) / "refused.onnx";
        ExportInput input;
        input.model = mlpModel();
        input.quantizers[site.toStdString()] = params[which];
        try {
            m_exporter.write(input, path, {});
            QFAIL("wrote what it cannot express");
        } catch (const Error& error) {
            QCOMPARE(error.code(), ErrorCode::Unsupported);
        }
        QVERIFY(!std::filesystem::exists(path));
    }

    void remarksAreGradedAndCounted()
    {
        const auto zeroPoint = lint(mlpModel(), "fc1.input", uniform(Symmetry::Asymmetric, 8, {1}, {100}));
        QCOMPARE(zeroPoint.size(), std::size_t {1});
        QVERIFY(zeroPoint[0].severity == LintFinding::Severity::Warning);
        const auto fourBits = lint(mlpModel(), "fc1.weight", uniform(Symmetry::Symmetric, 4, {1, 1}, {0, 0}));
        QCOMPARE(fourBits.size(), std::size_t {1});
        QVERIFY(fourBits[0].severity == LintFinding::Severity::Note);
        QVERIFY(lint(mlpModel(), "fc1.weight", uniform(Symmetry::Symmetric, 8, {1, 1}, {0, 0})).empty());
        const auto heads = lint(
            attentionModel(), "attn.query", uniform(Symmetry::Symmetric, 4, {1, 1}, {0, 0}, GroupAxis::Head));
        QCOMPARE(heads.size(), std::size_t {2});
        QVERIFY(heads[0].severity == LintFinding::Severity::Warning);
    }
};

QTEST_GUILESS_MAIN(TestOnnxQdqExporter)
#include "tst_onnx_qdq_exporter.moc"
