#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/quant/fake_quantizer.h"
#include "core/quant/quantization_error.h"
#include "core/quant/resolve.h"
#include "core/quant/scale.h"
#include "tests/core/quant/quant_samples.h"

#include <QTest>

#include <cmath>
#include <limits>

using namespace qs;

namespace {

SiteChoice choice(BoundMethod method, int bits, Granularity granularity = Granularity::Tensor,
    Symmetry symmetry = Symmetry::Asymmetric, QuantizerKind kind = QuantizerKind::Uniform)
{
    SiteChoice result;
    result.enabled = true;
    result.method = method;
    result.bits = bits;
    result.granularity = granularity;
    result.symmetry = symmetry;
    result.kind = kind;
    return result;
}

SiteStatistics siteOf(const std::vector<std::vector<float>>& groups, int exponent)
{
    SiteStatistics site;
    for (const auto& values : groups) {
        site.groups.push_back(samples::linearStatistics(values, exponent));
    }
    return site;
}

double squaredError(const std::vector<float>& values, const QuantParams& params)
{
    double error = 0.0;
    for (const float x : values) {
        const double difference
            = static_cast<double>(x) - static_cast<double>(samples::reference(x, params, 0));
        error += difference * difference;
    }
    return error;
}

/// Two channels, one of them far wider.
std::vector<std::vector<float>> twoChannels()
{
    return {samples::normal(4000, 1, 0.1F, 0.3F), samples::normal(4000, 2, -1.0F, 3.0F)};
}

} // namespace

class TestResolve : public QObject
{
    Q_OBJECT

private slots:
    void minMaxByHand()
    {
        const SiteStatistics site = siteOf({{-1.0F, 0.5F}, {3.0F, 14.0F}}, -3);
        QuantParams params = resolveActivation(choice(BoundMethod::MinMax, 4), site);
        QCOMPARE(params.scales, (std::vector<float> {1.0F})); // (14 + 1) / 15
        QCOMPARE(params.zeroPoints, (std::vector<std::int32_t> {1}));
        QCOMPARE(params.bounds, (std::vector<Bounds> {{-1.0, 14.0}}));
        params = resolveActivation(choice(BoundMethod::MinMax, 4, Granularity::Group), site);
        QCOMPARE(params.scales, (std::vector<float> {0.1F, 11.0F / 15.0F}));
        QCOMPARE(params.zeroPoints, (std::vector<std::int32_t> {10, -4})); // zero is outside [3, 14]
        params = resolveActivation(
            choice(BoundMethod::MinMax, 4, Granularity::Tensor, Symmetry::Symmetric), site);
        QCOMPARE(params.scales, (std::vector<float> {2.0F}));
        QCOMPARE(params.zeroPoints, (std::vector<std::int32_t> {0}));
        QCOMPARE(params.bounds, (std::vector<Bounds> {{-14.0, 14.0}}));
        params = resolveActivation(choice(BoundMethod::MinMax, 4, Granularity::Tensor, Symmetry::Asymmetric,
                                       QuantizerKind::LogSqrt2),
            site);
        QCOMPARE(params.scales, (std::vector<float> {14.0F}));
    }
    void constantChannelsAreReproduced_data();
    void constantChannelsAreReproduced();
    void emptyGroupsGetScaleOne()
    {
        const SiteStatistics site = siteOf({{}, {-1.0F, 2.0F}}, -3);
        const QuantParams params = resolveActivation(choice(BoundMethod::Mse, 2, Granularity::Group), site);
        QCOMPARE(params.scales.front(), 1.0F);
        QCOMPARE(params.zeroPoints.front(), 0);
        const SiteStatistics nothing = siteOf({{}, {}}, -3);
        QCOMPARE(resolveActivation(choice(BoundMethod::Percentile, 2), nothing).scales,
            (std::vector<float> {1.0F}));
        QVERIFY_THROWS_EXCEPTION(
            Error, static_cast<void>(resolveActivation(choice(BoundMethod::MinMax, 4), SiteStatistics {})));
    }
    void farNarrowRangesKeepAnExactZeroPoint()
    {
        const Scale scale
            = scaleForBounds(QuantizerKind::Uniform, Symmetry::Asymmetric, 8, {1e6, 1e6 + 0.125});
        QVERIFY(std::abs(scale.zeroPoint) <= kMaxZeroPoint);
        const QuantParams params
            = paramsForBounds(QuantizerKind::Uniform, Symmetry::Asymmetric, 8, {1e6, 1e6 + 0.125});
        QVERIFY(std::abs(samples::reference(1e6F, params, 0) - 1e6F) < 1.0F);
        const Scale wide = scaleForBounds(QuantizerKind::Uniform, Symmetry::Asymmetric, 2, {-3e38, 3e38});
        QVERIFY(std::isfinite(wide.step));
        const Scale tiny = scaleForBounds(QuantizerKind::Uniform, Symmetry::Asymmetric, 16, {0.0, 1e-40});
        QVERIFY(std::isnormal(tiny.step));
    }
    void manualBounds();
    void percentileTakesTheBestCandidate();
    void tensorQuantilesUniteTheGroups();
    void mseIsNeverWorseAndCloseToTheFullGrid_data();
    void mseIsNeverWorseAndCloseToTheFullGrid();
    void logarithmicBaseBySearch();
    void weightsByOutputChannel();
    void weightsIgnoreValuesThatAreNotFinite();
    void sameBitsForAnyThreadCount();
    void refusesBadBits();
    void plans();
    void cancels();
};

