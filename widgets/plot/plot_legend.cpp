#include "widgets/plot/plot_legend.h"

#include <QPainter>

#include <utility>

namespace qs {

namespace {

constexpr int kSwatchWidth = 16;
constexpr int kSwatchHeight = 10;
constexpr int kGap = 5; ///< swatch to word
constexpr int kSpacing = 14; ///< entry to entry

bool isLine(PlotRole role)
{
    switch (role) {
    case PlotRole::Bound:
    case PlotRole::Level:
    case PlotRole::Envelope: return true;
    default: return false;
    }
}

} // namespace

PlotLegend::PlotLegend(QWidget* parent)
    : QWidget(parent)
{
    setSizePolicy(QSizePolicy::Minimum, QSizePolicy::Fixed);
    setAccessibleName(tr("Legend"));
}

void PlotLegend::setEntries(std::vector<Entry> entries)
{
    if (entries == m_entries) {
        return;
    }
    m_entries = std::move(entries);
    QStringList words;
    for (const Entry& entry : m_entries) {
        words << entry.text;
    }
    setAccessibleDescription(words.join(QStringLiteral(", ")));
    updateGeometry();
    update();
}

QSize PlotLegend::sizeHint() const
{
    const QFontMetrics metrics(PlotStyle(palette()).labelFont());
    int width = 0;
    for (const Entry& entry : m_entries) {
        width += kSwatchWidth + kGap + metrics.horizontalAdvance(entry.text) + kSpacing;
    }
    return {width, metrics.height() + 4};
}

QSize PlotLegend::minimumSizeHint() const
{
    return {0, sizeHint().height()};
}

void PlotLegend::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    const PlotStyle style(palette());
    const QFontMetrics metrics(style.labelFont());
    painter.setFont(style.labelFont());
    int x = 0;
    for (const Entry& entry : m_entries) {
        const QRect swatch(x, (height() - kSwatchHeight) / 2, kSwatchWidth, kSwatchHeight);
        if (isLine(entry.role)) {
            painter.setPen(style.pen(entry.role));
            painter.drawLine(swatch.left(), swatch.center().y() + 1, swatch.right(), swatch.center().y() + 1);
        } else {
            style.fill(painter, QRectF(swatch), entry.role);
            painter.setPen(style.pen(entry.role).color());
            painter.drawRect(swatch.adjusted(0, 0, -1, -1));
        }
        x += kSwatchWidth + kGap;
        painter.setPen(style.mutedText());
        painter.drawText(QPoint(x, (height() + metrics.ascent() - metrics.descent()) / 2), entry.text);
        x += metrics.horizontalAdvance(entry.text) + kSpacing;
    }
}

} // namespace qs
