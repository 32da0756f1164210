#include "widgets/common/error_strip.h"

#include "widgets/common/error_cell.h"
#include "widgets/common/number_format.h"

#include <QEvent>
#include <QHBoxLayout>
#include <QLocale>

#include <cmath>

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
    const QString shorter
        = tr("MSE %1 · %2 from clipping").arg(formatNumber(error.meanSquared(), 3), formatShare(share));
    QString details = tr("%1 · %2 clipped").arg(shorter, formatShare(clipped));
    if (error.uncertainty > 0.0 && total > 0.0) {
        details += tr(" · ± %1").arg(formatShare(error.uncertainty / total));
    }
    cell(ErrorLevel::Tensor)->setFigures(site, formatDecibel(error.sqnrDb()), details, {{}, shorter});
}

void ErrorStrip::setLayerError(const QString& layer, double sqnrDb, double meanSquared, std::int64_t samples)
{
    cell(ErrorLevel::Layer)
        ->setFigures(layer, formatDecibel(sqnrDb),
            tr("MSE %1 · %2").arg(formatNumber(meanSquared, 3), probeSamples(samples)));
}

void ErrorStrip::setModelError(const ErrorEstimate& estimate, std::int64_t goal)
{
    const double half = (estimate.sqnrDb.upper - estimate.sqnrDb.lower) / 2.0;
    const QString headline = std::isfinite(half) && half > 0.0
        ? tr("%1 ± %2").arg(formatDecibel(estimate.sqnrDb.value), formatNumber(half, 2))
        : formatDecibel(estimate.sqnrDb.value);
    const auto samples = static_cast<qlonglong>(estimate.samples);
    const bool isPartial = estimate.samples < goal;
    const QString subject = isPartial ? tr("%1 of %2 samples").arg(samples).arg(static_cast<qlonglong>(goal))
        : samples == 1                ? tr("1 sample")
                                      : tr("%1 samples").arg(samples);
    const QString count = isPartial ? tr("%1 of %2").arg(samples).arg(static_cast<qlonglong>(goal))
                                    : tr("n = %1").arg(samples);
    const auto rounded = [](double percent) { return QLocale().toString(percent, 'f', 0); };
    QString details = tr("KL %1 nats · agreement %2")
                          .arg(formatNumber(estimate.klNats.value, 3))
                          .arg(formatPercent(estimate.agreementPercent.value));
    const QString shorter = estimate.samples > 1
        ? tr("KL %1 · agreement %2 % (%3 … %4)")
              .arg(formatNumber(estimate.klNats.value, 3), rounded(estimate.agreementPercent.value),
                  rounded(estimate.agreementPercent.lower), rounded(estimate.agreementPercent.upper))
        : QString();
    QString explained = details;
    if (estimate.samples > 1) {
        details
            = tr("KL %1 (%2 … %3) · agreement %4 (%5 … %6)")
                  .arg(formatNumber(estimate.klNats.value, 3), formatNumber(estimate.klNats.lower, 2),
                      formatNumber(estimate.klNats.upper, 2), formatPercent(estimate.agreementPercent.value),
                      rounded(estimate.agreementPercent.lower), rounded(estimate.agreementPercent.upper));
        explained = tr("SQNR %1 … %2, KL %3 … %4 nats, agreement %5 … %6 %: 95 % intervals for data of this "
                       "kind, judged by %7")
                        .arg(formatDecibel(estimate.sqnrDb.lower), formatDecibel(estimate.sqnrDb.upper),
                            formatNumber(estimate.klNats.lower, 3), formatNumber(estimate.klNats.upper, 3),
                            rounded(estimate.agreementPercent.lower),
                            rounded(estimate.agreementPercent.upper), probeSamples(estimate.samples));
    }
    cell(ErrorLevel::Model)->setFigures(subject, headline, details, {count, shorter});
    cell(ErrorLevel::Model)->setToolTip(explained);
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
