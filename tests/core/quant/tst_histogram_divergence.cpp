#include "core/base/parallel.h"
#include "core/io/npz_file.h"
#include "core/methods/row_source.h"
#include "core/methods/weighted_source.h"
#include "core/quant/bound_sources.h"
#include "core/quant/histogram_divergence.h"
#include "core/quant/resolve.h"
#include "core/quant/scale.h"
#include "tests/core/quant/quant_samples.h"

#include <QTest>

#include <cmath>

using namespace qs;

namespace {

using Channels = std::vector<std::vector<float>>;

SiteChoice klChoice(int bits, QuantizerKind kind = QuantizerKind::Uniform,
    Symmetry symmetry = Symmetry::Asymmetric, Granularity granularity = Granularity::Tensor)
{
    SiteChoice choice;
    choice.enabled = true;
    choice.method = BoundMethod::Kl;
    choice.bits = bits;
    choice.kind = kind;
    choice.symmetry = symmetry;
    choice.granularity = granularity;
    return choice;
}

Tensor weightOf(const Channels& channels)
{
    std::vector<float> all;
    for (const auto& channel : channels) {
        all.insert(all.end(), channel.begin(), channel.end());
    }
    return Tensor::of<float>(
        {static_cast<std::int64_t>(channels.size()), static_cast<std::int64_t>(channels.front().size())},
        std::span<const float>(all));
}

SiteStatistics binsOf(const Channels& channels, int exponent)
{
    SiteStatistics site;
    for (const auto& channel : channels) {
        site.groups.push_back(samples::linearStatistics(channel, exponent));
    }
    return site;
}

SampleSource samplesOf(const Channels& channels)
{
    std::vector<float> all;
    for (const auto& channel : channels) {
        all.insert(all.end(), channel.begin(), channel.end());
    }
    return {std::move(all), SampleSource::Quantiles::Unused};
}

Channels channelsOf(const Tensor& tensor)
{
    const std::span<const float> values = tensor.data<float>();
    const auto size = static_cast<std::size_t>(tensor.shape()[1]);
    Channels channels;
    for (std::size_t first = 0; first < values.size(); first += size) {
        const auto channel = values.subspan(first, size);
        channels.emplace_back(channel.begin(), channel.end());
    }
    return channels;
}

/// A row of "NAME.cases" in the file of make_divergence.py.
struct Case
{
    SiteChoice choice;
    bool fromBins = false;
    std::size_t group = 0; ///< of Granularity::Group
    Bounds bounds;
    double divergence = 0.0;

    explicit Case(std::span<const double> row)
        : choice(klChoice(static_cast<int>(row[1]), QuantizerKind::Uniform,
            row[0] == 0.0 ? Symmetry::Asymmetric : Symmetry::Symmetric,
            row[3] < 0.0 ? Granularity::Tensor : Granularity::Group))
        , fromBins(row[2] != 0.0)
        , group(row[3] < 0.0 ? 0 : static_cast<std::size_t>(row[3]))
        , bounds {row[4], row[5]}
        , divergence(row[6])
    {
    }
};

} // namespace

/// Against NumPy: tests/data/quant/divergence.npz by tests/reference/make_divergence.py.
class TestHistogramDivergence : public QObject
{
    Q_OBJECT

private slots:
    void chosenBoundsLikeNumPy_data();
    void chosenBoundsLikeNumPy();
    void staysWithinMinMaxForAllQuantizers_data();
    void staysWithinMinMaxForAllQuantizers();
    void searchComesCloseToTheFullGrid_data();
    void searchComesCloseToTheFullGrid();
    void tooFewValuesForTheLevelsGiveMinMax();
    void logarithmicQuantizersAreLeastSquares();
    void sourcesAgree();
    void channelsCountByTheirWeight();
    void sameBitsForAnyThreadCount();
};

void TestHistogramDivergence::chosenBoundsLikeNumPy_data()
{
    QTest::addColumn<int>("exponent");
    QTest::newRow("attention") << -9;
    QTest::newRow("few") << -4;
    QTest::newRow("gelu") << -6;
    QTest::newRow("laplace") << -4;
    QTest::newRow("normal") << -6;
    QTest::newRow("outlier") << -3;
}

