#include "core/graph/graph_builder.h"
#include "core/graph/site.h"

#include <QTest>

using namespace qs;

namespace {

const std::int64_t kTransposed = 1;

/// Graphs under names that say nothing about roles.
class GraphSketch
{
public:
    GraphBuilder builder;

    ValueId weight(const std::string& name, Shape shape)
    {
        return builder.addConstant(name, Tensor::zeros(DType::F32, std::move(shape)));
    }
    ValueId linear(const std::string& name, ValueId x, std::int64_t inputs, std::int64_t outputs)
    {
        return builder.addNode(
            "Linear", name, {x, weight(name + ".w", {outputs, inputs})}, {{"transB", kTransposed}});
    }
    ValueId norm(const std::string& name, ValueId x, std::int64_t width)
    {
        return builder.addNode(
            "LayerNormalization", name, {x, weight(name + ".g", {width}), weight(name + ".b", {width})});
    }
    ValueId scalar(const std::string& name)
    {
        return builder.addConstant(name, Tensor::zeros(DType::F32, Shape {}));
    }
    /// [B, T, D] -> [B, H, T, d]
    ValueId heads(const std::string& name, ValueId x, std::vector<std::int64_t> order = {0, 2, 1, 3})
    {
        const ValueId shape
            = builder.addConstant(name + ".shape", Tensor::of<std::int64_t>({4}, {0, 0, 2, 4}));
        const ValueId split = builder.addNode("Reshape", name + ".split", {x, shape});
        const ValueId result = builder.addNode("Transpose", name, {split}, {{"perm", order}});
        builder.setDims(result,
            order == std::vector<std::int64_t> {0, 2, 1, 3} ? Dims {-1, 2, 5, 4} : Dims {-1, 2, 4, 5});
        return result;
    }
    using Dims = std::vector<std::int64_t>;
};

const Site* find(const std::vector<Site>& sites, const char* name)
{
    const int index = indexOfSite(sites, name);
    return index < 0 ? nullptr : &sites[static_cast<std::size_t>(index)];
}

} // namespace

