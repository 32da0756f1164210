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

} // namespace

class TestFloatFallback : public QObject
{
    Q_OBJECT
private slots:
    void freesTheMostHarmfulUntilTheSumIsLowEnough()
    {
        // Noise powers 0.01, 0.1, 0.001 and 0.01: 0.121 in all, 0.021 without b, 0.011 without b and a.
        const FloatFallback result = fallBackToFloat(allEnabled(kSites), kSites, 19.0); // 0.0126
        QCOMPARE(result.sites, (std::vector<std::string> {"b", "a"}));
        QVERIFY(!result.plan.find("b")->enabled && !result.plan.find("a")->enabled);
        QVERIFY(result.plan.find("c")->enabled && result.plan.find("w")->enabled);
        QVERIFY(std::abs(result.predictedSqnrDb - 10.0 * std::log10(1.0 / 0.011)) < 1e-9);
    }
    void leavesAPlanThatIsGoodEnoughAlone()
    {
        const Plan plan = allEnabled(kSites);
        const FloatFallback result = fallBackToFloat(plan, kSites, 9.0);
        QVERIFY(result.sites.empty());
        QVERIFY(result.plan == plan);
    }
    void weightsAreNeverFreed()
    {
        const FloatFallback result = fallBackToFloat(allEnabled(kSites), kSites, 90.0);
        QCOMPARE(result.sites.size(), std::size_t {3});
        QVERIFY(result.plan.find("w")->enabled);
        QVERIFY(std::abs(result.predictedSqnrDb - 20.0) < 1e-9);
    }
    void disabledSitesDoNotCount()
    {
        Plan plan = allEnabled(kSites);
        plan.choices["b"].enabled = false;
        QVERIFY(fallBackToFloat(plan, kSites, 16.0).sites.empty()); // 0.021 is 16.8 dB
    }
};

QTEST_GUILESS_MAIN(TestFloatFallback)
#include "tst_float_fallback.moc"
