// Developer program: fills every widget with synthetic data and saves pictures of it.
//     QT_QPA_PLATFORM=offscreen qs_widget_gallery FOLDER [scale]
#include "core/quant/quantization_error.h"
#include "core/quant/resolve.h"
#include "tests/widgets/synthetic.h"
#include "widgets/common/error_strip.h"
#include "widgets/common/message_banner.h"
#include "widgets/plot/channel_map.h"
#include "widgets/plot/distribution_plot.h"
#include "widgets/plot/sensitivity_chart.h"
#include "widgets/views/distribution_view.h"
#include "widgets/views/job_panel.h"
#include "widgets/views/metrics_table.h"
#include "widgets/views/quantizer_inspector.h"
#include "widgets/views/site_tree_view.h"

#include <qcustomplot.h>

#include <QApplication>
#include <QDir>
#include <QElapsedTimer>
#include <QHBoxLayout>
#include <QSplitter>
#include <QStyleFactory>
#include <QTabWidget>
#include <QTextStream>
#include <QTreeView>
#include <QVBoxLayout>

using namespace Qt::StringLiterals;
using namespace qs;

namespace {

QPalette darkPalette()
{
    QPalette palette;
    const QColor window(0x2b, 0x2d, 0x30);
    const QColor base(0x1e, 0x1f, 0x22);
    const QColor text(0xdf, 0xe1, 0xe5);
    palette.setColor(QPalette::Window, window);
    palette.setColor(QPalette::WindowText, text);
    palette.setColor(QPalette::Base, base);
    palette.setColor(QPalette::AlternateBase, QColor(0x24, 0x26, 0x29));
    palette.setColor(QPalette::Text, text);
    palette.setColor(QPalette::Button, QColor(0x36, 0x38, 0x3c));
    palette.setColor(QPalette::ButtonText, text);
    palette.setColor(QPalette::ToolTipBase, window);
    palette.setColor(QPalette::ToolTipText, text);
    palette.setColor(QPalette::PlaceholderText, QColor(0x9a, 0x9e, 0xa6));
    palette.setColor(QPalette::Highlight, QColor(0x2e, 0x6a, 0xb0));
    palette.setColor(QPalette::HighlightedText, Qt::white);
    for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText}) {
        palette.setColor(QPalette::Disabled, role, QColor(0x6f, 0x73, 0x7a));
    }
    return palette;
}

class Gallery
{
public:
    explicit Gallery(QString folder)
        : m_folder(std::move(folder))
        , m_layerNorm(synthetic::layerNormSite(768, 600))
        , m_softmax(synthetic::softmaxSite(12, 60000))
        , m_rows(synthetic::siteRows(12))
    {
    }

    void run(const QString& theme)
    {
        m_theme = theme;
        showDistribution();
        showChannel();
        showSoftmax();
        showTree();
        showInspector();
        showStrip();
        showSensitivity();
        showRest();
        showWindow();
    }

private:
    void save(QWidget& widget, const QString& name, const QSize& size)
    {
        widget.resize(size);
        widget.show();
        for (int i = 0; i < 5; ++i) {
            QApplication::processEvents();
        }
        for (QCustomPlot* plot : widget.findChildren<QCustomPlot*>()) {
            plot->replot(QCustomPlot::rpImmediateRefresh);
        }
        widget.grab().save(QDir(m_folder).filePath(u"%1-%2.png"_s.arg(name, m_theme)));
        widget.hide();
    }

    [[nodiscard]] SiteRow layerNormRow() const { return m_rows[2 + 3 * 12]; }
    [[nodiscard]] SiteRow softmaxRow() const { return m_rows[2 + 3 * 12 + 4]; }

    void fillDistribution(DistributionView& view, int bits, Granularity granularity)
    {
        SiteChoice choice;
        choice.enabled = true;
        choice.bits = bits;
        choice.granularity = granularity;
        choice.method = BoundMethod::Percentile;
        SiteRow row = layerNormRow();
        row.choice = choice;
        view.setSite(row);
        view.setStatistics(m_layerNorm);
        view.setQuantizer(resolveActivation(choice, *m_layerNorm));
    }

