#include "widgets/common/error_strip.h"

#include "widgets/common/error_cell.h"
#include "widgets/common/number_format.h"

#include <QEvent>
#include <QHBoxLayout>

namespace qs {

namespace {

QString probeSamples(std::int64_t count)
{
    return count == 1 ? ErrorStrip::tr("1 probe sample")
                      : ErrorStrip::tr("%1 probe samples").arg(static_cast<qlonglong>(count));
}

} // namespace

ErrorStrip::ErrorStrip(QWidget* parent)
    : QWidget(parent)
{
    m_cells = {new ErrorCell(tr("Tensor"), tr("error of the values themselves"), this),
        new ErrorCell(tr("Layer"), tr("error at the output of the layer that reads them"), this),
        new ErrorCell(tr("Model"), tr("error of the logits against FP32"), this)};
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(6);
    for (ErrorCell* each : m_cells) {
        layout->addWidget(each, 1);
    }
    setAccessibleName(tr("Error of the current edit"));
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
}

void ErrorStrip::setTensorError(const QString& site, const QuantizationError& error)
{
    const double total = error.total();
    const double share = total > 0.0 ? error.clipping / total : 0.0;
    const double clipped
        = error.count > 0 ? static_cast<double>(error.clipped) / static_cast<double>(error.count) : 0.0;
    QString details = tr("MSE %1 · %2 from clipping · %3 clipped")
                          .arg(formatNumber(error.meanSquared(), 3))
                          .arg(formatShare(share))
                          .arg(formatShare(clipped));
    if (error.uncertainty > 0.0 && total > 0.0) {
        details += tr(" · ± %1").arg(formatShare(error.uncertainty / total));
    }
    cell(ErrorLevel::Tensor)->setFigures(site, formatDecibel(error.sqnrDb()), details);
}

void ErrorStrip::setLayerError(const QString& layer, double sqnrDb, double meanSquared, std::int64_t samples)
{
    cell(ErrorLevel::Layer)
        ->setFigures(layer, formatDecibel(sqnrDb),
            tr("MSE %1 · %2").arg(formatNumber(meanSquared, 3), probeSamples(samples)));
}

void ErrorStrip::setModelError(const Metrics& metrics)
{
    cell(ErrorLevel::Model)
        ->setFigures(tr("logits, %1").arg(probeSamples(metrics.samples)), formatDecibel(metrics.logitsSqnrDb),
            tr("KL %1 nats · agreement %2")
                .arg(formatNumber(metrics.klNats, 3))
                .arg(formatPercent(metrics.agreementPercent)));
}

void ErrorStrip::setState(ErrorLevel level, ResultState state)
{
    cell(level)->setState(state);
}

ResultState ErrorStrip::state(ErrorLevel level) const
{
    return cell(level)->state();
}

QString ErrorStrip::text(ErrorLevel level) const
{
    return cell(level)->text();
}

void ErrorStrip::clear()
{
    for (ErrorCell* each : m_cells) {
        each->clearFigures();
        each->setState(ResultState::None);
    }
}

void ErrorStrip::changeEvent(QEvent* event)
{
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange) {
        for (ErrorCell* each : m_cells) {
            each->restyle();
        }
    }
}

ErrorCell* ErrorStrip::cell(ErrorLevel level) const
{
    return m_cells[static_cast<std::size_t>(level)];
}

} // namespace qs
