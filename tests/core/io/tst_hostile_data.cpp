#include "core/base/error.h"
#include "core/io/hdf5_file.h"
#include "core/io/image_decoder.h"
#include "core/io/npy_file.h"
#include "core/io/npz_file.h"

#include <QTemporaryDir>
#include <QTest>

#include <fstream>
#include <functional>
#include <iterator>
#include <random>
#include <sys/resource.h>
#include <zlib.h>

using namespace qs;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kAllowance = std::size_t {96} << 20; // address space for anything a file may ask for

std::string contentOf(const fs::path& path)
{
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

std::string littleEndian(std::uint64_t number, int bytes)
{
    std::string text;
    for (int i = 0; i < bytes; ++i) {
        text += static_cast<char>((number >> (8 * i)) & 0xFFU);
    }
    return text;
}

std::string bigEndian(std::uint64_t number, int bytes)
{
    const std::string text = littleEndian(number, bytes);
    return {text.rbegin(), text.rend()};
}

std::string replaced(std::string content, std::size_t at, const std::string& bytes)
{
    return content.replace(at, bytes.size(), bytes);
}

/// A .npy file of version 1 (or 2) with this header and payload.
std::string npy(const std::string& dictionary, const std::string& payload, int version = 1)
{
    return "\x93NUMPY" + littleEndian(static_cast<unsigned>(version), 1) + std::string(1, '\0')
        + littleEndian(dictionary.size(), version == 1 ? 2 : 4) + dictionary + payload;
}

std::string npyOf(const std::string& shape, std::size_t payloadBytes = 24)
{
    return npy("{'descr': '<f4', 'fortran_order': False, 'shape': (" + shape + "), }\n",
        std::string(payloadBytes, 'x'));
}

/// A PNG file whose header claims this size, with a correct checksum.
std::string png(std::uint32_t width, std::uint32_t height, const char* depthAndType)
{
    const std::string header = "IHDR" + bigEndian(width, 4) + bigEndian(height, 4)
        + std::string(depthAndType, 2) + std::string(3, '\0');
    const auto checksum
        = crc32(0, reinterpret_cast<const Bytef*>(header.data()), static_cast<uInt>(header.size()));
    return "\x89PNG\r\n\x1A\n" + bigEndian(13, 4) + header + bigEndian(checksum, 4) + bigEndian(1000, 4)
        + "IDAT" + std::string(1004, 'z');
}

/// Reads everything a file of that name offers.
void readAll(const fs::path& path)
{
    const std::string extension = path.extension().string();
    if (extension == ".npy") {
        (void)readNpy(path).toF32();
    } else if (extension == ".npz") {
        const NpzFile file = NpzFile::open(path);
        for (const std::string& name : file.names()) {
            (void)file.read(name);
        }
    } else if (extension == ".h5") {
        const Hdf5File file = Hdf5File::openForReading(path);
        for (const char* name : {"/sites/x/minimum", "/sites/x/packed"}) {
            (void)file.readTensor(name);
        }
        (void)file.children("/sites");
        (void)file.readText("/recipe");
        (void)file.readString("/sites/x", "role");
    } else {
        (void)decodeImage(path);
    }
}

} // namespace

/// Files that lie. Every refusal is one sentence that names the file, and costs no memory to speak of.
class TestHostileData : public QObject
{
    Q_OBJECT

    QTemporaryDir m_folder;
    [[nodiscard]] fs::path at(const std::string& name) const
    {
        return fs::path(m_folder.path().toStdString()) / name;
    }
    [[nodiscard]] std::string base(const std::string& name) const
    {
        const fs::path data(QS_TEST_DATA);
        const bool array = name.ends_with(".npy") || name.ends_with(".npz");
        return contentOf(name.ends_with(".h5") ? at(name) : data / (array ? "npy" : "images") / name);
    }
    void mustRefuse(const std::string& file, const std::string& content);

private slots:
    void initTestCase();
    void truncated_data();
    void truncated();
    void absurd_data();
    void absurd();
    void bitFlips_data();
    void bitFlips();
};

