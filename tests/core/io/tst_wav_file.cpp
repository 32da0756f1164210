#include "core/base/error.h"
#include "core/io/npy_file.h"
#include "core/io/wav_file.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <optional>

using namespace qs;

namespace {

const std::string kFolder = std::string(QS_TEST_DATA) + "/wav/";

std::optional<ErrorCode> failureOf(const std::filesystem::path& path)
{
    try {
        (void)readWav(path);
    } catch (const Error& error) {
        return error.code();
    }
    return std::nullopt;
}

} // namespace

class TestWavFile : public QObject
{
    Q_OBJECT

    QTemporaryDir m_folder;
    [[nodiscard]] std::filesystem::path saved(const QByteArray& bytes) const
    {
        QFile file(m_folder.filePath(QStringLiteral("x.wav")));
        if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size()) {
            qFatal("cannot write");
        }
        return file.fileName().toStdString();
    }
    [[nodiscard]] static QByteArray bytesOf(const std::string& name)
    {
        QFile file(QString::fromStdString(kFolder + name + ".wav"));
        return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
    }

private slots:
    void formatsAreReadAsNumpySays_data()
    {
        QTest::addColumn<int>("rate");
        for (const char* name : {"pcm8", "pcm16", "pcm24", "pcm32", "stereo16", "float32", "float64"}) {
            QTest::newRow(name) << 16000;
        }
        QTest::newRow("extensible24") << 44100;
    }
    void formatsAreReadAsNumpySays()
    {
        QFETCH(int, rate);
        const std::string name = QTest::currentDataTag();
        const WavAudio audio = readWav(kFolder + name + ".wav");
        QCOMPARE(audio.sampleRate, std::int64_t {rate});
        const Tensor expected = readNpy(kFolder + name + ".npy");
        const auto values = expected.data<float>();
        QVERIFY(std::equal(audio.samples.begin(), audio.samples.end(), values.begin(), values.end()));
    }
    void damagedFilesAreErrors()
    {
        const QByteArray whole = bytesOf("extensible24");
        QVERIFY(whole.size() > 100);
        for (int length = 0; length < 138; ++length) { // there the sound ends
            QCOMPARE(failureOf(saved(whole.left(length))), std::optional(ErrorCode::CorruptFile));
        }
        for (int byte = 0; byte < whole.size(); ++byte) { // whatever is changed: read or refused, never more
            QByteArray changed = whole;
            changed[byte] = static_cast<char>(~changed[byte]);
            (void)failureOf(saved(changed));
        }
        QByteArray notFinite = bytesOf("float32");
        notFinite.replace(notFinite.size() - 4, 4, QByteArray::fromHex("0000c07f"));
        QCOMPARE(failureOf(saved(notFinite)), std::optional(ErrorCode::CorruptFile));
        QCOMPARE(failureOf(m_folder.filePath(QStringLiteral("none.wav")).toStdString()),
            std::optional(ErrorCode::Io));
    }
    void compressedFormsAreNamed()
    {
        QByteArray coded = bytesOf("pcm8");
        coded[20] = 7; // mu-law
        QCOMPARE(failureOf(saved(coded)), std::optional(ErrorCode::Unsupported));
        QByteArray bits = bytesOf("pcm16");
        bits[34] = 12;
        QCOMPARE(failureOf(saved(bits)), std::optional(ErrorCode::Unsupported));
    }
};

QTEST_GUILESS_MAIN(TestWavFile)
#include "tst_wav_file.moc"
