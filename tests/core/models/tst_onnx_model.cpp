#include "core/base/error.h"
#include "core/models/model.h"

#include <QTest>

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
        }
        QVERIFY(onnx->preprocessing == directory->preprocessing);
        QCOMPARE(onnx->graph->parameterCount(), directory->graph->parameterCount());
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
