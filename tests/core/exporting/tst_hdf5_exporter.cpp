#include "core/base/error.h"
#include "core/exporting/hdf5_exporter.h"
#include "core/io/hdf5_file.h"
#include "core/models/quantized_model.h"
#include "core/models/quantized_model_layout.h"
#include "tests/core/exporting/small_models.h"

#include <hdf5.h>

#include <QTemporaryDir>
#include <QTest>

#include <cmath>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>

using namespace qs;
using namespace qs::test;

namespace {

/// Dataset of the file through the plain C library: its type's size and sign, dimensions and values.
struct RawDataset
{
    std::size_t size = 0;
    bool isSigned = false;
    std::vector<hsize_t> dims;
    std::vector<int> values;
};

RawDataset readRaw(const std::filesystem::path& path, const char* name)
{
    RawDataset result;
    const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
    const hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
    const hid_t type = H5Dget_type(dataset);
    const hid_t space = H5Dget_space(dataset);
    result.size = H5Tget_size(type);
    result.isSigned = H5Tget_class(type) == H5T_INTEGER && H5Tget_sign(type) == H5T_SGN_2;
    result.dims.resize(static_cast<std::size_t>(H5Sget_simple_extent_ndims(space)));
    H5Sget_simple_extent_dims(space, result.dims.data(), nullptr);
    result.values.resize(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space)));
    H5Dread(dataset, H5T_NATIVE_INT, H5S_ALL, H5S_ALL, H5P_DEFAULT, result.values.data());
    H5Sclose(space);
    H5Tclose(type);
    H5Dclose(dataset);
    H5Fclose(file);
    return result;
}

std::string contentsOf(const std::filesystem::path& path)
{
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

std::vector<float> constantOf(const Model& model, const char* name)
{
    const auto data = model.graph->value(model.graph->findValue(name).value()).constant.data<float>();
    return {data.begin(), data.end()};
}

ExportInput exampleInput()
{
    auto model = std::make_shared<Model>(*mlpModel());
    model->preprocessing = Preprocessing {.height = 32,
        .width = 48,
        .resizeShorter = 40,
        .resampling = Resampling::Bilinear,
        .mean = {0.1, 0.2, 0.3},
        .standardDeviation = {0.4, 0.5, 0.6}};
    ExportInput input;
    input.model = std::move(model);
    SiteChoice choice;
    choice.enabled = true;
    choice.kind = QuantizerKind::LogSqrt2;
    choice.symmetry = Symmetry::Symmetric;
    choice.granularity = Granularity::Group;
    choice.bits = 3;
    choice.method = BoundMethod::Manual;
    choice.manualBounds = {{-0.1, 1.0 / 3.0}};
    input.plan.choices["fc1.weight"] = choice;
    input.plan.choices["fc1.input"] = SiteChoice {};
    input.quantizers["fc1.weight"] = uniform(Symmetry::Symmetric, 8, {0.5F, 1.0F}, {0, 0});
    input.quantizers["fc1.input"] = uniform(Symmetry::Asymmetric, 6, {0.1F}, {-7});
    input.quantizers["fc1.input"].bounds = {{0.7, 7.0}};
    input.calibrationHash = "cafe";
    input.toolVersion = "0.1.0";
    return input;
}

} // namespace

class TestHdf5Exporter : public QObject
{
    Q_OBJECT

    QTemporaryDir m_folder;
    Hdf5Exporter m_exporter;

