#include "widgets/plot/csv_tables.h"

#include <QStringList>

#include <algorithm>
#include <cmath>

using namespace Qt::StringLiterals;

namespace qs {

namespace {

QString number(double value)
{
    constexpr int kDigits = 9; // enough to give a float back exactly
    return QString::number(value, 'g', kDigits);
}

QString table(const QStringList& lines)
{
    return lines.join(u'\n') + u'\n';
}

} // namespace

QString histogramCsv(
    const Histogram& histogram, const std::vector<double>& clipping, const std::vector<double>& rounding)
{
    QStringList lines {u"from,to,count,clipping_squared_error,rounding_squared_error"_s};
    const bool hasErrors = clipping.size() == histogram.size() && rounding.size() == histogram.size();
    for (std::size_t bin = 0; bin < histogram.size(); ++bin) {
        lines << QStringList {number(histogram.edge(bin)), number(histogram.edge(bin + 1)),
            QString::number(histogram.counts[bin]), hasErrors ? number(clipping[bin]) : QString(),
            hasErrors ? number(rounding[bin]) : QString()}
                     .join(u',');
    }
    return table(lines);
}

QString channelCsv(const SiteStatistics& statistics, const std::vector<Bounds>& bounds)
{
    QStringList lines {u"%1,count,minimum,maximum,mean,standard_deviation,lower_bound,upper_bound"_s.arg(
        statistics.axis == GroupAxis::Head ? u"head"_s : u"channel"_s)};
    for (std::size_t i = 0; i < statistics.groups.size(); ++i) {
        const GroupStatistics& group = statistics.groups[i];
        const double count = static_cast<double>(std::max<std::uint64_t>(group.count, 1));
        const double mean = group.sum / count;
        const double variance = std::max(group.sumOfSquares / count - mean * mean, 0.0);
        const Bounds* own = bounds.empty() ? nullptr : &bounds[std::min(i, bounds.size() - 1)];
        lines << QStringList {QString::number(i), QString::number(group.count),
            number(static_cast<double>(group.minimum)), number(static_cast<double>(group.maximum)),
            number(mean), number(std::sqrt(variance)), own == nullptr ? QString() : number(own->lower),
            own == nullptr ? QString() : number(own->upper)}
                     .join(u',');
    }
    return table(lines);
}

QString sensitivityCsv(const std::vector<SiteSensitivity>& results)
{
    QStringList lines {
        u"site,kind,bits,samples,logits_sqnr_db,kl_nats,kl_lower,kl_upper,agreement_percent,changed_lower,"
        u"changed_upper,top1_drop_points,nll_increase_nats,site_sqnr_db,clipping_share,kl_clipping_alone,"
        u"kl_rounding_alone"_s};
    const auto optional
        = [](const std::optional<double>& value) { return value ? number(*value) : QString(); };
    for (const SiteSensitivity& result : results) {
        const auto end
            = [&](BootstrapInterval SensitivityIntervals::*figure, double BootstrapInterval::*which) {
                  return result.intervals ? number((*result.intervals).*figure.*which) : QString();
              };
        lines << QStringList {QString::fromStdString(result.site),
            result.kind == SiteKind::Weight ? u"weight"_s : u"activation"_s, QString::number(result.bits),
            QString::number(result.samples), number(result.logitsSqnrDb), number(result.klNats),
            end(&SensitivityIntervals::klNats, &BootstrapInterval::lower),
            end(&SensitivityIntervals::klNats, &BootstrapInterval::upper), number(result.agreementPercent),
            end(&SensitivityIntervals::changedPercent, &BootstrapInterval::lower),
            end(&SensitivityIntervals::changedPercent, &BootstrapInterval::upper),
            optional(result.top1DropPercent), optional(result.nllIncreaseNats), number(result.siteSqnrDb),
            number(result.clippingShare),
            result.clippingAlone ? number(result.clippingAlone->klNats) : QString(),
            result.roundingAlone ? number(result.roundingAlone->klNats) : QString()}
                     .join(u',');
    }
    return table(lines);
}

} // namespace qs
