#pragma once

#include <QWidget>

class QCustomPlot;

namespace qs {

class PlotStyle;

/// A widget around one plot that looks as its palette and its font say, also when they change.
class PlotWidget : public QWidget
{
    Q_OBJECT
public:
    [[nodiscard]] QCustomPlot* plot() const { return m_plot; } ///< for image export and tests

protected:
    /// The plot is a child of this widget until a layout moves it.
    explicit PlotWidget(QWidget* parent);

    /// Style of everything; called at the end of construction, and when what is drawn has changed in kind.
    void restyle();
    /// Pens and brushes of what the subclass draws, and a replot; background, axes and grids are done.
    virtual void applyStyle(const PlotStyle& style) = 0;
    void changeEvent(QEvent* event) override;

    QCustomPlot* m_plot;
};

} // namespace qs