    [[nodiscard]] std::filesystem::path at(const char* name) const
    {
        return std::filesystem::path(m_folder.path().toStdString()) / name;
    }
    [[nodiscard]] std::filesystem::path write(const ExportInput& input, const char* name = "m.h5") const
    {
        m_exporter.write(input, at(name), {});
        return at(name);
    }

private slots:
    void codesLieAsTheLayoutSays()
    {
        const auto path = write(exampleInput());
        const RawDataset codes = readRaw(path, "/weights/fc1.weight/codes");
        QCOMPARE(codes.size, std::size_t {1});
        QVERIFY(codes.isSigned);
        QCOMPARE(codes.dims, (std::vector<hsize_t> {2, 3}));
        // [[1, -2, 0.5] / 0.5, [127, 0, -63.5] / 1], half to even
        QCOMPARE(codes.values, (std::vector<int> {2, -4, 1, 127, 0, -64}));
        QCOMPARE(readRaw(path, "/weights/fc1.weight/zero_points").values, (std::vector<int> {0, 0}));
        QCOMPARE(readRaw(path, "/constants/fc2.weight").dims, (std::vector<hsize_t> {2, 2}));
        const Hdf5File file = Hdf5File::openForReading(path);
        QCOMPARE(file.readString("/", "format"), std::string("quantoscope-model"));
        QCOMPARE(file.readInteger("/weights/fc1.weight", "bits"), std::int64_t {8});
        QCOMPARE(file.readInteger("/weights/fc1.weight", "channel_axis"), std::int64_t {0});
        QVERIFY(!file.exists("/constants/fc1.weight"));
    }

    void theSmallestIntegerTypeHoldsTheCodes_data()
    {
        QTest::addColumn<int>("bits");
        QTest::addColumn<bool>("symmetric");
        QTest::addColumn<int>("bytes");
        QTest::newRow("2 symmetric") << 2 << true << 1;
        QTest::newRow("8 symmetric") << 8 << true << 1;
        QTest::newRow("8 asymmetric") << 8 << false << 1;
        QTest::newRow("9 symmetric") << 9 << true << 2;
        QTest::newRow("16 symmetric") << 16 << true << 2;
        QTest::newRow("16 asymmetric") << 16 << false << 2;
    }
    void theSmallestIntegerTypeHoldsTheCodes()
    {
        QFETCH(int, bits);
        QFETCH(bool, symmetric);
        QFETCH(int, bytes);
        const Symmetry symmetry = symmetric ? Symmetry::Symmetric : Symmetry::Asymmetric;
        const std::int32_t zero = symmetric ? 0 : (1 << bits) / 4;
        ExportInput input;
        input.model = mlpModel();
        const float step = 127.0F / static_cast<float>(1 << (bits - 1));
        input.quantizers["fc1.weight"] = uniform(symmetry, bits, {step}, {zero});
        const auto path = write(input);
        const RawDataset codes = readRaw(path, "/weights/fc1.weight/codes");
        QCOMPARE(codes.size, static_cast<std::size_t>(bytes));
        QCOMPARE(codes.isSigned, symmetric);
        const auto read = constantOf(*readQuantizedModel(path).model, "fc1.weight");
        const std::vector<float> original {1.0F, -2.0F, 0.5F, 127.0F, 0.0F, -63.5F};
        for (std::size_t i = 0; i < original.size(); ++i) {
            // Nothing but 127 (one step beyond the symmetric codes) may be off by more than half a step.
            const float limit = original[i] == 127.0F ? step : 0.5F * step;
            QVERIFY(std::abs(read[i] - original[i]) <= limit * 1.0001F
                || (bits == 2 && std::abs(original[i]) > step)); // 2 bits clip
        }
    }

