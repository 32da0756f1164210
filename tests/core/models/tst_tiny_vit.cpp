#include "core/base/parallel.h"
#include "core/io/npy_file.h"
#include "core/models/model.h"
#include "core/runtime/executor.h"

#include <QTest>

#include <algorithm>
#include <cmath>
#include <set>

using namespace qs;

namespace {

/// Notes which sites the engine shows and whether their views have the site's groups.
class GroupObserver final : public SiteObserver
{
public:
    explicit GroupObserver(const Model& model)
        : m_model(model)
    {
    }

    std::set<std::string> seen;
    std::string wrong;

    bool wants(int site) const override { return at(site).kind == SiteKind::Activation; }
    void observe(int site, const ActivationView& view) override
    {
        const Site& observed = at(site);
        seen.insert(observed.name);
        const bool isImage = observed.role == Role::PatchEmbedding;
        const std::int64_t groups
            = observed.groupAxis == GroupAxis::Head || isImage ? view.heads : view.width;
        if (groups != observed.groups) {
            wrong += observed.name + " ";
        }
    }

private:
    [[nodiscard]] const Site& at(int site) const { return m_model.sites[static_cast<std::size_t>(site)]; }

    const Model& m_model;
};

std::vector<float> valuesOf(const Tensor& tensor)
{
    const Tensor values = tensor.toF32();
    return {values.data<float>().begin(), values.data<float>().end()};
}

double worstDifference(const std::vector<float>& actual, const std::vector<float>& expected)
{
    double worst = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        worst = std::max(worst, std::abs(double {actual[i]} - double {expected[i]}));
    }
    return worst;
}

} // namespace

/// Forward passes of the ViTs that tests/reference/make_tiny_vit.py computed with PyTorch in float64.
class TestTinyVit : public QObject
{
    Q_OBJECT

private slots:
    void computesPyTorchsLogits_data()
    {
        QTest::addColumn<QString>("name");
        for (const char* name : {"timm", "hf", "distilled", "deit3", "average"}) {
            QTest::newRow(name) << name;
        }
    }
    void computesPyTorchsLogits()
    {
        QFETCH(const QString, name);
        const auto folder = std::filesystem::path(QS_TEST_DATA) / ("tiny_vit_" + name.toStdString());
        const auto model = loadModel(folder);
        Executor executor(model);
        const std::array feeds {Feed {model->graph->inputs().front(), readNpy(folder / "pixels.npy")}};
        const Tensor expected = readNpy(folder / "logits.npy");
        GroupObserver observer(*model);
        const auto results = executor.run(feeds, model->graph->outputs(), &observer);
        QCOMPARE(results.size(), std::size_t {1});
        QCOMPARE(results.front().shape(), expected.shape());
        const std::vector<float> wanted = valuesOf(expected);
        double scale = 0;
        for (const float value : wanted) {
            scale = std::max(scale, std::abs(double {value}));
        }
        const double worst = worstDifference(valuesOf(results.front()), wanted);
        QVERIFY2(worst <= 1e-5 * scale, std::to_string(worst / scale).c_str());

        QVERIFY2(observer.wrong.empty(), observer.wrong.c_str());
        for (const Site& site : model->sites) {
            QVERIFY2(site.kind == SiteKind::Weight || observer.seen.contains(site.name), site.name.c_str());
        }
    }
};

QTEST_GUILESS_MAIN(TestTinyVit)
#include "tst_tiny_vit.moc"
