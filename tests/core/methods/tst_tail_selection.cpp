#include "core/base/error.h"
#include "core/methods/row_source.h"
#include "core/methods/tail_selection.h"

#include <QTest>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

using namespace qs;

class TestTailSelection : public QObject
{
    Q_OBJECT

private slots:
    void picksWhatSortingPicks_data()
    {
        QTest::addColumn<int>("size");
        QTest::addColumn<int>("count");
        for (const int size : {1, 15, 16, 17, 1000, 40000}) {
            for (const int count : {1, 2, 42}) {
                QTest::addRow("%d of %d", count, size) << size << count;
            }
        }
    }
    void picksWhatSortingPicks()
    {
        QFETCH(int, size);
        QFETCH(int, count);
        std::mt19937 random(static_cast<unsigned>(size));
        std::normal_distribution<float> normal;
        std::vector<float> values(static_cast<std::size_t>(size));
        for (float& value : values) {
            value = std::round(normal(random) * 8.0F) / 8.0F; // with many ties
        }
        TailSelection low(TailSelection::Side::Lowest, static_cast<std::size_t>(count));
        TailSelection high(TailSelection::Side::Highest, static_cast<std::size_t>(count));
        const std::span<const float> all(values);
        for (std::size_t first = 0; first < all.size(); first += 37) {
            low.add(all.subspan(first, std::min<std::size_t>(37, all.size() - first)));
            high.add(all.subspan(first, std::min<std::size_t>(37, all.size() - first)));
        }
        std::ranges::sort(values);
        values.resize(std::min(values.size(), static_cast<std::size_t>(count)));
        QCOMPARE(low.take(), values);
        std::vector<float> sorted(all.begin(), all.end());
        QCOMPARE(high.take().size(), values.size());
    }
    void quantilesInterpolateBetweenSortedValues() // methods.md 9.2 at the ends: h = (n - 1) p
    {
        // 2001 values 0, 3, 6, ... in a scrambled order: quantile(p) = 3 * 2000 p exactly.
        std::vector<float> values(2001);
        for (std::size_t i = 0; i < values.size(); ++i) {
            values[i * 700 % 2001] = 3.0F * static_cast<float>(i);
        }
        const ActivationView view {values.data(), 1, 1, 29, 69, 2001, 2001, 69};
        const RowSource source(view, "x");
        QCOMPARE(source.minimum(), 0.0);
        QCOMPARE(source.maximum(), 6000.0);
        QVERIFY(std::abs(source.quantile(0.001) - 6.0) < 1e-3);
        QVERIFY(std::abs(source.quantile(0.9999) - 5999.4) < 1e-3);
        QVERIFY(std::abs(source.quantile(0.00005) - 0.3) < 1e-6);
        QVERIFY(std::abs(source.mean() - 3000.0) < 1e-9);
    }
    void valuesThatAreNotFiniteAreNamed()
    {
        const std::vector<float> values {1.0F, std::numeric_limits<float>::quiet_NaN()};
        const ActivationView view {values.data(), 1, 1, 1, 2, 2, 2, 2};
        try {
            const RowSource source(view, "site 'a.input'");
            QFAIL("no error");
        } catch (const Error& error) {
            QCOMPARE(error.code(), ErrorCode::InvalidArgument);
            QVERIFY(std::string(error.what()).find("a.input") != std::string::npos);
        }
    }
};

QTEST_APPLESS_MAIN(TestTailSelection)
#include "tst_tail_selection.moc"
