#include "core/base/parallel.h"
#include "core/methods/image_views.h"

#include <QTest>

#include <cmath>
#include <cstring>

using namespace qs;

namespace {

constexpr std::int64_t kSide = 32;

/// Channel c of image i: (i + 1) x + 3 (c + 1) y, so that a crop is a plane again.
Tensor ramps()
{
    Tensor images(DType::F32, Shape {2, 3, kSide, kSide});
    float* out = images.mutableData<float>().data();
    for (int image = 0; image < 2; ++image) {
        for (int channel = 0; channel < 3; ++channel) {
            for (int y = 0; y < kSide; ++y) {
                for (int x = 0; x < kSide; ++x) {
                    *out++ = static_cast<float>((image + 1) * x + 3 * (channel + 1) * y);
                }
            }
        }
    }
    return images;
}

} // namespace

class TestImageViews : public QObject
{
    Q_OBJECT

private slots:
    void cropsOfPlanesArePlanes();
    void sameBitsForAnyThreadCount();
};

/// Slope and offset of every crop are read off its inner pixels and must be the same in all channels, within
/// the ranges that imageViews() states.
void TestImageViews::cropsOfPlanesArePlanes()
{
    constexpr std::int64_t kViews = 40;
    const Tensor images = ramps();
    const Tensor views = imageViews(images, kViews, 7);
    QCOMPARE(views.shape(), (Shape {2 * kViews, 3, kSide, kSide}));
    QVERIFY(std::memcmp(views.bytes(), images.bytes(), images.byteCount()) == 0);
    int mirrored = 0;
    double leastArea = 1.0;
    double leastAspect = 1.0;
    double mostAspect = 1.0;
    for (std::int64_t row = 2; row < 2 * kViews; ++row) {
        const double across = static_cast<double>(row % 2 + 1); // slope of the image along x
        double scaleX = 0.0;
        double scaleY = 0.0;
        for (std::int64_t channel = 0; channel < 3; ++channel) {
            const float* plane = views.data<float>().data() + (row * 3 + channel) * kSide * kSide;
            const auto at
                = [&](std::int64_t y, std::int64_t x) { return static_cast<double>(plane[y * kSide + x]); };
            const double down = 3.0 * static_cast<double>(channel + 1);
            const double dx = (at(16, 24) - at(16, 8)) / 16.0 / across;
            const double dy = (at(24, 16) - at(8, 16)) / 16.0 / down;
            for (std::int64_t y = 2; y < kSide - 2; ++y) {
                for (std::int64_t x = 2; x < kSide - 2; ++x) {
                    const double expected = at(16, 16) + dx * across * static_cast<double>(x - 16)
                        + dy * down * static_cast<double>(y - 16);
                    QVERIFY(std::abs(at(y, x) - expected) < 1e-3);
                }
            }
            QVERIFY(channel == 0 || (std::abs(dx - scaleX) < 1e-4 && std::abs(dy - scaleY) < 1e-4));
            scaleX = dx;
            scaleY = dy;
        }
        mirrored += scaleX < 0.0 ? 1 : 0;
        const double width = std::abs(scaleX);
        QVERIFY(width <= 1.0001 && scaleY > 0.0 && scaleY <= 1.0001);
        QVERIFY(width * scaleY > 0.399);
        leastArea = std::min(leastArea, width * scaleY);
        leastAspect = std::min(leastAspect, width / scaleY);
        mostAspect = std::max(mostAspect, width / scaleY);
    }
    QVERIFY(mirrored > 20 && mirrored < 58);
    QVERIFY(leastArea < 0.5);
    QVERIFY(leastAspect > 0.81 && leastAspect < 0.9 && mostAspect < 1.23 && mostAspect > 1.1);
}

void TestImageViews::sameBitsForAnyThreadCount()
{
    const int before = threadCount();
    setThreadCount(1);
    const Tensor one = imageViews(ramps(), 5, 3);
    setThreadCount(3);
    const Tensor three = imageViews(ramps(), 5, 3);
    const Tensor other = imageViews(ramps(), 5, 4);
    setThreadCount(before);
    QVERIFY(std::memcmp(one.bytes(), three.bytes(), one.byteCount()) == 0);
    QVERIFY(std::memcmp(one.bytes(), other.bytes(), one.byteCount()) != 0);
}

QTEST_APPLESS_MAIN(TestImageViews)
#include "tst_image_views.moc"
