#include "core/base/error.h"
#include "core/base/log.h"
#include "core/io/plan_json.h"
#include "core/io/recipe_file.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <cmath>
#include <limits>
#include <map>

using namespace qs;

namespace {

Recipe sampleRecipe()
{
    Recipe recipe;
    recipe.modelName = "tiny \"vit\"";
    recipe.modelHash = std::string(64, 'a');
    recipe.calibrationHash = std::string(64, 'b');
    recipe.calibrationPreparation = "context 128";
    recipe.calibrationSamples = 32;
    recipe.seed = 7;
    recipe.toolVersion = "0.1.0";
    recipe.preprocessing
        = Preprocessing {224, 192, 248, Resampling::Bilinear, {0.485, 0.456, 0.406}, {0.229, 0.224, 0.1}};
    SiteChoice choice;
    choice.enabled = true;
    choice.kind = QuantizerKind::LogSqrt2;
    choice.granularity = Granularity::Group;
    choice.bits = 4;
    choice.method = BoundMethod::Manual;
    choice.manualBounds = {{0.0, 0.1}, {-1e-300, 1.0 / 3.0}};
    recipe.plan.choices["blocks.0.attn.softmax"] = choice;
    recipe.plan.choices["a.weight"] = SiteChoice {};
    recipe.plan.choices["b.weight"].method = BoundMethod::Kl;
    QuantParams params;
    params.kind = QuantizerKind::Uniform;
    params.symmetry = Symmetry::Asymmetric;
    params.granularity = Granularity::Group;
    params.axis = GroupAxis::Head;
    params.bits = 16;
    params.scales = {0.1F, std::numeric_limits<float>::min(), std::numeric_limits<float>::max()};
    params.zeroPoints
        = {5, std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()};
    params.bounds = {{0.1, 0.2}, {-1.0, 0.0}, {5.0, 5.0}};
    recipe.quantizers["blocks.0.attn.softmax"] = params;
    return recipe;
}

QByteArray bytesOf(const QString& path)
{
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

} // namespace

class TestRecipeFile : public QObject
{
    Q_OBJECT

private slots:
    void initTestCase()
    {
        m_path = m_folder.filePath(QStringLiteral("recipe.json"));
        writeRecipe(sampleRecipe(), m_path.toStdString());
        m_good = bytesOf(m_path);
        QVERIFY(!m_good.isEmpty());
    }
    void readsBackWhatWasWritten()
    {
        const Recipe recipe = readRecipe(m_path.toStdString());
        const Recipe expected = sampleRecipe();
        QVERIFY(recipe.plan == expected.plan);
        QVERIFY(recipe.quantizers == expected.quantizers);
        QCOMPARE(recipe.modelName, expected.modelName);
        QCOMPARE(recipe.modelHash, expected.modelHash);
        QCOMPARE(recipe.calibrationHash, expected.calibrationHash);
        QCOMPARE(recipe.calibrationPreparation, expected.calibrationPreparation);
        QCOMPARE(recipe.calibrationSamples, expected.calibrationSamples);
        QCOMPARE(recipe.seed, expected.seed);
        QCOMPARE(recipe.toolVersion, expected.toolVersion);
        QVERIFY(recipe.preprocessing == expected.preprocessing);
    }
    void equalRecipesGiveEqualBytes()
    {
        const QString again = m_folder.filePath(QStringLiteral("again.json"));
        writeRecipe(readRecipe(m_path.toStdString()), again.toStdString());
        QCOMPARE(bytesOf(again), m_good);
        QVERIFY(m_good.indexOf("\"a.weight\"") < m_good.indexOf("\"blocks.0.attn.softmax\""));
        QVERIFY(m_good.contains("0.3333333333333333")); // the shortest that reads back the same
    }
    void namesThatAreNoUtf8AreWrittenAnyway()
    {
        Recipe recipe = sampleRecipe();
        recipe.modelName = "caf\xE9";
        const QString path = m_folder.filePath(QStringLiteral("latin1.json"));
        writeRecipe(recipe, path.toStdString());
        QVERIFY(QString::fromStdString(readRecipe(path.toStdString()).modelName)
                    .startsWith(QStringLiteral("caf")));
    }
    void hostileFilesAreRefused_data();
    void hostileFilesAreRefused();
    void truncatedFilesAreRefused()
    {
        for (qsizetype size = 0; size < m_good.size() - 2; size += 37) {
            QVERIFY2(codeOf(m_good.left(size)) == ErrorCode::CorruptFile, qPrintable(QString::number(size)));
        }
    }
    void unknownKeysAreIgnoredWithAWarning()
    {
        std::string warnings;
        setLogSink([&](LogLevel, std::string_view message) { warnings += message; });
        QByteArray text = m_good;
        text.replace("\"bits\": 4", "\"bits\": 4, \"flavour\": 1");
        m_told.clear();
        QVERIFY(!codeOf(text));
        setLogSink({});
        QVERIFY2(warnings.find("plan.blocks.0.attn.softmax.flavour") != std::string::npos, warnings.c_str());
    }
    void methodsAreWrittenByName() // files of other versions rely on it
    {
        const std::map<BoundMethod, std::string> names {{BoundMethod::MinMax, "min-max"},
            {BoundMethod::Percentile, "percentile"}, {BoundMethod::Mse, "mse"}, {BoundMethod::Kl, "kl"},
            {BoundMethod::Manual, "manual"}};
        for (const auto& [method, name] : names) {
            Plan plan;
            plan.choices["a"].method = method;
            const std::string text = planToJson(plan);
            QVERIFY2(text.find("\"method\":\"" + name + "\"") != std::string::npos, text.c_str());
            QVERIFY(planFromJson(text) == plan);
        }
    }
    void missingFilesAreIoErrors()
    {
        try {
            static_cast<void>(readRecipe("/nonexistent/recipe.json"));
            QFAIL("there is no such file");
        } catch (const Error& error) {
            QVERIFY(error.code() == ErrorCode::Io);
        }
    }

private:
    /// Code of the failure to read this text, or nothing; the sentence goes to m_told.
    std::optional<ErrorCode> codeOf(const QByteArray& text)
    {
        const QString path = m_folder.filePath(QStringLiteral("case.json"));
        QFile file(path);
        if (!file.open(QIODevice::WriteOnly) || file.write(text) != text.size()) {
            return ErrorCode::Internal;
        }
        file.close();
        try {
            static_cast<void>(readRecipe(path.toStdString()));
            return std::nullopt;
        } catch (const Error& error) {
            m_told = error.what();
            return error.code();
        }
    }

