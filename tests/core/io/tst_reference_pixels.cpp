#include "core/io/image_decoder.h"
#include "core/io/npy_file.h"
#include "core/io/preprocess.h"

#include <QElapsedTimer>
#include <QTest>

#include <fstream>

using namespace qs;

class TestReferencePixels : public QObject
{
    Q_OBJECT

private slots:
    /// Pillow and PyTorch made the expected input; within 1/255 at every pixel is asked, equality is reached.
    void areThoseOfPillowAndPyTorch();
};

void TestReferencePixels::areThoseOfPillowAndPyTorch()
{
    const std::filesystem::path data(QS_SHARED_DATA);
    const Tensor expected = readNpy(data / "models/deit_tiny_patch16_224/expected/calib_first2_pixels.npy");
    QCOMPARE(expected.shape(), (Shape {2, 3, 224, 224}));
    Preprocessing settings;
    settings.mean = {0.485, 0.456, 0.406};
    settings.standardDeviation = {0.229, 0.224, 0.225};
    std::ifstream labels(data / "images/calib/labels.txt");
    double worst = 0;
    for (std::size_t sample = 0; sample < 2; ++sample) {
        std::string file;
        int label = 0;
        labels >> file >> label;
        QElapsedTimer timer;
        timer.start();
        const Tensor input = toModelInput(decodeImage(data / "images/calib" / file), settings);
        qInfo("%s: %.2f ms", file.c_str(), static_cast<double>(timer.nsecsElapsed()) / 1e6);
        const std::span<const float> reference
            = expected.data<float>().subspan(sample * 3 * 224 * 224, 3 * 224 * 224);
        for (std::size_t i = 0; i < reference.size(); ++i) {
            const double deviation = settings.standardDeviation[i / (224 * 224)];
            const double difference = double {input.data<float>()[i]} - double {reference[i]};
            worst = std::max(worst, std::abs(difference) * deviation);
        }
    }
    qInfo("largest difference before normalisation: %g of 1/255", worst * 255);
    QVERIFY(worst <= 1e-6);
}

QTEST_GUILESS_MAIN(TestReferencePixels)
#include "tst_reference_pixels.moc"