    void opensAgainAsTheSameModel()
    {
        const ExportInput input = exampleInput();
        const QuantizedModel read = readQuantizedModel(write(input));
        QCOMPARE(read.model->name, std::string("mlp"));
        QCOMPARE(loadModel(at("m.h5"))->name, std::string("mlp"));
        QCOMPARE(read.sourceHash, std::string("0123"));
        QCOMPARE(read.calibrationHash, std::string("cafe"));
        QCOMPARE(read.toolVersion, std::string("0.1.0"));
        QVERIFY(read.model->preprocessing == input.model->preprocessing);
        QVERIFY(read.plan == input.plan);
        QCOMPARE(read.activations.size(), std::size_t {1});
        QVERIFY(read.activations.at("fc1.input") == input.quantizers.at("fc1.input"));
        QVERIFY(read.weights.at("fc1.weight") == input.quantizers.at("fc1.weight"));
        // Codes 2, -4, 1 times 0.5 and 127, 0, -64 times 1
        QCOMPARE(constantOf(*read.model, "fc1.weight"), (std::vector<float> {1, -2, 0.5F, 127, 0, -64}));
        QCOMPARE(constantOf(*read.model, "fc2.weight"), (std::vector<float> {3, -1, 0.5F, 2}));
        const Graph& graph = *read.model->graph;
        const Graph& original = *input.model->graph;
        QCOMPARE(graph.nodes().size(), original.nodes().size());
        for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
            QCOMPARE(graph.nodes()[i].op, original.nodes()[i].op);
            QCOMPARE(graph.nodes()[i].name, original.nodes()[i].name);
            QVERIFY(graph.nodes()[i].attributes.size() == original.nodes()[i].attributes.size());
        }
        QCOMPARE(graph.node(0).intAttribute("transB", 0), std::int64_t {1});
        QCOMPARE(graph.value(graph.outputs()[0]).dims, (std::vector<std::int64_t> {-1, 2, 2}));
        QCOMPARE(read.model->sites.size(), input.model->sites.size());
        for (std::size_t i = 0; i < read.model->sites.size(); ++i) {
            QCOMPARE(read.model->sites[i].name, input.model->sites[i].name);
        }
    }

    void theSameInputGivesTheSameBytes()
    {
        QVERIFY(contentsOf(write(exampleInput(), "a.h5")) == contentsOf(write(exampleInput(), "b.h5")));
    }

    void namesBecomeLinkNames()
    {
        QCOMPARE(hdf5LinkName("blocks.0/w%"), std::string("blocks.0%2Fw%25"));
        QCOMPARE(hdf5LinkName("."), std::string("%2E"));
        QCOMPARE(hdf5LinkName(".."), std::string("%2E."));
    }

    void refusesBrokenFiles_data();
    void refusesBrokenFiles();
    void survivesTruncationAndBitFlips();
};

