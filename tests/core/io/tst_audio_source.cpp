#include "core/base/error.h"
#include "core/graph/graph_builder.h"
#include "core/io/data_source.h"
#include "core/io/npy_file.h"
#include "tests/support/failure_of.h"
#include "tests/support/fresh_folders.h"

#include <QTest>

#include <fstream>

using namespace qs;
using namespace qs::test;
namespace fs = std::filesystem;

namespace {

/// A model with an input "audio" of the given dimensions and three classes.
Model soundModel(const fs::path& path, std::vector<std::int64_t> dims)
{
    GraphBuilder builder;
    const ValueId input = builder.addInput("audio", DType::F32, std::move(dims));
    const ValueId output = builder.addNode("Identity", "y", {input});
    builder.setDims(output, {1, 3});
    builder.addOutput(output);
    Model model;
    model.path = path;
    model.graph = builder.build();
    return model;
}

void write(const fs::path& file, const std::string& text)
{
    fs::create_directories(file.parent_path());
    std::ofstream(file) << text;
}

} // namespace

class TestAudioSource : public QObject
{
    Q_OBJECT

    FreshFolders m_folders;
    static void addClip(const fs::path& target, const char* source = "pcm16.wav")
    {
        fs::create_directories(target.parent_path());
        fs::copy_file(fs::path(QS_TEST_DATA) / "wav" / source, target);
    }

private slots:
    void clipsAreCutOrFilledUp()
    {
        const fs::path folder = m_folders.next();
        addClip(folder / "a.WAV", "stereo16.wav");
        addClip(folder / "b.wav", "float32.wav");
        write(folder / "notes.txt", "no recording");
        const auto longer = openData(folder, soundModel("", {-1, 30}));
        QCOMPARE(longer->size(), std::int64_t {2});
        QCOMPARE(longer->sampleName(1), std::string("b.wav"));
        QVERIFY(!longer->label(0));
        const auto expected = readNpy(fs::path(QS_TEST_DATA) / "wav/stereo16.npy");
        const Tensor filled = longer->load(0);
        QCOMPARE(filled.shape(), Shape({30}));
        for (std::size_t i = 0; i < 30; ++i) {
            QCOMPARE(filled.data<float>()[i], i < 21 ? expected.data<float>()[i] : 0.0F);
        }
        const Tensor cut = openData(folder, soundModel("", {1, 1, 5}))->load(0);
        QCOMPARE(cut.shape(), Shape({1, 5}));
        QVERIFY(
            std::equal(cut.data<float>().begin(), cut.data<float>().end(), expected.data<float>().begin()));
        const auto single = openData(folder / "b.wav", soundModel("", {1, -1}), {.context = 7});
        QCOMPARE(single->load(0).shape(), Shape({7}));
        QCOMPARE(openData(folder, soundModel("", {1, -1}))->load(0).shape(), Shape({16000}));
    }
    void classesAreFoundByName()
    {
        const fs::path folder = m_folders.next();
        write(folder / "model/labels.txt", "yes\nno\nup\n");
        addClip(folder / "data/no/a.wav");
        addClip(folder / "data/up/a.wav");
        addClip(folder / "data/yes/a.wav");
        fs::create_directory(folder / "data/empty");
        const Model model = soundModel(folder / "model/model.onnx", {1, 30});
        const auto data = openData(folder / "data", model);
        QCOMPARE(data->size(), std::int64_t {3});
        QCOMPARE(data->sampleName(0), std::string("no/a.wav"));
        QCOMPARE(data->label(0), std::optional(1));
        QCOMPARE(data->label(1), std::optional(2));
        QCOMPARE(data->label(2), std::optional(0));
        fs::remove(folder / "data/empty");
        QCOMPARE(openData(folder / "data", soundModel("", {1, 30}))->label(2), std::optional(2)); // by order
        addClip(folder / "data/other/a.wav");
        const auto [code, text] = failureOf([&] { (void)openData(folder / "data", model); });
        QCOMPARE(code, std::optional(ErrorCode::CorruptFile));
        QVERIFY2(text.find("other") != std::string::npos, text.c_str());
        write(folder / "model/labels.txt", "yes\nno\n");
        QCOMPARE(failureOf([&] { (void)openData(folder / "data", model); }).first,
            std::optional(ErrorCode::CorruptFile));
    }
    void aListMayNameClasses()
    {
        const fs::path folder = m_folders.next();
        write(folder / "model/labels.txt", "yes\nno\nup\n");
        addClip(folder / "data/a b.wav");
        addClip(folder / "data/c.wav");
        write(folder / "data/labels.txt", "c.wav up\na b.wav 1\n");
        const auto data = openData(folder / "data", soundModel(folder / "model/model.onnx", {1, 30}));
        QCOMPARE(data->sampleName(0), std::string("c.wav"));
        QCOMPARE(data->label(0), std::optional(2));
        QCOMPARE(data->label(1), std::optional(1));
    }
    void whatDoesNotFitIsNamed()
    {
        const fs::path folder = m_folders.next();
        addClip(folder / "a.wav", "extensible24.wav");
        const auto data = openData(folder, soundModel("", {1, 30}));
        const auto [code, text] = failureOf([&] { (void)data->load(0); });
        QCOMPARE(code, std::optional(ErrorCode::Unsupported));
        QVERIFY2(text.find("44100") != std::string::npos, text.c_str());
        QCOMPARE(failureOf([&] {
            (void)openData(folder / "a.wav", soundModel("", {-1, 3, 8, 8}));
        }).first,
            std::optional(ErrorCode::ShapeMismatch));
        QCOMPARE(failureOf([&] {
            (void)openData(m_folders.next(), soundModel("", {1, 30}));
        }).first,
            std::optional(ErrorCode::CorruptFile));
    }
    void theHashSeesLengthAndLabels()
    {
        const fs::path folder = m_folders.next();
        addClip(folder / "data/a/a.wav");
        const auto hash = openData(folder / "data", soundModel("", {1, 30}))->hash();
        QVERIFY(openData(folder / "data", soundModel("", {1, 31}))->hash() != hash);
        fs::rename(folder / "data/a/a.wav", folder / "data/a.wav");
        QVERIFY(openData(folder / "data", soundModel("", {1, 30}))->hash() != hash);
    }
};

QTEST_GUILESS_MAIN(TestAudioSource)

#include "tst_audio_source.moc"