void TestHistogramDivergence::chosenBoundsLikeNumPy()
{
    QFETCH(const int, exponent);
    const std::string name = QTest::currentDataTag();
    const NpzFile file = NpzFile::open(QS_TEST_DATA "/quant/divergence.npz");
    const Channels channels = channelsOf(file.read(name));
    const Tensor table = file.read(name + ".cases");
    const auto columns = static_cast<std::size_t>(table.shape()[1]);
    const Tensor weight = weightOf(channels);
    const SiteStatistics site = binsOf(channels, exponent);
    int clipping = 0;
    for (std::size_t row = 0; row < static_cast<std::size_t>(table.shape()[0]); ++row) {
        const Case expected(table.data<double>().subspan(row * columns, columns));
        const QuantParams found = expected.fromBins ? resolveActivation(expected.choice, site)
                                                    : resolveWeight(expected.choice, weight, 0);
        const Bounds bounds = found.bounds[expected.group];
        const double range = expected.bounds.upper - expected.bounds.lower;
        const bool isSame = std::abs(bounds.lower - expected.bounds.lower) <= 1e-9 * range
            && std::abs(bounds.upper - expected.bounds.upper) <= 1e-9 * range;
        QVERIFY2(isSame,
            qPrintable(QString("case %1: [%2, %3], NumPy has [%4, %5]")
                           .arg(row)
                           .arg(bounds.lower)
                           .arg(bounds.upper)
                           .arg(expected.bounds.lower)
                           .arg(expected.bounds.upper)));
        if (expected.choice.granularity == Granularity::Tensor) {
            const TaskContext context;
            const SiteSource binned(site, context);
            const SampleSource plain = samplesOf(channels);
            const BoundSource& source = expected.fromBins ? static_cast<const BoundSource&>(binned) : plain;
            const double divergence = HistogramDivergence(expected.choice.bits, source).of(found);
            QVERIFY(divergence == expected.divergence || std::abs(divergence - expected.divergence) < 1e-9);
            clipping += expected.divergence < std::numeric_limits<double>::infinity() ? 1 : 0;
        }
    }
    QVERIFY(clipping > 0);
}

void TestHistogramDivergence::staysWithinMinMaxForAllQuantizers_data()
{
    QTest::addColumn<QuantizerKind>("kind");
    for (const QuantizerKind kind : kQuantizerKinds) {
        QTest::newRow(std::string(nameOf(kind)).c_str()) << kind;
    }
}

void TestHistogramDivergence::staysWithinMinMaxForAllQuantizers()
{
    QFETCH(const QuantizerKind, kind);
    std::vector<float> cubes = samples::normal(3000, 5, 0.1F);
    for (float& x : cubes) {
        x = x * x * x;
    }
    std::vector<float> negative = samples::normal(3000, 6, -9.0F);
    std::vector<float> twoValues(3000, 0.25F);
    twoValues.back() = 100.0F;
    const Channels channels {cubes, negative, samples::attention(30, 100, 7, 2.0F), twoValues,
        std::vector<float>(3000, -0.5F), std::vector<float>(3000, 0.0F)};
    const SiteStatistics site = binsOf(channels, -5);
    const Tensor weight = weightOf(channels);
    for (int bits = kMinBits; bits <= kMaxBits; bits += bits < 10 ? 1 : 3) {
        for (const auto symmetry : {Symmetry::Asymmetric, Symmetry::Symmetric}) {
            for (const auto granularity : {Granularity::Tensor, Granularity::Group}) {
                const SiteChoice choice = klChoice(bits, kind, symmetry, granularity);
                SiteChoice widest = choice;
                widest.method = BoundMethod::MinMax;
                for (const bool fromBins : {false, true}) {
                    const QuantParams found
                        = fromBins ? resolveActivation(choice, site) : resolveWeight(choice, weight, 0);
                    const QuantParams limit
                        = fromBins ? resolveActivation(widest, site) : resolveWeight(widest, weight, 0);
                    for (std::size_t i = 0; i < found.scales.size(); ++i) {
                        QVERIFY(std::isfinite(found.scales[i]) && found.scales[i] > 0.0F);
                        QVERIFY(found.bounds[i].upper <= limit.bounds[i].upper);
                        QVERIFY(
                            kind == QuantizerKind::AdaLog || found.bounds[i].lower >= limit.bounds[i].lower);
                        QVERIFY(found.bounds[i].lower <= found.bounds[i].upper);
                    }
                }
            }
        }
    }
}

void TestHistogramDivergence::searchComesCloseToTheFullGrid_data()
{
    QTest::addColumn<int>("bits");
    QTest::addColumn<int>("shape");
    for (const int bits : {2, 3, 4, 6}) {
        for (int shape = 0; shape < 4; ++shape) {
            QTest::addRow("%d bits, shape %d", bits, shape) << bits << shape;
        }
    }
}

void TestHistogramDivergence::searchComesCloseToTheFullGrid()
{
    QFETCH(const int, bits);
    QFETCH(const int, shape);
    const std::vector<float> values = samples::ofShape(20000, shape);
    const SampleSource source(values, SampleSource::Quantiles::Unused);
    const SiteChoice choice = klChoice(bits);
    const HistogramDivergence divergence(bits, source);
    const auto at = [&](const Bounds& bounds) {
        return divergence.of(paramsForBounds(choice.kind, choice.symmetry, bits, bounds));
    };
    const double mean = source.mean();
    double least = std::numeric_limits<double>::infinity();
    for (int a = 5; a <= 100; ++a) {
        for (int b = 5; b <= 100; ++b) {
            least = std::min(least,
                at({mean + 0.01 * a * (source.minimum() - mean),
                    mean + 0.01 * b * (source.maximum() - mean)}));
        }
    }
    const double found = at(searchBounds(choice, source));
    const double widest = at({source.minimum(), source.maximum()});
    QVERIFY(found <= widest);
    const QString figures = QString("min-max %1, found %2, grid %3").arg(widest).arg(found).arg(least);
    QVERIFY2(found - least <= 0.02 * (widest - least) + 5e-4, qPrintable(figures));
}