void TestResolve::constantChannelsAreReproduced_data()
{
    QTest::addColumn<float>("constant");
    for (const float value : {0.0F, 0.37F, -0.37F, 1e-3F, -5.0F, 1e20F, -1e-9F}) {
        QTest::addRow("%g", static_cast<double>(value)) << value;
    }
}

void TestResolve::constantChannelsAreReproduced()
{
    QFETCH(const float, constant);
    const SiteStatistics site = siteOf({std::vector<float>(10, constant)}, constant == 1e20F ? 60 : -8);
    for (const auto method : kAutomaticMethods) {
        for (const auto symmetry : {Symmetry::Asymmetric, Symmetry::Symmetric}) {
            for (const int bits : {2, 4, 8, 16}) {
                const QuantParams params
                    = resolveActivation(choice(method, bits, Granularity::Group, symmetry), site);
                QVERIFY(params.scales.front() > 0.0F);
                const float result = samples::reference(constant, params, 0);
                QVERIFY(std::abs(result - constant) <= std::max(1e-8F, 2e-7F * std::abs(constant)));
                if (symmetry == Symmetry::Asymmetric) {
                    const auto top = static_cast<float>(params.maximumCode());
                    QCOMPARE(params.scales.front(), std::max(std::abs(constant), 1e-8F) / top);
                    QCOMPARE(params.zeroPoints.front(), constant >= 0.0F ? 0 : params.maximumCode());
                }
            }
        }
    }
}

void TestResolve::manualBounds()
{
    const SiteStatistics site = siteOf(twoChannels(), -4);
    SiteChoice manual = choice(BoundMethod::Manual, 4);
    QVERIFY_THROWS_EXCEPTION(Error, static_cast<void>(resolveActivation(manual, site))); // none given
    manual.manualBounds = {{-0.5, 1.0}};
    QuantParams params = resolveActivation(manual, site);
    QCOMPARE(params.scales, (std::vector<float> {0.1F}));
    QCOMPARE(params.zeroPoints, (std::vector<std::int32_t> {5}));
    manual.granularity = Granularity::Group;
    QCOMPARE(resolveActivation(manual, site).scales, (std::vector<float> {0.1F, 0.1F}));
    manual.manualBounds = {{-0.5, 1.0}, {0.0, 3.0}};
    params = resolveActivation(manual, site);
    QCOMPARE(params.scales, (std::vector<float> {0.1F, 0.2F}));
    QCOMPARE(params.bounds, manual.manualBounds);
    manual.granularity = Granularity::Tensor;
    QVERIFY_THROWS_EXCEPTION(Error, static_cast<void>(resolveActivation(manual, site)));
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const double infinity = std::numeric_limits<double>::infinity();
    for (const Bounds bad :
        {Bounds {1.0, 0.5}, Bounds {nan, 1.0}, Bounds {0.0, nan}, Bounds {-infinity, 1.0}}) {
        manual.manualBounds = {bad};
        QVERIFY_THROWS_EXCEPTION(Error, static_cast<void>(resolveActivation(manual, site)));
    }
    manual.kind = QuantizerKind::Log2;
    manual.manualBounds = {{-1.0, 0.0}};
    QVERIFY_THROWS_EXCEPTION(Error, static_cast<void>(resolveActivation(manual, site)));
    manual.manualBounds = {{0.0, 0.75}};
    QCOMPARE(resolveActivation(manual, site).scales, (std::vector<float> {0.75F}));
}

