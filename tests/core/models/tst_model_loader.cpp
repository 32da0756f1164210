#include "core/base/error.h"
#include "core/models/model.h"

#include <QTest>

using namespace qs;

/// DeiT-Tiny/16-224 as published (timm's form).
class TestModelLoader : public QObject
{
    Q_OBJECT

    std::shared_ptr<const Model> m_model;

    [[nodiscard]] const Site& site(const char* name) const
    {
        return m_model->sites.at(static_cast<std::size_t>(indexOfSite(m_model->sites, name)));
    }

private slots:
    void initTestCase()
    {
        m_model = loadModel(std::string(QS_SHARED_DATA) + "/models/deit_tiny_patch16_224");
    }
    void hasThePublishedSize()
    {
        QCOMPARE(m_model->graph->parameterCount(), std::int64_t {5'717'416});
        QCOMPARE(m_model->name, std::string("deit_tiny_patch16_224"));
        const Graph& graph = *m_model->graph;
        QCOMPARE(graph.value(graph.inputs().at(0)).dims, (std::vector<std::int64_t> {-1, 3, 224, 224}));
        QCOMPARE(graph.value(graph.outputs().at(0)).name, std::string("logits"));
        QCOMPARE(graph.value(graph.outputs().at(0)).dims, (std::vector<std::int64_t> {-1, 1000}));
    }
    void readsThePreprocessing()
    {
        const Preprocessing expected {
            224, 224, 256, Resampling::Bicubic, {0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}};
        QVERIFY(m_model->preprocessing == expected);
    }
    void everyValueHasDims()
    {
        for (const Value& value : m_model->graph->values()) {
            QVERIFY2(value.dimsKnown && !value.name.empty(), value.name.c_str());
        }
    }
    void findsAllSites()
    {
        // 1 conv input + 12 x (qkv, q, k, softmax, v, proj, fc1, fc2) + head; 1 + 12 x 4 + 1 weights
        const auto isWeight = [](const Site& s) { return s.kind == SiteKind::Weight; };
        QCOMPARE(std::ranges::count_if(m_model->sites, isWeight), std::ptrdiff_t {50});
        QCOMPARE(m_model->sites.size(), std::size_t {148});
    }
    void namesSitesInExecutionOrder()
    {
        const std::vector<std::string> expected {"patch_embed.proj.input", "patch_embed.proj.weight",
            "blocks.0.attn.qkv.input", "blocks.0.attn.qkv.weight", "blocks.0.attn.query", "blocks.0.attn.key",
            "blocks.0.attn.softmax", "blocks.0.attn.value", "blocks.0.attn.proj.input",
            "blocks.0.attn.proj.weight", "blocks.0.mlp.fc1.input", "blocks.0.mlp.fc1.weight",
            "blocks.0.mlp.fc2.input", "blocks.0.mlp.fc2.weight", "blocks.1.attn.qkv.input"};
        for (std::size_t i = 0; i < expected.size(); ++i) {
            QCOMPARE(m_model->sites[i].name, expected[i]);
        }
        QCOMPARE(m_model->sites.back().name, std::string("head.weight"));
    }
    void knowsRolesAndGroups()
    {
        QCOMPARE(site("blocks.11.attn.qkv.input").role, Role::PostNormQkv);
        QCOMPARE(site("blocks.11.attn.qkv.input").groups, std::int64_t {192});
        QCOMPARE(site("blocks.11.attn.qkv.weight").groups, std::int64_t {576});
        QCOMPARE(site("blocks.11.attn.qkv.weight").role, Role::PostNormQkv);
        QCOMPARE(site("blocks.11.attn.softmax").role, Role::Softmax);
        QCOMPARE(site("blocks.11.attn.softmax").groups, std::int64_t {3});
        QVERIFY(site("blocks.11.attn.softmax").groupAxis == GroupAxis::Head);
        QCOMPARE(site("blocks.11.attn.softmax").layer, std::string("blocks.11.attn.matmul2"));
        QCOMPARE(site("blocks.11.attn.softmax").block, std::string("blocks.11"));
        QCOMPARE(site("blocks.11.attn.key").layer, std::string("blocks.11.attn.matmul1"));
        QCOMPARE(site("blocks.11.attn.proj.input").role, Role::Projection);
        QCOMPARE(site("blocks.11.mlp.fc1.input").role, Role::PostNormFc1);
        QCOMPARE(site("blocks.11.mlp.fc2.input").role, Role::PostGeluFc2);
        QCOMPARE(site("blocks.11.mlp.fc2.input").groups, std::int64_t {768});
        QCOMPARE(site("head.input").role, Role::Head);
        QCOMPARE(site("head.input").block, std::string());
        QCOMPARE(site("patch_embed.proj.input").role, Role::PatchEmbedding);
        QCOMPARE(site("patch_embed.proj.input").groups, std::int64_t {3});
    }
};

QTEST_GUILESS_MAIN(TestModelLoader)
#include "tst_model_loader.moc"
