#include "core/base/error.h"
#include "core/graph/recognition.h"
#include "core/io/npy_file.h"
#include "core/models/model.h"
#include "core/runtime/executor.h"

#include <QTest>

#include <algorithm>
#include <cmath>
#include <map>

using namespace qs;

class TestOnnxModel : public QObject
{
    Q_OBJECT

private slots:
    void deitTinyHasTheSitesOfItsDirectory()
    {
        const auto folder = std::filesystem::path(QS_SHARED_DATA) / "models/deit_tiny_patch16_224";
        const auto directory = loadModel(folder);
        const auto onnx = loadModel(folder / "model.onnx");
        QCOMPARE(onnx->sites.size(), directory->sites.size());
        for (const Site& site : directory->sites) {
            const int index = indexOfSite(onnx->sites, site.name);
            QVERIFY2(index >= 0, site.name.c_str());
            const Site& other = onnx->sites[static_cast<std::size_t>(index)];
            QVERIFY2(other.groups == site.groups && other.groupAxis == site.groupAxis, site.name.c_str());
            QVERIFY2(other.block == site.block && other.kind == site.kind, site.name.c_str());
            QVERIFY2(other.role == site.role, site.name.c_str());
        }
        QVERIFY(onnx->preprocessing == directory->preprocessing);
        QCOMPARE(onnx->graph->parameterCount(), directory->graph->parameterCount());
    }

    void deitTinyComputesTheLogitsOfItsDirectory()
    {
        const auto folder = std::filesystem::path(QS_SHARED_DATA) / "models/deit_tiny_patch16_224";
        const Tensor pixels = readNpy(folder / "expected/calib_first2_pixels.npy");
        std::vector<Tensor> logits;
        for (const auto& path : {folder, folder / "model.onnx"}) {
            const auto model = loadModel(path);
            Executor executor(model);
            const Feed feed {model->graph->inputs().front(), pixels};
            logits.push_back(executor.run({&feed, 1}, {&model->graph->outputs().front(), 1}).front());
        }
        QCOMPARE(logits[1].shape(), Shape({2, 1000}));
        double worst = 0;
        double scale = 0;
        for (std::size_t i = 0; i < 2000; ++i) {
            const auto expected = static_cast<double>(logits[0].data<float>()[i]);
            const double difference = std::abs(static_cast<double>(logits[1].data<float>()[i]) - expected);
            worst = difference <= worst ? worst : difference;
            scale = std::max(scale, std::abs(expected));
        }
        QVERIFY2(worst <= 1e-5 * scale, std::to_string(worst / scale).c_str());
        qInfo("largest difference %g of %g", worst, scale);
    }
    void storiesHasItsSitesByRole()
    {
        const auto folder = std::filesystem::path(QS_SHARED_DATA) / "models/stories260k";
        const auto model = loadModel(folder / "model.onnx");
        const RecognisedCounts counts = countRecognised(*model->graph);
        QCOMPARE(counts, (RecognisedCounts {11, 5, 5, 5, 36}));
        std::map<Role, int> activations;
        for (const Site& site : model->sites) {
            activations[site.role] += site.kind == SiteKind::Activation ? 1 : 0;
        }
        for (const Role role : {Role::PostNormQkv, Role::Query, Role::Key, Role::Softmax, Role::Value,
                 Role::Projection, Role::PostNormFc1, Role::PostGeluFc2}) {
            QCOMPARE(activations[role], 5);
        }
        QCOMPARE(activations[Role::Head], 1);
        QCOMPARE(activations[Role::Other], 0);
        for (const char* site : {"layers.4.attention.qkv.input", "layers.4.attention.wk.weight",
                 "layers.4.attention.softmax", "layers.4.feed_forward.w1.input",
                 "layers.4.feed_forward.w3.weight", "layers.4.feed_forward.w2.input"}) {
            QVERIFY2(indexOfSite(model->sites, site) >= 0, site);
        }

        const Tensor ids = readNpy(folder / "input_ids.npy");
        const Tensor expected = readNpy(folder / "expected_logits_seq0.npy").toF32();
        const auto first = ids.data<std::int64_t>().subspan(0, static_cast<std::size_t>(ids.shape()[1]));
        const Feed feed {
            model->graph->inputs().front(), Tensor::of<std::int64_t>(Shape {1, ids.shape()[1]}, first)};
        const ValueId fetch = model->graph->outputs().front();
        const Tensor logits = Executor(model).run({&feed, 1}, {&fetch, 1}).front();
        QCOMPARE(logits.elementCount(), expected.elementCount());
        double largest = 0.0;
        double difference = 0.0;
        for (std::size_t i = 0; i < expected.data<float>().size(); ++i) {
            const auto wanted = static_cast<double>(expected.data<float>()[i]);
            largest = std::max(largest, std::abs(wanted));
            difference
                = std::max(difference, std::abs(static_cast<double>(logits.data<float>()[i]) - wanted));
        }
        qInfo("logits within %.1e of the largest", difference / largest);
        QVERIFY(difference <= 1e-4 * largest);
    }

    void everySharedModelOpensOrIsRefusedInOneSentence()
    {
        int opened = 0;
        int refused = 0;
        for (const char* folder : {"onnx-transformer-graphs", "models/kwt1", "models/stories260k"}) {
            const auto root = std::filesystem::path(QS_SHARED_DATA) / folder;
            for (const auto& entry : std::filesystem::directory_iterator(root)) {
                if (entry.path().extension() != ".onnx") {
                    continue;
                }
                try {
                    QVERIFY(loadModel(entry.path())->graph != nullptr);
                    ++opened;
                } catch (const Error& error) {
                    qInfo("%s", error.what());
                    ++refused;
                }
            }
        }
        qInfo("%d opened, %d refused", opened, refused);
        QVERIFY(opened > 2 * refused);
    }
};

QTEST_GUILESS_MAIN(TestOnnxModel)
#include "tst_onnx_model.moc"
