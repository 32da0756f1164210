#pragma once

#include "widgets/plot/plot_widget.h"

#include <QString>

#include <optional>
#include <vector>

class QStackedLayout;

namespace qs {

class ElidedLabel;
class EmptyLabel;
class PlotLegend;

/// SQNR behind every layer, in network order, of one or two plans. Where a line falls, error comes in. Hover
/// tells the figures, a click selects the layer, the wheel zooms, R shows all.
class LayerSqnrChart : public PlotWidget
{
    Q_OBJECT
public:
    /// One plan's line; values in dB, one per layer, +infinity for no error; missing values leave a gap.
    struct Series
    {
        QString name;
        std::vector<std::optional<double>> values;
    };

    explicit LayerSqnrChart(QWidget* parent = nullptr);
    ~LayerSqnrChart() override;

    /// At most two series. `title` says what the lines are of.
    void setSeries(const QString& title, std::vector<QString> layers, std::vector<Series> series);
    /// Marks the layer where something begins; "" for none.
    void setMark(const QString& layer);
    void setEmptyText(const QString& text);
    [[nodiscard]] QSize sizeHint() const override;

signals:
    void layerClicked(const QString& layer);

protected:
    void applyStyle(const PlotStyle& style) override;
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void rebuild();
    void resetView();
    void showReadout(double pixel);
    [[nodiscard]] int layerAt(double pixel) const;
    [[nodiscard]] QString csv() const;

    EmptyLabel* m_empty;
    ElidedLabel* m_title;
    PlotLegend* m_legend;
    QStackedLayout* m_stack;
    std::vector<QString> m_layers;
    std::vector<Series> m_series;
    int m_mark = -1;
};

} // namespace qs
