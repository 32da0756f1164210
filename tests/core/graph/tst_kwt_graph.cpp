#include "core/graph/recognition.h"
#include "core/models/model.h"
#include "core/runtime/executor.h"
#include "tests/core/graph/onnx_runtime_runs.h"

#include <QTest>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>

using namespace qs;
using namespace qs::test;

namespace {

const std::filesystem::path kFolder = std::filesystem::path(QS_SHARED_DATA) / "models/kwt1";

/// 16-bit mono samples over 32768, one second, padded with zeros.
Tensor audioOf(const std::filesystem::path& wav)
{
    std::ifstream stream(wav, std::ios::binary);
    const std::string bytes {std::istreambuf_iterator<char>(stream), {}};
    const std::size_t data = bytes.find("data");
    Tensor audio = Tensor::zeros(DType::F32, Shape {1, 16000});
    std::uint32_t size = 0;
    std::memcpy(&size, bytes.data() + data + 4, sizeof size);
    const std::size_t count = std::min<std::size_t>(size / 2, 16000);
    for (std::size_t i = 0; i < count; ++i) {
        std::int16_t sample = 0;
        std::memcpy(&sample, bytes.data() + data + 8 + 2 * i, sizeof sample);
        audio.mutableData<float>()[i] = static_cast<float>(sample) / 32768.0F;
    }
    return audio;
}

std::ptrdiff_t labelOf(const Tensor& logits)
{
    const auto values = logits.data<float>();
    return std::max_element(values.begin(), values.end()) - values.begin();
}

} // namespace

/// KWT-1: twelve post-norm layers whose LayerNorm and GELU are primitive operators, names from TensorFlow.
class TestKwtGraph : public QObject
{
    Q_OBJECT

private slots:
    void everyLayerIsRecognised()
    {
        const auto model = loadModel(kFolder / "model.onnx");
        const RecognisedCounts counts = countRecognised(*model->graph);
        QCOMPARE(counts.normalizations, 24);
        QCOMPARE(counts.activations, 12);
        QCOMPARE(counts.softmaxes, 12);
        QCOMPARE(counts.attentions, 12);
        std::map<Role, int> activations;
        for (const Site& site : model->sites) {
            activations[site.role] += site.kind == SiteKind::Activation ? 1 : 0;
        }
        for (const Role role : {Role::Query, Role::Key, Role::Softmax, Role::Value, Role::Projection,
                 Role::PostNormFc1, Role::PostGeluFc2}) {
            QCOMPARE(activations[role], 12);
        }
        QCOMPARE(activations[Role::PostNormQkv], 11); // the first layer reads the embeddings
        QCOMPARE(activations[Role::Head], 1);
        QCOMPARE(activations[Role::FrontEnd], 2); // the frames, and their power spectrum
        QCOMPARE(activations[Role::PatchEmbedding], 2); // the cosine transform, and what embeds its result
        for (int layer = 0; layer < 12; ++layer) {
            const std::string number = layer == 0 ? "" : "_" + std::to_string(layer);
            const std::string block = "kws_transformer.transformer_block" + number;
            const int softmax
                = indexOfSite(model->sites, block + ".multi_head_self_attention" + number + ".softmax");
            QVERIFY2(softmax >= 0, block.c_str());
            QCOMPARE(model->sites[static_cast<std::size_t>(softmax)].block, block);
        }
    }
    void labelsAreThoseOfOnnxRuntime()
    {
        std::vector<std::pair<std::string, Tensor>> clips;
        for (const auto& folder : std::filesystem::directory_iterator(kFolder / "clips")) {
            if (!folder.is_directory()) {
                continue; // the licence
            }
            for (const auto& wav : std::filesystem::directory_iterator(folder)) {
                clips.emplace_back(folder.path().filename().string(), audioOf(wav));
            }
        }
        QCOMPARE(clips.size(), std::size_t {88});
        OnnxRuntimeRuns runtime;
        for (const auto& clip : clips) {
            runtime.add((kFolder / "model.onnx").string(), {clip.second});
        }
        QVERIFY(runtime.run());
        std::ifstream file(kFolder / "labels.txt");
        const std::vector<std::string> labels {std::istream_iterator<std::string>(file), {}};
        const auto model = loadModel(kFolder / "model.onnx");
        Executor executor(model);
        int right = 0;
        double worst = 0.0;
        for (std::size_t i = 0; i < clips.size(); ++i) {
            QCOMPARE(runtime.error(i), QString());
            const Feed feed {model->graph->inputs().front(), clips[i].second};
            const ValueId fetch = model->graph->outputs().front();
            const Tensor logits = executor.run({&feed, 1}, {&fetch, 1}).front();
            const Tensor expected = runtime.output(i, 0);
            QCOMPARE(labelOf(logits), labelOf(expected));
            for (std::size_t k = 0; k < labels.size(); ++k) {
                worst = std::max(worst,
                    std::abs(static_cast<double>(logits.data<float>()[k])
                        - static_cast<double>(expected.data<float>()[k])));
            }
            right += labels.at(static_cast<std::size_t>(labelOf(logits))) == clips[i].first ? 1 : 0;
        }
        qInfo("%d of %zu clips right; logits differ from ONNX Runtime's by at most %.1e", right, clips.size(),
            worst);
        QVERIFY(worst < 1e-3);
    }
};

QTEST_GUILESS_MAIN(TestKwtGraph)
#include "tst_kwt_graph.moc"