    QTemporaryDir m_folder;
    QString m_path;
    QByteArray m_good;
    std::string m_told;
};

void TestRecipeFile::hostileFilesAreRefused_data()
{
    QTest::addColumn<QByteArray>("from"); // as written by the program
    QTest::addColumn<QByteArray>("to");
    QTest::addColumn<QByteArray>("named"); // in the sentence
    const auto row = [](const char* name, QByteArray from, QByteArray to, QByteArray named) {
        QTest::addRow("%s", name) << std::move(from) << std::move(to) << std::move(named);
    };
    row("another format", "quantoscope-recipe", "quantoscope-model", "'format'");
    row("future version", "\"format_version\": 1", "\"format_version\": 4", "version is 4");
    row("version as text", "\"format_version\": 1", "\"format_version\": \"1\"", "'format_version'");
    row("too many bits", "\"bits\": 4", "\"bits\": 17", "'plan.blocks.0.attn.softmax.bits' is 17");
    row("too few bits", "\"bits\": 4", "\"bits\": 1", "bits' is 1");
    row("negative bits", "\"bits\": 4", "\"bits\": -4", "bits' is -4");
    row("half bits", "\"bits\": 4", "\"bits\": 4.5", "bits' is 4.5, not a whole number");
    row("bits beyond int64", "\"bits\": 4", "\"bits\": 18446744073709551615", "bits'");
    row("bits as truth", "\"bits\": 4", "\"bits\": true", "bits' is true");
    row("bits as text", "\"bits\": 4", "\"bits\": \"4\"", "bits'");
    row("bits null", "\"bits\": 4", "\"bits\": null", "bits' is null");
    row("bits missing", "\"bits\": 4,", "", "has no 'bits'");
    row("unknown quantizer", "\"log-sqrt2\"", "\"log-sqrt3\"",
        "kind' is none of uniform, log2, log-sqrt2, adalog");
    row("unknown method", "\"manual\"", "\"by hand\"", "method' is none of");
    row("unknown axis", "\"head\"", "\"row\"", "quantizers.blocks.0.attn.softmax.axis'");
    row("enabled as number", "\"enabled\": true", "\"enabled\": 1", "enabled'");
    row("choice as list", "\"plan\": {", "\"plan\": {\"x\": [],", "'plan.x'");
    row("plan as text", "\"plan\": {", "\"plan\": \"\", \"more\": {", "'plan'");
    row("crossed bounds", "0.1\n", "-3.0\n", "manual_bounds[0]'");
    row("bounds beyond double", "-1e-300", "-1e999", "no double");
    row("bounds of three", "-1e-300", "-1e-300, 0.1", "manual_bounds[1]'");
    row("scale zero", "0.10000000149011612", "0.0", "scales[0]'");
    row("scale negative", "0.10000000149011612", "-0.1", "scales[0]'");
    row("scale beyond float", "0.10000000149011612", "1e39", "scales[0]'");
    row("one scale more", "0.10000000149011612", "0.1, 0.1", "has 4 scales");
    row("zero point beyond int32", "2147483647", "2147483648", "zero_points[2]'");
    row("no zero points", "2147483647", "2147483647, 5", "4 zero points");
    row("negative samples", "\"samples\": 32", "\"samples\": -1", "'calibration.samples'");
    row("hash as number", "\"" + QByteArray(64, 'a') + "\"", "12", "'model.hash'");
    row("negative height", "\"height\": 224", "\"height\": -224", "'preprocessing.height'");
    row("huge width", "\"width\": 192", "\"width\": 1000000000000", "'preprocessing.width'");
    row("no deviation", "0.229", "0.0", "'preprocessing.std'");
    row("four means", "0.485", "0.485, 0.5", "'preprocessing.mean'");
    row("unknown resampling", "\"bilinear\"", "\"lanczos\"", "'preprocessing.resampling'");
    row("model missing", "\"model\":", "\"modell\":", "has no 'model'");
    row("key twice", "\"samples\": 32", "\"samples\": 32, \"samples\": 33", "'samples' twice");
    row("no JSON", "\"plan\": {", "\"plan\" {", "not valid JSON");
    row("deep nesting", "\"seed\": 7", "\"seed\": " + QByteArray(5000, '['), "deeper");
}

void TestRecipeFile::hostileFilesAreRefused()
{
    QFETCH(const QByteArray, from);
    QFETCH(const QByteArray, to);
    QFETCH(const QByteArray, named);
    QByteArray text = m_good;
    const qsizetype at = text.indexOf(from);
    QVERIFY2(at >= 0, "the text to spoil is not in the file");
    text.replace(at, from.size(), to);
    const auto code = codeOf(text);
    QVERIFY(code);
    QVERIFY(code == ErrorCode::CorruptFile || code == ErrorCode::Unsupported);
    QVERIFY2(m_told.find(named.toStdString()) != std::string::npos, m_told.c_str());
    QVERIFY2(m_told.find("case.json") != std::string::npos, m_told.c_str());
}

QTEST_GUILESS_MAIN(TestRecipeFile)
#include "tst_recipe_file.moc"
