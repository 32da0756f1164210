#pragma once

#include "core/quant/quantizer.h"
#include "core/stats/histogram.h"
#include "widgets/plot/bin_pyramid.h"
#include "widgets/plot/percentile_mark.h"

#include <qcustomplot.h>

#include <memory>
#include <optional>
#include <vector>

namespace qs {

/// Per pixel column of a rect: the largest value over the bins it covers. Shared by the items that draw bins.
class BinColumns
{
public:
    void setHistogram(std::shared_ptr<const Histogram> histogram) { m_histogram = std::move(histogram); }
    [[nodiscard]] bool isEmpty() const { return !m_histogram || m_histogram->size() == 0; }
    [[nodiscard]] const Histogram& histogram() const { return *m_histogram; }
    /// Position of a value in bins from the first; may lie outside [0, size]. -infinity for x <= 0 on Log2
    /// bins.
    [[nodiscard]] double binPosition(double value) const;
    [[nodiscard]] double edge(double position) const;
    /// Maxima for the columns left .. right of the axis, one per device-independent pixel.
    [[nodiscard]] std::vector<double> maxima(
        const BinPyramid& values, const QCPAxis& axis, int left, int right) const;

private:
    std::shared_ptr<const Histogram> m_histogram;
};

/// The silhouette of the counts.
class HistogramItem final : public QCPLayerable
{
public:
    HistogramItem(QCPAxisRect* rect, const QString& layer);
    void setHistogram(std::shared_ptr<const Histogram> histogram);
    void setPalette(const QPalette& palette) { m_palette = palette; }
    [[nodiscard]] double largestCount() const { return m_counts.maximum(); }
    [[nodiscard]] const BinColumns& columns() const { return m_columns; }

protected:
    void applyDefaultAntialiasingHint(QCPPainter* painter) const override;
    void draw(QCPPainter* painter) override;
    [[nodiscard]] QRect clipRect() const override;

private:
    QCPAxisRect* m_rect;
    BinColumns m_columns;
    BinPyramid m_counts;
    QPalette m_palette;
};

/// Squared error per bin, clipping and rounding with different fills, scaled to the largest in sight.
class ErrorDensityItem final : public QCPLayerable
{
public:
    ErrorDensityItem(QCPAxisRect* rect, const QString& layer);
    void setHistogram(std::shared_ptr<const Histogram> histogram);
    void setDensity(std::vector<double> clipping, std::vector<double> rounding);
    /// Why there is none; shown in its place.
    void setNote(const QString& note) { m_note = note; }
    [[nodiscard]] const QString& note() const { return m_note; }
    void setPalette(const QPalette& palette) { m_palette = palette; }
    [[nodiscard]] const BinPyramid& clipping() const { return m_clipping; }
    [[nodiscard]] const BinPyramid& rounding() const { return m_rounding; }

protected:
    void applyDefaultAntialiasingHint(QCPPainter* painter) const override;
    void draw(QCPPainter* painter) override;
    [[nodiscard]] QRect clipRect() const override;

private:
    QCPAxisRect* m_rect;
    BinColumns m_columns;
    BinPyramid m_clipping;
    BinPyramid m_rounding;
    QString m_note;
    QPalette m_palette;
};

/// Quantizer levels as ticks, percentile marks, the clipped zones, and the zeroing cut-off with its label.
class LevelsItem final : public QCPLayerable
{
public:
    LevelsItem(QCPAxisRect* rect, const QString& layer);
    void setLevels(std::vector<double> levels) { m_levels = std::move(levels); }
    /// What lies outside is shaded; nullopt: nothing.
    void setKept(const std::optional<Bounds>& kept) { m_kept = kept; }
    void setCutoff(double value, const QString& label);
    void setMarks(std::vector<PercentileMark> marks) { m_marks = std::move(marks); }
    void setPalette(const QPalette& palette) { m_palette = palette; }

protected:
    void applyDefaultAntialiasingHint(QCPPainter* painter) const override;
    void draw(QCPPainter* painter) override;
    [[nodiscard]] QRect clipRect() const override;

private:
    void drawClipped(QCPPainter* painter) const;
    void drawLevels(QCPPainter* painter) const;
    void drawCutoff(QCPPainter* painter) const;
    void drawMarks(QCPPainter* painter) const;

    QCPAxisRect* m_rect;
    std::vector<PercentileMark> m_marks;
    std::vector<double> m_levels;
    std::optional<Bounds> m_kept;
    double m_cutoff = 0.0;
    QString m_cutoffLabel;
    QPalette m_palette;
};

/// A hair line and a line of text under the mouse.
class HoverItem final : public QCPLayerable
{
public:
    HoverItem(QCustomPlot* plot, const QString& layer);
    void showAt(double x, const QString& text);
    void clear() { m_text.clear(); }
    [[nodiscard]] const QString& text() const { return m_text; }
    void setPalette(const QPalette& palette) { m_palette = palette; }

protected:
    void applyDefaultAntialiasingHint(QCPPainter* painter) const override;
    void draw(QCPPainter* painter) override;

private:
    double m_x = 0.0; ///< pixel
    QString m_text;
    QPalette m_palette;
};

/// A box with text on top of data, kept inside `area`; `anchor` is its top-left corner.
void drawTextBox(QCPPainter* painter, const QPalette& palette, const QRectF& area, const QPointF& anchor,
    const QString& text, const QColor& textColour);

} // namespace qs
