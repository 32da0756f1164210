#pragma once

#include "widgets/plot/ghost_quantizer.h"

#include <qcustomplot.h>

#include <vector>

namespace qs {

/// Rails of other quantizers above the counts: a line from bound to bound, the levels as ticks, and a text
/// with the error. Told apart by row, colour, dash and text.
class GhostItem final : public QCPLayerable
{
public:
    GhostItem(QCPAxisRect* rect, const QString& layer);
    void setGhosts(std::vector<GhostRail> ghosts);
    void setPalette(const QPalette& palette) { m_palette = palette; }

protected:
    void applyDefaultAntialiasingHint(QCPPainter* painter) const override;
    void draw(QCPPainter* painter) override;
    [[nodiscard]] QRect clipRect() const override;

private:
    void drawRail(QCPPainter* painter, const GhostRail& ghost, int row) const;

    QCPAxisRect* m_rect;
    std::vector<GhostRail> m_ghosts;
    QPalette m_palette;
};

} // namespace qs
