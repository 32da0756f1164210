#include "core/runtime/execution_profile.h"
#include "core/runtime/executor.h"
#include "tests/core/runtime/small_transformer.h"

#include <QTest>

#include <cstring>
#include <numeric>

using namespace qs;
using qs::testing::SmallTransformer;

namespace {

/// Sees every activation and keeps none.
class Watcher final : public SiteObserver
{
public:
    [[nodiscard]] bool wants(int) const override { return true; }
    void observe(int, const ActivationView&) override { ++count; }
    int count = 0;
};

double secondsOf(const ExecutionProfile& profile)
{
    return std::accumulate(profile.nodes.begin(), profile.nodes.end(), 0.0,
        [](double sum, const NodeCost& cost) { return sum + cost.seconds; });
}

} // namespace

class TestExecutionProfile : public QObject
{
    Q_OBJECT
private slots:
    void countsTheOperationsOfEveryProduct()
    {
        SmallTransformer maker; // 21 tokens, 3 heads of 8, two blocks
        const auto model = maker.make();
        const Graph& graph = *model->graph;
        Executor executor(model);
        ExecutionProfile profile(graph);
        executor.setProfile(&profile);
        const Feed feed {graph.inputs().front(), maker.input(5)};
        (void)executor.run({&feed, 1}, graph.outputs());
        const auto operationsOf = [&](const char* node) {
            return profile.nodes[static_cast<std::size_t>(*graph.findNode(node))].operations;
        };
        QCOMPARE(operationsOf("blocks.0.attn.qkv"), 2.0 * 5 * 21 * 24 * 72);
        QCOMPARE(operationsOf("blocks.0.attn.matmul1"), 2.0 * 5 * 3 * 21 * 21 * 8);
        QCOMPARE(operationsOf("blocks.1.attn.matmul2"), 2.0 * 5 * 3 * 21 * 21 * 8);
        QCOMPARE(operationsOf("blocks.1.mlp.fc2"), 2.0 * 5 * 21 * 96 * 24);
        QCOMPARE(operationsOf("head"), 2.0 * 5 * 24 * 10);
        QCOMPARE(operationsOf("blocks.0.norm1"), 0.0);
        QCOMPARE(profile.runs, std::int64_t {1});
        (void)executor.run({&feed, 1}, graph.outputs());
        QCOMPARE(operationsOf("head"), 2.0 * 2.0 * 5 * 24 * 10);
        executor.setProfile(nullptr);
        (void)executor.run({&feed, 1}, graph.outputs());
        QCOMPARE(profile.runs, std::int64_t {2});
        QCOMPARE(operationsOf("head"), 2.0 * 2.0 * 5 * 24 * 10);
    }
    void theNodesShareTheTimeOfTheRun()
    {
        SmallTransformer maker({.tokens = 100, .heads = 4, .headDim = 32});
        const auto model = maker.make();
        Executor executor(model);
        const Feed feed {model->graph->inputs().front(), maker.input(8)};
        (void)executor.run({&feed, 1}, model->graph->outputs()); // packs the weights
        ExecutionProfile profile(*model->graph);
        executor.setProfile(&profile);
        (void)executor.run({&feed, 1}, model->graph->outputs());
        for (std::size_t i = 0; i < profile.nodes.size(); ++i) {
            QVERIFY2(profile.nodes[i].seconds >= 0.0, model->graph->nodes()[i].name.c_str());
            const bool isProduct = profile.nodes[i].operations > 0.0;
            QVERIFY2(!isProduct || profile.nodes[i].seconds > 0.0, model->graph->nodes()[i].name.c_str());
        }
        QVERIFY(secondsOf(profile) <= profile.total);
        QVERIFY(secondsOf(profile) > 0.5 * profile.total);
        QCOMPARE(profile.observation, 0.0);
        QCOMPARE(profile.transforms, 0.0);
    }
    void observingIsBookedApartAndChangesNoBit()
    {
        SmallTransformer maker;
        const auto model = maker.make();
        const Feed feed {model->graph->inputs().front(), maker.input(3)};
        const Tensor expected = Executor(model).run({&feed, 1}, model->graph->outputs()).front();
        Executor executor(model);
        ExecutionProfile profile(*model->graph);
        executor.setProfile(&profile);
        Watcher watcher;
        const Tensor actual = executor.run({&feed, 1}, model->graph->outputs(), &watcher).front();
        QVERIFY(watcher.count > 0);
        QVERIFY(profile.observation > 0.0);
        QVERIFY(secondsOf(profile) + profile.observation <= profile.total);
        QCOMPARE(std::memcmp(actual.bytes(), expected.bytes(), expected.byteCount()), 0);
    }
};

QTEST_GUILESS_MAIN(TestExecutionProfile)
#include "tst_execution_profile.moc"
