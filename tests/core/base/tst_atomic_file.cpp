#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "core/base/hash.h"
#include "core/base/mapped_file.h"

#include <QTemporaryDir>
#include <QTest>

#include <fstream>

using namespace qs;

class TestAtomicFile : public QObject
{
    Q_OBJECT

    QTemporaryDir m_folder;
    [[nodiscard]] std::filesystem::path at(const char* name) const
    {
        return std::filesystem::path(m_folder.path().toStdString()) / name;
    }

private slots:
    void writesTheWholeFile()
    {
        writeFileAtomically(at("a.txt"), "abc");
        QCOMPARE(MappedFile::open(at("a.txt"))->bytes().size(), std::size_t {3});
        // FIPS 180-2 appendix B.1
        QCOMPARE(sha256OfFile(at("a.txt")),
            std::string("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    }
    void withoutCommitTheOldFileStaysAndNothingIsLeft()
    {
        writeFileAtomically(at("b.txt"), "old");
        {
            AtomicFile file(at("b.txt"));
            std::ofstream(file.temporaryPath()) << "half";
        }
        QCOMPARE(MappedFile::open(at("b.txt"))->bytes().size(), std::size_t {3});
        for (const auto& entry : std::filesystem::directory_iterator(at(""))) {
            QVERIFY(entry.path().extension() != ".tmp");
        }
    }
    void aMissingFolderIsAnIoError()
    {
        try {
            writeFileAtomically(at("none/x"), "1");
            QFAIL("wrote into a folder that does not exist");
        } catch (const Error& error) {
            QCOMPARE(error.code(), ErrorCode::Io);
        }
    }
    void anEmptyFileMapsToNoBytes()
    {
        writeFileAtomically(at("empty"), "");
        QVERIFY(MappedFile::open(at("empty"))->bytes().empty());
    }
};

QTEST_GUILESS_MAIN(TestAtomicFile)
#include "tst_atomic_file.moc"
