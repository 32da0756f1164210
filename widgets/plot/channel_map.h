#pragma once

#include "core/quant/quantizer.h"
#include "core/stats/site_statistics.h"
#include "widgets/plot/channel_order.h"
#include "widgets/plot/plot_widget.h"

#include <QVector>

#include <memory>
#include <vector>

class QCPLayer;
class QComboBox;
class QLabel;
class QLayout;
class QMouseEvent;
class QStackedLayout;

namespace qs {

class ChannelColourMap;
class ChannelOverlayItem;
class ElidedLabel;
class EmptyLabel;

/// Channels (or heads) x value as a colour map, with each channel's minimum and maximum and the bounds on
/// top. A click selects a channel, a drag several; arrows move the selection, Escape gives it up, the wheel
/// zooms, R resets.
class ChannelMap : public PlotWidget
{
    Q_OBJECT
public:
    explicit ChannelMap(QWidget* parent = nullptr);
    ~ChannelMap() override;

    /// Null shows the empty state. The selection survives when the number of groups stays.
    void setStatistics(std::shared_ptr<const SiteStatistics> statistics);
    /// One entry for all channels or one per channel; empty: none.
    void setChannelBounds(std::vector<Bounds> bounds);
    /// Squared error per channel for sorting and the read-out; empty: not known.
    void setChannelErrors(std::vector<double> errors);
    /// Logarithmic quantizers: share in [0, 1] of each channel's sum that becomes zero; empty: none.
    void setZeroedShares(std::vector<double> shares);
    /// -1: none. Silent.
    void setSelectedChannel(int channel);
    [[nodiscard]] int selectedChannel() const { return m_selected; }
    [[nodiscard]] const QVector<int>& brushedChannels() const { return m_brushed; }
    void setOrder(ChannelOrder order); ///< silent
    [[nodiscard]] ChannelOrder order() const { return m_order; }
    /// Channel drawn at a position from the left, and back; -1 when there is none.
    [[nodiscard]] int channelAt(int position) const;
    [[nodiscard]] int positionOf(int channel) const;
    void setEmptyText(const QString& text);

    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override;

signals:
    void channelSelected(int channel); ///< -1: given up
    void brushChanged(const QVector<int>& channels); ///< ascending; empty: none
    void orderChanged(qs::ChannelOrder order); ///< by the user

protected:
    void applyStyle(const PlotStyle& style) override;
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    [[nodiscard]] QLayout* buildHeader();
    void buildPlot();
    void rebuild(); ///< order, colours and envelope
    void replotOverlay();
    void updateBounds();
    void updateTexts();
    void constrainRange();
    void resetView();
    void showReadout(const QPointF& pixel);
    bool mousePressed(const QMouseEvent& event);
    bool mouseMoved(const QMouseEvent& event);
    bool mouseReleased(const QMouseEvent& event);
    bool handleKey(int key);
    void selectByUser(int channel);
    void updateBrush(int from, int to);
    void scrollTo(int position);
    [[nodiscard]] int positionAtPixel(double x) const;

    QWidget* m_content;
    EmptyLabel* m_empty;
    QStackedLayout* m_stack;
    QComboBox* m_orderBox;
    ElidedLabel* m_readout;
    QLabel* m_title;
    std::unique_ptr<ChannelColourMap> m_colours;
    QCPLayer* m_overlayLayer = nullptr;
    ChannelOverlayItem* m_overlay = nullptr;
    std::shared_ptr<const SiteStatistics> m_statistics;
    std::vector<Bounds> m_bounds;
    std::vector<double> m_errors;
    std::vector<double> m_zeroed;
    std::vector<int> m_channels; ///< position -> channel
    std::vector<int> m_positions; ///< channel -> position
    QVector<int> m_brushed;
    ChannelOrder m_order = ChannelOrder::Index;
    int m_selected = -1;
    int m_pressPosition = -1;
    double m_pressX = 0.0;
    bool m_brushing = false;
};

} // namespace qs