void TestHostileData::initTestCase()
{
    Hdf5File file = Hdf5File::create(at("sound.h5"));
    file.writeTensor("/sites/x/minimum", Tensor::of<float>({2, 3}, {1, 2, 3, 4, 5, 6}));
    file.writeTensor("/sites/x/packed", Tensor::zeros(DType::F32, {64, 64}), Compression::Deflate);
    file.writeString("/sites/x", "role", "post-GELU");
    file.writeText("/recipe", "{}");
    file.close();
    readAll(at("sound.h5"));
#ifndef __SANITIZE_ADDRESS__ // which maps terabytes for itself
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    rlimit limit {};
    QCOMPARE(getrlimit(RLIMIT_AS, &limit), 0);
    limit.rlim_cur = pages * 4096 + kAllowance;
    QCOMPARE(setrlimit(RLIMIT_AS, &limit), 0); // a large allocation now fails, and shows as OutOfMemory below
#endif
}

void TestHostileData::mustRefuse(const std::string& file, const std::string& content)
{
    std::ofstream(at(file), std::ios::binary | std::ios::trunc) << content;
    try {
        readAll(at(file));
        QFAIL("the file was read");
    } catch (const Error& error) {
        const std::string text = error.what();
        QVERIFY2(
            error.code() == ErrorCode::CorruptFile || error.code() == ErrorCode::Unsupported, text.c_str());
        QVERIFY2(text.find(file) != std::string::npos, text.c_str());
        QVERIFY2(text.find('\n') == std::string::npos && text.size() < 600, text.c_str());
        QVERIFY2(text.find("memory") == std::string::npos, text.c_str());
    }
}

void TestHostileData::truncated_data()
{
    QTest::addColumn<QString>("file");
    QTest::addColumn<int>("kept"); // per mille
    for (const char* file : {"photo420.jpg", "progressive.jpg", "grey.jpg", "rgb.png", "interlaced.png",
             "palette.png", "c_f4.npy", "fortran_f4.npy", "version2.npy", "stored.npz", "deflated.npz",
             "zip64.npz", "sound.h5"}) {
        for (const int kept : {0, 2, 30, 300, 700, 999}) {
            const std::string title = file + (", " + std::to_string(kept)) + " of 1000";
            QTest::newRow(title.c_str()) << file << kept;
        }
    }
}

void TestHostileData::truncated()
{
    QFETCH(QString, file);
    QFETCH(int, kept);
    const std::string content = base(file.toStdString());
    const std::size_t bytes
        = std::min(content.size() - 1, content.size() * static_cast<std::size_t>(kept) / 1000);
    mustRefuse("cut_" + file.toStdString(), content.substr(0, bytes));
}

