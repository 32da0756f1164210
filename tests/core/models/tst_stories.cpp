#include "core/io/npy_file.h"
#include "core/models/model.h"
#include "core/runtime/executor.h"
#include "tests/support/safetensors_builder.h"

#include <QTest>

#include <cmath>

using namespace qs;
using namespace qs::test;

namespace {

const std::filesystem::path kFolder = std::filesystem::path(QS_SHARED_DATA) / "models" / "stories260k";

/// Mean negative log-likelihood of each sequence's tokens but the first, in nats.
double meanNll(const Tensor& logits, std::span<const std::int64_t> ids)
{
    const auto vocabulary = static_cast<std::size_t>(logits.shape()[2]);
    const auto length = static_cast<std::size_t>(logits.shape()[1]);
    double sum = 0;
    std::size_t count = 0;
    for (std::size_t row = 0; row < ids.size(); ++row) {
        if (row % length + 1 == length) {
            continue;
        }
        const auto scores = logits.data<float>().subspan(row * vocabulary, vocabulary);
        double total = 0;
        for (const float score : scores) {
            total += std::exp(static_cast<double>(score));
        }
        sum += std::log(total) - static_cast<double>(scores[static_cast<std::size_t>(ids[row + 1])]);
        ++count;
    }
    return sum / static_cast<double>(count);
}

} // namespace

/// stories260K, a trained LLaMA, from its directory and from ONNX.
class TestStories : public QObject
{
    Q_OBJECT

private slots:
    void computesTheExpectedLogits_data()
    {
        QTest::addColumn<QString>("file");
        QTest::newRow("directory") << "";
        QTest::newRow("onnx") << "model.onnx";
    }
    void computesTheExpectedLogits()
    {
        QFETCH(const QString, file);
        const auto model = loadModel(file.isEmpty() ? kFolder : kFolder / file.toStdString());
        const Tensor ids = readNpy(kFolder / "input_ids.npy");
        const Tensor expected = readNpy(kFolder / "expected_logits_seq0.npy");
        Executor executor(model);
        const Feed feed {model->graph->inputs().front(), ids};
        const Tensor logits = executor.run({&feed, 1}, {&model->graph->outputs().front(), 1}).front();
        QCOMPARE(logits.shape(), Shape({11, 128, 512}));
        QCOMPARE(expected.elementCount(), std::int64_t {128 * 512});
        double worst = 0;
        for (std::size_t i = 0; i < 128 * 512; ++i) {
            const double difference = std::abs(static_cast<double>(logits.data<float>()[i])
                - static_cast<double>(expected.data<float>()[i]));
            worst = difference <= worst ? worst : difference;
        }
        QVERIFY2(worst < 1e-4, std::to_string(worst).c_str());
        const double nll
            = nlohmann::json::parse(readFile(kFolder / "expected.json")).at("mean_nll_nats").get<double>();
        const double measured = meanNll(logits, ids.data<std::int64_t>());
        QVERIFY2(std::abs(measured - nll) < 5e-5, std::to_string(measured).c_str());
        qInfo("largest difference %g, mean NLL %.6f, expected %.6f", worst, measured, nll);
    }
    void isALanguageModel()
    {
        const auto model = loadModel(kFolder);
        QVERIFY(model->task == ModelTask::LanguageModel);
        QCOMPARE(model->name, std::string("stories260k"));
        const Graph& graph = *model->graph;
        QCOMPARE(graph.value(graph.outputs().front()).dims, (std::vector<std::int64_t> {-1, -1, 512}));
        QCOMPARE(graph.parameterCount(), std::int64_t {260032});
    }
    void givesEverySiteItsRole()
    {
        const auto model = loadModel(kFolder);
        const std::string layer = "model.layers.4.";
        const std::vector<std::pair<std::string, Role>> expected {{layer + "self_attn.query", Role::Query},
            {layer + "self_attn.key", Role::Key}, {layer + "self_attn.softmax", Role::Softmax},
            {layer + "self_attn.value", Role::Value}, {layer + "self_attn.o_proj.input", Role::Projection},
            {layer + "mlp.gate_proj.weight", Role::PostNormFc1}, {"lm_head.input", Role::Head}};
        for (const auto& [name, role] : expected) {
            const int index = indexOfSite(model->sites, name);
            QVERIFY2(index >= 0, name.c_str());
            QVERIFY2(model->sites[static_cast<std::size_t>(index)].role == role, name.c_str());
        }
        QCOMPARE(
            model->sites[static_cast<std::size_t>(indexOfSite(model->sites, layer + "self_attn.softmax"))]
                .groups,
            std::int64_t {8});
    }
};

QTEST_GUILESS_MAIN(TestStories)
#include "tst_stories.moc"
