#include "widgets/plot/histogram_readout.h"

#include "widgets/common/number_format.h"

#include <QCoreApplication>
#include <QLocale>

#include <algorithm>

namespace qs {

namespace {

QString tr(const char* text)
{
    return QCoreApplication::translate("HistogramReadout", text);
}

} // namespace

QString histogramReadout(const Histogram& histogram, double value, double binPosition,
    const BinPyramid& clipping, const BinPyramid& rounding)
{
    QString text = formatNumber(value);
    if (!(binPosition >= 0.0) || binPosition >= static_cast<double>(histogram.size())) {
        return text + tr("   count 0");
    }
    const auto bin = static_cast<std::size_t>(binPosition);
    const auto count = histogram.counts[bin];
    const double total = static_cast<double>(std::max<std::uint64_t>(histogram.total(), 1));
    text += tr("   count %1 (%2)")
                .arg(QLocale().toString(static_cast<qulonglong>(count)))
                .arg(formatShare(static_cast<double>(count) / total));
    if (rounding.size() > bin) {
        text += tr("   squared error %1").arg(formatNumber(rounding.at(bin) + clipping.at(bin), 3));
    }
    return text;
}

} // namespace qs
