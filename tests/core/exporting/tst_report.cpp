#include "core/base/error.h"
#include "core/eval/calibrate.h"
#include "core/exporting/markup.h"
#include "core/exporting/report.h"
#include "core/exporting/svg_chart.h"

#include <QByteArray>
#include <QRegularExpression>
#include <QTest>
#include <QXmlStreamReader>

#include <limits>

using namespace qs;
using namespace Qt::StringLiterals;

namespace {

/// Every picture of a report, decoded.
QList<QByteArray> picturesOf(const QString& html)
{
    static const QRegularExpression kSource(u"src=\"data:image/svg\\+xml;base64,([^\"]*)\""_s);
    QList<QByteArray> pictures;
    for (auto match = kSource.globalMatch(html); match.hasNext();) {
        pictures.append(QByteArray::fromBase64(match.next().captured(1).toLatin1()));
    }
    return pictures;
}

bool isWellFormed(const QByteArray& xml)
{
    QXmlStreamReader reader(xml);
    while (!reader.atEnd()) {
        reader.readNext();
    }
    return !reader.hasError();
}

} // namespace

/// Reports, with names that try to break out.
class TestReport : public QObject
{
    Q_OBJECT
private slots:
    void initTestCase()
    {
        m_model = loadModel(QS_DEMO);
        const auto data = openData(QS_DEMO "/calib", *m_model);
        SessionFile& session = m_input.session;
        session.modelPath = "/somewhere/<script>alert(1)</script>";
        session.modelName = "a \"model\" & <b>more</b>";
        session.modelHash = m_model->hash;
        session.sites = m_model->sites;
        session.calibration = calibrate(m_model, *data, 4);
        session.plan = makePreset(m_model->sites, {.weightBits = 4, .activationBits = 4});
        auto evaluation = std::make_shared<Evaluation>();
        evaluation->metrics.samples = 7;
        evaluation->metrics.top1Percent = 71.25;
        evaluation->metrics.logitsSqnrDb = 12.345;
        for (const Site& site : m_model->sites) {
            evaluation->layerSqnrDb[site.layer] = 20.0;
        }
        evaluation->layerSqnrDb.begin()->second = std::numeric_limits<double>::infinity();
        evaluation->outcomes = {{3, 1, 1, 0, 4, 5, 0.75F, 0.3F}, {4, 1, 0, 0, 4, 4, 0.75F, 0.7F}};
        session.snapshots = {{"</td><script>", session.plan, {4.0, 4.0, 1234567}, evaluation}};
        for (const Site& site : m_model->sites) {
            SiteSensitivity result;
            result.site = site.name;
            result.kind = site.kind;
            result.bits = 4;
            result.samples = 16;
            result.klNats = site.name == "head.input" ? 0.5 : 0.01;
            result.intervals = SensitivityIntervals {{0.005, 0.75}, {0.0, 1.0}, {1.0, 2.0}, {}, {}, {}};
            result.basis = "basis-of-the-results";
            session.sensitivity.push_back(result);
        }
        m_input.model = m_model;
        m_input.date = "2026-01-02";
        m_input.remarks = {"look <here>"};
        m_input.commands = {"quantoscope-cli evaluate 'a & b'"};
        m_input.pictures = {{"window", "image/png", "not really a picture"}};
        m_html = QString::fromStdString(htmlReport(m_input));
    }
    void everythingOfFilesIsEscaped()
    {
        QVERIFY(!m_html.contains(u"<script"_s));
        QVERIFY(!m_html.contains(u"<b>more"_s));
        QVERIFY(m_html.contains(u"&lt;script&gt;alert(1)&lt;/script&gt;"_s));
        QVERIFY(m_html.contains(u"look &lt;here&gt;"_s));
        QVERIFY(m_html.contains(u"quantoscope-cli evaluate &#39;a &amp; b&#39;"_s));
        QByteArray page = m_html.toUtf8();
        QVERIFY(page.startsWith("<!DOCTYPE html>\n"));
        QVERIFY(isWellFormed(page)); // as XML too: every element is closed
    }
    void itTellsWhatIsInTheSession()
    {
        for (const char* text : {"71.25", "12.35", "1.235", "2026-01-02", "basis-of-the-results",
                 "1000 resamples, seed 1", "head.input", "0.5 [0.005, 0.75]"}) {
            QVERIFY2(m_html.contains(QString::fromLatin1(text)), text);
        }
        QVERIFY(m_html.contains(QString::fromStdString(m_model->hash)));
        for (const Site& site : m_model->sites) {
            QVERIFY(m_html.contains(QString::fromStdString(site.name)));
        }
        // The flipped sample and not the other.
        QVERIFY(m_html.contains(
            u"<td align=\"right\">3</td><td align=\"right\">1</td><td align=\"right\">4</td>"_s));
        QVERIFY(!m_html.contains(u"<td align=\"right\">4</td><td align=\"right\">0</td>"_s));
    }
    void chartsAreWellFormedPictures()
    {
        const QList<QByteArray> pictures = picturesOf(m_html);
        QCOMPARE(pictures.size(), 1 + 2 + 6); // layers, sensitivity twice, distributions
        for (const QByteArray& picture : pictures) {
            QVERIFY2(isWellFormed(picture), picture.constData());
            QVERIFY(!picture.contains("nan") && !picture.contains("inf"));
            QVERIFY(!picture.contains("<script"));
        }
    }
    void whatIsZeroEverywhereIsASentence()
    {
        ReportInput input = m_input;
        for (SiteSensitivity& result : input.session.sensitivity) {
            result.agreementPercent = 100.0;
            if (result.intervals) {
                result.intervals->changedPercent = {0.0, 0.0};
            }
        }
        const QString html = QString::fromStdString(htmlReport(input));
        QCOMPARE(picturesOf(html).size(), 1 + 1 + 6); // no changed predictions
        QVERIFY(html.contains(u"top-1 changed, %: 0 for every site."_s));
        QVERIFY(!m_html.contains(u": 0 for every site."_s));
    }
    void theSameInputGivesTheSameBytes() { QCOMPARE(QString::fromStdString(htmlReport(m_input)), m_html); }
    void withoutTheModelWeightsAreLeftOut()
    {
        ReportInput input = m_input;
        input.model = placeholderModel(input.session);
        const QString html = QString::fromStdString(htmlReport(input));
        QVERIFY(html.contains(u"head.weight"_s)); // in the plan
        QVERIFY(html.size() < m_html.size() + 1000);
        ReportInput bare;
        bare.session.modelName = "bare";
        QVERIFY(isWellFormed(QByteArray::fromStdString(htmlReport(bare))));
    }
    void chartsTakeAnything()
    {
        constexpr double kInfinity = std::numeric_limits<double>::infinity();
        SvgBars bars {
            "KL", {"a", "b"}, {{"<x>", kInfinity, {}, 0}, {"y", -1.0, {{-kInfinity, kInfinity}}, 1}}};
        QVERIFY(isWellFormed(QByteArray::fromStdString(svgBars(bars))));
        QVERIFY(isWellFormed(QByteArray::fromStdString(svgBars({}))));
        QVERIFY(isWellFormed(
            QByteArray::fromStdString(svgLines({"dB", {"a", "b"}, {{"l", {std::nullopt, kInfinity}}}}))));
        QVERIFY(isWellFormed(QByteArray::fromStdString(svgHistogram({}))));
        // A range that is narrow beside its place ends as well.
        QVERIFY(isWellFormed(QByteArray::fromStdString(
            svgHistogram({"v", false, {1e30, 1.0000000000000002e30}, {5.0}, {1e30, -1e30}}))));
        QVERIFY(isWellFormed(
            QByteArray::fromStdString(svgHistogram({"v", true, {0.25, 0.5}, {5.0}, {0.0, 0.5}}))));
    }
    void markup_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QByteArray>("escaped");
        QTest::newRow("references") << QByteArray("a<b>&\"'") << QByteArray("a&lt;b&gt;&amp;&quot;&#39;");
        QTest::newRow("UTF-8") << QByteArray("\xE2\x88\x9A\xF0\x9F\x98\x80")
                               << QByteArray("\xE2\x88\x9A\xF0\x9F\x98\x80");
        QTest::newRow("control") << QByteArray("a\x01\x7F\x1B"
                                               "b\n",
            6) << QByteArray("ab\n");
        QTest::newRow("no UTF-8") << QByteArray("\xFFz\xC0\xAF")
                                  << QByteArray("\xEF\xBF\xBDz\xEF\xBF\xBD\xEF\xBF\xBD");
        QTest::newRow("surrogate") << QByteArray("\xED\xA0\x80")
                                   << QByteArray("\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
        QTest::newRow("cut short") << QByteArray("\xE2\x88") << QByteArray("\xEF\xBF\xBD\xEF\xBF\xBD");
    }
    void markup()
    {
        QFETCH(QByteArray, text);
        QFETCH(QByteArray, escaped);
        QCOMPARE(QByteArray::fromStdString(escapedMarkup(text.toStdString())), escaped);
    }
    void base64IsQts()
    {
        for (int size = 0; size < 20; ++size) {
            QByteArray bytes;
            for (int i = 0; i < size; ++i) {
                bytes.append(static_cast<char>(i * 37 + 200));
            }
            QCOMPARE(QByteArray::fromStdString(dataUri("a", bytes.toStdString())),
                "data:a;base64," + bytes.toBase64());
        }
    }
    void namesSayWhatIsWritten()
    {
        requireHtmlName("a.html");
        try {
            requireHtmlName("a.pdf");
            QFAIL("a PDF was accepted");
        } catch (const Error& error) {
            QVERIFY(QString::fromLatin1(error.what()).contains(u"window"_s));
        }
        QVERIFY_EXCEPTION_THROWN(requireHtmlName("a.txt"), Error);
    }

private:
    std::shared_ptr<const Model> m_model;
    ReportInput m_input;
    QString m_html;
};

QTEST_GUILESS_MAIN(TestReport)
#include "tst_report.moc"
