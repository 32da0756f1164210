#include "widgets/common/number_format.h"

#include <QCoreApplication>
#include <QLocale>

#include <algorithm>
#include <cmath>

using namespace Qt::StringLiterals;

namespace qs {

namespace {

QString tr(const char* text)
{
    return QCoreApplication::translate("NumberFormat", text);
}

/// Removes trailing zeros behind the decimal point and gives the number a typographic minus.
QString polished(QString text)
{
    const QString point = QLocale().decimalPoint();
    if (text.contains(point)) {
        while (text.endsWith(u'0')) {
            text.chop(1);
        }
        if (text.endsWith(point)) {
            text.chop(point.size());
        }
    }
    return text.replace(u'-', u'\u2212');
}

/// The special values, or an empty string.
QString nonFiniteText(double value)
{
    if (std::isnan(value)) {
        return u"\u2013"_s;
    }
    if (std::isinf(value)) {
        return value > 0 ? u"\u221E"_s : u"\u2212\u221E"_s;
    }
    return {};
}

} // namespace

QString formatNumber(double value, int digits)
{
    if (const QString special = nonFiniteText(value); !special.isEmpty()) {
        return special;
    }
    if (value == 0.0) {
        return u"0"_s;
    }
    const QLocale locale;
    const double magnitude = std::abs(value);
    if (magnitude >= 1e-3 && magnitude < 1e6) {
        const int before = static_cast<int>(std::floor(std::log10(magnitude))) + 1;
        return polished(locale.toString(value, 'f', std::clamp(digits - before, 0, 12)));
    }
    const QString scientific = QString::number(value, 'e', std::max(digits - 1, 0)); // rounds 9.999 up to 1e1
    const double mantissa = scientific.section(u'e', 0, 0).toDouble();
    const int exponent = scientific.section(u'e', 1).toInt();
    return polished(locale.toString(mantissa, 'f', std::max(digits - 1, 0))) + u'e'
        + polished(QString::number(exponent));
}

QString formatDecibel(double value)
{
    if (const QString special = nonFiniteText(value); !special.isEmpty()) {
        return tr("%1 dB").arg(special);
    }
    return tr("%1 dB").arg(QLocale().toString(value, 'f', 1).replace(u'-', u'\u2212'));
}

QString formatShare(double fraction)
{
    const double percent = fraction * 100.0;
    if (percent > 0.0 && percent < 0.01) {
        return tr("< %1 %").arg(QLocale().toString(0.01, 'f', 2));
    }
    const int decimals = percent == 0.0 || percent >= 99.95 ? 0 : percent < 1.0 ? 2 : 1;
    return tr("%1 %").arg(QLocale().toString(percent, 'f', decimals));
}

QString formatPercent(double percent)
{
    return tr("%1 %").arg(QLocale().toString(percent, 'f', 2));
}

QString formatDuration(double seconds)
{
    const double shown = std::isfinite(seconds) ? std::max(seconds, 0.0) : 0.0;
    if (shown < 10.0) {
        return tr("%1 s").arg(QLocale().toString(shown, 'f', 1));
    }
    const auto whole = static_cast<long long>(std::llround(std::min(shown, 3.6e8)));
    if (whole < 60) {
        return tr("%1 s").arg(whole);
    }
    const QString tail = u"%1"_s.arg(whole % 60, 2, 10, QChar(u'0'));
    if (whole < 3600) {
        return u"%1:%2"_s.arg(whole / 60).arg(tail);
    }
    return u"%1:%2:%3"_s.arg(whole / 3600).arg(whole / 60 % 60, 2, 10, QChar(u'0')).arg(tail);
}

} // namespace qs
