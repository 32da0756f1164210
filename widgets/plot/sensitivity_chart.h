#pragma once

#include "core/eval/sensitivity.h"

#include <QString>
#include <QWidget>

#include <vector>

class QComboBox;
class QLabel;
class QLayout;
class QScrollBar;
class QStackedLayout;
class QCustomPlot;

namespace qs {

class ElidedLabel;
class EmptyLabel;
class PlotLegend;
class SensitivityBarsItem;

/// Which figure the bars show; longer is always worse.
enum class SensitivityMetric {
    Noise, ///< RMS error of the logits in percent of their RMS: 100 * 10^(-SQNR / 20); SQNR in the read-out
    Kl, ///< KL of the logits against FP32, nats
    Disagreement ///< samples whose top-1 changed, percent
};

enum class SensitivityOrder { Network, WorstFirst };

/// What the bars' fills tell apart.
enum class SensitivityColouring {
    Kind, ///< weight or activation
    Cause ///< clipping and rounding share of the site's own error
};

/// One bar per site: what quantizing it alone does to the logits. Grows while results come in. Click selects
/// a site, hover tells all figures; wheel zooms, the scroll bar pans, arrows walk through the bars.
class SensitivityChart : public QWidget
{
    Q_OBJECT
public:
    explicit SensitivityChart(QWidget* parent = nullptr);
    ~SensitivityChart() override;

    /// In network order.
    void setResults(std::vector<SiteSensitivity> results);
    /// Progressive: appends, or replaces the entry of the same site.
    void addResult(const SiteSensitivity& result);
    /// Sites still to come leave room on the axis; 0: unknown.
    void setExpectedCount(int count);
    void setMetric(SensitivityMetric metric);
    [[nodiscard]] SensitivityMetric metric() const { return m_metric; }
    void setOrder(SensitivityOrder order);
    [[nodiscard]] SensitivityOrder order() const { return m_order; }
    void setColouring(SensitivityColouring colouring);
    /// Marks a site silently; "" for none.
    void setHighlighted(const QString& site);
    /// Results belong to an earlier plan: drawn pale, with a word.
    void setStale();
    void setFresh();
    void setEmptyText(const QString& text);
    /// Site at a position from the left, "" when there is none; and the height of its bar.
    [[nodiscard]] QString siteAt(int position) const;
    [[nodiscard]] double valueAt(int position) const;

    [[nodiscard]] QCustomPlot* plot() const { return m_plot; }
    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override;

signals:
    void siteClicked(const QString& site);

protected:
    void changeEvent(QEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    [[nodiscard]] QLayout* buildHeader();
    void buildPlot();
    void fillLegend();
    void applyStyle();
    void rebuild();
    void updateScroll();
    void showRange();
    void zoom(double factor, double anchor);
    void applyBottomMargin();
    void mark();
    void showReadout(const QPointF& pixel);
    void step(int by);
    void chooseByUser(int position);
    [[nodiscard]] int positionAtPixel(double x) const;
    [[nodiscard]] int slotCount() const;
    [[nodiscard]] double visibleCount() const;
    [[nodiscard]] double valueOf(const SiteSensitivity& result) const;
    [[nodiscard]] int positionOfHighlighted() const;

    QWidget* m_content;
    QCustomPlot* m_plot;
    EmptyLabel* m_empty;
    QStackedLayout* m_stack;
    PlotLegend* m_legend;
    QScrollBar* m_scroll;
    QComboBox* m_metricBox;
    QComboBox* m_orderBox;
    QComboBox* m_colouringBox;
    ElidedLabel* m_readout;
    QLabel* m_staleLabel;
    SensitivityBarsItem* m_bars = nullptr;
    std::vector<SiteSensitivity> m_results;
    std::vector<int> m_shown; ///< position -> index in m_results
    QString m_highlighted;
    SensitivityMetric m_metric = SensitivityMetric::Kl;
    SensitivityOrder m_order = SensitivityOrder::Network;
    SensitivityColouring m_colouring = SensitivityColouring::Kind;
    int m_expected = 0;
    double m_visible = 0.0; ///< bars across the plot; 0: all
    double m_first = -0.5; ///< left edge in positions
};

} // namespace qs
