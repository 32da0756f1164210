#include "widgets/views/calibration_view.h"

#include "widgets/common/number_format.h"
#include "widgets/common/table_setup.h"
#include "widgets/plot/sample_range_chart.h"

#include <QHeaderView>
#include <QLabel>
#include <QSplitter>
#include <QTableWidget>
#include <QVBoxLayout>

#include <algorithm>

using namespace Qt::StringLiterals;

namespace qs {

namespace {

enum Column { Sample, Range, Sets, Without, Gain, Clipping, ColumnCount };

QString rangeText(double lower, double upper)
{
    return CalibrationView::tr("%1 … %2").arg(formatNumber(lower, 4), formatNumber(upper, 4));
}

} // namespace

CalibrationView::CalibrationView(QWidget* parent)
    : QWidget(parent)
    , m_chart(new SampleRangeChart(this))
    , m_table(new QTableWidget(0, ColumnCount, this))
    , m_summary(new QLabel(this))
{
    m_table->setHorizontalHeaderLabels(
        {tr("Sample"), tr("Range"), tr("Sets"), tr("Range without"), tr("SQNR without"), tr("Then clipped")});
    m_table->horizontalHeaderItem(Gain)->setToolTip(tr(
        "SQNR of the site's own values, this sample's included, with the range of the others as bounds; in "
        "brackets the change"));
    m_table->horizontalHeaderItem(Clipping)->setToolTip(
        tr("Share of the squared error that is then clipping"));
    m_table->setAccessibleName(tr("Samples that set the range"));
    m_table->setToolTip(tr("Double click makes the range without this sample the bounds"));
    makeReadOnly(*m_table);
    m_table->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_table->setSelectionMode(QAbstractItemView::SingleSelection);
    m_table->horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
    m_table->horizontalHeader()->setStretchLastSection(true);
    m_summary->setContentsMargins(8, 2, 8, 2);
    m_summary->setWordWrap(true);
    m_summary->setTextFormat(Qt::PlainText);
    auto* splitter = new QSplitter(this);
    splitter->addWidget(m_chart);
    splitter->addWidget(m_table);
    splitter->setSizes({480, 640});
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addWidget(m_summary);
    layout->addWidget(splitter, 1);
    connect(m_chart, &SampleRangeChart::sampleClicked, this, &CalibrationView::selectSample);
    connect(m_table, &QTableWidget::currentCellChanged, this, [this](int row) {
        const bool known = row >= 0 && row < static_cast<int>(m_influences.size());
        m_chart->setHighlighted(known ? m_influences[static_cast<std::size_t>(row)].sample.sample : -1);
    });
    connect(m_table, &QTableWidget::cellActivated, this, [this](int row) {
        if (row >= 0 && row < static_cast<int>(m_influences.size())) {
            emit boundsRequested(m_influences[static_cast<std::size_t>(row)].without);
        }
    });
    setSite({}, std::nullopt, {}, tr("Select an activation to see which samples set its range."));
}

QString CalibrationView::summary() const
{
    return m_summary->text();
}

void CalibrationView::setSite(const SampleRanges& ranges, const std::optional<SiteMicroscope>& microscope,
    const std::function<QString(qint64)>& nameOf, const QString& reason)
{
    m_chart->setSite(ranges, microscope);
    m_table->setRowCount(0);
    m_influences.clear();
    m_chart->setVisible(microscope.has_value());
    m_table->setVisible(microscope.has_value());
    if (!microscope) {
        m_summary->setText(reason);
        return;
    }
    m_influences = microscope->influences;
    const bool settled = microscope->settledAfter < microscope->samples;
    m_summary->setText(
        tr("%1: %2 over %3 samples, SQNR %4 with that range. %5")
            .arg(QString::fromStdString(microscope->site),
                rangeText(microscope->range.lower, microscope->range.upper))
            .arg(microscope->samples)
            .arg(formatDecibel(microscope->sqnrDb),
                settled ? tr("From sample %1 on it grew by less than 5 % of its width.")
                              .arg(microscope->settledAfter)
                        : tr("It still grew with the last sample: more samples may widen it further.")));
    fillTable(*microscope, nameOf);
}

void CalibrationView::fillTable(
    const SiteMicroscope& microscope, const std::function<QString(qint64)>& nameOf)
{
    const QSignalBlocker blocker(m_table);
    m_table->setRowCount(static_cast<int>(m_influences.size()));
    for (int row = 0; row < m_table->rowCount(); ++row) {
        const SampleInfluence& influence = m_influences[static_cast<std::size_t>(row)];
        const auto set = [&](Column column, const QString& text) {
            m_table->setItem(row, column, new QTableWidgetItem(text));
        };
        const QString name = nameOf ? nameOf(influence.sample.sample) : QString();
        set(Sample, name.isEmpty() ? tr("sample %1").arg(influence.sample.sample) : name);
        m_table->item(row, Sample)->setToolTip(tr("sample %1").arg(influence.sample.sample));
        set(Range,
            rangeText(static_cast<double>(influence.sample.minimum),
                static_cast<double>(influence.sample.maximum)));
        set(Sets,
            influence.setsLower && influence.setsUpper ? tr("both ends")
                : influence.setsLower                  ? tr("lower end")
                : influence.setsUpper                  ? tr("upper end")
                                                       : tr("–"));
        set(Without, rangeText(influence.without.lower, influence.without.upper));
        const double gain = influence.sqnrDb - microscope.sqnrDb;
        set(Gain,
            tr("%1 (%2%3)")
                .arg(
                    formatDecibel(influence.sqnrDb), gain > 0.0 ? u"+"_s : QString(), formatNumber(gain, 2)));
        set(Clipping, formatShare(influence.clippingShare));
    }
}

void CalibrationView::setBounds(const std::optional<Bounds>& bounds)
{
    m_chart->setBounds(bounds);
}

void CalibrationView::selectSample(qint64 sample)
{
    const auto found = std::ranges::find_if(
        m_influences, [&](const SampleInfluence& influence) { return influence.sample.sample == sample; });
    const QSignalBlocker blocker(m_table);
    if (found == m_influences.end()) {
        m_table->clearSelection();
    } else {
        m_table->selectRow(static_cast<int>(found - m_influences.begin()));
    }
}

} // namespace qs
