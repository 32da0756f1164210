#include "core/eval/float_fallback.h"

#include <QTest>

#include <cmath>

using namespace qs;

namespace {

SiteSensitivity measured(const char* site, SiteKind kind, double sqnrDb)
{
    SiteSensitivity result;
    result.site = site;
    result.kind = kind;
    result.bits = SiteChoice().bits;
    result.logitsSqnrDb = sqnrDb;
    return result;
}

Plan allEnabled(const std::vector<SiteSensitivity>& sites)
{
    Plan plan;
    for (const SiteSensitivity& site : sites) {
        plan.choices[site.site].enabled = true;
    }
    return plan;
}

const std::vector<SiteSensitivity> kSites {measured("a", SiteKind::Activation, 20.0),
    measured("b", SiteKind::Activation, 10.0), measured("c", SiteKind::Activation, 30.0),
    measured("w", SiteKind::Weight, 20.0)};

/// "b" is the input of the linear (node 7) whose weight is "w"; the others have no weight.
std::vector<Site> modelSites()
{
    std::vector<Site> sites(4);
    const char* names[] = {"a", "b", "c", "w"};
    for (std::size_t i = 0; i < sites.size(); ++i) {
        sites[i].name = names[i];
        sites[i].readers = {{static_cast<NodeId>(i), 0}};
    }
    sites[1].readers = {{7, 0}};
    sites[3].kind = SiteKind::Weight;
    sites[3].readers = {{7, 1}};
    return sites;
}

} // namespace

class TestFloatFallback : public QObject
{
    Q_OBJECT
private slots:
    void freesTheMostHarmfulUntilTheSumIsLowEnough()
    {
        // Noise powers 0.01, 0.1, 0.001 and 0.01: 0.121 in all, 0.011 without b and its weight, 0.001 without
        // a.
        const FloatFallback result
            = fallBackToFloat(modelSites(), allEnabled(kSites), kSites, 25.0); // 0.0032
        QCOMPARE(result.sites, (std::vector<std::string> {"b", "a"}));
        for (const char* freed : {"a", "b", "w"}) {
            QVERIFY2(!result.plan.find(freed)->enabled, freed);
        }
        QVERIFY(result.plan.find("c")->enabled);
        QVERIFY(std::abs(result.predictedSqnrDb - 30.0) < 1e-9);
    }
    void leavesAPlanThatIsGoodEnoughAlone()
    {
        const Plan plan = allEnabled(kSites);
        const FloatFallback result = fallBackToFloat(modelSites(), plan, kSites, 9.0);
        QVERIFY(result.sites.empty());
        QVERIFY(result.plan == plan);
    }
    void aWeightFallsBackWithItsInputOnly()
    {
        Plan plan = allEnabled(kSites);
        plan.choices["b"].enabled = false;
        const FloatFallback result = fallBackToFloat(modelSites(), plan, kSites, 90.0);
        QCOMPARE(result.sites, (std::vector<std::string> {"a", "c"}));
        QVERIFY(result.plan.find("w")->enabled);
        QVERIFY(std::abs(result.predictedSqnrDb - 20.0) < 1e-9);
    }
    void disabledSitesDoNotCount()
    {
        Plan plan = allEnabled(kSites);
        plan.choices["b"].enabled = false;
        QVERIFY(fallBackToFloat(modelSites(), plan, kSites, 16.0).sites.empty()); // 0.021 is 16.8 dB
    }
};

QTEST_GUILESS_MAIN(TestFloatFallback)
#include "tst_float_fallback.moc"