class TestSiteFinder : public QObject
{
    Q_OBJECT

private slots:
    void findsAttentionByItsPattern_data();
    void findsAttentionByItsPattern();
    void aSoftmaxWithoutAttentionIsNoSite()
    {
        GraphSketch sketch;
        const ValueId x = sketch.builder.addInput("x", DType::F32, {-1, 8});
        const ValueId y = sketch.linear("n1", x, 8, 3);
        sketch.builder.addOutput(sketch.builder.addNode("Softmax", "n2", {y}));
        const auto sites = findSites(*sketch.builder.build());
        QCOMPARE(sites.size(), std::size_t {2});
        QCOMPARE(sites[0].role, Role::Head); // a softmax over the classes changes nothing about that
        QCOMPARE(sites[0].block, std::string());
    }
    void knowsTheMlp()
    {
        GraphSketch sketch;
        const ValueId x = sketch.builder.addInput("x", DType::F32, {-1, 5, 8});
        ValueId y = sketch.linear("stage.2.b", sketch.norm("a", x, 8), 8, 32);
        y = sketch.builder.addNode("Gelu", "c", {y});
        y = sketch.linear("stage.2.d", y, 32, 8);
        y = sketch.builder.addNode("Add", "e", {x, y}); // the residual reads the raw input
        sketch.builder.addOutput(sketch.linear("f", sketch.norm("g", y, 8), 8, 3));
        const auto sites = findSites(*sketch.builder.build());
        QCOMPARE(sites.size(), std::size_t {6});
        QCOMPARE(find(sites, "stage.2.b.input")->role, Role::PostNormFc1);
        QCOMPARE(find(sites, "stage.2.d.input")->role, Role::PostGeluFc2);
        QCOMPARE(find(sites, "stage.2.d.weight")->role, Role::PostGeluFc2);
        QCOMPARE(find(sites, "stage.2.d.input")->groups, std::int64_t {32});
        QCOMPARE(find(sites, "stage.2.d.input")->block, std::string("stage.2"));
        QCOMPARE(find(sites, "f.weight")->role, Role::Head);
    }
    void readsBothWeightOrders()
    {
        GraphSketch sketch;
        const ValueId x = sketch.builder.addInput("x", DType::F32, {-1, 5});
        const ValueId stored = sketch.weight("w", {5, 7}); // [K, N]
        const ValueId y = sketch.builder.addNode("Linear", "a", {x, stored});
        sketch.builder.addOutput(sketch.linear("b", y, 7, 3));
        const auto sites = findSites(*sketch.builder.build());
        QCOMPARE(find(sites, "a.input")->groups, std::int64_t {5});
        QCOMPARE(find(sites, "a.weight")->weightAxis, 1);
        QCOMPARE(find(sites, "a.weight")->groups, std::int64_t {7});
        QCOMPARE(find(sites, "b.weight")->weightAxis, 0);
        QCOMPARE(find(sites, "b.weight")->groups, std::int64_t {3});
    }
    void sharesSitesOfSharedValuesAndWeights()
    {
        GraphSketch sketch;
        const ValueId x = sketch.builder.addInput("x", DType::F32, {-1, 4});
        const ValueId tied = sketch.weight("w", {4, 4});
        const ValueId a = sketch.builder.addNode("Linear", "a", {x, tied}, {{"transB", kTransposed}});
        const ValueId b = sketch.builder.addNode("Linear", "b", {x, tied}, {{"transB", kTransposed}});
        sketch.builder.addOutput(sketch.builder.addNode("Mul", "c", {a, b}));
        const auto sites = findSites(*sketch.builder.build());
        QCOMPARE(sites.size(), std::size_t {2});
        QCOMPARE(sites[0].name, std::string("a.input"));
        QCOMPARE(sites[0].readers, (std::vector<std::pair<NodeId, int>> {{0, 0}, {1, 0}}));
        QCOMPARE(sites[1].name, std::string("a.weight"));
        QCOMPARE(sites[1].readers, (std::vector<std::pair<NodeId, int>> {{0, 1}, {1, 1}}));
    }
    void findsConvolutions()
    {
        GraphSketch sketch;
        const ValueId x = sketch.builder.addInput("x", DType::F32, {-1, 6, 8, 8});
        const ValueId y = sketch.builder.addNode(
            "Conv", "a", {x, sketch.weight("w", {10, 3, 2, 2})}, {{"group", std::int64_t {2}}});
        sketch.builder.addOutput(sketch.builder.addNode("Conv", "b", {y, sketch.weight("v", {4, 10, 2, 2})}));
        const auto sites = findSites(*sketch.builder.build());
        QCOMPARE(find(sites, "a.input")->groups, std::int64_t {6});
        QCOMPARE(find(sites, "a.input")->role, Role::PatchEmbedding);
        QCOMPARE(find(sites, "a.weight")->groups, std::int64_t {10});
        QCOMPARE(find(sites, "b.input")->role, Role::Other);
    }
    void whatLeadsToALogarithmIsTheFrontEnd()
    {
        GraphSketch sketch;
        const ValueId x = sketch.builder.addInput("x", DType::F32, {-1, 5, 8});
        const ValueId real = sketch.linear("real", x, 8, 6);
        const ValueId imaginary = sketch.linear("imaginary", x, 8, 6);
        const ValueId power = sketch.builder.addNode("Add", "power",
            {sketch.builder.addNode("Mul", "real2", {real, real}),
                sketch.builder.addNode("Mul", "imaginary2", {imaginary, imaginary})});
        const ValueId mel = sketch.builder.addNode("Log", "log", {sketch.linear("mel", power, 6, 4)});
        const ValueId norm = sketch.norm("norm", sketch.linear("embed", mel, 4, 8), 8);
        sketch.builder.addOutput(sketch.linear("head", norm, 8, 3));
        const auto sites = findSites(*sketch.builder.build());
        for (const char* name :
            {"real.input", "real.weight", "imaginary.weight", "mel.input", "mel.weight"}) {
            QVERIFY2(find(sites, name)->role == Role::FrontEnd, name);
        }
        QCOMPARE(find(sites, "embed.input")->role, Role::PatchEmbedding);
        QCOMPARE(find(sites, "head.input")->role, Role::Head);
    }
    void theFirstLinearOnNumbersIsThePatchEmbedding()
    {
        GraphSketch sketch;
        const ValueId x = sketch.builder.addInput("x", DType::F32, {-1, 5, 8});
        const ValueId ids = sketch.builder.addInput("ids", DType::I64, {-1, 5});
        const ValueId looked = sketch.builder.addNode("Gather", "table", {sketch.weight("t", {9, 8}), ids});
        const ValueId sum = sketch.builder.addNode(
            "Add", "sum", {sketch.linear("embed", x, 8, 8), sketch.linear("project", looked, 8, 8)});
        const ValueId hidden = sketch.linear("fc", sketch.builder.addNode("Relu", "act", {sum}), 8, 8);
        sketch.builder.addOutput(sketch.linear("head", sketch.norm("norm", hidden, 8), 8, 3));
        const auto sites = findSites(*sketch.builder.build());
        QCOMPARE(find(sites, "embed.input")->role, Role::PatchEmbedding);
        QCOMPARE(find(sites, "embed.weight")->role, Role::PatchEmbedding);
        QCOMPARE(find(sites, "project.input")->role, Role::Other); // of token ids
        QCOMPARE(find(sites, "fc.input")->role, Role::PostGeluFc2);
    }
    void aLogarithmBehindANormIsNoFrontEnd()
    {
        GraphSketch sketch;
        const ValueId x = sketch.builder.addInput("x", DType::F32, {-1, 5, 8});
        const ValueId hidden = sketch.linear("fc", sketch.norm("norm", x, 8), 8, 4);
        sketch.builder.addOutput(sketch.builder.addNode("Log", "log", {hidden}));
        for (const Site& site : findSites(*sketch.builder.build())) {
            QVERIFY2(site.role == Role::PostNormFc1, site.name.c_str());
        }
    }
    void aComputedWeightIsNoWeightSite()
    {
        GraphSketch sketch;
        const ValueId x = sketch.builder.addInput("x", DType::F32, {-1, 4});
        const ValueId w = sketch.builder.addInput("w", DType::F32, {4, 4});
        sketch.builder.addOutput(sketch.builder.addNode("Linear", "a", {x, w}));
        QVERIFY(findSites(*sketch.builder.build()).empty());
    }
};