void TestResolve::percentileTakesTheBestCandidate()
{
    // Normal values and one far outlier in 2000: at 2 bits the cut at 0.999 wins, at 16 bits the widest.
    std::vector<float> values = samples::normal(20000, 4);
    values[5] = 40.0F;
    std::vector<float> sorted = values;
    std::ranges::sort(sorted);
    const auto quantile = [&](double p) {
        const auto h = static_cast<double>(static_cast<float>(sorted.size() - 1) * static_cast<float>(p));
        const auto i = static_cast<std::size_t>(h);
        const double next = sorted[std::min(i + 1, sorted.size() - 1)];
        return static_cast<double>(sorted[i]) + (h - std::floor(h)) * (next - static_cast<double>(sorted[i]));
    };
    for (const int bits : {2, 4, 8, 16}) {
        double least = std::numeric_limits<double>::infinity();
        Bounds best;
        for (const double p : {0.999, 0.9999, 0.99999}) {
            const Bounds bounds {quantile(1.0 - p), quantile(p)};
            const double error = squaredError(
                values, paramsForBounds(QuantizerKind::Uniform, Symmetry::Asymmetric, bits, bounds));
            if (error < least) {
                least = error;
                best = bounds;
            }
        }
        const Tensor weight = Tensor::of<float>({1, 20000}, std::span<const float>(values));
        const QuantParams exact
            = resolveWeight(choice(BoundMethod::Percentile, bits, Granularity::Group), weight, 0);
        QVERIFY(std::abs(exact.bounds.front().lower - best.lower) < 1e-5);
        QVERIFY(std::abs(exact.bounds.front().upper - best.upper) < 1e-5);
        const QuantParams binned = resolveActivation(
            choice(BoundMethod::Percentile, bits, Granularity::Group), siteOf({values}, -6));
        QVERIFY(std::abs(binned.bounds.front().lower - best.lower) < 1.0 / 64);
        // Beside the outlier, half a float32 rank of 20000 is a thousandth of 36.
        QVERIFY(std::abs(binned.bounds.front().upper - best.upper) < 1.0 / 64 + 0.04);
    }
}

void TestResolve::tensorQuantilesUniteTheGroups()
{
    const auto channels = twoChannels();
    std::vector<float> all = channels[0];
    all.insert(all.end(), channels[1].begin(), channels[1].end());
    const SiteStatistics apart = siteOf(channels, -4);
    const SiteStatistics together = siteOf({all}, -4);
    for (const int bits : {2, 3, 8}) {
        for (const auto method : {BoundMethod::MinMax, BoundMethod::Percentile, BoundMethod::Mse}) {
            const Bounds a = resolveActivation(choice(method, bits), apart).bounds.front();
            const Bounds b = resolveActivation(choice(method, bits), together).bounds.front();
            const double tolerance = method == BoundMethod::Mse ? 0.3 : 0.07;
            QVERIFY(std::abs(a.lower - b.lower) < tolerance);
            QVERIFY(std::abs(a.upper - b.upper) < tolerance);
        }
    }
}

void TestResolve::mseIsNeverWorseAndCloseToTheFullGrid_data()
{
    QTest::addColumn<int>("bits");
    QTest::addColumn<int>("shape");
    for (const int bits : {2, 3, 4, 6, 8}) {
        for (int shape = 0; shape < 4; ++shape) {
            QTest::addRow("%d bits, shape %d", bits, shape) << bits << shape;
        }
    }
}

void TestResolve::mseIsNeverWorseAndCloseToTheFullGrid()
{
    QFETCH(const int, bits);
    QFETCH(const int, shape);
    const std::vector<float> values = samples::ofShape(1500, shape);
    const Tensor weight = Tensor::of<float>({1, 1500}, std::span<const float>(values));
    const auto [least, most] = std::ranges::minmax(values);
    double mean = 0.0;
    for (const float x : values) {
        mean += static_cast<double>(x) / 1500.0;
    }
    const auto errorAt = [&](double a, double b) {
        const Bounds bounds {
            mean + a * (static_cast<double>(least) - mean), mean + b * (static_cast<double>(most) - mean)};
        return squaredError(
            values, paramsForBounds(QuantizerKind::Uniform, Symmetry::Asymmetric, bits, bounds));
    };
    double grid = std::numeric_limits<double>::infinity();
    for (int a = 4; a <= 100; a += 2) {
        for (int b = 4; b <= 100; b += 2) {
            grid = std::min(grid, errorAt(0.01 * a, 0.01 * b));
        }
    }
    const QuantParams found = resolveWeight(choice(BoundMethod::Mse, bits, Granularity::Group), weight, 0);
    const double error = squaredError(values, found);
    QVERIFY(error <= errorAt(1.0, 1.0));
    QVERIFY2(error <= 1.05 * grid, qPrintable(QString("%1 times the grid's best").arg(error / grid)));
    const auto symmetric = [&](BoundMethod method) {
        return squaredError(
            values, resolveWeight(choice(method, bits, Granularity::Group, Symmetry::Symmetric), weight, 0));
    };
    QVERIFY(symmetric(BoundMethod::Mse) <= symmetric(BoundMethod::MinMax));
}

