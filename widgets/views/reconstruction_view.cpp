#include "widgets/views/reconstruction_view.h"

#include "widgets/common/elided_label.h"
#include "widgets/common/empty_label.h"
#include "widgets/common/number_format.h"
#include "widgets/common/table_setup.h"
#include "widgets/plot/loss_curve.h"

#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QProgressBar>
#include <QPushButton>
#include <QSplitter>
#include <QStackedLayout>
#include <QTableWidget>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>

namespace qs {

namespace {

enum Column { Name, Before, After, Change, ColumnCount };

QTableWidgetItem* numberItem(const QString& text)
{
    auto* item = new QTableWidgetItem(text);
    item->setTextAlignment(Qt::AlignRight | Qt::AlignVCenter);
    return item;
}

/// The stages of the methods in words.
QString stageText(const QString& stage)
{
    if (stage == QLatin1String("calibrate")) {
        return ReconstructionView::tr("statistics");
    }
    if (stage == QLatin1String("curvature")) {
        return ReconstructionView::tr("curvature of the output");
    }
    if (stage == QLatin1String("reconstruct")) {
        return ReconstructionView::tr("layers in closed form");
    }
    return stage;
}

} // namespace

ReconstructionView::ReconstructionView(QWidget* parent)
    : QWidget(parent)
    , m_empty(new EmptyLabel(
          tr("Run a method from the end of the Preset menu to see it learn bounds and weights."), this))
    , m_title(new QLabel(this))
    , m_status(new ElidedLabel(Qt::ElideRight, this))
    , m_times(new QLabel(this))
    , m_bar(new QProgressBar(this))
    , m_cancel(new QPushButton(tr("Cancel"), this))
    , m_curve(new LossCurve(this))
    , m_table(new QTableWidget(0, ColumnCount, this))
    , m_stack(new QStackedLayout(this))
{
    QFont bold = font();
    bold.setWeight(QFont::DemiBold);
    m_title->setFont(bold);
    m_times->setForegroundRole(QPalette::PlaceholderText);
    m_bar->setTextVisible(false);
    m_bar->setFixedHeight(8);
    m_bar->setAccessibleName(tr("Progress of the method"));
    m_cancel->setAccessibleName(tr("Cancel the method"));
    m_cancel->setToolTip(tr("Stop; finished sections are kept for the next run with the same options"));
    m_table->setAccessibleName(tr("Sections"));
    makeFigureTable(*m_table, Name);
    m_table->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_table->setSelectionMode(QAbstractItemView::SingleSelection);
    auto* header = new QHBoxLayout;
    header->setContentsMargins(8, 4, 8, 0);
    header->setSpacing(12);
    header->addWidget(m_title);
    header->addWidget(m_status, 1);
    header->addWidget(m_times);
    header->addWidget(m_cancel);
    auto* splitter = new QSplitter(this);
    splitter->addWidget(m_curve);
    splitter->addWidget(m_table);
    splitter->setStretchFactor(0, 3);
    splitter->setStretchFactor(1, 1);
    splitter->setSizes({760, 360});
    auto* content = new QWidget(this);
    auto* layout = new QVBoxLayout(content);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(3);
    layout->addLayout(header);
    layout->addWidget(m_bar);
    layout->addWidget(splitter, 1);
    m_stack->addWidget(m_empty);
    m_stack->addWidget(content);
    connect(m_cancel, &QPushButton::clicked, this, [this] {
        m_cancel->setEnabled(false);
        m_status->setFullText(tr("cancelling"));
        emit cancelRequested();
    });
    connect(m_curve, &LossCurve::sectionClicked, this, &ReconstructionView::sectionChosen);
    connect(m_table, &QTableWidget::cellClicked, this,
        [this](int row, int) { emit sectionChosen(m_table->item(row, Name)->text()); });
}

void ReconstructionView::begin(const QString& title)
{
    m_name = title;
    m_title->setText(title);
    m_elapsedSeconds = 0.0;
    m_status->setFullText(tr("waiting"));
    m_times->clear();
    m_curve->clear();
    m_curve->show();
    m_table->setRowCount(0);
    m_table->setHorizontalHeaderLabels({tr("Section"), tr("First loss"), tr("Now"), tr("Change")});
    m_bar->setRange(0, 0);
    m_bar->show();
    m_cancel->setEnabled(true);
    m_cancel->show();
    m_stack->setCurrentIndex(1);
}

void ReconstructionView::addPoints(const std::vector<LossPoint>& points)
{
    m_curve->addPoints(points);
    m_sectionCount = points.empty() ? m_sectionCount : points.back().blocks;
    const int kept = m_curve->sections().empty() ? 0 : m_curve->sections().front().index;
    if (kept > 0) {
        m_title->setText(tr("%1, %n section(s) kept from before", nullptr, kept).arg(m_name));
    }
    fillSections();
}

void ReconstructionView::setProgress(const ReconstructionProgress& progress)
{
    if (!m_cancel->isEnabled()) {
        return; // cancelling
    }
    const auto& sections = m_curve->sections();
    if (progress.stage == QLatin1String("train") && !sections.empty()) {
        const SectionLoss& section = sections.back();
        m_status->setFullText(tr("training %1 (section %2 of %3), iteration %4 of %5")
                                  .arg(section.name)
                                  .arg(section.index + 1)
                                  .arg(m_sectionCount)
                                  .arg(section.iterations)
                                  .arg(section.total));
    } else if (progress.total > 0) {
        m_status->setFullText(
            tr("%1, %2 of %3").arg(stageText(progress.stage)).arg(progress.done).arg(progress.total));
    } else {
        m_status->setFullText(progress.stage.isEmpty() ? tr("waiting") : stageText(progress.stage));
    }
    m_elapsedSeconds = progress.elapsedSeconds;
    QString times = tr("%1 elapsed").arg(formatDuration(progress.elapsedSeconds));
    if (progress.remainingSeconds) {
        times += tr(", about %1 left").arg(formatDuration(*progress.remainingSeconds));
    }
    m_times->setText(times);
    m_bar->setRange(0, static_cast<int>(progress.total));
    m_bar->setValue(static_cast<int>(progress.done));
}

void ReconstructionView::fillSections()
{
    const auto& sections = m_curve->sections();
    const bool atEnd = m_table->currentRow() < 0;
    m_table->setRowCount(static_cast<int>(sections.size()));
    for (std::size_t i = 0; i < sections.size(); ++i) {
        setRow(static_cast<int>(i), sections[i].name, sections[i].first, sections[i].last);
    }
    if (atEnd) {
        m_table->scrollToBottom();
    }
}

void ReconstructionView::setRow(int row, const QString& name, double before, double after)
{
    const QString change = before > 0.0 && after > 0.0 ? formatDecibel(10.0 * std::log10(before / after))
                                                       : QStringLiteral("–");
    const QStringList texts {name, formatNumber(before, 3), formatNumber(after, 3), change};
    for (int column = 0; column < ColumnCount; ++column) {
        QTableWidgetItem* item = m_table->item(row, column);
        if (item == nullptr) {
            item = column == Name ? new QTableWidgetItem : numberItem({});
            m_table->setItem(row, column, item);
        }
        if (item->text() != texts[column]) {
            item->setText(texts[column]);
        }
    }
    m_table->item(row, Change)->setToolTip(tr("How far the error fell"));
}

void ReconstructionView::setLayers(const std::vector<LayerReport>& layers)
{
    if (!m_curve->sections().empty()) {
        return; // what was trained has its curve
    }
    m_curve->setVisible(false);
    m_table->setHorizontalHeaderLabels(
        {tr("Layer"), tr("Error, nearest"), tr("Reconstructed"), tr("Change")});
    m_table->setRowCount(static_cast<int>(layers.size()));
    for (std::size_t i = 0; i < layers.size(); ++i) {
        setRow(static_cast<int>(i), QString::fromStdString(layers[i].layer), layers[i].errorBefore,
            layers[i].errorAfter);
    }
}

void ReconstructionView::end(const QString& sentence)
{
    m_status->setFullText(sentence);
    m_times->setText(m_elapsedSeconds > 0.0 ? formatDuration(m_elapsedSeconds) : QString());
    m_bar->hide();
    m_cancel->hide();
}

QString ReconstructionView::status() const
{
    return m_status->fullText();
}

} // namespace qs
