#include "core/runtime/constant_store.h"
#include "core/runtime/executor.h"
#include "tests/core/runtime/small_transformer.h"

#include <QTest>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

using namespace qs;
using namespace qs::testing;

namespace {

bool sameBits(const Tensor& a, const Tensor& b)
{
    return a.shape() == b.shape() && a.byteCount() == b.byteCount()
        && std::memcmp(a.bytes(), b.bytes(), a.byteCount()) == 0;
}

Tensor logitsOf(Executor& executor, const Tensor& input)
{
    const Graph& graph = *executor.model().graph;
    const Feed feed {graph.inputs().front(), input};
    return executor.run({&feed, 1}, {&graph.outputs().front(), 1}).front();
}

/// Whole numbers from -15 to 15 over 16, which F16 and BF16 hold too, in the given type: small whole numbers
/// times powers of two, put together here bit by bit.
Tensor sixteenths(DType type, Shape shape)
{
    Tensor tensor(type, std::move(shape));
    auto* bytes = const_cast<std::byte*>(tensor.bytes());
    for (std::int64_t i = 0; i < tensor.elementCount(); ++i) {
        const float value = static_cast<float>((i * 7 + i / 31) % 31 - 15) / 16.0F;
        const auto bits = std::bit_cast<std::uint32_t>(value);
        if (type == DType::F32) {
            std::memcpy(bytes + 4 * i, &bits, 4);
            continue;
        }
        const std::uint32_t exponent = bits >> 23U & 0xFFU;
        const std::uint32_t half = value == 0.0F ? 0U : (exponent - 112U) << 10U | (bits >> 13U & 0x3FFU);
        const auto stored
            = static_cast<std::uint16_t>(type == DType::BF16 ? bits >> 16U : (bits >> 16U & 0x8000U) | half);
        std::memcpy(bytes + 2 * i, &stored, 2);
    }
    return tensor;
}

/// Token ids to logits: a table, a product with the transposed layout, one with the plain layout, and one
/// with the table itself, as language models with tied embeddings have it.
std::shared_ptr<const Model> tiedModel(DType type)
{
    constexpr std::int64_t kWords = 333;
    constexpr std::int64_t kWidth = 130;
    constexpr std::int64_t kInner = 2500; // several slabs of the packing
    GraphBuilder builder;
    const ValueId ids = builder.addInput("ids", DType::I64, {-1, -1});
    const ValueId table = builder.addConstant("table", sixteenths(type, {kWords, kWidth}));
    const ValueId up = builder.addConstant("up.weight", sixteenths(type, {kInner, kWidth}));
    const ValueId down = builder.addConstant("down.weight", sixteenths(type, {kInner, kWidth}));
    const ValueId bias = builder.addConstant("up.bias", sixteenths(type, {kInner}));
    ValueId x = builder.addNode("Gather", "embed", {table, ids}, {{"axis", std::int64_t {0}}});
    x = builder.addNode("Linear", "up", {x, up, bias}, {{"transB", std::int64_t {1}}});
    x = builder.addNode("Relu", "act", {x});
    x = builder.addNode("Linear", "down", {x, down}, {{"transB", std::int64_t {0}}});
    x = builder.addNode("Linear", "head", {x, table}, {{"transB", std::int64_t {1}}});
    builder.addOutput(x);
    auto model = std::make_shared<Model>();
    model->graph = builder.build();
    model->sites = findSites(*model->graph);
    return model;
}

} // namespace

class TestConstantStore : public QObject
{
    Q_OBJECT

private slots:
    void aTinyBudgetChangesNoBit();
    void keptWeightsStayWithinTheBudget();
    void sixteenBitWeightsGiveTheBitsOfFloats_data();
    void sixteenBitWeightsGiveTheBitsOfFloats();
    void slabsMakeTheWholeMatrix_data();
    void slabsMakeTheWholeMatrix();
    void replacedWeightsAreNotTheKeptOnes();
};

void TestConstantStore::aTinyBudgetChangesNoBit()
{
    SmallTransformer maker;
    const auto model = maker.make();
    const Tensor input = maker.input(3);
    Executor unlimited(model);
    const Tensor expected = logitsOf(unlimited, input);
    QVERIFY(unlimited.keptWeightBytes() > 0);
    for (const std::size_t budget : {std::size_t {0}, std::size_t {10000}, std::size_t {40000}}) {
        Executor limited(model, {.weightBudget = budget});
        for (int round = 0; round < 3; ++round) {
            QVERIFY(sameBits(logitsOf(limited, input), expected));
            QVERIFY(limited.keptWeightBytes() <= budget);
        }
    }
}

