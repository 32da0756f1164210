#include "core/base/error.h"
#include "core/eval/model_benchmark.h"
#include "core/eval/random_feeds.h"
#include "core/graph/graph_builder.h"

#include <QTest>

#include <algorithm>
#include <set>

using namespace qs;

namespace {

constexpr auto kModel = QS_TEST_DATA "/tiny_vit_timm";

/// Token ids [N, T] looked up in a table of 7 rows, and a mask that multiplies.
std::shared_ptr<const Model> tokenModel()
{
    GraphBuilder builder;
    const ValueId ids = builder.addInput("ids", DType::I64, {-1, -1});
    const ValueId mask = builder.addInput("mask", DType::I64, {-1, -1});
    const ValueId table = builder.addConstant("table", Tensor::zeros(DType::F32, {7, 4}));
    const ValueId rows = builder.addNode("Gather", "embedding", {table, ids}, {{"axis", std::int64_t {0}}});
    builder.addOutput(rows);
    builder.addOutput(mask);
    auto model = std::make_shared<Model>();
    model->graph = builder.build();
    return model;
}

} // namespace

class TestModelBenchmark : public QObject
{
    Q_OBJECT
private slots:
    void measuresEveryFigure()
    {
        const auto model = loadModel(kModel);
        const FeedBatches batches {randomFeeds(*model, 4, 0), randomFeeds(*model, 3, 1)};
        const ModelBenchmark result = benchmarkModel(model, batches, 0.01);
        QCOMPARE(result.samples, std::int64_t {7});
        QCOMPARE(result.tokens, std::int64_t {0});
        QVERIFY(result.rounds >= 3);
        QVERIFY(result.plainSeconds > 0.0);
        QVERIFY(result.calibrationSeconds > 0.0);
        QVERIFY(result.observationSeconds > 0.0);
        QCOMPARE(result.nodes.size(), model->graph->nodes().size());
        // Four patches of 3 x 8 x 8 and a class token, width 32, two blocks with two heads of 16, ten
        // classes.
        const double block = 5 * 32 * (96 + 32 + 96 + 96) + 2 * 2 * 5 * 5 * 16;
        QCOMPARE(result.operations, 2.0 * 7 * (4 * 3 * 8 * 8 * 32 + 2 * block + 32 * 10));
        QCOMPARE(result.samplesPerSecond() * result.plainSeconds, 7.0);
    }
    void withoutSamplesThereIsNothingToMeasure()
    {
        QVERIFY_EXCEPTION_THROWN((void)benchmarkModel(loadModel(kModel), {}, 0.01), Error);
    }
    void cancellingStopsIt()
    {
        const auto model = loadModel(kModel);
        std::stop_source source;
        source.request_stop();
        try {
            (void)benchmarkModel(model, {randomFeeds(*model, 1, 0)}, 1.0, {source.get_token(), {}});
            QFAIL("nothing was thrown");
        } catch (const Error& error) {
            QCOMPARE(error.code(), ErrorCode::Cancelled);
        }
    }
    void tokenIdsStayInsideTheirTable()
    {
        const auto model = tokenModel();
        QVERIFY(readsTokens(*model));
        const std::vector<Feed> feeds = randomFeeds(*model, 3, 5);
        QCOMPARE(feeds.size(), std::size_t {2});
        QVERIFY(feeds[0].tensor.shape() == (Shape {3, kRandomTokens}));
        const auto ids = feeds[0].tensor.data<std::int64_t>();
        const std::set<std::int64_t> seen(ids.begin(), ids.end());
        QCOMPARE(seen, (std::set<std::int64_t> {0, 1, 2, 3, 4, 5, 6}));
        const auto mask = feeds[1].tensor.data<std::int64_t>();
        QVERIFY(std::ranges::all_of(mask, [](std::int64_t one) { return one == 1; }));
        QVERIFY(std::ranges::equal(ids, randomFeeds(*model, 3, 5)[0].tensor.data<std::int64_t>()));
        QVERIFY(!std::ranges::equal(ids, randomFeeds(*model, 3, 6)[0].tensor.data<std::int64_t>()));
    }
};

QTEST_GUILESS_MAIN(TestModelBenchmark)
#include "tst_model_benchmark.moc"
