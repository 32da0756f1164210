#include "core/base/error.h"
#include "core/io/npy_file.h"
#include "core/models/model.h"
#include "core/runtime/executor.h"

#include <QTest>

#include <algorithm>
#include <cmath>

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
