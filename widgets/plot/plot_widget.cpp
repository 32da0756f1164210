#include "widgets/plot/plot_widget.h"

#include "widgets/plot/plot_style.h"

#include <qcustomplot.h>

#include <QEvent>

namespace qs {

PlotWidget::PlotWidget(QWidget* parent)
    : QWidget(parent)
    , m_plot(new QCustomPlot(this))
{
}

void PlotWidget::restyle()
{
    const PlotStyle style(palette());
    style.applyTo(*m_plot);
    applyStyle(style);
}

void PlotWidget::changeEvent(QEvent* event)
{
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange) {
        restyle();
    }
}

} // namespace qs
