#include "widgets/plot/budget_chart.h"
#include "widgets/plot/channel_map.h"
#include "widgets/plot/channel_range_plot.h"
#include "widgets/plot/distribution_plot.h"
#include "widgets/plot/layer_sqnr_chart.h"
#include "widgets/plot/loss_curve.h"
#include "widgets/plot/plot_style.h"
#include "widgets/plot/sample_range_chart.h"
#include "widgets/plot/sensitivity_chart.h"

#include <qcustomplot.h>

#include <QTest>

#include <functional>
#include <memory>

using namespace qs;

namespace {

using Maker = std::function<std::unique_ptr<PlotWidget>()>;

QPalette paletteOf(const QColor& base, const QColor& text)
{
    QPalette palette;
    palette.setColor(QPalette::Base, base);
    palette.setColor(QPalette::Text, text);
    return palette;
}

/// Colour of the numbers at an axis that has this style.
QColor numbersOf(const QPalette& palette)
{
    QCustomPlot plot;
    PlotStyle(palette).applyTo(plot);
    return plot.xAxis->tickLabelColor();
}

template<typename Plot>
std::unique_ptr<PlotWidget> make()
{
    return std::make_unique<Plot>();
}

} // namespace

Q_DECLARE_METATYPE(Maker)

class TestPlotWidget : public QObject
{
    Q_OBJECT
private slots:
    void coloursFollowThePalette_data()
    {
        QTest::addColumn<Maker>("maker");
        QTest::newRow("budget") << Maker(make<BudgetChart>);
        QTest::newRow("channels") << Maker(make<ChannelMap>);
        QTest::newRow("channel ranges")
            << Maker([] { return std::make_unique<ChannelRangePlot>(QStringLiteral("ranges")); });
        QTest::newRow("distribution") << Maker(make<DistributionPlot>);
        QTest::newRow("layers") << Maker(make<LayerSqnrChart>);
        QTest::newRow("loss") << Maker(make<LossCurve>);
        QTest::newRow("samples") << Maker(make<SampleRangeChart>);
        QTest::newRow("sensitivity") << Maker(make<SensitivityChart>);
    }
    void coloursFollowThePalette()
    {
        QFETCH(const Maker, maker);
        const std::unique_ptr<PlotWidget> widget = maker();
        const auto numbers = [&] {
            return widget->plot()->axisRects().constFirst()->axis(QCPAxis::atBottom)->tickLabelColor();
        };
        QCOMPARE(numbers(), numbersOf(widget->palette())); // from the start
        const QPalette dark = paletteOf(Qt::black, Qt::white);
        QVERIFY(numbersOf(dark) != numbersOf(widget->palette()));
        widget->setPalette(dark);
        QCOMPARE(numbers(), numbersOf(widget->palette()));
    }
};

QTEST_MAIN(TestPlotWidget)
#include "tst_plot_widget.moc"
