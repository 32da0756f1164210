#include "core/base/error.h"
#include "core/io/image_resize.h"
#include "core/io/npz_file.h"
#include "core/io/preprocess.h"

#include <QTest>

using namespace qs;

namespace {

Image imageOf(const Tensor& pixels)
{
    const std::span<const std::uint8_t> values = pixels.data<std::uint8_t>();
    return {
        .width = pixels.shape()[1], .height = pixels.shape()[0], .pixels = {values.begin(), values.end()}};
}

/// A picture whose red is 10 x + y.
Image ramp(std::int64_t width, std::int64_t height)
{
    Image image {.width = width, .height = height, .pixels = {}};
    for (std::int64_t y = 0; y < height; ++y) {
        for (std::int64_t x = 0; x < width; ++x) {
            image.pixels.insert(image.pixels.end(), {static_cast<std::uint8_t>(10 * x + y), 0, 255});
        }
    }
    return image;
}

} // namespace

class TestImageResize : public QObject
{
    Q_OBJECT

private slots:
    void equalsPillow_data();
    void equalsPillow();
    void aWindowIsThatPartOfTheWhole();
    void noPixelsIsAnError();
    void theCropIsCentred_data();
    void theCropIsCentred();
    void aSmallPictureIsSurroundedByBlack();
    void pixelsAreNormalisedPerChannel();
    void withoutResizingTheWholePictureIsUsed();
    void aStripIsRefused();
};

void TestImageResize::equalsPillow_data()
{
    QTest::addColumn<QString>("array"); // tests/reference/make_resize.py
    for (const std::string& name : NpzFile::open(QS_TEST_DATA "/images/resize.npz").names()) {
        if (name != "input") {
            QTest::newRow(name.c_str()) << QString::fromStdString(name);
        }
    }
}

void TestImageResize::equalsPillow()
{
    QFETCH(QString, array);
    const NpzFile file = NpzFile::open(QS_TEST_DATA "/images/resize.npz");
    const Image expected = imageOf(file.read(array.toStdString()));
    const Resampling filter = array.startsWith("nearest") ? Resampling::Nearest
        : array.startsWith("bilinear")                    ? Resampling::Bilinear
                                                          : Resampling::Bicubic;
    const Image actual = resizeImage(imageOf(file.read("input")), expected.width, expected.height, filter);
    QVERIFY(actual == expected);
}

void TestImageResize::aWindowIsThatPartOfTheWhole()
{
    const Image input = imageOf(NpzFile::open(QS_TEST_DATA "/images/resize.npz").read("input"));
    for (const Resampling filter : {Resampling::Nearest, Resampling::Bilinear, Resampling::Bicubic}) {
        for (const auto& [width, height] : {std::pair {40, 33}, std::pair {61, 33}, std::pair {90, 47}}) {
            const ImageWindow window {.left = 7, .top = 5, .width = 20, .height = 11};
            const Image whole = resizeImage(input, width, height, filter);
            const Image part = resizeImage(input, width, height, filter, window);
            QCOMPARE(part.pixels.size(), std::size_t {20 * 11 * 3});
            for (std::int64_t y = 0; y < 11; ++y) {
                const auto row = whole.pixels.begin() + ((5 + y) * whole.width + 7) * 3;
                QVERIFY(std::equal(row, row + 60, part.pixels.begin() + y * 60));
            }
        }
    }
}

void TestImageResize::noPixelsIsAnError()
{
    QVERIFY_EXCEPTION_THROWN((void)resizeImage(Image {}, 3, 3, Resampling::Bicubic), Error);
}

void TestImageResize::theCropIsCentred_data()
{
    QTest::addColumn<int>("width");
    QTest::addColumn<int>("height");
    QTest::addColumn<int>("red"); // of the crop's first pixel: 10 * left + top
    QTest::newRow("even margins") << 8 << 6 << 10 * 2 + 1;
    QTest::newRow("odd margins begin at the smaller half") << 7 << 6 << 10 * 1 + 1;
    QTest::newRow("upright") << 6 << 9 << 10 * 1 + 2;
    QTest::newRow("square") << 6 << 6 << 10 * 1 + 1;
}

void TestImageResize::theCropIsCentred()
{
    QFETCH(int, width);
    QFETCH(int, height);
    QFETCH(int, red);
    const Preprocessing settings {.height = 4, .width = 4, .resizeShorter = 6};
    const Image crop = cropForModel(ramp(width, height), settings);
    QCOMPARE(crop.width, std::int64_t {4});
    QCOMPARE(crop.height, std::int64_t {4});
    QCOMPARE(int {crop.pixels[0]}, red);
    QCOMPARE(int {crop.pixels[crop.pixels.size() - 3]}, red + 33);
}

void TestImageResize::aSmallPictureIsSurroundedByBlack()
{
    const Image crop = cropForModel(ramp(3, 2), {.height = 5, .width = 6, .resizeShorter = 2});
    // 3 x 2 in 6 x 5: one empty column on the left, two on the right; one row above, two below
    QCOMPARE(crop.pixels.size(), std::size_t {90});
    int bright = 0;
    for (std::size_t i = 2; i < crop.pixels.size(); i += 3) {
        bright += static_cast<int>(crop.pixels[i] == 255);
    }
    QCOMPARE(bright, 6);
    QCOMPARE(int {crop.pixels[(1 * 6 + 1) * 3 + 2]}, 255);
    QCOMPARE(int {crop.pixels[(2 * 6 + 3) * 3]}, 21);
}

void TestImageResize::pixelsAreNormalisedPerChannel()
{
    Preprocessing settings {.height = 1, .width = 2, .resizeShorter = 0};
    settings.mean = {0.0, 0.5, 0.25};
    settings.standardDeviation = {1.0, 0.5, 0.125};
    const Image image {.width = 2, .height = 1, .pixels = {0, 255, 51, 255, 0, 102}};
    const Tensor tensor = toModelInput(image, settings);
    QCOMPARE(tensor.shape(), (Shape {3, 1, 2}));
    const std::span<const float> values = tensor.data<float>();
    const std::vector<float> actual(values.begin(), values.end());
    const std::vector<float> expected {0, 1, 1, -1, (0.2F - 0.25F) / 0.125F, (0.4F - 0.25F) / 0.125F};
    QCOMPARE(actual, expected);
}

void TestImageResize::withoutResizingTheWholePictureIsUsed()
{
    const Image image = ramp(9, 7);
    const Image crop = cropForModel(image, {.height = 4, .width = 5, .resizeShorter = 0});
    QVERIFY(crop == resizeImage(image, 5, 4, Resampling::Bicubic));
}

void TestImageResize::aStripIsRefused()
{
    QVERIFY_EXCEPTION_THROWN((void)cropForModel(ramp(60000, 1), {}), Error);
}

QTEST_GUILESS_MAIN(TestImageResize)
#include "tst_image_resize.moc"