void TestSiteFinder::findsAttentionByItsPattern_data()
{
    QTest::addColumn<QString>("form");
    for (const char* form : {"scale behind", "division behind", "scale and mask behind",
             "scale on both operands", "no scale", "key transposed at once"}) {
        QTest::newRow(form) << form;
    }
}

void TestSiteFinder::findsAttentionByItsPattern()
{
    QFETCH(const QString, form);
    GraphSketch sketch;
    GraphBuilder& builder = sketch.builder;
    const ValueId x = builder.addInput("x", DType::F32, {-1, 5, 8});
    const ValueId mask = builder.addInput("mask", DType::F32, {-1, 1, 5, 5});
    const ValueId y = sketch.norm("p.norm", x, 8);
    ValueId q = sketch.heads("q4", sketch.linear("p.q", y, 8, 8));
    const ValueId key = sketch.linear("p.k", y, 8, 8);
    ValueId k = 0;
    ValueId keySite = 0;
    if (form == "key transposed at once") {
        k = keySite = sketch.heads("kt", key, {0, 2, 3, 1});
    } else {
        keySite = sketch.heads("k4", key);
        k = builder.addNode("Transpose", "kt", {keySite}, {{"perm", std::vector<std::int64_t> {0, 1, 3, 2}}});
    }
    const ValueId v = sketch.heads("v4", sketch.linear("p.v", y, 8, 8));
    if (form == "scale on both operands") {
        q = builder.addNode("Mul", "qs", {q, sketch.scalar("s1")});
        k = keySite = builder.addNode("Mul", "ks", {k, sketch.scalar("s2")});
    }
    ValueId scores = builder.addNode("MatMul", "m1", {q, k});
    if (form.startsWith("scale") && form != "scale on both operands") {
        scores = builder.addNode("Mul", "scale", {scores, sketch.scalar("s")});
    } else if (form == "division behind") {
        scores = builder.addNode("Div", "scale", {scores, sketch.scalar("s")});
    }
    if (form == "scale and mask behind") {
        scores = builder.addNode("Add", "masked", {scores, mask});
    }
    const ValueId p = builder.addNode("Softmax", "p.inner.soft", {scores});
    builder.setDims(p, {-1, 2, 5, 5});
    const ValueId context = builder.addNode("MatMul", "m2", {p, v});
    const ValueId joined
        = builder.addNode("Transpose", "join", {context}, {{"perm", std::vector<std::int64_t> {0, 2, 1, 3}}});
    const ValueId out = builder.addNode("Add", "res", {x, sketch.linear("p.o", joined, 8, 8)});
    builder.addOutput(builder.addNode("Relu", "end", {out}));
    const auto graph = builder.build();
    const auto sites = findSites(*graph);

    const std::vector<std::string> expected {"p.qkv.input", "p.q.weight", "p.k.weight", "p.v.weight",
        "p.inner.query", "p.inner.key", "p.inner.softmax", "p.inner.value", "p.o.input", "p.o.weight"};
    QCOMPARE(sites.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        QCOMPARE(sites[i].name, expected[i]);
    }
    QCOMPARE(sites[0].role, Role::PostNormQkv);
    QCOMPARE(sites[0].value, y);
    QCOMPARE(sites[0].readers.size(), std::size_t {3});
    QCOMPARE(sites[4].role, Role::Query);
    QCOMPARE(sites[4].value, q);
    QCOMPARE(sites[4].layer, std::string("m1"));
    QCOMPARE(sites[5].role, Role::Key);
    QCOMPARE(sites[5].value, keySite);
    const Node& keyReader = graph->node(sites[5].readers.at(0).first);
    QCOMPARE(keyReader.inputs.at(static_cast<std::size_t>(sites[5].readers[0].second)), keySite);
    QCOMPARE(sites[6].role, Role::Softmax);
    QCOMPARE(sites[6].layer, std::string("m2"));
    QCOMPARE(sites[6].groups, std::int64_t {2});
    QVERIFY(sites[6].groupAxis == GroupAxis::Head);
    QCOMPARE(sites[7].value, v);
    QCOMPARE(sites[7].readers.at(0).second, 1);
    QCOMPARE(sites[8].role, Role::Projection);
}

QTEST_GUILESS_MAIN(TestSiteFinder)
#include "tst_site_finder.moc"