void TestResolve::logarithmicBaseBySearch()
{
    const std::vector<float> values = samples::attention(100, 197, 9, 2.0F);
    SiteStatistics site;
    site.axis = GroupAxis::Head;
    site.groups = {samples::log2Statistics(values, 16, 24)};
    for (const auto kind : {QuantizerKind::Log2, QuantizerKind::LogSqrt2}) {
        const auto errorOf = [&](BoundMethod method) {
            return squaredError(values,
                resolveActivation(choice(method, 4, Granularity::Group, Symmetry::Asymmetric, kind), site));
        };
        QVERIFY(errorOf(BoundMethod::Mse) <= 1.02 * errorOf(BoundMethod::MinMax));
        const QuantParams params = resolveActivation(
            choice(BoundMethod::Percentile, 4, Granularity::Tensor, Symmetry::Asymmetric, kind), site);
        QVERIFY(params.axis == GroupAxis::Head);
        QVERIFY(params.scales.front() < 1.0F && params.scales.front() > 0.05F);
    }
    const SiteStatistics negative = siteOf({{-3.0F, -2.0F}}, -3);
    QCOMPARE(resolveActivation(
                 choice(BoundMethod::Mse, 4, Granularity::Tensor, Symmetry::Asymmetric, QuantizerKind::Log2),
                 negative)
                 .scales,
        (std::vector<float> {1.0F}));
}

void TestResolve::weightsByOutputChannel()
{
    const Tensor rows = Tensor::of<float>({2, 3}, {-1.0F, 0.0F, 2.0F, 0.0F, 0.0F, 0.0F});
    const Tensor columns = Tensor::of<float>({3, 2}, {-1.0F, 0.0F, 0.0F, 0.0F, 2.0F, 0.0F});
    const Tensor kernels = Tensor::of<float>({2, 1, 3, 1}, {-1.0F, 0.0F, 2.0F, 0.0F, 0.0F, 0.0F});
    const SiteChoice perChannel = choice(BoundMethod::MinMax, 2, Granularity::Group);
    for (const auto& [weight, axis] : {std::pair {rows, 0}, std::pair {columns, 1}, std::pair {kernels, 0}}) {
        const QuantParams params = resolveWeight(perChannel, weight, axis);
        QCOMPARE(params.scales, (std::vector<float> {1.0F, 1e-8F / 3.0F}));
        QCOMPARE(params.zeroPoints, (std::vector<std::int32_t> {1, 0}));
        const QuantParams whole = resolveWeight(choice(BoundMethod::MinMax, 2), weight, axis);
        QCOMPARE(whole.scales, (std::vector<float> {1.0F}));
    }
    QVERIFY_THROWS_EXCEPTION(Error, static_cast<void>(resolveWeight(perChannel, rows, 2)));
    const Tensor doubles = Tensor::of<double>({1, 1}, {1.0});
    QVERIFY_THROWS_EXCEPTION(Error, static_cast<void>(resolveWeight(perChannel, doubles, 0)));
}

void TestResolve::weightsIgnoreValuesThatAreNotFinite()
{
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const float infinity = std::numeric_limits<float>::infinity();
    const Tensor weight = Tensor::of<float>({3, 2}, {nan, 1.0F, infinity, -2.0F, nan, nan});
    const QuantParams params
        = resolveWeight(choice(BoundMethod::Percentile, 2, Granularity::Group), weight, 0);
    QCOMPARE(params.scales, (std::vector<float> {1.0F / 3.0F, 2.0F / 3.0F, 1.0F}));
    QCOMPARE(params.zeroPoints, (std::vector<std::int32_t> {0, 3, 0}));
}

