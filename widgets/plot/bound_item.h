#pragma once

#include <qcustomplot.h>

namespace qs {

/// Draws a bound across all axis rects of a plot: line, grip and value label. Coordinates of the plot's x
/// axis.
class BoundItem final : public QCPLayerable
{
public:
    enum class LabelSide { Left, Right };
    enum class Emphasis { Normal, Hovered, Active };

    BoundItem(QCustomPlot* plot, const QString& layer, LabelSide side);

    void setValue(double value) { m_value = value; }
    void setEmphasis(Emphasis emphasis) { m_emphasis = emphasis; }
    void setPalette(const QPalette& palette) { m_palette = palette; }

protected:
    void applyDefaultAntialiasingHint(QCPPainter* painter) const override;
    void draw(QCPPainter* painter) override;

private:
    [[nodiscard]] QRectF area() const;
    void drawLabel(QCPPainter* painter, const QRectF& area, double x) const;

    LabelSide m_side;
    Emphasis m_emphasis = Emphasis::Normal;
    QPalette m_palette;
    double m_value = 0.0;
};

} // namespace qs