void TestHostileData::absurd_data()
{
    QTest::addColumn<QString>("file");
    QTest::addColumn<QByteArray>("content");
    const auto row = [](const char* title, const char* file, const std::string& content) {
        QTest::newRow(title) << file << QByteArray(content.data(), static_cast<qsizetype>(content.size()));
    };
    row("npy: 10^18 values", "a.npy", npyOf("1000000000000000000,"));
    row("npy: more values than 64 bits count", "a.npy", npyOf("4294967296, 4294967296, 4294967296"));
    row("npy: more bytes than 64 bits count", "a.npy", npyOf("4611686018427387904,"));
    row("npy: negative dimension", "a.npy", npyOf("-6,"));
    row("npy: dimension beyond 64 bits", "a.npy", npyOf("99999999999999999999,"));
    row("npy: fewer bytes than values", "a.npy", npyOf("7,"));
    row("npy: more bytes than values", "a.npy", npyOf("5,"));
    row("npy: rank 40", "a.npy",
        npyOf("1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,6"));
    row("npy: header of 4 GB", "a.npy",
        "\x93NUMPY\x02" + std::string(1, '\0') + std::string(4, '\xFF') + "{}");
    row("npy: version 9", "a.npy", npy("{}", "", 9));
    row("npy: empty header", "a.npy", npy("", ""));
    row("npy: header without end", "a.npy", npy("{'descr': '<f4", ""));
    row("npy: no order", "a.npy", npy("{'descr': '<f4', 'shape': (6,), }", std::string(24, 'x')));
    row("npy: code in the header", "a.npy",
        npy("{'descr': '<f4', 'fortran_order': __import__('os'), 'shape': (6,), }", std::string(24, 'x')));
    row("npy: opening brackets", "a.npy", npy(std::string(60000, '('), ""));
    row("npy: pickled objects", "a.npy",
        npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", "\x80\x04."));

    const std::string stored = base("stored.npz");
    const std::string deflated = base("deflated.npz");
    const std::size_t end = deflated.size() - 22; // of central directory
    const std::size_t entry = deflated.find("PK\x01\x02");
    row("npz: 65535 members", "a.npz", replaced(deflated, end + 10, littleEndian(65535, 2)));
    row("npz: directory beyond the file", "a.npz", replaced(deflated, end + 16, littleEndian(0xFFFFFF00, 4)));
    row("npz: directory of 4 GB", "a.npz", replaced(deflated, end + 12, littleEndian(0xFFFFFF00, 4)));
    row("npz: member of 4 GB", "a.npz", replaced(deflated, entry + 24, littleEndian(0xFFFFFFF0, 4)));
    row("npz: member larger than it inflates to", "a.npz",
        replaced(deflated, entry + 24, littleEndian(500, 4)));
    row("npz: member smaller than it inflates to", "a.npz",
        replaced(deflated, entry + 24, littleEndian(20, 4)));
    row("npz: member beyond the file", "a.npz", replaced(deflated, entry + 42, littleEndian(0xFFFFFF00, 4)));
    row("npz: member stored beyond the file", "a.npz",
        replaced(deflated, entry + 20, littleEndian(0x7FFFFFFF, 4)));
    row("npz: name longer than the directory", "a.npz",
        replaced(deflated, entry + 28, littleEndian(65535, 2)));
    row("npz: wrong checksum", "a.npz", replaced(deflated, entry + 16, littleEndian(1, 4)));
    row("npz: encrypted", "a.npz", replaced(deflated, entry + 8, littleEndian(1, 2)));
    row("npz: unknown compression", "a.npz", replaced(deflated, entry + 10, littleEndian(99, 2)));
    row("npz: a changed value", "a.npz", replaced(stored, stored.find("\x93NUMPY") + 130, "?"));
    const std::string zip64 = base("zip64.npz");
    const std::size_t end64 = zip64.find("PK\x06\x06");
    row("npz: 2^64 members", "a.npz", replaced(zip64, end64 + 32, std::string(8, '\xFF')));
    row("npz: zip64 directory at 2^64", "a.npz", replaced(zip64, end64 + 48, std::string(8, '\xFF')));
    row("npz: zip64 record beyond the file", "a.npz",
        replaced(zip64, zip64.find("PK\x06\x07") + 8, std::string(8, '\xFF')));
    row("npz: zip64 member of 2^62 bytes", "a.npz",
        replaced(zip64, zip64.find("PK\x01\x02") + 46 + 5 + 4, littleEndian(std::uint64_t {1} << 62, 8)));
    std::string twice = deflated; // the directory lists its first member again
    const std::uint64_t directoryBytes = end - entry;
    const std::string first = deflated.substr(entry, 46 + 5);
    twice.insert(end, first);
    twice = replaced(twice, end + first.size() + 10, littleEndian(5, 2));
    twice = replaced(twice, end + first.size() + 12, littleEndian(directoryBytes + first.size(), 4));
    row("npz: the same name twice", "a.npz", twice);

    const std::string photo = base("photo420.jpg");
    const std::size_t frame = photo.find("\xFF\xC0");
    row("jpeg: 65500 x 65500", "a.jpg",
        replaced(photo, frame + 5, bigEndian(65500, 2) + bigEndian(65500, 2)));
    row("jpeg: 10000 x 10000", "a.jpg",
        replaced(photo, frame + 5, bigEndian(10000, 2) + bigEndian(10000, 2)));
    row("jpeg: no columns", "a.jpg", replaced(photo, frame + 7, bigEndian(0, 2)));
    row("jpeg: no rows", "a.jpg", replaced(photo, frame + 5, bigEndian(0, 2)));
    row("jpeg: sampling factors 15", "a.jpg", replaced(photo, frame + 11, "\xFF"));
    row("jpeg: missing table", "a.jpg", replaced(photo, frame + 12, "\x03"));
    row("jpeg: 12 bits", "a.jpg", replaced(photo, frame + 4, "\x0C"));
    row("jpeg: only a beginning", "a.jpg", "\xFF\xD8\xFF");
    const std::string progressive = base("progressive.jpg");
    const std::size_t progressiveFrame = progressive.find("\xFF\xC2");
    row("jpeg: progressive 65500 x 65500", "a.jpg",
        replaced(progressive, progressiveFrame + 5, bigEndian(65500, 2) + bigEndian(65500, 2)));
    row("no picture at all", "a.jpg", "GIF89a" + std::string(100, 'x'));

    row("png: 2^31 - 1 squared", "a.png", png(0x7FFFFFFF, 0x7FFFFFFF, "\x08\x02"));
    row("png: 2^32 - 1 wide", "a.png", png(0xFFFFFFFF, 1, "\x08\x02"));
    row("png: 60000 x 60000", "a.png", png(60000, 60000, "\x08\x02"));
    row("png: 10000 x 10000 of one bit", "a.png", png(10000, 10000, std::string("\x01\x00", 2).c_str()));
    row("png: no rows", "a.png", png(10, 0, "\x08\x02"));
    row("png: depth 7", "a.png", png(10, 10, "\x07\x02"));
    row("png: colour type 5", "a.png", png(10, 10, "\x08\x05"));
    row("png: palette without colours", "a.png", png(10, 10, "\x08\x03"));
    row("png: pixels that do not inflate", "a.png", png(10, 10, "\x08\x02"));
    const std::string picture = base("rgb.png");
    row("png: wrong checksum", "a.png", replaced(picture, 30, "????"));
    row("png: chunk of 2 GB", "a.png", replaced(picture, picture.find("IDAT") - 4, bigEndian(0x7FFFFFFF, 4)));

    const std::string sound = base("sound.h5");
    row("hdf5: no signature", "a.h5", replaced(sound, 0, "nothing."));
    row("hdf5: only a signature", "a.h5", sound.substr(0, 8));
    row("hdf5: superblock version 200", "a.h5", replaced(sound, 8, "\xC8"));
    row("hdf5: offsets of 200 bytes", "a.h5", replaced(sound, 9, "\xC8"));
    row("hdf5: root beyond the file", "a.h5", replaced(sound, 36, littleEndian(std::uint64_t {1} << 60, 8)));
    row("hdf5: end beyond the file", "a.h5", replaced(sound, 28, littleEndian(std::uint64_t {1} << 60, 8)));
    row("hdf5: metadata overwritten", "a.h5",
        replaced(sound, 48, std::string(std::min<std::size_t>(600, sound.size() - 48), '\xFF')));
    row("hdf5: everything behind the superblock zero", "a.h5",
        sound.substr(0, 48) + std::string(sound.size() - 48, '\0'));
}

void TestHostileData::absurd()
{
    QFETCH(QString, file);
    QFETCH(QByteArray, content);
    mustRefuse(file.toStdString(), content.toStdString());
}

void TestHostileData::bitFlips_data()
{
    QTest::addColumn<QString>("file");
    for (const char* file : {"photo420.jpg", "progressive.jpg", "cmyk.jpg", "rgb.png", "interlaced.png",
             "palette.png", "c_f4.npy", "stored.npz", "deflated.npz", "zip64.npz", "sound.h5"}) {
        QTest::newRow(file) << file;
    }
}

/// A flipped bit may pass unseen (a pixel's value has no checksum in a JPEG), but whatever is said is an
/// Error.
void TestHostileData::bitFlips()
{
    QFETCH(QString, file);
    const std::string sound = base(file.toStdString());
    const std::string name = "flipped_" + file.toStdString();
    int refused = 0;
    for (unsigned seed = 0; seed < 300; ++seed) {
        std::mt19937 random(seed);
        std::string content = sound;
        for (unsigned flip = 0; flip <= random() % 4; ++flip) {
            const std::size_t where = random() % content.size();
            content[where] = static_cast<char>(content[where] ^ (1 << (random() % 8)));
        }
        std::ofstream(at(name), std::ios::binary | std::ios::trunc) << content;
        try {
            readAll(at(name));
        } catch (const Error& error) {
            const std::string text = error.what();
            QVERIFY2(
                error.code() != ErrorCode::OutOfMemory && error.code() != ErrorCode::Internal, text.c_str());
            QVERIFY2(
                text.find(name) != std::string::npos && text.find('\n') == std::string::npos, text.c_str());
            ++refused;
        }
    }
    QVERIFY2(refused > 10, std::to_string(refused).c_str());
}

QTEST_GUILESS_MAIN(TestHostileData)
#include "tst_hostile_data.moc"
