#include "core/eval/site_times.h"
#include "core/models/model.h"

#include <QTest>

using namespace qs;

class TestSiteTimes : public QObject
{
    Q_OBJECT
private slots:
    void everyNodeCountsToOneSite()
    {
        const auto model = loadModel(QS_TEST_DATA "/tiny_vit_timm");
        const auto timeWith = [&](const std::string& node) {
            std::vector<NodeCost> one(model->graph->nodes().size());
            one[static_cast<std::size_t>(*model->graph->findNode(node))].seconds = 1.0;
            std::string found;
            double sum = 0.0;
            for (const auto& [site, seconds] : siteTimes(*model, one)) {
                found = seconds > 0.0 ? site : found;
                sum += seconds;
            }
            return std::pair(found, sum);
        };
        const std::pair<const char*, const char*> expected[] {
            {"patch_embed.proj", "patch_embed.proj.weight"},
            {"embed", "blocks.0.attn.qkv.input"}, // by way of the position embedding and norm1
            {"blocks.0.norm1", "blocks.0.attn.qkv.input"},
            {"blocks.0.attn.qkv", "blocks.0.attn.qkv.weight"},
            {"blocks.0.attn.matmul1", "blocks.0.attn.softmax"},
            {"blocks.0.attn.softmax", "blocks.0.attn.softmax"},
            {"blocks.0.attn.matmul2", "blocks.0.attn.proj.input"},
            {"blocks.0.residual1", "blocks.0.mlp.fc1.input"},
            {"blocks.0.mlp.act", "blocks.0.mlp.fc2.input"},
            {"blocks.0.residual2", "blocks.1.attn.qkv.input"},
            {"head", "head.weight"},
        };
        for (const auto& [node, site] : expected) {
            QCOMPARE(timeWith(node).first, std::string(site));
        }
        for (const Node& node : model->graph->nodes()) {
            QCOMPARE(timeWith(node.name).second, 1.0);
        }
    }
    void sitesWithoutNodesTakeNoTime()
    {
        const auto model = loadModel(QS_TEST_DATA "/tiny_vit_timm");
        std::vector<NodeCost> nodes(model->graph->nodes().size(), NodeCost {2.0, 0.0});
        const SiteTimes times = siteTimes(*model, nodes);
        QCOMPARE(times.size(), model->sites.size());
        QCOMPARE(times.at("patch_embed.proj.input"), 0.0); // the image itself
        double sum = 0.0;
        for (const auto& [site, seconds] : times) {
            sum += seconds;
        }
        QCOMPARE(sum, 2.0 * static_cast<double>(nodes.size()));
    }
};

QTEST_GUILESS_MAIN(TestSiteTimes)
#include "tst_site_times.moc"
