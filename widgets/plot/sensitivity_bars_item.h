#pragma once

#include "widgets/plot/sensitivity_series.h"

#include <qcustomplot.h>

#include <vector>

namespace qs {

/// Bars at positions 0, 1, 2..., each cut into a column per width, with their intervals as whiskers; labels
/// below them: names where there is room, else the blocks with separators.
class SensitivityBarsItem final : public QCPLayerable
{
public:
    enum class Fill { Kind, Cause };

    SensitivityBarsItem(QCPAxisRect* rect, const QString& layer);

    void setBars(std::vector<SensitivityBar> bars) { m_bars = std::move(bars); }
    void setFill(Fill fill) { m_fill = fill; }
    /// Block names and separators make sense in network order only.
    void setGrouped(bool grouped) { m_grouped = grouped; }
    void setHighlighted(int position) { m_highlighted = position; }
    /// Of several plots below each other the lowest has the labels.
    void setLabelled(bool labelled) { m_labelled = labelled; }
    void setPalette(const QPalette& palette) { m_palette = palette; }
    [[nodiscard]] const std::vector<SensitivityBar>& bars() const { return m_bars; }

protected:
    void applyDefaultAntialiasingHint(QCPPainter* painter) const override;
    void draw(QCPPainter* painter) override;
    [[nodiscard]] QRect clipRect() const override;

private:
    [[nodiscard]] double pitch() const;
    void drawBar(QCPPainter* painter, std::size_t position) const;
    void drawColumn(QCPPainter* painter, const SensitivityBar& bar, const SensitivityColumn& column,
        const QRectF& place) const;
    void drawNames(QCPPainter* painter, std::size_t first, std::size_t end) const;
    void drawBlocks(QCPPainter* painter, std::size_t first, std::size_t end) const;

    QCPAxisRect* m_rect;
    std::vector<SensitivityBar> m_bars;
    Fill m_fill = Fill::Kind;
    bool m_grouped = true;
    int m_highlighted = -1;
    bool m_labelled = true;
    QPalette m_palette;
};

} // namespace qs
