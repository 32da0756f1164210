#include "core/eval/bit_allocation.h"
#include "core/eval/plan_figures.h"

#include <nlohmann/json.hpp>

#include <QTest>

#include <cmath>
#include <fstream>

using namespace qs;

namespace {

SiteSensitivity measured(const Site& site, const SiteChoice& choice, int bits)
{
    SiteSensitivity result;
    result.site = site.name;
    result.kind = site.kind;
    result.choice = choice;
    result.choice.bits = bits;
    result.bits = bits;
    result.logitsSqnrDb = 6.0 * bits;
    return result;
}

} // namespace

/// Budgets of bits against all combinations tried one by one (tests/reference/make_bit_allocation.py).
class TestBitAllocation : public QObject
{
    Q_OBJECT
private slots:
    void theFrontIsTheHullOfAllCombinations()
    {
        std::ifstream file(QS_TEST_DATA "/bit_allocation.json");
        for (const nlohmann::json& each : nlohmann::json::parse(file).at("cases")) {
            std::vector<AllocationItem> items;
            for (std::size_t i = 0; i < each.at("costs").size(); ++i) {
                AllocationItem item {std::to_string(i), each.at("costs")[i].get<double>(), {}};
                for (std::size_t k = 0; k < each.at("widths").size(); ++k) {
                    item.noise[each.at("widths")[k].get<int>()] = each.at("noise")[i][k].get<double>();
                }
                items.push_back(std::move(item));
            }
            const std::vector<Allocation> front = allocationFront(items, each.at("fixed").get<double>());
            const nlohmann::json& expected = each.at("front");
            QCOMPARE(front.size(), expected.size());
            for (std::size_t i = 0; i < front.size(); ++i) {
                QVERIFY(std::abs(front[i].meanBits - expected[i].at("mean_bits").get<double>()) < 1e-9);
                const double noise = expected[i].at("noise").get<double>();
                QVERIFY(std::abs(front[i].noise - noise) < 1e-12 * noise);
                for (std::size_t k = 0; k < items.size(); ++k) {
                    QCOMPARE(front[i].bits.at(items[k].site), expected[i].at("bits")[k].get<int>());
                }
            }
        }
    }
    void aBudgetTakesTheBestBelowIt()
    {
        const std::vector<Allocation> front
            = allocationFront({{"a", 1.0, {{2, 0.1}, {4, 0.01}}}, {"b", 3.0, {{2, 0.2}, {4, 0.02}}}});
        QCOMPARE(front.size(), std::size_t {3});
        QCOMPARE(withinBudget(front, 4.0)->bits, (std::map<std::string, int> {{"a", 4}, {"b", 4}}));
        QCOMPARE(withinBudget(front, 3.99)->bits, front[1].bits);
        QCOMPARE(withinBudget(front, 1.0)->bits, front[0].bits); // as cheap as it gets
        QVERIFY(withinBudget({}, 4.0) == nullptr);
        QVERIFY(allocationFront({}).empty());
        QCOMPARE(allocationFront({{"a", 1.0, {{2, 0.01}}}}).front().predictedSqnrDb(), 20.0);
    }
    void aProblemIsMadeOfAPlanAndItsSensitivities()
    {
        const auto model = loadModel(QS_DEMO);
        Plan plan = makePreset(model->sites, {.weightBits = 4, .activationBits = 6});
        std::vector<SiteSensitivity> results;
        for (const Site& site : model->sites) {
            for (const int bits : {4, 6, 8}) {
                results.push_back(measured(site, plan.choices.at(site.name), bits));
            }
        }
        const auto weightSite = std::ranges::find(model->sites, SiteKind::Weight, &Site::kind);
        const AllocationProblem weights = allocationProblem(*model, plan, results, BudgetKind::Weights);
        const AllocationProblem activations
            = allocationProblem(*model, plan, results, BudgetKind::Activations);
        QCOMPARE(weights.items.size() + activations.items.size(), model->sites.size());
        // What planFigures() counts is what a budget is about.
        QVERIFY(std::abs(weights.present.meanBits - planFigures(*model, plan).weightBits) < 1e-9);
        QVERIFY(std::abs(activations.present.meanBits - planFigures(*model, plan).activationBits) < 1e-9);
        QVERIFY(
            std::abs(weights.present.noise - activations.present.noise) < 1e-12); // both are the whole plan's

        const std::vector<Allocation> front = allocationFront(weights.items, weights.fixedNoise);
        const Plan best = withBits(plan, front.back());
        QCOMPARE(best.find(weightSite->name)->bits, 8);
        QVERIFY(std::abs(planFigures(*model, best).weightBits - front.back().meanBits) < 1e-9);
        for (const Site& site : model->sites) {
            QVERIFY(site.kind == SiteKind::Weight || *best.find(site.name) == *plan.find(site.name));
        }

        // Another choice than the measured one cannot be judged, a site in floating point is not in the plan.
        plan.choices[weightSite->name].method = BoundMethod::Mse;
        QCOMPARE(allocationProblem(*model, plan, results, BudgetKind::Weights).items.size(),
            weights.items.size() - 1);
        plan.choices[weightSite->name] = {};
        QCOMPARE(allocationProblem(*model, plan, results, BudgetKind::Weights).items.size(),
            weights.items.size() - 1);
    }
};

QTEST_GUILESS_MAIN(TestBitAllocation)
#include "tst_bit_allocation.moc"
