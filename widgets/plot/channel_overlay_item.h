#pragma once

#include "core/quant/quantizer.h"

#include <qcustomplot.h>

#include <vector>

namespace qs {

/// Lines on top of the channel map: minimum, maximum and bounds per position, selection and brush.
class ChannelOverlayItem final : public QCPLayerable
{
public:
    ChannelOverlayItem(QCPAxisRect* rect, const QString& layer);

    /// One entry per position.
    void setEnvelope(std::vector<Bounds> envelope) { m_envelope = std::move(envelope); }
    /// One entry for all, one per position, or empty.
    void setBounds(std::vector<Bounds> bounds) { m_bounds = std::move(bounds); }
    /// One text per position, at the top of its column where there is room; or empty.
    void setTexts(std::vector<QString> texts) { m_texts = std::move(texts); }
    void setSelected(int position) { m_selected = position; }
    /// Positions first .. last; first > last: none.
    void setBrush(int first, int last);
    void setPalette(const QPalette& palette) { m_palette = palette; }

protected:
    void applyDefaultAntialiasingHint(QCPPainter* painter) const override;
    void draw(QCPPainter* painter) override;
    [[nodiscard]] QRect clipRect() const override;

private:
    void drawSteps(QCPPainter* painter, const std::vector<Bounds>& entries, double Bounds::*side) const;
    void drawTexts(QCPPainter* painter) const;
    void drawSpan(QCPPainter* painter, int first, int last) const;

    QCPAxisRect* m_rect;
    std::vector<Bounds> m_envelope;
    std::vector<Bounds> m_bounds;
    std::vector<QString> m_texts;
    int m_selected = -1;
    int m_brushFirst = 0;
    int m_brushLast = -1;
    QPalette m_palette;
};

} // namespace qs
