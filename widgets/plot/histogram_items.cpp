#include "widgets/plot/histogram_items.h"

#include "widgets/plot/plot_style.h"

#include <QPainterPath>

#include <algorithm>
#include <cmath>
#include <limits>

namespace qs {

namespace {

/// Ticks closer than this would run into each other.
constexpr double kSmallestLevelDistance = 3.0;
constexpr double kLevelTickLength = 7.0;
constexpr double kMarkHeight = 16.0;
constexpr double kMarkGap = 6.0;

} // namespace

void drawTextBox(QCPPainter* painter, const QPalette& palette, const QRectF& area, const QPointF& anchor,
    const QString& text, const QColor& textColour)
{
    const PlotStyle style(palette);
    const QFontMetricsF metrics(style.labelFont());
    const QSizeF size(metrics.horizontalAdvance(text) + 10.0, metrics.height() + 4.0);
    QPointF corner = anchor;
    corner.setX(std::clamp(corner.x(), area.left(), std::max(area.left(), area.right() - size.width())));
    corner.setY(std::clamp(corner.y(), area.top(), std::max(area.top(), area.bottom() - size.height())));
    const QRectF box(corner, size);
    painter->setPen(Qt::NoPen);
    painter->setBrush(style.textBacking());
    painter->drawRoundedRect(box, 3.0, 3.0);
    painter->setPen(textColour);
    painter->setFont(style.labelFont());
    painter->drawText(box, Qt::AlignCenter, text);
}

double BinColumns::binPosition(double value) const
{
    const Histogram& bins = *m_histogram;
    double grid = value;
    if (bins.scale == BinScale::Log2) {
        if (value <= 0.0) {
            return -std::numeric_limits<double>::infinity();
        }
        const double octave = std::floor(std::log2(value));
        grid = octave + value / std::exp2(octave) - 1.0; // even steps within an octave, as Histogram::edge()
    }
    return grid / bins.width - static_cast<double>(bins.firstBin);
}

double BinColumns::edge(double position) const
{
    const double grid = (static_cast<double>(m_histogram->firstBin) + position) * m_histogram->width;
    if (m_histogram->scale == BinScale::Linear) {
        return grid;
    }
    const double octave = std::floor(grid);
    return std::exp2(octave) * (1.0 + grid - octave);
}

std::vector<double> BinColumns::maxima(
    const BinPyramid& values, const QCPAxis& axis, int left, int right) const
{
    std::vector<double> columns;
    columns.reserve(static_cast<std::size_t>(std::max(right - left, 0)));
    const double size = static_cast<double>(values.size());
    double from = binPosition(axis.pixelToCoord(left));
    for (int x = left; x < right; ++x) {
        const double to = binPosition(axis.pixelToCoord(x + 1));
        double largest = 0.0;
        if (to > 0.0 && from < size) {
            const auto first = static_cast<std::size_t>(std::clamp(std::floor(from), 0.0, size));
            const auto end = static_cast<std::size_t>(std::clamp(std::ceil(to), 0.0, size));
            largest = values.maximum(first, std::max(end, first + 1));
        }
        columns.push_back(largest);
        from = to;
    }
    return columns;
}

HistogramItem::HistogramItem(QCPAxisRect* rect, const QString& layer)
    : QCPLayerable(rect->parentPlot(), layer)
    , m_rect(rect)
{
}

void HistogramItem::setHistogram(std::shared_ptr<const Histogram> histogram)
{
    std::vector<double> heights;
    if (histogram) {
        heights.assign(histogram->counts.begin(), histogram->counts.end());
        for (std::size_t bin = 0; bin < heights.size() && histogram->scale == BinScale::Log2; ++bin) {
            // Bins are even within an octave: on a logarithmic axis their widths differ, which must not show
            // as height.
            const double octaves = std::log2(histogram->edge(bin + 1) / histogram->edge(bin));
            heights[bin] *= histogram->width / octaves;
        }
    }
    m_counts = BinPyramid(std::move(heights));
    m_columns.setHistogram(std::move(histogram));
}

void HistogramItem::applyDefaultAntialiasingHint(QCPPainter* painter) const
{
    painter->setAntialiasing(false);
}

QRect HistogramItem::clipRect() const
{
    return m_rect->rect();
}

void HistogramItem::draw(QCPPainter* painter)
{
    if (m_columns.isEmpty()) {
        return;
    }
    const QCPAxis& keys = *m_rect->axis(QCPAxis::atBottom);
    const QCPAxis& values = *m_rect->axis(QCPAxis::atLeft);
    const QRect area = m_rect->rect();
    const std::vector<double> columns
        = m_columns.maxima(m_counts, keys, area.left(), area.left() + area.width());
    const double floorY = area.bottom() + 1.0;
    const double lowest = values.range().lower;
    painter->setPen(Qt::NoPen);
    painter->setBrush(PlotStyle(m_palette).brush(PlotRole::Distribution));
    // Runs of equal height make one rectangle: few for wide bins, at most one per pixel.
    for (std::size_t begin = 0; begin < columns.size();) {
        std::size_t end = begin + 1;
        while (end < columns.size() && columns[end] == columns[begin]) {
            ++end;
        }
        if (columns[begin] > lowest) {
            const double y = std::clamp(values.coordToPixel(columns[begin]), area.top() - 1.0, floorY);
            painter->drawRect(QRectF(
                area.left() + static_cast<double>(begin), y, static_cast<double>(end - begin), floorY - y));
        }
        begin = end;
    }
}

ErrorDensityItem::ErrorDensityItem(QCPAxisRect* rect, const QString& layer)
    : QCPLayerable(rect->parentPlot(), layer)
    , m_rect(rect)
{
}

void ErrorDensityItem::setHistogram(std::shared_ptr<const Histogram> histogram)
{
    m_columns.setHistogram(std::move(histogram));
    setDensity({}, {});
}

void ErrorDensityItem::setDensity(std::vector<double> clipping, std::vector<double> rounding)
{
    const std::size_t bins = m_columns.isEmpty() ? 0 : m_columns.histogram().size();
    m_clipping = clipping.size() == bins ? BinPyramid(std::move(clipping)) : BinPyramid();
    m_rounding = rounding.size() == bins ? BinPyramid(std::move(rounding)) : BinPyramid();
}

void ErrorDensityItem::applyDefaultAntialiasingHint(QCPPainter* painter) const
{
    painter->setAntialiasing(false);
}

QRect ErrorDensityItem::clipRect() const
{
    return m_rect->rect();
}

void ErrorDensityItem::draw(QCPPainter* painter)
{
    if (m_columns.isEmpty()) {
        return;
    }
    const PlotStyle style(m_palette);
    const QCPAxis& keys = *m_rect->axis(QCPAxis::atBottom);
    const QRect area = m_rect->rect();
    if (!m_note.isEmpty()) {
        painter->setPen(style.mutedText());
        painter->setFont(style.labelFont());
        painter->drawText(area, Qt::AlignCenter | Qt::TextWordWrap, m_note);
    }
    const int end = area.left() + area.width();
    const std::vector<double> clipping = m_columns.maxima(m_clipping, keys, area.left(), end);
    const std::vector<double> rounding = m_columns.maxima(m_rounding, keys, area.left(), end);
    double largest = 0.0;
    for (std::size_t i = 0; i < clipping.size(); ++i) {
        largest = std::max({largest, clipping[i], rounding[i]});
    }
    if (largest <= 0.0) {
        return;
    }
    const double floorY = area.bottom() + 1.0;
    const auto drawPart = [&](const std::vector<double>& columns, PlotRole role) {
        QPainterPath path;
        path.moveTo(area.left(), floorY);
        for (std::size_t i = 0; i < columns.size(); ++i) {
            const double y = floorY - columns[i] / largest * (area.height() - 3.0);
            const double x = area.left() + static_cast<double>(i);
            path.lineTo(x, y);
            path.lineTo(x + 1.0, y);
        }
        path.lineTo(end, floorY);
        path.closeSubpath();
        style.fill(*painter, path, role);
        painter->setBrush(Qt::NoBrush);
        painter->setPen(style.pen(role));
        painter->drawPath(path);
    };
    drawPart(rounding, PlotRole::RoundingError);
    drawPart(clipping, PlotRole::ClippingError);
}

LevelsItem::LevelsItem(QCPAxisRect* rect, const QString& layer)
    : QCPLayerable(rect->parentPlot(), layer)
    , m_rect(rect)
{
}

void LevelsItem::setCutoff(double value, const QString& label)
{
    m_cutoff = value;
    m_cutoffLabel = label;
}

void LevelsItem::applyDefaultAntialiasingHint(QCPPainter* painter) const
{
    painter->setAntialiasing(false);
}

QRect LevelsItem::clipRect() const
{
    return m_rect->rect().adjusted(0, 0, 0, static_cast<int>(kLevelTickLength) + 2); // ticks hang below
}

void LevelsItem::draw(QCPPainter* painter)
{
    drawClipped(painter);
    drawCutoff(painter);
    drawLevels(painter);
    drawMarks(painter);
}

void LevelsItem::drawMarks(QCPPainter* painter) const
{
    const PlotStyle style(m_palette);
    const QCPAxis& axis = *m_rect->axis(QCPAxis::atBottom);
    const QRectF area(m_rect->rect());
    const QFontMetricsF metrics(style.labelFont());
    double textEnd = -std::numeric_limits<double>::infinity();
    for (const PercentileMark& mark : m_marks) {
        const double x = axis.coordToPixel(mark.value);
        if (!std::isfinite(x) || x < area.left() || x > area.right()) {
            continue;
        }
        const double snapped = std::floor(x) + 0.5;
        painter->setPen(QPen(style.mutedText(), 1.0, Qt::DotLine));
        painter->drawLine(QPointF(snapped, area.bottom() - kMarkHeight), QPointF(snapped, area.bottom()));
        const double width = metrics.horizontalAdvance(mark.label);
        const double left = std::clamp(x - width / 2.0, area.left(), area.right() - width);
        if (left > textEnd + kMarkGap) { // where marks crowd, the line alone stays
            drawTextBox(painter, m_palette, area,
                QPointF(left - 5.0, area.bottom() - kMarkHeight - metrics.height() - 3.0), mark.label,
                style.mutedText());
            textEnd = left + width;
        }
    }
}

void LevelsItem::drawClipped(QCPPainter* painter) const
{
    if (!m_kept) {
        return;
    }
    const PlotStyle style(m_palette);
    const QCPAxis& axis = *m_rect->axis(QCPAxis::atBottom);
    const QRectF area(m_rect->rect());
    const bool hasLower = axis.scaleType() == QCPAxis::stLinear || m_kept->lower > 0.0;
    const double lower = hasLower
        ? std::clamp(axis.coordToPixel(m_kept->lower), area.left(), area.right() + 1.0)
        : area.left();
    const double upper = std::clamp(axis.coordToPixel(m_kept->upper), area.left(), area.right() + 1.0);
    const auto shade = [&](double from, double to) {
        if (to - from >= 1.0) {
            painter->fillRect(QRectF(from, area.top(), to - from, area.height()), style.clippedZone());
        }
    };
    shade(area.left(), lower);
    shade(upper, area.right() + 1.0);
}

void LevelsItem::drawLevels(QCPPainter* painter) const
{
    const PlotStyle style(m_palette);
    const QCPAxis& axis = *m_rect->axis(QCPAxis::atBottom);
    const QRectF area(m_rect->rect());
    painter->setPen(style.pen(PlotRole::Level));
    double last = -std::numeric_limits<double>::infinity();
    for (const double level : m_levels) {
        const double x = axis.coordToPixel(level);
        if (!std::isfinite(x) || x < area.left() - 1.0 || x > area.right() + 1.0
            || x - last < kSmallestLevelDistance) {
            continue;
        }
        last = x;
        const double snapped = std::floor(x) + 0.5;
        painter->drawLine(
            QPointF(snapped, area.bottom() + 2.0), QPointF(snapped, area.bottom() + 2.0 + kLevelTickLength));
    }
}

void LevelsItem::drawCutoff(QCPPainter* painter) const
{
    if (m_cutoff <= 0.0) {
        return;
    }
    const PlotStyle style(m_palette);
    const QRectF area(m_rect->rect());
    const double x = m_rect->axis(QCPAxis::atBottom)->coordToPixel(m_cutoff);
    if (!std::isfinite(x) || x < area.left() || x > area.right()) {
        return;
    }
    style.fill(*painter, QRectF(area.left(), area.top(), x - area.left(), area.height()), PlotRole::Cutoff);
    painter->setPen(style.pen(PlotRole::Cutoff));
    painter->drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()));
    painter->setAntialiasing(true);
    const QFontMetricsF metrics(style.labelFont());
    const double width = metrics.horizontalAdvance(m_cutoffLabel) + 10.0;
    const double left = x - area.left() > width + 8.0 ? x - width - 4.0 : x + 4.0;
    drawTextBox(painter, m_palette, area, QPointF(left, area.top() + 2.0 * metrics.height()), m_cutoffLabel,
        style.colour(PlotRole::Cutoff));
    painter->setAntialiasing(false);
}

HoverItem::HoverItem(QCustomPlot* plot, const QString& layer)
    : QCPLayerable(plot, layer)
{
}

void HoverItem::showAt(double x, const QString& text)
{
    m_x = x;
    m_text = text;
}

void HoverItem::applyDefaultAntialiasingHint(QCPPainter* painter) const
{
    painter->setAntialiasing(true);
}

void HoverItem::draw(QCPPainter* painter)
{
    if (m_text.isEmpty()) {
        return;
    }
    const PlotStyle style(m_palette);
    QRectF area;
    for (const QCPAxisRect* rect : mParentPlot->axisRects()) {
        area |= QRectF(rect->rect());
    }
    const double x = std::floor(m_x) + 0.5;
    painter->setPen(QPen(style.mutedText(), 1.0, Qt::DotLine));
    painter->drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()));
    const QFontMetricsF metrics(style.labelFont());
    const double width = metrics.horizontalAdvance(m_text) + 10.0;
    const double left = x + width + 8.0 < area.right() ? x + 6.0 : x - width - 6.0;
    drawTextBox(
        painter, m_palette, area, QPointF(left, area.top() + 1.6 * metrics.height()), m_text, style.text());
}

} // namespace qs