/// 8 bits want 256 parts with 16 values each.
void TestHistogramDivergence::tooFewValuesForTheLevelsGiveMinMax()
{
    std::vector<float> values = samples::normal(4096, 1);
    for (float& x : values) {
        x = x * x * x;
    }
    const auto boundsOf = [](const std::vector<float>& list) {
        return searchBounds(klChoice(8), SampleSource(list, SampleSource::Quantiles::Unused));
    };
    const auto rangeOf = [](const std::vector<float>& list) {
        const auto [least, most] = std::ranges::minmax(list);
        return Bounds {least, most};
    };
    values.pop_back(); // 255 parts
    QCOMPARE(boundsOf(values), rangeOf(values));
    for (int copy = 0; copy < 4; ++copy) {
        values.insert(values.end(), values.begin(), values.begin() + 4095);
    }
    QVERIFY(boundsOf(values) != rangeOf(values));
}

void TestHistogramDivergence::logarithmicQuantizersAreLeastSquares()
{
    const SampleSource source(samples::attention(60, 100, 3, 2.0F), SampleSource::Quantiles::Unused);
    for (const QuantizerKind kind : {QuantizerKind::Log2, QuantizerKind::LogSqrt2, QuantizerKind::AdaLog}) {
        for (const int bits : {2, 3, 4, 8}) {
            SiteChoice leastSquares = klChoice(bits, kind);
            leastSquares.method = BoundMethod::Mse;
            QCOMPARE(searchBounds(klChoice(bits, kind), source), searchBounds(leastSquares, source));
        }
    }
}

void TestHistogramDivergence::sourcesAgree()
{
    const std::vector<float> values = samples::normal(70 * 96, 4, 0.3F);
    const ActivationView view {values.data(), 1, 1, 70, 96, 70 * 96, 70 * 96, 96};
    const SampleSource plain(values, SampleSource::Quantiles::Unused);
    const RowSource rows(view, "x");
    const WeightedSource weighted(view, std::vector<float>(96, 0.25F));
    for (const int bits : {3, 4, 6}) {
        const Bounds expected = searchBounds(klChoice(bits), plain);
        for (const BoundSource* source :
            {static_cast<const BoundSource*>(&rows), static_cast<const BoundSource*>(&weighted)}) {
            const Bounds found = searchBounds(klChoice(bits), *source);
            QVERIFY(std::abs(found.lower - expected.lower) < 1e-9);
            QVERIFY(std::abs(found.upper - expected.upper) < 1e-9);
        }
    }
}

/// A wide channel without weight is the first to be clipped.
void TestHistogramDivergence::channelsCountByTheirWeight()
{
    std::vector<float> values = samples::normal(2000 * 4, 4);
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (i % 4 == 0) {
            values[i] *= 10.0F;
        }
    }
    const ActivationView view {values.data(), 1, 1, 2000, 4, 8000, 8000, 4};
    const auto widthWith = [&](float weight) {
        const Bounds bounds = searchBounds(klChoice(4), WeightedSource(view, {weight, 1.0F, 1.0F, 1.0F}));
        return bounds.upper - bounds.lower;
    };
    QVERIFY(widthWith(0.0F) < 0.5 * widthWith(1.0F));
    const WeightedSource none(view, {0.0F, 0.0F, 0.0F, 0.0F});
    QCOMPARE(searchBounds(klChoice(4), none), (Bounds {none.minimum(), none.maximum()}));
}

void TestHistogramDivergence::sameBitsForAnyThreadCount()
{
    Channels channels;
    for (unsigned i = 0; i < 24; ++i) {
        channels.push_back(samples::normal(1000, i, 0.01F * static_cast<float>(i)));
    }
    const Tensor weight = weightOf(channels);
    const SiteStatistics site = binsOf(channels, -5);
    const std::span<const float> values = weight.data<float>();
    const ActivationView view {values.data(), 1, 1, 1500, 16, 24000, 24000, 16};
    const int threads = threadCount();
    for (const auto granularity : {Granularity::Tensor, Granularity::Group}) {
        const SiteChoice choice = klChoice(4, QuantizerKind::Uniform, Symmetry::Asymmetric, granularity);
        setThreadCount(1);
        const QuantParams a = resolveWeight(choice, weight, 0);
        const QuantParams b = resolveActivation(choice, site);
        const Bounds rows = searchBounds(choice, RowSource(view, "x"));
        setThreadCount(3);
        QVERIFY(resolveWeight(choice, weight, 0) == a);
        QVERIFY(resolveActivation(choice, site) == b);
        QVERIFY(searchBounds(choice, RowSource(view, "x")) == rows);
    }
    setThreadCount(threads);
}

QTEST_GUILESS_MAIN(TestHistogramDivergence)
#include "tst_histogram_divergence.moc"