namespace {

struct Parts
{
    std::string format = "quantoscope-model";
    std::int64_t version = 1;
    std::string preprocessing;
    std::string graph
        = R"({"inputs":[{"name":"x","dtype":"F32","dims":[-1,2]}],"constants":["w"],"nodes":[{"op":"Linear","name":"fc",)"
          R"("inputs":["x","w"],"outputs":["y"],"attributes":{"transB":{"type":"int","value":1}}}],"shapes":[],"outputs":["y"]})";
    std::string plan = "{}";
    std::string quantizers = "{}";
    Tensor codes = Tensor::of<std::int8_t>(Shape {2, 2}, {1, 2, 3, 4});
    Tensor scales = Tensor::of<float>(Shape {2}, {0.5F, 0.25F});
    Tensor zeroPoints = Tensor::of<std::int32_t>(Shape {2}, {0, 0});
    std::int64_t axis = 0;
    bool withWeight = true;
};

void writeParts(const Parts& parts, const std::filesystem::path& path)
{
    Hdf5File file = Hdf5File::create(path);
    file.writeString("/", "format", parts.format);
    file.writeInteger("/", "version", parts.version);
    file.makeGroup("/config");
    file.writeString("/config", "name", "n");
    file.writeString("/config", "preprocessing", parts.preprocessing);
    file.makeGroup("/provenance");
    for (const char* key : {"model_sha256", "calibration_sha256", "tool_version"}) {
        file.writeString("/provenance", key, "");
    }
    file.writeText("/graph", parts.graph);
    file.writeText("/plan", parts.plan);
    file.writeText("/quantizers", parts.quantizers);
    file.makeGroup("/constants");
    file.makeGroup("/weights");
    if (parts.withWeight) {
        file.makeGroup("/weights/w");
        file.writeTensor("/weights/w/codes", parts.codes);
        file.writeTensor("/weights/w/scales", parts.scales);
        file.writeTensor("/weights/w/zero_points", parts.zeroPoints);
        file.writeInteger("/weights/w", "channel_axis", parts.axis);
    }
    file.close();
}

struct BrokenCase
{
    const char* name;
    ErrorCode code;
    std::function<void(Parts&)> damage;
};

std::string quantizer(const std::string& site, const std::string& rest)
{
    return "{\"" + site
        + R"(":{"kind":"uniform","symmetry":"symmetric","granularity":"tensor","axis":"channel",)" + rest
        + "}}";
}

const std::vector<BrokenCase>& brokenCases()
{
    static const std::vector<BrokenCase> cases {
        {"another format", ErrorCode::CorruptFile, [](Parts& p) { p.format = "other"; }},
        {"a later version", ErrorCode::Unsupported, [](Parts& p) { p.version = 2; }},
        {"weight absent", ErrorCode::CorruptFile, [](Parts& p) { p.withWeight = false; }},
        {"codes in float", ErrorCode::CorruptFile, [](Parts& p) { p.codes = p.codes.toF32(); }},
        {"axis beyond the rank", ErrorCode::CorruptFile, [](Parts& p) { p.axis = 2; }},
        {"negative axis", ErrorCode::CorruptFile, [](Parts& p) { p.axis = -1; }},
        {"too many scales", ErrorCode::CorruptFile,
            [](Parts& p) {
                p.scales = Tensor::of<float>(Shape {3}, {1, 1, 1});
            }},
        {"no scales", ErrorCode::CorruptFile, [](Parts& p) { p.scales = Tensor(DType::F32, Shape {0}); }},
        {"scale zero", ErrorCode::CorruptFile,
            [](Parts& p) {
                p.scales = Tensor::of<float>(Shape {2}, {1, 0});
            }},
        {"scale not a number", ErrorCode::CorruptFile,
            [](Parts& p) {
                p.scales = Tensor::of<float>(Shape {2}, {1, std::numeric_limits<float>::quiet_NaN()});
            }},
        {"zero points for other channels", ErrorCode::CorruptFile,
            [](Parts& p) { p.zeroPoints = Tensor::of<std::int32_t>(Shape {1}, {0}); }},
        {"zero points in float", ErrorCode::CorruptFile,
            [](Parts& p) { p.zeroPoints = p.zeroPoints.toF32(); }},
        {"graph cut short", ErrorCode::CorruptFile, [](Parts& p) { p.graph.resize(p.graph.size() / 2); }},
        {"graph without nodes", ErrorCode::CorruptFile, [](Parts& p) { p.graph = R"({"inputs":[]})"; }},
        {"graph is a list", ErrorCode::CorruptFile, [](Parts& p) { p.graph = "[1]"; }},
        {"graph reads what nothing makes", ErrorCode::CorruptFile,
            [](Parts& p) { p.graph.replace(p.graph.find("[\"x\""), 4, "[\"z\""); }},
        {"unknown attribute type", ErrorCode::CorruptFile,
            [](Parts& p) { p.graph.replace(p.graph.find("\"int\""), 5, "\"odd\""); }},
        {"plan is no JSON", ErrorCode::CorruptFile, [](Parts& p) { p.plan = "{"; }},
        {"choice without bits", ErrorCode::CorruptFile,
            [](Parts& p) { p.plan = R"({"a":{"enabled":true}})"; }},
        {"quantizer of an unknown site", ErrorCode::CorruptFile,
            [](Parts& p) {
                p.quantizers
                    = quantizer("ghost", R"("bits":8,"scales":[1],"zero_points":[0],"bounds":[[0,1]])");
            }},
        {"quantizer of 99 bits", ErrorCode::CorruptFile,
            [](Parts& p) {
                p.quantizers
                    = quantizer("fc.input", R"("bits":99,"scales":[1],"zero_points":[0],"bounds":[[0,1]])");
            }},
        {"quantizer with three scales", ErrorCode::CorruptFile,
            [](Parts& p) {
                p.quantizers
                    = quantizer("fc.input", R"("bits":8,"scales":[1,1,1],"zero_points":[0,0,0],"bounds":[])");
            }},
        {"quantizer without zero points", ErrorCode::CorruptFile,
            [](Parts& p) {
                p.quantizers = quantizer("fc.input", R"("bits":8,"scales":[1],"zero_points":[],"bounds":[])");
            }},
        {"quantizer with a negative scale", ErrorCode::CorruptFile,
            [](Parts& p) {
                p.quantizers
                    = quantizer("fc.input", R"("bits":8,"scales":[-1],"zero_points":[0],"bounds":[])");
            }},
        {"bounds the wrong way round", ErrorCode::CorruptFile,
            [](Parts& p) {
                p.quantizers
                    = quantizer("fc.input", R"("bits":8,"scales":[1],"zero_points":[0],"bounds":[[2,1]])");
            }},
        {"preprocessing of no size", ErrorCode::CorruptFile,
            [](Parts& p) {
                p.preprocessing
                    = R"({"height":0,"width":4,"resize_shorter":4,"resampling":"nearest","mean":[0,0,0],)"
                      R"("std":[1,1,1]})";
            }},
        {"preprocessing is no JSON", ErrorCode::CorruptFile, [](Parts& p) { p.preprocessing = "x"; }},
    };
    return cases;
}

} // namespace

