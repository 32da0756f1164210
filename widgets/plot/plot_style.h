#pragma once

#include <QBrush>
#include <QColor>
#include <QFont>
#include <QPalette>
#include <QPen>

class QCPAxis;
class QCPAxisRect;
class QCPColorGradient;
class QCustomPlot;
class QPainter;
class QPainterPath;
class QRectF;

namespace qs {

/// What a mark in a plot or view stands for. Colours are safe for the common colour-vision deficiencies;
/// every role that needs telling apart from a neighbour also has its own hatch or dash.
enum class PlotRole {
    Distribution, ///< counts
    Bound, ///< bound lines and handles
    ClippingError,
    RoundingError,
    Level, ///< quantizer levels
    Cutoff, ///< zeroing cut-off of logarithmic quantizers
    Envelope, ///< per-channel minimum and maximum
    Selection, ///< the selected channel or site
    Activation,
    Weight,
    Good, ///< live results
    Busy, ///< being computed
    Stale,
    Failure
};

/// All pens, brushes, fonts and colours of plots and views, derived from one palette. A value; make it again
/// on QEvent::PaletteChange. The only place in the program that names colours.
class PlotStyle
{
public:
    explicit PlotStyle(const QPalette& palette);

    [[nodiscard]] bool isDark() const { return m_dark; }
    [[nodiscard]] QColor base() const { return m_base; }
    [[nodiscard]] QColor text() const { return m_text; }
    [[nodiscard]] QColor mutedText() const; ///< captions and units; contrast at least 4.5 : 1 on base
    [[nodiscard]] QColor faintLine() const; ///< separators, grids
    [[nodiscard]] QColor colour(PlotRole role) const;
    /// A pale tint of the role's colour on base, for surfaces that carry text.
    [[nodiscard]] QColor tint(PlotRole role) const;
    [[nodiscard]] QPen pen(PlotRole role) const;
    /// Line of the overlay in row 0 .. 3; colour and dash differ.
    [[nodiscard]] QPen ghostPen(int row) const;
    /// Solid fill.
    [[nodiscard]] QBrush brush(PlotRole role) const;
    /// The second cue on top of the fill; Qt::NoBrush for roles without hatch.
    [[nodiscard]] QBrush hatch(PlotRole role) const;
    /// Fill and hatch.
    void fill(QPainter& painter, const QPainterPath& path, PlotRole role) const;
    void fill(QPainter& painter, const QRectF& rect, PlotRole role) const;
    /// Pale hatch over the part of a distribution that is clipped.
    [[nodiscard]] QBrush clippedZone() const;
    /// Translucent base behind text on top of data.
    [[nodiscard]] QBrush textBacking() const;
    /// Base font for labels in plots; a little smaller than the application's.
    [[nodiscard]] QFont labelFont() const;
    [[nodiscard]] QFont emphasisFont() const;

    /// Background, fonts, axes and grids of a plot.
    void applyTo(QCustomPlot& plot) const;
    void applyTo(QCPAxis& axis) const;
    /// From base (nothing) through blue to the extreme, evenly rising in lightness contrast.
    [[nodiscard]] QCPColorGradient densityGradient() const;

private:
    bool m_dark;
    QColor m_base;
    QColor m_text;
};

/// A linear axis with plain numbers.
void useLinearTicks(QCPAxis& axis);
/// A linear axis of whole things, e.g. channels.
void useIntegerTicks(QCPAxis& axis);
/// A logarithmic axis labelled with powers of ten (1, 10, 100, 10^3...).
void useDecadeTicks(QCPAxis& axis);
/// A logarithmic axis labelled with powers of two (2^-8, 1/2, 1).
void useOctaveTicks(QCPAxis& axis);

} // namespace qs
