#include "core/base/error.h"
#include "core/io/onnx_reader.h"
#include "core/io/onnx_tensor.h"
#include "core/runtime/executor.h"

#include <onnx/onnx_pb.h>

#include <QTest>

#include <cmath>
#include <filesystem>
#include <fstream>

using namespace qs;

namespace {

Tensor readProto(const std::filesystem::path& path)
{
    std::ifstream file(path, std::ios::binary);
    onnx::TensorProto proto;
    if (!proto.ParseFromIstream(&file)) {
        throw Error(ErrorCode::CorruptFile, path.string());
    }
    return tensorFromOnnx(proto, path.parent_path());
}

bool isFloating(DType type)
{
    return type == DType::F32 || type == DType::F64 || type == DType::F16 || type == DType::BF16;
}

/// "" when equal: floats within 1e-3 relative and 1e-7 absolute (the tolerances the cases were published
/// with), all other types exactly.
std::string difference(const Tensor& actual, const Tensor& expected)
{
    if (actual.shape() != expected.shape()) {
        return "shape " + actual.shape().text() + ", not " + expected.shape().text();
    }
    if (isFloating(expected.dtype()) != isFloating(actual.dtype())
        || (!isFloating(expected.dtype()) && expected.dtype() != actual.dtype())) {
        return "type " + std::string(nameOf(actual.dtype()));
    }
    const Tensor a = actual.toF32();
    const Tensor b = expected.toF32();
    for (std::size_t i = 0; i < a.data<float>().size(); ++i) {
        const double x = static_cast<double>(a.data<float>()[i]);
        const double y = static_cast<double>(b.data<float>()[i]);
        const bool bothNan = std::isnan(x) && std::isnan(y);
        const double allowed = isFloating(expected.dtype()) ? 1e-7 + 1e-3 * std::abs(y) : 0.0;
        if (!bothNan && x != y && !(std::abs(x - y) <= allowed)) {
            return "element " + std::to_string(i) + ": " + std::to_string(x) + ", not " + std::to_string(y);
        }
    }
    return {};
}

} // namespace

/// The ONNX project's conformance cases for the operators the engine has.
class TestOnnxOperators : public QObject
{
    Q_OBJECT
private slots:
    void conformance_data()
    {
        QTest::addColumn<QString>("folder");
        const std::filesystem::path root = std::filesystem::path(QS_SHARED_DATA) / "onnx-node-tests";
        int cases = 0;
        for (const auto& entry : std::filesystem::directory_iterator(root)) {
            // Tensors of 4-bit codes are held as 8-bit ones, so saturation to 4 bits is not known here.
            const bool isFourBit = entry.path().filename() == "test_quantizelinear_int4";
            if (isFourBit || !std::filesystem::exists(entry.path() / "model.onnx")) {
                continue;
            }
            try {
                auto model = std::make_shared<Model>();
                model->graph = readOnnxFile(entry.path() / "model.onnx").graph;
                const Executor executor(model);
            } catch (const Error& error) {
                if (error.code() == ErrorCode::Unsupported) {
                    continue; // said before any work, as it must be
                }
            }
            QTest::newRow(entry.path().filename().c_str()) << QString::fromStdString(entry.path().string());
            ++cases;
        }
        QVERIFY2(cases >= 230, std::to_string(cases).c_str());
    }
    void conformance()
    {
        QFETCH(QString, folder);
        const std::filesystem::path root = folder.toStdString();
        auto model = std::make_shared<Model>();
        model->graph = readOnnxFile(root / "model.onnx").graph;
        Executor executor(model);
        std::vector<Feed> feeds;
        for (std::size_t i = 0; i < model->graph->inputs().size(); ++i) {
            const std::filesystem::path file
                = root / "test_data_set_0" / ("input_" + std::to_string(i) + ".pb");
            feeds.push_back({model->graph->inputs()[i], readProto(file)});
        }
        std::vector<Tensor> outputs;
        try {
            outputs = executor.run(feeds, model->graph->outputs());
        } catch (const Error& error) {
            if (error.code() == ErrorCode::Unsupported) {
                QSKIP(error.what());
            }
            QFAIL(error.what());
        }
        for (std::size_t i = 0; i < outputs.size(); ++i) {
            const std::filesystem::path file
                = root / "test_data_set_0" / ("output_" + std::to_string(i) + ".pb");
            const std::string wrong = difference(outputs[i], readProto(file));
            QVERIFY2(wrong.empty(), wrong.c_str());
        }
    }
};

QTEST_GUILESS_MAIN(TestOnnxOperators)
#include "tst_onnx_operators.moc"