void TestConstantStore::keptWeightsStayWithinTheBudget()
{
    const auto model = tiedModel(DType::BF16);
    const Graph& graph = *model->graph;
    ConstantStore all(model->graph, std::numeric_limits<std::size_t>::max());
    std::vector<std::size_t> sizes;
    for (const char* name : {"up.weight", "down.weight", "table"}) {
        const ValueId id = *graph.findValue(name);
        sizes.push_back(all.packed(id, all.array(id))->byteCount());
        QVERIFY(sizes.back() >= static_cast<std::size_t>(graph.value(id).constant.elementCount()) * 4);
    }
    QCOMPARE(all.keptBytes(), sizes[0] + sizes[1] + sizes[2]);
    QVERIFY(!all.isOverBudget());

    ConstantStore some(model->graph, sizes[0] + sizes[2]);
    const ValueId up = *graph.findValue("up.weight");
    const ValueId down = *graph.findValue("down.weight");
    const ValueId table = *graph.findValue("table");
    const auto first = some.packed(up, some.array(up));
    const auto second = some.packed(down, some.array(down)); // does not fit any more
    const auto third = some.packed(table, some.array(table));
    QCOMPARE(some.keptBytes(), sizes[0] + sizes[2]);
    QVERIFY(some.isOverBudget());
    QVERIFY(some.packed(up, some.array(up)) == first);
    QVERIFY(some.packed(table, some.array(table)) == third);
    QVERIFY(some.packed(down, some.array(down)) != second);
}

void TestConstantStore::sixteenBitWeightsGiveTheBitsOfFloats_data()
{
    QTest::addColumn<int>("type");
    QTest::newRow("F16") << static_cast<int>(DType::F16);
    QTest::newRow("BF16") << static_cast<int>(DType::BF16);
}

void TestConstantStore::sixteenBitWeightsGiveTheBitsOfFloats()
{
    QFETCH(int, type);
    const auto model = tiedModel(static_cast<DType>(type));
    const Tensor ids = Tensor::of<std::int64_t>({2, 3}, {0, 332, 7, 100, 1, 332});
    Executor floats(tiedModel(DType::F32));
    const Tensor expected = logitsOf(floats, ids);
    Executor executor(model);
    QVERIFY(sameBits(logitsOf(executor, ids), expected));
    Executor limited(model, {.weightBudget = 0});
    QVERIFY(sameBits(logitsOf(limited, ids), expected));
    // fetched, a weight is F32 as every other value
    const ValueId table = *model->graph->findValue("table");
    const Feed feed {model->graph->inputs().front(), ids};
    const Tensor fetched = executor.run({&feed, 1}, {&table, 1}).front();
    QVERIFY(sameBits(fetched, sixteenths(DType::F32, {333, 130})));
}

void TestConstantStore::slabsMakeTheWholeMatrix_data()
{
    QTest::addColumn<int>("type");
    QTest::addColumn<bool>("transposed");
    for (const DType type : {DType::F32, DType::F16, DType::BF16}) {
        const std::string name(nameOf(type));
        QTest::newRow((name + " plain").c_str()) << static_cast<int>(type) << false;
        QTest::newRow((name + " transposed").c_str()) << static_cast<int>(type) << true;
    }
}

/// 700 x 909 elements are three slabs whose last is not full. Sums of a few hundred small multiples of 1/256
/// are exact in floats, so the order of additions does not matter.
void TestConstantStore::slabsMakeTheWholeMatrix()
{
    QFETCH(int, type);
    QFETCH(bool, transposed);
    constexpr std::int64_t kK = 700;
    constexpr std::int64_t kN = 909;
    const Shape shape = transposed ? Shape {kN, kK} : Shape {kK, kN};
    const Tensor stored = sixteenths(static_cast<DType>(type), shape);
    const Tensor plain = sixteenths(DType::F32, shape);
    const auto values = plain.data<float>();
    const std::int64_t strideK = transposed ? 1 : kN;
    const std::int64_t strideN = transposed ? kK : 1;
    const PackedMatrix matrix({stored.bytes(), stored.dtype(), kK, kN, strideK, strideN});
    QCOMPARE(matrix.rows(), kK);
    QCOMPARE(matrix.columns(), kN);
    const Tensor x = sixteenths(DType::F32, {2, kK});
    std::vector<float> y(2 * kN);
    matrix.multiply(x.data<float>().data(), 2, nullptr, y.data());
    for (std::int64_t row = 0; row < 2; ++row) {
        for (std::int64_t n = 0; n < kN; ++n) {
            double sum = 0.0;
            for (std::int64_t k = 0; k < kK; ++k) {
                sum += double {x.data<float>()[static_cast<std::size_t>(row * kK + k)]}
                    * double {values[static_cast<std::size_t>(k * strideK + n * strideN)]};
            }
            QCOMPARE(double {y[static_cast<std::size_t>(row * kN + n)]}, sum);
        }
    }
}

void TestConstantStore::replacedWeightsAreNotTheKeptOnes()
{
    const auto model = tiedModel(DType::F16);
    const ValueId up = *model->graph->findValue("up.weight");
    const Tensor ids = Tensor::of<std::int64_t>({1, 2}, {3, 4});
    Executor executor(model);
    const Tensor before = logitsOf(executor, ids);
    executor.setConstant(up, Tensor::zeros(DType::F32, {2500, 130}));
    QVERIFY(!sameBits(logitsOf(executor, ids), before));
    executor.setConstant(up, {});
    QVERIFY(sameBits(logitsOf(executor, ids), before));
}

QTEST_APPLESS_MAIN(TestConstantStore)
#include "tst_constant_store.moc"
