#include "widgets/views/metrics_table.h"

#include <QTableWidget>
#include <QTest>

#include <cmath>

using namespace qs;
using namespace Qt::StringLiterals;

class TestMetricsTable : public QObject
{
    Q_OBJECT
private slots:
    void differencesAreToldAgainstTheFirstRow()
    {
        MetricsTable table;
        Metrics reference;
        reference.samples = 1000;
        reference.top1Percent = 80.0;
        Metrics quantized = reference;
        quantized.top1Percent = 78.5;
        quantized.agreementPercent = 91.25;
        quantized.klNats = 0.125;
        quantized.logitsSqnrDb = 15.0;
        table.setRows({{.name = u"FP32"_s, .metrics = reference, .state = ResultState::Live},
            {.name = u"W4A8"_s, .metrics = quantized, .state = ResultState::Stale},
            {.name = u"W8A8"_s, .metrics = {}, .state = ResultState::Computing}});
        const auto text = [&](int row, int column) { return table.table()->item(row, column)->text(); };
        QCOMPARE(text(0, MetricsTable::Top1), u"80.00 %"_s);
        QCOMPARE(text(1, MetricsTable::Top1), u"78.50 %  (\u22121.50)"_s);
        QCOMPARE(text(1, MetricsTable::Top5), u"\u2013"_s); // no labels, no figure
        QCOMPARE(text(1, MetricsTable::Agreement), u"91.25 %"_s);
        QCOMPARE(text(1, MetricsTable::State), u"stale"_s);
        QCOMPARE(text(2, MetricsTable::Kl), u"\u2013"_s);
        QCOMPARE(table.toText().split(u'\n').at(2), u"W4A8\t1000\t78.5\t\t\t\t91.25\t0.125\t15"_s);
        QVERIFY(table.table()->isColumnHidden(MetricsTable::Nll));
        QVERIFY(table.table()->isColumnHidden(MetricsTable::Perplexity));
    }
    void languageModelsShowPerplexity()
    {
        MetricsTable table;
        Metrics reference;
        reference.samples = 11;
        reference.nllNats = std::log(4.0);
        Metrics quantized = reference;
        quantized.nllNats = std::log(5.0);
        table.setRows({{.name = u"FP32"_s, .metrics = reference, .state = ResultState::Live},
            {.name = u"W4A8"_s, .metrics = quantized, .state = ResultState::Live}});
        QVERIFY(!table.table()->isColumnHidden(MetricsTable::Perplexity));
        QCOMPARE(table.table()->item(0, MetricsTable::Perplexity)->text(), u"4.00"_s);
        QCOMPARE(table.table()->item(1, MetricsTable::Perplexity)->text(), u"5.00  (+1.00)"_s);
        QCOMPARE(table.table()->item(1, MetricsTable::Nll)->text(), u"1.6094  (+0.2231)"_s);
    }
};

QTEST_MAIN(TestMetricsTable)
#include "tst_metrics_table.moc"