void TestResolve::sameBitsForAnyThreadCount()
{
    const std::vector<float> values = samples::normal(100 * 64, 3);
    const Tensor weight = Tensor::of<float>({100, 64}, std::span<const float>(values));
    std::vector<std::vector<float>> channels;
    for (unsigned i = 0; i < 100; ++i) {
        channels.push_back(samples::normal(200, i, 0.01F * static_cast<float>(i)));
    }
    const SiteStatistics site = siteOf(channels, -3);
    const int threads = threadCount();
    for (const auto method : {BoundMethod::Percentile, BoundMethod::Mse}) {
        for (const auto granularity : {Granularity::Tensor, Granularity::Group}) {
            setThreadCount(1);
            const QuantParams a = resolveWeight(choice(method, 4, granularity), weight, 1);
            const QuantParams b = resolveActivation(choice(method, 4, granularity), site);
            setThreadCount(3);
            QVERIFY(resolveWeight(choice(method, 4, granularity), weight, 1) == a);
            QVERIFY(resolveActivation(choice(method, 4, granularity), site) == b);
        }
    }
    setThreadCount(threads);
}

void TestResolve::refusesBadBits()
{
    const SiteStatistics site = siteOf(twoChannels(), -4);
    const Tensor weight = Tensor::of<float>({1, 2}, {1.0F, 2.0F});
    for (const int bits : {-3, 0, 1, 17, 100}) {
        QVERIFY_THROWS_EXCEPTION(
            Error, static_cast<void>(resolveActivation(choice(BoundMethod::MinMax, bits), site)));
        QVERIFY_THROWS_EXCEPTION(
            Error, static_cast<void>(resolveWeight(choice(BoundMethod::MinMax, bits), weight, 0)));
    }
}

namespace {

Model twoSites()
{
    Model model;
    model.graph = std::make_shared<const Graph>();
    for (const char* name : {"a", "b"}) {
        Site site;
        site.name = name;
        model.sites.push_back(site);
    }
    return model;
}

Calibration calibrationOf(const std::vector<std::string>& names)
{
    Calibration calibration;
    for (const std::string& name : names) {
        calibration.sites[name] = std::make_shared<const SiteStatistics>(siteOf(twoChannels(), -4));
    }
    return calibration;
}

} // namespace

void TestResolve::plans()
{
    const Model model = twoSites();
    const Calibration calibration = calibrationOf({"a", "b"});
    Plan plan;
    plan.choices["a"] = choice(BoundMethod::MinMax, 4);
    plan.choices["b"] = choice(BoundMethod::MinMax, 4);
    plan.choices["b"].enabled = false;
    const ResolvedPlan resolved = resolvePlan(model, plan, calibration);
    QCOMPARE(resolved.size(), std::size_t {1});
    QVERIFY(resolved.at("a") == resolveActivation(plan.choices["a"], *calibration.find("a")));
    Plan edited = plan;
    edited.choices["b"].enabled = true;
    edited.choices["a"].bits = 6;
    QVERIFY(updateResolvedPlan(resolved, plan, model, edited, calibration)
        == resolvePlan(model, edited, calibration));
    ResolvedPlan marked = resolved; // an unchanged site is taken over, not worked out again
    marked.at("a").scales.front() = 123.0F;
    Plan other = plan;
    other.choices["b"].enabled = true;
    QCOMPARE(updateResolvedPlan(marked, plan, model, other, calibration).at("a").scales.front(), 123.0F);
    Plan unknown = plan;
    unknown.choices["c"] = choice(BoundMethod::MinMax, 4);
    QVERIFY_THROWS_EXCEPTION(Error, static_cast<void>(resolvePlan(model, unknown, calibration)));
    try {
        static_cast<void>(resolvePlan(model, plan, calibrationOf({"b"})));
        QFAIL("the calibration lacks a site");
    } catch (const Error& error) {
        QVERIFY(std::string(error.what()).find("'a'") != std::string::npos);
        QVERIFY(error.code() == ErrorCode::InvalidArgument);
    }
}

void TestResolve::cancels()
{
    std::stop_source source;
    source.request_stop();
    const TaskContext context {source.get_token(), {}};
    Plan plan;
    plan.choices["a"] = choice(BoundMethod::Mse, 4);
    try {
        static_cast<void>(resolvePlan(twoSites(), plan, calibrationOf({"a"}), context));
        QFAIL("a stop was requested");
    } catch (const Error& error) {
        QVERIFY(error.code() == ErrorCode::Cancelled);
    }
}

QTEST_GUILESS_MAIN(TestResolve)
#include "tst_resolve.moc"
