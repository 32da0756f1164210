#include "widgets/plot/sensitivity_series.h"

#include <QRegularExpression>

#include <algorithm>
#include <cmath>

using namespace Qt::StringLiterals;

namespace qs {

namespace {

QString blockOf(const QString& site)
{
    static const QRegularExpression kBlock(u"^(.*\\.\\d+)\\."_s);
    return kBlock.match(site).captured(1);
}

double noisePercent(double sqnrDb)
{
    return 100.0 * std::pow(10.0, -sqnrDb / 20.0);
}

double valueOf(const CauseEffect& effect, SensitivityMetric metric)
{
    switch (metric) {
    case SensitivityMetric::Noise: return std::pow(10.0, -effect.logitsSqnrDb / 10.0); // powers add up
    case SensitivityMetric::Disagreement: return effect.changedPercent;
    default: return effect.klNats;
    }
}

} // namespace

double SensitivityBar::tallest() const
{
    double most = 0.0;
    for (const SensitivityColumn& column : columns) {
        most = std::max(most, column.value);
    }
    return most;
}

double sensitivityValue(const SiteSensitivity& result, SensitivityMetric metric)
{
    double value = 0.0;
    switch (metric) {
    case SensitivityMetric::Noise: value = noisePercent(result.logitsSqnrDb); break;
    case SensitivityMetric::Kl: value = result.klNats; break;
    case SensitivityMetric::Disagreement: value = 100.0 - result.agreementPercent; break;
    case SensitivityMetric::Top1Drop: value = result.top1DropPercent.value_or(0.0); break;
    case SensitivityMetric::NllIncrease: value = result.nllIncreaseNats.value_or(0.0); break;
    }
    return std::isfinite(value) ? std::max(value, 0.0) : 0.0;
}

std::optional<BootstrapInterval> sensitivityInterval(const SiteSensitivity& result, SensitivityMetric metric)
{
    if (!result.intervals) {
        return std::nullopt;
    }
    const SensitivityIntervals& all = *result.intervals;
    switch (metric) {
    case SensitivityMetric::Noise:
        return BootstrapInterval {noisePercent(all.logitsSqnrDb.upper), noisePercent(all.logitsSqnrDb.lower)};
    case SensitivityMetric::Kl: return all.klNats;
    case SensitivityMetric::Disagreement: return all.changedPercent;
    case SensitivityMetric::Top1Drop: return all.top1DropPercent;
    case SensitivityMetric::NllIncrease: return all.nllIncreaseNats;
    }
    return std::nullopt;
}

double clippingShareOf(const SiteSensitivity& result, SensitivityMetric metric)
{
    if (!result.clippingAlone || !result.roundingAlone) {
        return result.clippingShare;
    }
    const double clipping = valueOf(*result.clippingAlone, metric);
    const double both = clipping + valueOf(*result.roundingAlone, metric);
    return both > 0.0 ? clipping / both : 0.0;
}

std::vector<SensitivityMetric> measuredMetrics(const std::vector<SiteSensitivity>& results)
{
    std::vector<SensitivityMetric> metrics {
        SensitivityMetric::Kl, SensitivityMetric::Noise, SensitivityMetric::Disagreement};
    if (std::ranges::any_of(results, [](const auto& r) { return r.top1DropPercent.has_value(); })) {
        metrics.push_back(SensitivityMetric::Top1Drop);
    }
    if (std::ranges::any_of(results, [](const auto& r) { return r.nllIncreaseNats.has_value(); })) {
        metrics.push_back(SensitivityMetric::NllIncrease);
    }
    return metrics;
}

std::vector<SensitivityBar> sensitivityBars(const std::vector<SiteSensitivity>& results,
    SensitivityMetric metric, SensitivityOrder order, const std::set<QString>& stale)
{
    std::vector<SensitivityBar> bars;
    for (const SiteSensitivity& result : results) {
        const QString site = QString::fromStdString(result.site);
        if (bars.empty() || bars.back().site != site) {
            const QString block = blockOf(site);
            bars.push_back({.site = site,
                .label = block.isEmpty() ? site : site.mid(block.size() + 1),
                .block = block,
                .isWeight = result.kind == SiteKind::Weight,
                .isStale = stale.contains(site),
                .columns = {}});
        }
        bars.back().columns.push_back({result.bits, sensitivityValue(result, metric),
            sensitivityInterval(result, metric), clippingShareOf(result, metric)});
    }
    for (SensitivityBar& bar : bars) {
        std::ranges::stable_sort(bar.columns, {}, &SensitivityColumn::bits);
    }
    if (order == SensitivityOrder::WorstFirst) {
        std::ranges::stable_sort(bars, std::greater<> {}, &SensitivityBar::tallest);
    }
    return bars;
}

} // namespace qs