void TestHdf5Exporter::refusesBrokenFiles_data()
{
    QTest::addColumn<int>("index");
    for (std::size_t i = 0; i < brokenCases().size(); ++i) {
        QTest::newRow(brokenCases()[i].name) << static_cast<int>(i);
    }
}

void TestHdf5Exporter::refusesBrokenFiles()
{
    QFETCH(int, index);
    const BrokenCase& broken = brokenCases()[static_cast<std::size_t>(index)];
    Parts parts;
    writeParts(parts, at("broken.h5"));
    QVERIFY(readQuantizedModel(at("broken.h5")).model != nullptr);
    broken.damage(parts);
    writeParts(parts, at("broken.h5"));
    try {
        (void)readQuantizedModel(at("broken.h5"));
        QFAIL("the damage was not noticed");
    } catch (const Error& error) {
        QCOMPARE(nameOf(error.code()), nameOf(broken.code));
        QVERIFY2(std::string(error.what()).find("broken.h5") != std::string::npos, error.what());
    }
}

void TestHdf5Exporter::survivesTruncationAndBitFlips()
{
    const std::string whole = contentsOf(write(exampleInput()));
    const auto attempt = [&](const std::string& bytes) {
        std::ofstream(at("damaged.h5"), std::ios::binary | std::ios::trunc) << bytes;
        try {
            (void)readQuantizedModel(at("damaged.h5"));
            return true;
        } catch (const Error&) {
            return false;
        }
    };
    QVERIFY(attempt(whole));
    for (std::size_t part = 0; part < 32; ++part) {
        QVERIFY(!attempt(whole.substr(0, whole.size() * part / 32)));
    }
    std::size_t position = 7;
    for (int i = 0; i < 400; ++i) {
        position = (position * 1103515245 + 12345) % (whole.size() * 8);
        std::string flipped = whole;
        const unsigned mask = 1U << (position % 8);
        flipped[position / 8] = static_cast<char>(static_cast<unsigned char>(flipped[position / 8]) ^ mask);
        (void)attempt(flipped);
    }
}

QTEST_GUILESS_MAIN(TestHdf5Exporter)
#include "tst_hdf5_exporter.moc"
