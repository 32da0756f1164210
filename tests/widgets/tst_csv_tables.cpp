#include "widgets/common/picture.h"
#include "widgets/plot/csv_tables.h"
#include "widgets/plot/plot_menu.h"

#include <QApplication>
#include <QClipboard>
#include <QFile>
#include <QLabel>
#include <QTemporaryDir>
#include <QTest>

using namespace qs;
using namespace Qt::StringLiterals;

class TestCsvTables : public QObject
{
    Q_OBJECT
private slots:
    void aHistogramIsOneLineABin()
    {
        Histogram histogram;
        histogram.width = 0.5;
        histogram.firstBin = -1;
        histogram.counts = {3, 4};
        histogram.sums = {-0.75, 1.0};
        histogram.squares = {0.2, 0.3};
        QCOMPARE(histogramCsv(histogram, {0.25, 0.0}, {0.125, 1e-9}),
            u"from,to,count,clipping_squared_error,rounding_squared_error\n-0.5,0,3,0.25,0.125\n0,0.5,4,0,1e-09\n"_s);
        QCOMPARE(histogramCsv(histogram, {}, {}),
            u"from,to,count,clipping_squared_error,rounding_squared_error\n-0.5,0,3,,\n0,0.5,4,,\n"_s);
    }
    void aChannelCarriesItsMomentsAndBounds()
    {
        SiteStatistics statistics;
        GroupStatistics group; // the values 1, 2, 6
        group.count = 3;
        group.minimum = 1.0F;
        group.maximum = 6.0F;
        group.sum = 9.0;
        group.sumOfSquares = 41.0;
        statistics.groups = {group};
        const QStringList lines = channelCsv(statistics, {{0.5, 5.5}}).split(u'\n');
        QCOMPARE(
            lines.at(0), u"channel,count,minimum,maximum,mean,standard_deviation,lower_bound,upper_bound"_s);
        QCOMPARE(lines.at(1), u"0,3,1,6,3,2.1602469,0.5,5.5"_s); // sqrt(14 / 3)
    }
    void aSensitivityIsOneLineASite()
    {
        SiteSensitivity result;
        result.site = "blocks.0.attn.qkv.weight";
        result.kind = SiteKind::Weight;
        result.bits = 4;
        result.logitsSqnrDb = 12.5;
        result.klNats = 0.25;
        result.agreementPercent = 87.5;
        result.siteSqnrDb = 20.0;
        result.clippingShare = 0.5;
        result.samples = 16;
        result.top1DropPercent = 3.0;
        result.intervals = SensitivityIntervals {{0.125, 0.5}, {10.0, 20.0}, {11.0, 13.0}, {}, {}, {}};
        QCOMPARE(sensitivityCsv({result}).split(u'\n').at(1),
            u"blocks.0.attn.qkv.weight,weight,4,16,12.5,0.25,0.125,0.5,87.5,10,20,3,,20,0.5,,"_s);
    }
    void theMenuCopiesAndSaves()
    {
        QLabel view(u"plot"_s);
        view.resize(120, 60);
        PlotMenu menu(&view, u"plot"_s, [] { return u"a,b\n1,2\n"_s; });
        menu.copyCsv();
        QCOMPARE(QApplication::clipboard()->text(), u"a,b\n1,2\n"_s);
        menu.copyPicture();
        QCOMPARE(QApplication::clipboard()->image().size(), QSize(120, 60) * view.devicePixelRatio());
        QTemporaryDir folder;
        const QList<std::pair<QString, QByteArray>> kinds {
            {u"a.png"_s, "\x89PNG"}, {u"a.svg"_s, "<?xml"}, {u"a.pdf"_s, "%PDF"}};
        for (const auto& [name, magic] : kinds) {
            QVERIFY(savePicture(view, u"plot"_s, folder.filePath(name)));
            QFile file(folder.filePath(name));
            QVERIFY(file.open(QIODevice::ReadOnly));
            QCOMPARE(file.read(magic.size()), magic);
        }
        QVERIFY(!savePicture(view, u"plot"_s, u"/nonexistent/folder/a.png"_s));
    }
};

QTEST_MAIN(TestCsvTables)
#include "tst_csv_tables.moc"
