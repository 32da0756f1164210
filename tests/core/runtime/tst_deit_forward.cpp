#include "core/base/parallel.h"
#include "core/io/npy_file.h"
#include "core/runtime/executor.h"

#include <QTest>

#include <cmath>
#include <cstring>

using namespace qs;

/// DeiT-Tiny against logits computed by PyTorch.
class TestDeitForward : public QObject
{
    Q_OBJECT

    std::shared_ptr<const Model> m_model;
    Tensor m_pixels; ///< [2, 3, 224, 224]

    Tensor logitsOf(Executor& executor)
    {
        const Feed feed {m_model->graph->inputs().front(), m_pixels};
        return executor.run({&feed, 1}, {&m_model->graph->outputs().front(), 1}).front();
    }

private slots:
    void initTestCase()
    {
        const std::string folder = std::string(QS_SHARED_DATA) + "/models/deit_tiny_patch16_224";
        m_model = loadModel(folder);
        m_pixels = readNpy(folder + "/expected/calib_first2_pixels.npy").toF32();
    }
    void logitsMatchPyTorch()
    {
        const Tensor expected = readNpy(
            std::string(QS_SHARED_DATA) + "/models/deit_tiny_patch16_224/expected/calib_first8_logits.npy");
        Executor executor(m_model);
        const Tensor logits = logitsOf(executor);
        QCOMPARE(logits.shape(), Shape({2, 1000}));
        double noise = 0.0;
        double signal = 0.0;
        for (std::size_t i = 0; i < 2000; ++i) {
            const double e = static_cast<double>(expected.data<float>()[i]);
            const double d = static_cast<double>(logits.data<float>()[i]) - e;
            noise += d * d;
            signal += e * e;
        }
        QVERIFY2(std::sqrt(noise / signal) < 1e-5, std::to_string(std::sqrt(noise / signal)).c_str());
    }
    void bitsDoNotDependOnTheThreads()
    {
        Tensor first;
        for (const int threads : {1, 2, 4}) {
            setThreadCount(threads);
            Executor executor(m_model);
            const Tensor logits = logitsOf(executor);
            if (!first.valid()) {
                first = logits;
            }
            QCOMPARE(std::memcmp(first.bytes(), logits.bytes(), first.byteCount()), 0);
        }
    }
};

QTEST_GUILESS_MAIN(TestDeitForward)
#include "tst_deit_forward.moc"
