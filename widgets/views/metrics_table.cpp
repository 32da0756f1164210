#include "widgets/views/metrics_table.h"

#include "widgets/common/display_names.h"
#include "widgets/common/empty_label.h"
#include "widgets/common/icons.h"
#include "widgets/common/number_format.h"
#include "widgets/common/table_setup.h"

#include <QApplication>
#include <QClipboard>
#include <QEvent>
#include <QHeaderView>
#include <QKeyEvent>
#include <QStackedWidget>
#include <QTableWidget>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>
#include <utility>

using namespace Qt::StringLiterals;

namespace qs {

namespace {

/// "79.84 %  (−1.20)" against the reference, which shows the value alone (and is null for itself).
QString withDifference(const QString& text, const std::optional<double>& value,
    const std::optional<double>& reference, int digits)
{
    if (!value) {
        return u"\u2013"_s;
    }
    if (!reference) {
        return text;
    }
    const double difference = *value - *reference;
    const QString sign = difference < 0.0 ? u"\u2212"_s : u"+"_s;
    return text + u"  (%1%2)"_s.arg(sign, QLocale().toString(std::abs(difference), 'f', digits));
}

QString percentCell(const std::optional<double>& value, const std::optional<double>& reference)
{
    return withDifference(formatPercent(value.value_or(0.0)), value, reference, 2);
}

QString numberCell(const std::optional<double>& value, const std::optional<double>& reference, int digits)
{
    return withDifference(QLocale().toString(value.value_or(0.0), 'f', digits), value, reference, digits);
}

} // namespace

MetricsTable::MetricsTable(QWidget* parent)
    : QWidget(parent)
    , m_table(new QTableWidget(0, ColumnCount, this))
    , m_empty(new EmptyLabel(tr("No evaluation yet."), this))
    , m_stack(new QStackedWidget(this))
{
    m_table->setHorizontalHeaderLabels({tr("Result"), tr("Top-1"), tr("Top-5"), tr("NLL, nats"),
        tr("Perplexity"), tr("Agreement"), tr("KL, nats"), tr("Logit SQNR"), tr("Samples"), tr("W bits"),
        tr("A bits"), tr("Size, MB"), tr("State")});
    m_table->setAccessibleName(tr("Metrics of the plans"));
    makeReadOnly(*m_table);
    m_table->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_table->setAlternatingRowColors(true);
    m_table->setShowGrid(false);
    m_table->verticalHeader()->setDefaultSectionSize(fontMetrics().height() + 8);
    m_table->horizontalHeader()->setHighlightSections(false);
    m_table->horizontalHeader()->setSectionResizeMode(Name, QHeaderView::Stretch);
    for (int column = 0; column < ColumnCount; ++column) {
        const bool isText = column == Name || column == State;
        m_table->horizontalHeaderItem(column)->setTextAlignment(
            (isText ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter);
    }
    m_table->horizontalHeaderItem(Nll)->setToolTip(tr("Mean of \u2212ln p of the tokens that follow"));
    m_table->horizontalHeaderItem(Agreement)->setToolTip(
        tr("Samples (of language models: tokens) whose top-1 is that of FP32"));
    m_table->horizontalHeaderItem(Kl)->setToolTip(tr("Mean KL of the predicted distribution against FP32's"));
    connect(m_table, &QTableWidget::itemSelectionChanged, this, &MetricsTable::selectionChanged);
    connect(m_table, &QTableWidget::cellActivated, this, [this](int row, int) { emit rowActivated(row); });
    m_stack->addWidget(m_empty);
    m_stack->addWidget(m_table);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_stack);
}

void MetricsTable::setEmptyText(const QString& text)
{
    m_empty->setText(text);
}

void MetricsTable::setRows(std::vector<MetricsRow> rows)
{
    m_rows = std::move(rows);
    fill();
}

QList<int> MetricsTable::selectedRows() const
{
    QList<int> rows;
    for (const QModelIndex& index : m_table->selectionModel()->selectedRows()) {
        rows.append(index.row());
    }
    std::sort(rows.begin(), rows.end());
    return rows;
}

QString MetricsTable::toText() const
{
    const auto number = [](const std::optional<double>& value) {
        return value ? QString::number(*value, 'g', 17) : QString();
    };
    QString text = u"result\tsamples\ttop1\ttop5\tnll\tperplexity\tagreement\tkl\tsqnr_db\n"_s;
    for (const MetricsRow& row : m_rows) {
        QStringList cells {row.name};
        if (row.metrics) {
            const Metrics& metrics = *row.metrics;
            cells << QString::number(metrics.samples) << number(metrics.top1Percent)
                  << number(metrics.top5Percent) << number(metrics.nllNats) << number(metrics.perplexity())
                  << number(metrics.agreementPercent) << number(metrics.klNats)
                  << number(metrics.logitsSqnrDb);
        }
        text += cells.join(u'\t') + u'\n';
    }
    return text;
}

void MetricsTable::changeEvent(QEvent* event)
{
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange) {
        fill();
    }
}

