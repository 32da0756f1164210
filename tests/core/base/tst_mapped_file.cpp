#include "core/base/mapped_file.h"

#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

using namespace qs;

namespace {

constexpr std::size_t kBytes = std::size_t {16} << 20U;

/// Pages of mapped files that this process holds, in bytes.
std::size_t residentFileBytes()
{
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("RssFile:")) {
            return std::stoul(line.substr(8)) << 10U;
        }
    }
    return 0;
}

std::size_t sumOf(std::span<const std::byte> bytes)
{
    std::size_t sum = 0;
    for (const std::byte byte : bytes) {
        sum += std::to_integer<std::size_t>(byte);
    }
    return sum;
}

} // namespace

class TestMappedFile : public QObject
{
    Q_OBJECT

private slots:
    void releasedPagesLeaveMemoryAndComeBack();
    void releasingOtherMemoryKeepsIt();
};

void TestMappedFile::releasedPagesLeaveMemoryAndComeBack()
{
    QTemporaryDir folder;
    const std::string path = folder.filePath(QStringLiteral("data")).toStdString();
    std::ofstream(path, std::ios::binary) << std::string(kBytes, '\x03');
    const auto file = MappedFile::open(path);
    QCOMPARE(sumOf(file->bytes()), 3 * kBytes);
    const std::size_t before = residentFileBytes();
    MappedFile::release(file->bytes().subspan(5, kBytes - 10)); // whole pages, however the range begins
    QVERIFY(residentFileBytes() + kBytes - (std::size_t {1} << 20U) <= before);
    QCOMPARE(sumOf(file->bytes()), 3 * kBytes);
}

void TestMappedFile::releasingOtherMemoryKeepsIt()
{
    QTemporaryDir folder;
    const std::string path = folder.filePath(QStringLiteral("data")).toStdString();
    std::ofstream(path, std::ios::binary) << std::string(100, '\x03');
    const auto file = MappedFile::open(path);
    const std::vector<std::byte> own(kBytes, std::byte {7});
    MappedFile::release(own);
    QCOMPARE(sumOf(own), 7 * kBytes);
    MappedFile::release({file->bytes().data(), 101}); // more than the file holds
    MappedFile::release({});
    QCOMPARE(sumOf(file->bytes()), std::size_t {300});
}

QTEST_APPLESS_MAIN(TestMappedFile)
#include "tst_mapped_file.moc"
