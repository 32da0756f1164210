#include "core/eval/evaluate.h"
#include "core/io/npy_file.h"
#include "core/io/recipe_file.h"
#include "core/methods/repq_vit.h"
#include "core/methods/repquant_fast.h"
#include "tests/core/methods/logits_reference.h"

#include <QTemporaryDir>
#include <QTest>

#include <chrono>
#include <cstring>

using namespace qs;

namespace {

const std::string kFolder = std::string(QS_SHARED_DATA) + "/models/deit_tiny_patch16_224";
const std::string kImages = std::string(QS_SHARED_DATA) + "/images";

} // namespace

/// repquant-fast on DeiT-Tiny against repq-vit on the same images.
class TestRepquantFast : public QObject
{
    Q_OBJECT

    std::shared_ptr<const Model> m_model;
    std::shared_ptr<const DataSource> m_evaluation;
    MethodInput m_input;
    Tensor m_reference;

    Metrics metricsOf(const MethodResult& result)
    {
        return test::metricsOf(
            test::logitsOf(result.model, result.quantizers, *m_evaluation), m_reference, *m_evaluation);
    }

private slots:
    void initTestCase()
    {
        m_model = loadModel(kFolder);
        m_evaluation = openData(kImages + "/eval", *m_model);
        m_input = methodInput(m_model, *openData(kImages + "/calib", *m_model), 32);
        m_reference = readNpy(kFolder + "/expected/eval_logits_fp32.npy");
    }
    void isPointsAboveRepqVit()
    {
        const auto start = std::chrono::steady_clock::now();
        const MethodResult fast = quantizeRepquantFast(m_input, {});
        const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
        const Metrics ours = metricsOf(fast);
        qInfo("W4A4 repquant-fast: top-1 %.2f, agreement %.2f %%, KL %.4f, SQNR %.2f dB, %.1f s",
            ours.top1Percent.value_or(0.0), ours.agreementPercent, ours.klNats, ours.logitsSqnrDb,
            seconds.count());
        // The authors' RepQ-ViT has 61.54 on these images and ours 62.18; 70.51 was measured here (KL 0.373; with
        // uniform quantizers behind GELU 67.09 and 0.622), and one code flipping early moves that by some images.
        QVERIFY(ours.top1Percent.value_or(0.0) >= 61.54 + 6.0);
        QVERIFY(ours.klNats < 0.5);
        // The recipe gives the same weights bit for bit.
        const QTemporaryDir folder;
        const std::string path = folder.filePath(QStringLiteral("fast.json")).toStdString();
        writeRecipe(recipeOf(m_input, {}, fast), path);
        const Recipe recipe = readRecipe(path);
        const auto model = modelOf(recipe, m_model);
        QVERIFY(quantizersOf(recipe, *model) == fast.quantizers);
        for (const Value& value : fast.model->graph->values()) {
            if (value.isConstant()) {
                const Tensor& other = model->graph->value(*model->graph->findValue(value.name)).constant;
                QCOMPARE(std::memcmp(other.bytes(), value.constant.bytes(), other.byteCount()), 0);
            }
        }
    }
};

QTEST_APPLESS_MAIN(TestRepquantFast)
#include "tst_repquant_fast.moc"