    void showDistribution()
    {
        DistributionView view;
        fillDistribution(view, 4, Granularity::Tensor);
        save(view, u"distribution"_s, {900, 640});
    }
    void showChannel()
    {
        DistributionView view;
        fillDistribution(view, 6, Granularity::Group);
        view.channelMap()->setOrder(ChannelOrder::Range);
        save(view, u"distribution-group"_s, {900, 640});
        view.setSelectedGroup(41);
        save(view, u"distribution-channel"_s, {900, 640});
        DistributionView empty;
        save(empty, u"distribution-empty"_s, {500, 300});
    }
    void showSoftmax()
    {
        SiteChoice choice;
        choice.enabled = true;
        choice.bits = 3;
        choice.kind = QuantizerKind::LogSqrt2;
        SiteRow row = softmaxRow();
        row.choice = choice;
        DistributionView view;
        view.setSite(row);
        view.setStatistics(m_softmax);
        view.setQuantizer(resolveActivation(choice, *m_softmax));
        save(view, u"softmax"_s, {900, 640});
    }
    void showTree()
    {
        SiteTreeView tree;
        std::vector<SiteRow> rows = m_rows;
        rows[5].state = ResultState::Stale;
        rows[6].state = ResultState::Computing;
        rows[7].choice.enabled = false;
        tree.setRows(rows);
        tree.setSelectedSites({rows[4].name, rows[8].name});
        save(tree, u"tree"_s, {820, 520});
        SiteTreeView empty;
        save(empty, u"tree-empty"_s, {300, 200});
    }
    void fillInspector(QuantizerInspector& inspector)
    {
        SiteChoice choice;
        choice.enabled = true;
        choice.bits = 4;
        SiteRow row = layerNormRow();
        row.choice = choice;
        const QuantParams params = resolveActivation(choice, *m_layerNorm);
        inspector.setSites({row});
        inspector.setQuantizer(params);
        QuantizationError error = quantizationError(*m_layerNorm, params);
        error.clipping = error.rounding * 0.3;
        inspector.setTensorError(error, ResultState::Live);
    }
    void showInspector()
    {
        QuantizerInspector inspector;
        fillInspector(inspector);
        save(inspector, u"inspector"_s, {290, 460});
        QuantizerInspector many;
        many.setSites({m_rows.begin() + 4, m_rows.begin() + 12});
        save(many, u"inspector-many"_s, {290, 460});
    }
    void fillStrip(ErrorStrip& strip)
    {
        SiteChoice choice;
        choice.enabled = true;
        choice.bits = 4;
        const QuantParams params = resolveActivation(choice, *m_layerNorm);
        strip.setTensorError(layerNormRow().name, quantizationError(*m_layerNorm, params));
        strip.setState(ErrorLevel::Tensor, ResultState::Live);
        strip.setLayerError(u"blocks.3.attn.qkv"_s, 17.32, 3.1e-3, 8);
        strip.setState(ErrorLevel::Layer, ResultState::Computing);
        strip.setModelError({16, {0.0421, 0.022, 0.063}, {14.2, 12.9, 15.5}, {87.5, 64.0, 96.5}}, 64);
        strip.setState(ErrorLevel::Model, ResultState::Stale);
    }
    void showStrip()
    {
        ErrorStrip strip;
        fillStrip(strip);
        save(strip, u"strip"_s, {1000, 64});
        ErrorStrip empty;
        save(empty, u"strip-empty"_s, {1000, 64});
    }
    void showSensitivity()
    {
        SensitivityChart chart;
        chart.setResults(synthetic::sensitivities(m_rows));
        chart.setHighlighted(layerNormRow().name);
        save(chart, u"sensitivity"_s, {1000, 260});
        chart.setOrder(SensitivityOrder::WorstFirst);
        chart.setColouring(SensitivityColouring::Cause);
        save(chart, u"sensitivity-sorted"_s, {1000, 300});
    }
    [[nodiscard]] static std::vector<MetricsRow> metricsRows()
    {
        return {{.name = u"FP32"_s,
                    .metrics = Metrics {.samples = 1000,
                        .top1Percent = 79.80,
                        .top5Percent = 94.9,
                        .nllNats = {},
                        .agreementPercent = 100.0,
                        .klNats = 0.0,
                        .logitsSqnrDb = std::numeric_limits<double>::infinity()},
                    .state = ResultState::Live},
            {.name = u"W4A8 min-max"_s,
                .metrics = Metrics {.samples = 1000,
                    .top1Percent = 71.3,
                    .top5Percent = 90.6,
                    .nllNats = {},
                    .agreementPercent = 82.4,
                    .klNats = 0.214,
                    .logitsSqnrDb = 9.8},
                .state = ResultState::Live},
            {.name = u"W4A8 percentile, log\u221A2 softmax"_s,
                .metrics = Metrics {.samples = 1000,
                    .top1Percent = 77.9,
                    .top5Percent = 93.8,
                    .nllNats = {},
                    .agreementPercent = 93.1,
                    .klNats = 0.051,
                    .logitsSqnrDb = 15.6},
                .state = ResultState::Stale},
            {.name = u"W8A8"_s, .metrics = {}, .state = ResultState::Computing}};
    }
    [[nodiscard]] static std::vector<JobInfo> jobs()
    {
        return {{.key = u"a"_s,
                    .title = u"Calibrate on 256 images"_s,
                    .stage = u"forward pass"_s,
                    .done = 96,
                    .total = 256,
                    .elapsedSeconds = 41.0,
                    .remainingSeconds = 68.0,
                    .state = JobInfo::State::Running},
            {.key = u"b"_s,
                .title = u"Sensitivity"_s,
                .stage = {},
                .done = 0,
                .total = 0,
                .elapsedSeconds = 0.0,
                .remainingSeconds = {},
                .state = JobInfo::State::Waiting}};
    }
    void showRest()
    {
        MetricsTable table;
        table.setRows(metricsRows());
        save(table, u"metrics"_s, {900, 170});
        JobPanel panel;
        panel.setJobs(jobs());
        save(panel, u"jobs"_s, {800, 160});
        QWidget host;
        auto* layout = new QVBoxLayout(&host);
        for (const auto kind : {BannerKind::Notice, BannerKind::Warning, BannerKind::Failure}) {
            auto* banner = new MessageBanner(&host);
            layout->addWidget(banner);
            banner->showMessage(kind,
                u"File 'model.safetensors' ends after 2 359 200 bytes, tensor 'blocks.3.mlp.fc1.weight' needs 9 437 184."_s,
                u"Open another\u2026"_s);
        }
        save(host, u"banner"_s, {900, 150});
    }
    void showWindow()
    {
        QWidget window;
        auto* tree = new SiteTreeView;
        tree->setRows(m_rows);
        tree->setSelectedSites({layerNormRow().name});
        auto* view = new DistributionView;
        fillDistribution(*view, 4, Granularity::Tensor);
        auto* inspector = new QuantizerInspector;
        fillInspector(*inspector);
        auto* strip = new ErrorStrip;
        fillStrip(*strip);
        auto* chart = new SensitivityChart;
        chart->setResults(synthetic::sensitivities(m_rows));
        auto* tabs = new QTabWidget;
        tabs->setDocumentMode(true);
        tabs->addTab(chart, u"Sensitivity"_s);
        auto* centre = new QWidget;
        auto* centreLayout = new QVBoxLayout(centre);
        centreLayout->setContentsMargins(0, 0, 0, 0);
        centreLayout->addWidget(view, 1);
        centreLayout->addWidget(strip);
        auto* upper = new QSplitter;
        upper->addWidget(tree);
        upper->addWidget(centre);
        upper->addWidget(inspector);
        upper->setSizes({300, 720, 260});
        auto* all = new QSplitter(Qt::Vertical);
        all->addWidget(upper);
        all->addWidget(tabs);
        all->setSizes({580, 220});
        auto* layout = new QVBoxLayout(&window);
        layout->setContentsMargins(4, 4, 4, 4);
        layout->addWidget(all);
        save(window, u"window"_s, {1280, 800});
    }

