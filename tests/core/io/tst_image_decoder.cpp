#include "core/io/image_decoder.h"
#include "core/io/npz_file.h"

#include <QTest>

using namespace qs;

class TestImageDecoder : public QObject
{
    Q_OBJECT

    std::filesystem::path m_folder = std::filesystem::path(QS_TEST_DATA) / "images";

private slots:
    void pixelsAreThoseOfTheReference_data();
    void pixelsAreThoseOfTheReference();
    void extensionsInAnyCase();
};

void TestImageDecoder::pixelsAreThoseOfTheReference_data()
{
    QTest::addColumn<QString>("file"); // written by tests/reference/make_images.py
    for (const std::string& name : NpzFile::open(m_folder / "pixels.npz").names()) {
        QTest::newRow(name.c_str()) << QString::fromStdString(name);
    }
}

void TestImageDecoder::pixelsAreThoseOfTheReference()
{
    QFETCH(QString, file);
    const Tensor expected = NpzFile::open(m_folder / "pixels.npz").read(file.toStdString());
    const Image image = decodeImage(m_folder / file.toStdString());
    QCOMPARE((Shape {image.height, image.width, 3}), expected.shape());
    const std::span<const std::uint8_t> values = expected.data<std::uint8_t>();
    int largest = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        largest = std::max(largest, std::abs(int {values[i]} - int {image.pixels[i]}));
    }
    QCOMPARE(largest, 0);
}

void TestImageDecoder::extensionsInAnyCase()
{
    for (const char* name : {"a.jpg", "a.JPEG", "b c.Png", "x.y.jpeg"}) {
        QVERIFY2(hasImageExtension(name), name);
    }
    for (const char* name : {"labels.txt", "jpg", ".jpg", "a.jpg.txt", "a.gif"}) {
        QVERIFY2(!hasImageExtension(name), name);
    }
}

QTEST_GUILESS_MAIN(TestImageDecoder)
#include "tst_image_decoder.moc"
