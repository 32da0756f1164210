#include "core/base/error.h"
#include "core/graph/attention_decomposition.h"
#include "core/graph/graph_builder.h"
#include "core/runtime/executor.h"

#include <QTest>

#include <algorithm>
#include <cmath>

using namespace qs;

namespace {

using Attributes = std::map<std::string, Attribute>;

/// One Attention over the given query, key, value, mask, past key and past value (invalid: omitted),
/// decomposed.
std::vector<Tensor> attend(
    const std::vector<Tensor>& inputs, const Attributes& attributes, std::size_t outputs = 1)
{
    GraphBuilder builder;
    std::vector<ValueId> ids;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        const std::string name = "input." + std::to_string(i);
        ids.push_back(inputs[i].valid() ? builder.addInput(name, inputs[i].dtype(), inputs[i].shape().dims())
                                        : kNoValue);
    }
    std::vector<std::string> names {"result", "keys", "values", "scores"};
    names.resize(outputs);
    for (const ValueId output : builder.addNodeWithOutputs("Attention", "attn", ids, names, attributes)) {
        builder.addOutput(output);
    }
    auto model = std::make_shared<Model>();
    model->graph = decomposeAttention(*builder.build());
    std::vector<Feed> feeds;
    for (const Tensor& input : inputs) {
        if (input.valid()) {
            feeds.push_back({model->graph->inputs()[feeds.size()], input});
        }
    }
    return Executor(model).run(feeds, model->graph->outputs());
}

std::string difference(const Tensor& actual, const std::vector<double>& expected)
{
    const auto values = actual.data<float>();
    if (values.size() != expected.size()) {
        return std::to_string(values.size()) + " values";
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (!(std::abs(static_cast<double>(values[i]) - expected[i]) <= 1e-6)) {
            return "element " + std::to_string(i) + " is " + std::to_string(values[i]);
        }
    }
    return {};
}

#define COMPARE_VALUES(actual, ...)                                                                          \
    do {                                                                                                     \
        const std::string wrong = difference(actual, __VA_ARGS__);                                           \
        QVERIFY2(wrong.empty(), wrong.c_str());                                                              \
    } while (false)

const double kE = std::exp(1.0);

} // namespace

/// The written-out attention against softmaxes of ones and zeros.
class TestAttentionDecomposition : public QObject
{
    Q_OBJECT

private slots:
    void theSoftmaxIsANodeOfItsOwn()
    {
        GraphBuilder builder;
        const ValueId q = builder.addInput("q", DType::F32, {-1, 2, -1, 4});
        builder.addOutput(builder.addNodeWithOutputs("Attention", "attn", {q, q, q}, {"y"})[0]);
        const auto graph = decomposeAttention(*builder.build());
        std::string ops;
        for (const Node& node : graph->nodes()) {
            ops += node.op + " ";
        }
        QCOMPARE(ops, std::string("Transpose MatMul Mul Softmax MatMul "));
        QVERIFY(graph->findNode("attn.softmax").has_value());
        QVERIFY(graph->findValue("y").has_value());
    }

    void scoresAreScaledAndCappedByTanh()
    {
        const Tensor q = Tensor::of<float>(Shape {1, 1, 1, 4}, {2, 0, 0, 0});
        const Tensor k = Tensor::of<float>(Shape {1, 1, 2, 4}, {1, 0, 0, 0, 0, 0, 0, 0});
        const Tensor v = Tensor::of<float>(Shape {1, 1, 2, 1}, {1, 0});
        // 2 * 1 / sqrt(4) = 1 against 0
        COMPARE_VALUES(attend({q, k, v}, {})[0], {kE / (kE + 1)});
        COMPARE_VALUES(attend({q, k, v}, {{"scale", 1.0}})[0], {kE * kE / (kE * kE + 1)});
        const double capped = std::exp(0.5 * std::tanh(2.0));
        COMPARE_VALUES(attend({q, k, v}, {{"softcap", 0.5}})[0], {capped / (capped + 1)});
        const auto all
            = attend({q, k, v}, {{"softcap", 0.5}, {"qk_matmul_output_mode", std::int64_t {2}}}, 4);
        COMPARE_VALUES(all[3], {0.5 * std::tanh(2.0), 0.0});
    }

    void causalQueriesSeeThePastAndThemselves()
    {
        const Tensor zeros = Tensor::zeros(DType::F32, Shape {1, 1, 2, 4});
        const Tensor v = Tensor::of<float>(Shape {1, 1, 2, 1}, {6, 9});
        COMPARE_VALUES(attend({zeros, zeros, v}, {{"is_causal", std::int64_t {1}}})[0], {6, 7.5});
        const Tensor pastKey = Tensor::zeros(DType::F32, Shape {1, 1, 1, 4});
        const Tensor pastValue = Tensor::of<float>(Shape {1, 1, 1, 1}, {3});
        const auto all
            = attend({zeros, zeros, v, {}, pastKey, pastValue}, {{"is_causal", std::int64_t {1}}}, 3);
        COMPARE_VALUES(all[0], {4.5, 6});
        COMPARE_VALUES(all[2], {3, 6, 9});
    }

    void masksHideOrShift()
    {
        const Tensor q = Tensor::zeros(DType::F32, Shape {1, 1, 1, 4});
        const Tensor k = Tensor::zeros(DType::F32, Shape {1, 1, 3, 4});
        const Tensor v = Tensor::of<float>(Shape {1, 1, 3, 1}, {1, 2, 4});
        Tensor seen(DType::Bool, Shape {1, 3});
        auto* bytes = const_cast<std::byte*>(seen.bytes());
        bytes[0] = bytes[2] = std::byte {1};
        bytes[1] = std::byte {0};
        COMPARE_VALUES(attend({q, k, v, seen}, {})[0], {2.5});
        const Tensor shift = Tensor::of<float>(Shape {1, 3}, {1, 0, 0});
        COMPARE_VALUES(attend({q, k, v, shift}, {})[0], {(kE + 2 + 4) / (kE + 2)});
        const Tensor shorter = Tensor::of<float>(Shape {1, 2}, {0, 0}); // the third position is hidden
        COMPARE_VALUES(attend({q, k, v, shorter}, {})[0], {1.5});
    }

    void groupedHeadsShareKeysWithTheirNeighbours()
    {
        const Attributes heads {{"q_num_heads", std::int64_t {4}}, {"kv_num_heads", std::int64_t {2}}};
        const Tensor q = Tensor::zeros(DType::F32, Shape {1, 1, 8});
        const Tensor kv = Tensor::of<float>(Shape {1, 1, 4}, {1, 2, 3, 4}); // heads (1, 2) and (3, 4)
        COMPARE_VALUES(attend({q, kv, kv}, heads)[0], {1, 2, 1, 2, 3, 4, 3, 4});
    }

    void whatCannotBeWrittenOutIsRefusedByName()
    {
        GraphBuilder builder;
        const ValueId q = builder.addInput("q", DType::F32, {1, 2, 3, -1});
        builder.addOutput(builder.addNode("Attention", "layers.0.attn", {q, q, q}));
        const auto graph = builder.build();
        try {
            static_cast<void>(decomposeAttention(*graph));
            QFAIL("an unknown head size was accepted");
        } catch (const Error& error) {
            QCOMPARE(error.code(), ErrorCode::Unsupported);
            QVERIFY(std::string(error.what()).find("layers.0.attn") != std::string::npos);
        }
    }
};

QTEST_GUILESS_MAIN(TestAttentionDecomposition)
#include "tst_attention_decomposition.moc"