    QString m_folder;
    QString m_theme;
    std::shared_ptr<const SiteStatistics> m_layerNorm;
    std::shared_ptr<const SiteStatistics> m_softmax;
    std::vector<SiteRow> m_rows;
};

/// Times of what must keep up with the hand, at 1600 x 1000.
void measure()
{
    QTextStream out(stdout);
    QElapsedTimer timer;
    ChannelMap map;
    map.resize(1600, 1000);
    map.show();
    QApplication::processEvents();
    const auto statistics = synthetic::layerNormSite(768, 600);
    timer.start();
    map.setStatistics(statistics);
    map.plot()->replot(QCustomPlot::rpImmediateRefresh);
    out << "channel map 768 x 320, data and drawing: " << static_cast<double>(timer.nsecsElapsed()) / 1e6
        << " ms\n";

    SiteChoice choice;
    choice.enabled = true;
    choice.bits = 8;
    DistributionView view;
    SiteRow row;
    row.name = u"site"_s;
    row.choice = choice;
    view.setSite(row);
    view.setStatistics(statistics);
    QuantParams params = resolveActivation(choice, *statistics);
    view.setQuantizer(params);
    view.resize(1600, 1000);
    view.show();
    QApplication::processEvents();
    constexpr int kFrames = 60;
    timer.start();
    for (int frame = 0; frame < kFrames; ++frame) {
        params.bounds.front().upper -= 0.01;
        params.scales.front() *= 0.999F;
        view.setQuantizer(params);
        QApplication::processEvents();
    }
    out << "drag frame (levels, error density, bounds, repaint): "
        << static_cast<double>(timer.nsecsElapsed()) / 1e6 / kFrames << " ms\n";
}

} // namespace

int main(int argc, char** argv)
{
    QApplication application(argc, argv);
    QApplication::setStyle(QStyleFactory::create(u"Fusion"_s));
    const QStringList arguments = QApplication::arguments();
    if (arguments.size() < 2) {
        QTextStream(stderr) << "usage: qs_widget_gallery FOLDER\n";
        return 2;
    }
    QDir().mkpath(arguments.at(1));
    Gallery gallery(arguments.at(1));
    const QPalette light = QApplication::palette();
    gallery.run(u"light"_s);
    QApplication::setPalette(darkPalette());
    gallery.run(u"dark"_s);
    QApplication::setPalette(light);
    measure();
    return 0;
}
