#pragma once

#include "widgets/plot/plot_widget.h"
#include "widgets/plot/sensitivity_series.h"

#include <QString>
#include <QStringList>

#include <memory>
#include <set>
#include <vector>

class QComboBox;
class QLabel;
class QLayout;
class QScrollBar;
class QStackedLayout;
class QToolButton;

namespace qs {

class ElidedLabel;
class EmptyLabel;
class PlotLegend;
class SensitivityMenu;
class SensitivityPanels;

/// One bar per site, a column per width: what quantizing it alone does to the logits, with its interval. One
/// figure, or all that were measured below each other. Grows while results come in. Click selects a site,
/// hover tells all figures; wheel zooms, the scroll bar pans, arrows walk through the bars.
class SensitivityChart : public PlotWidget
{
    Q_OBJECT
public:
    explicit SensitivityChart(QWidget* parent = nullptr);
    ~SensitivityChart() override;

    /// In network order.
    void setResults(std::vector<SiteSensitivity> results);
    /// Sites still to come leave room on the axis; 0: unknown.
    void setExpectedCount(int count);
    void setMetric(SensitivityMetric metric);
    [[nodiscard]] SensitivityMetric metric() const { return m_metric; }
    /// All measured figures in plots below each other; bars are ordered by metric().
    void setSideBySide(bool sideBySide);
    [[nodiscard]] bool isSideBySide() const { return m_sideBySide; }
    [[nodiscard]] SensitivityMenu* menu() const { return m_menu; }
    void setOrder(SensitivityOrder order);
    [[nodiscard]] SensitivityOrder order() const { return m_order; }
    void setColouring(SensitivityColouring colouring);
    /// Marks a site silently; "" for none.
    void setHighlighted(const QString& site);
    /// Sites whose results belong to an earlier choice: drawn pale, with a word.
    void setStale(const QStringList& sites);
    void setEmptyText(const QString& text);
    /// Site at a position from the left, "" when there is none; and the height of its tallest column.
    [[nodiscard]] QString siteAt(int position) const;
    [[nodiscard]] double valueAt(int position) const;

    /// Plots below each other.
    [[nodiscard]] int panelCount() const;
    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override;

signals:
    void siteClicked(const QString& site);
    void measureRequested(); ///< with the widths and causes of menu()

protected:
    void applyStyle(const PlotStyle& style) override;
    void resizeEvent(QResizeEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    [[nodiscard]] QLayout* buildHeader();
    void buildPlot();
    void fillMetrics();
    void makePanels();
    void fillLegend();
    void rebuild();
    void updateScroll();
    void showRange();
    void zoom(double factor, double anchor);
    void mark();
    void showReadout(const QPointF& pixel);
    void step(int by);
    void chooseByUser(int position);
    [[nodiscard]] int positionAtPixel(double x) const;
    [[nodiscard]] int slotCount() const;
    [[nodiscard]] double visibleCount() const;
    [[nodiscard]] const std::vector<SensitivityBar>& bars() const;
    [[nodiscard]] int positionOfHighlighted() const;

    QWidget* m_content;
    EmptyLabel* m_empty;
    QStackedLayout* m_stack;
    PlotLegend* m_legend;
    QScrollBar* m_scroll;
    QComboBox* m_metricBox;
    QToolButton* m_allBox;
    QComboBox* m_orderBox;
    QComboBox* m_colouringBox;
    ElidedLabel* m_readout;
    QLabel* m_staleLabel;
    SensitivityMenu* m_menu;
    std::unique_ptr<SensitivityPanels> m_panels;
    std::vector<SiteSensitivity> m_results;
    std::vector<SensitivityMetric> m_offered; ///< in the box of figures
    std::set<QString> m_stale;
    bool m_sideBySide = false;
    QString m_highlighted;
    SensitivityMetric m_metric = SensitivityMetric::Kl;
    SensitivityOrder m_order = SensitivityOrder::Network;
    SensitivityColouring m_colouring = SensitivityColouring::Kind;
    int m_expected = 0;
    double m_visible = 0.0; ///< bars across the plot; 0: all
    double m_first = -0.5; ///< left edge in positions
};

} // namespace qs
