#include "widgets/views/flip_list.h"

#include "widgets/common/number_format.h"

#include <QImageReader>
#include <QLabel>
#include <QListWidget>
#include <QVBoxLayout>

#include <utility>

namespace qs {

namespace {

constexpr int kPicture = 48; ///< pixels

} // namespace

FlipList::FlipList(QWidget* parent)
    : QWidget(parent)
    , m_caption(new QLabel(this))
    , m_list(new QListWidget(this))
{
    m_caption->setForegroundRole(QPalette::PlaceholderText);
    m_caption->setContentsMargins(8, 2, 8, 2);
    m_list->setAccessibleName(tr("Samples whose prediction differs"));
    m_list->setIconSize(QSize(kPicture, kPicture));
    m_list->setUniformItemSizes(true);
    m_list->setAlternatingRowColors(true);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addWidget(m_caption);
    layout->addWidget(m_list, 1);
    m_loader.setInterval(0);
    connect(&m_loader, &QTimer::timeout, this, &FlipList::loadNextPicture);
    connect(m_list, &QListWidget::currentRowChanged, this, [this](int row) {
        if (row >= 0 && m_list->hasFocus()) {
            emit flipChosen(m_rows[static_cast<std::size_t>(row)].flip.sample);
        }
    });
    connect(m_list, &QListWidget::itemClicked, this, [this](QListWidgetItem* item) {
        emit flipChosen(m_rows[static_cast<std::size_t>(m_list->row(item))].flip.sample);
    });
    clear(tr("Select two results to see which samples they tell apart."));
}

void FlipList::clear(const QString& why)
{
    m_rows.clear();
    m_loader.stop();
    m_list->clear();
    m_caption->setText(why);
}

void FlipList::setFlips(const QString& before, const QString& after, std::vector<FlipRow> rows)
{
    if (rows == m_rows && !rows.empty()) {
        return;
    }
    m_list->clear();
    m_rows = std::move(rows);
    m_caption->setText(m_rows.empty()
            ? tr("%1 and %2 predict the same for all samples.").arg(before, after)
            : tr("%1 predictions of %2 differ from %3:").arg(m_rows.size()).arg(after, before));
    QPixmap blank(kPicture, kPicture);
    blank.fill(Qt::transparent);
    for (const FlipRow& row : m_rows) {
        QString text = tr("%1\n%2 (%3) → %4 (%5)")
                           .arg(row.text.isEmpty() ? row.sampleName : row.text, row.before,
                               formatShare(static_cast<double>(row.flip.beforeProbability)), row.after,
                               formatShare(static_cast<double>(row.flip.afterProbability)));
        if (!row.truth.isEmpty()) {
            text += tr(", label %1").arg(row.truth);
        }
        auto* item = new QListWidgetItem(row.text.isEmpty() ? QIcon(blank) : QIcon(), text, m_list);
        item->setToolTip(row.text.isEmpty() ? QString() : row.sampleName);
    }
    m_nextPicture = 0;
    m_loader.start();
}

void FlipList::loadNextPicture()
{
    while (m_nextPicture < m_rows.size() && m_rows[m_nextPicture].picture.isEmpty()) {
        ++m_nextPicture;
    }
    if (m_nextPicture >= m_rows.size()) {
        m_loader.stop();
        return;
    }
    QImageReader reader(m_rows[m_nextPicture].picture);
    const QSize size = reader.size();
    if (size.isValid()) {
        reader.setScaledSize(size.scaled(kPicture, kPicture, Qt::KeepAspectRatio));
    }
    const QImage image = reader.read();
    if (!image.isNull()) {
        m_list->item(static_cast<int>(m_nextPicture))->setIcon(QIcon(QPixmap::fromImage(image)));
    }
    ++m_nextPicture;
}

} // namespace qs