void MetricsTable::keyPressEvent(QKeyEvent* event)
{
    if (event->matches(QKeySequence::Copy)) {
        QApplication::clipboard()->setText(toText());
        return;
    }
    QWidget::keyPressEvent(event);
}

void MetricsTable::fill()
{
    const QSignalBlocker silent(m_table); // new figures of the same rows are not the user's doing
    m_stack->setCurrentIndex(m_rows.empty() ? 0 : 1);
    m_table->setRowCount(static_cast<int>(m_rows.size()));
    for (std::size_t row = 0; row < m_rows.size(); ++row) {
        fillRow(static_cast<int>(row), m_rows[row]);
    }
    const bool ofLanguage = std::ranges::any_of(
        m_rows, [](const MetricsRow& row) { return row.metrics && row.metrics->nllNats; });
    m_table->setColumnHidden(Nll, !ofLanguage);
    m_table->setColumnHidden(Perplexity, !ofLanguage);
    m_table->resizeColumnsToContents();
    for (int column = Top1; column < ColumnCount; ++column) {
        m_table->setColumnWidth(column, m_table->columnWidth(column) + 14);
    }
}

void MetricsTable::fillRow(int row, const MetricsRow& result)
{
    const auto put = [&](Column column, const QString& text, Qt::Alignment alignment = Qt::AlignRight) {
        auto* item = new QTableWidgetItem(text);
        item->setTextAlignment(alignment | Qt::AlignVCenter);
        if (result.state != ResultState::Live) {
            item->setForeground(palette().brush(QPalette::PlaceholderText));
        }
        m_table->setItem(row, column, item);
        return item;
    };
    QTableWidgetItem* name = put(Name, result.name, Qt::AlignLeft);
    if (row == 0) {
        QFont bold = font();
        bold.setWeight(QFont::DemiBold);
        name->setFont(bold);
        name->setToolTip(tr("Reference of the differences"));
    }
    const auto& figures = result.figures;
    put(WeightBits, figures ? QLocale().toString(figures->weightBits, 'g', 3) : u"\u2013"_s);
    put(ActivationBits, figures ? QLocale().toString(figures->activationBits, 'g', 3) : u"\u2013"_s);
    put(Size, figures ? QLocale().toString(static_cast<double>(figures->bytes) / 1e6, 'f', 2) : u"\u2013"_s);
    QTableWidgetItem* state = put(State, displayName(result.state), Qt::AlignLeft);
    state->setIcon(stateIcon(result.state, palette()));
    if (!result.metrics) {
        for (const Column column : {Top1, Top5, Nll, Perplexity, Agreement, Kl, Sqnr, Samples}) {
            put(column, u"\u2013"_s);
        }
        return;
    }
    const Metrics& metrics = *result.metrics;
    const Metrics reference = row > 0 && m_rows.front().metrics ? *m_rows.front().metrics : Metrics();
    put(Top1, percentCell(metrics.top1Percent, reference.top1Percent));
    put(Top5, percentCell(metrics.top5Percent, reference.top5Percent));
    put(Nll, numberCell(metrics.nllNats, reference.nllNats, 4));
    put(Perplexity, numberCell(metrics.perplexity(), reference.perplexity(), 2));
    put(Agreement, formatPercent(metrics.agreementPercent));
    put(Kl, formatNumber(metrics.klNats, 3));
    put(Sqnr, formatDecibel(metrics.logitsSqnrDb));
    put(Samples, QLocale().toString(static_cast<qlonglong>(metrics.samples)));
}

} // namespace qs
