#include "widgets/plot/sample_range_chart.h"
#include "widgets/views/calibration_view.h"

#include <qcustomplot.h>

#include <QSignalSpy>
#include <QTableWidget>
#include <QTest>

using namespace qs;
using namespace Qt::StringLiterals;

class TestCalibrationView : public QObject
{
    Q_OBJECT
private slots:
    void init()
    {
        m_view = std::make_unique<CalibrationView>();
        m_view->resize(1000, 260);
        for (const auto& [low, high] :
            {std::pair {-1.0F, 2.0F}, {-3.0F, 1.0F}, {-1.0F, 9.0F}, {-1.0F, 3.0F}}) {
            ValueRange range;
            range.include(low, high);
            m_ranges.add(range);
        }
        SiteMicroscope site;
        site.site = "blocks.0.fc1.input";
        site.samples = 4;
        site.range = {-3.0, 9.0};
        site.sqnrDb = 20.0;
        site.influences = {{{2, -1.0F, 9.0F}, false, true, {-3.0, 3.0}, 26.0, 0.25},
            {{1, -3.0F, 1.0F}, true, false, {-1.0, 9.0}, 20.5, 0.5}};
        site.progress
            = {{1, {-1.0, 2.0}, 0.5}, {2, {-3.0, 2.0}, 0.6}, {3, {-3.0, 9.0}, 1.0}, {4, {-3.0, 9.0}, 1.0}};
        site.settledAfter = 3;
        m_site = site;
        m_view->setSite(m_ranges, m_site, [](qint64 sample) { return u"cat_%1.png"_s.arg(sample); });
        m_view->show();
        QVERIFY(QTest::qWaitForWindowExposed(m_view.get()));
        settle();
    }
    void cleanup()
    {
        m_view.reset();
        m_ranges = {};
    }

    void tellsWhichSampleSetsWhichEnd()
    {
        QTableWidget* table = m_view->table();
        QCOMPARE(table->rowCount(), 2);
        QCOMPARE(table->item(0, 0)->text(), u"cat_2.png"_s);
        QCOMPARE(table->item(0, 2)->text(), u"upper end"_s);
        QVERIFY(table->item(0, 4)->text().contains(u"+6"_s));
        QCOMPARE(table->item(1, 2)->text(), u"lower end"_s);
        QVERIFY(m_view->summary().contains(u"From sample 3 on"_s));
        m_site->settledAfter = 4;
        m_view->setSite(m_ranges, m_site, {});
        QVERIFY(m_view->summary().contains(u"still grew"_s));
        QCOMPARE(table->item(0, 0)->text(), u"sample 2"_s); // without data there are no names
    }
    void clickOnASampleSelectsItsRow()
    {
        QSignalSpy spy(m_view->chart(), &SampleRangeChart::sampleClicked);
        QTest::mouseClick(plot(), Qt::LeftButton, {}, at(1.0));
        QCOMPARE(spy.size(), 1);
        QCOMPARE(spy.first().first().toLongLong(), 1);
        QCOMPARE(m_view->table()->currentRow(), 1);
        QTest::mouseClick(plot(), Qt::LeftButton, {}, at(3.0)); // sets nothing: no row
        QCOMPARE(spy.size(), 2);
        QVERIFY(m_view->table()->selectedItems().isEmpty());
    }
    void activatingARowAsksForItsBounds()
    {
        QSignalSpy spy(m_view.get(), &CalibrationView::boundsRequested);
        m_view->table()->setFocus();
        m_view->table()->selectRow(0);
        QTest::keyClick(m_view->table(), Qt::Key_Return);
        QCOMPARE(spy.size(), 1);
        QVERIFY(spy.first().first().value<Bounds>() == (Bounds {-3.0, 3.0}));
    }
    void settersAreSilent()
    {
        QSignalSpy bounds(m_view.get(), &CalibrationView::boundsRequested);
        QSignalSpy clicks(m_view->chart(), &SampleRangeChart::sampleClicked);
        m_view->setBounds(Bounds {-2.0, 2.0});
        m_view->chart()->setHighlighted(2);
        m_view->setSite({}, std::nullopt, {}, u"nothing known"_s);
        QCOMPARE(m_view->summary(), u"nothing known"_s);
        QVERIFY(!m_view->chart()->isVisible());
        QCOMPARE(bounds.size() + clicks.size(), 0);
    }

private:
    QCustomPlot* plot() const { return m_view->chart()->plot(); }
    QPoint at(double sample) const
    {
        return {qRound(plot()->xAxis->coordToPixel(sample)), plot()->axisRect()->rect().center().y()};
    }
    void settle()
    {
        plot()->replot(QCustomPlot::rpImmediateRefresh);
        QCoreApplication::processEvents();
    }

    std::unique_ptr<CalibrationView> m_view;
    SampleRanges m_ranges;
    std::optional<SiteMicroscope> m_site;
};

QTEST_MAIN(TestCalibrationView)
#include "tst_calibration_view.moc"
