#include "widgets/plot/sensitivity_text.h"

#include "widgets/common/display_names.h"
#include "widgets/common/number_format.h"

#include <QCoreApplication>
#include <QStringList>

using namespace Qt::StringLiterals;

namespace qs {

namespace {

QString tr(const char* text)
{
    return QCoreApplication::translate("SensitivityChart", text);
}

/// " [0.1, 0.2]", or nothing.
QString shown(const std::optional<BootstrapInterval>& interval)
{
    return interval ? tr(" [%1, %2]").arg(formatNumber(interval->lower, 3), formatNumber(interval->upper, 3))
                    : QString();
}

} // namespace

QString displayName(SensitivityMetric metric)
{
    switch (metric) {
    case SensitivityMetric::Kl: return tr("KL of logits");
    case SensitivityMetric::Noise: return tr("noise in logits");
    case SensitivityMetric::Disagreement: return tr("changed top-1");
    case SensitivityMetric::Top1Drop: return tr("top-1 lost");
    case SensitivityMetric::NllIncrease: return tr("NLL increase");
    }
    return {};
}

QString axisLabel(SensitivityMetric metric)
{
    switch (metric) {
    case SensitivityMetric::Kl: return tr("KL, nats");
    case SensitivityMetric::Noise: return tr("RMS noise, %");
    case SensitivityMetric::Disagreement: return tr("changed, %");
    case SensitivityMetric::Top1Drop: return tr("top-1 lost, points");
    case SensitivityMetric::NllIncrease: return tr("NLL, nats");
    }
    return {};
}

QString sensitivityReadout(const SensitivityBar& bar, SensitivityMetric metric)
{
    QStringList figures;
    for (const SensitivityColumn& column : bar.columns) {
        figures
            << tr("%1 bit %2%3").arg(column.bits).arg(formatNumber(column.value, 3), shown(column.interval));
    }
    return tr("%1: %2, %3").arg(bar.site, axisLabel(metric), figures.join(u"; "_s));
}

QString sensitivityTip(const std::vector<SiteSensitivity>& results, const QString& site)
{
    QString tip;
    for (const SiteSensitivity& result : results) {
        if (QString::fromStdString(result.site) != site) {
            continue;
        }
        if (tip.isEmpty()) {
            tip = tr("<b>%1</b><br>%2 alone, all else in FP32; %3 samples, 95 % intervals in brackets")
                      .arg(site.toHtmlEscaped(), displayName(result.kind))
                      .arg(result.samples);
        }
        const auto interval
            = [&](SensitivityMetric metric) { return shown(sensitivityInterval(result, metric)); };
        tip += tr("<br><b>%1 bit</b>: SQNR %2, KL %3%4 nats, top-1 changed %5%6")
                   .arg(result.bits)
                   .arg(formatDecibel(result.logitsSqnrDb), formatNumber(result.klNats, 3),
                       interval(SensitivityMetric::Kl), formatPercent(100.0 - result.agreementPercent),
                       interval(SensitivityMetric::Disagreement));
        if (result.top1DropPercent) {
            tip += tr(", top-1 lost %1%2 points")
                       .arg(formatNumber(*result.top1DropPercent, 3), interval(SensitivityMetric::Top1Drop));
        }
        if (result.nllIncreaseNats) {
            tip += tr(", NLL %1%2 nats more")
                       .arg(formatNumber(*result.nllIncreaseNats, 3),
                           interval(SensitivityMetric::NllIncrease));
        }
        if (result.clippingAlone && result.roundingAlone) {
            tip += tr("<br>KL by the clipped values alone %1, by the rounded ones %2 nats")
                       .arg(formatNumber(result.clippingAlone->klNats, 3),
                           formatNumber(result.roundingAlone->klNats, 3));
        }
        tip += tr("<br>its own values: SQNR %1, %2 of the squared error from clipping")
                   .arg(formatDecibel(result.siteSqnrDb), formatShare(result.clippingShare));
    }
    return tip;
}

} // namespace qs
