#include "widgets/plot/plot_style.h"

#include <qcustomplot.h>

#include <QApplication>
#include <QPainter>
#include <QPainterPath>

#include <array>
#include <cmath>

using namespace Qt::StringLiterals;

namespace qs {

namespace {

QColor mix(const QColor& a, const QColor& b, double t)
{
    const auto channel = [t](float from, float to) { return from + (to - from) * static_cast<float>(t); };
    return QColor::fromRgbF(
        channel(a.redF(), b.redF()), channel(a.greenF(), b.greenF()), channel(a.blueF(), b.blueF()));
}

QColor withAlpha(QColor colour, double alpha)
{
    colour.setAlphaF(static_cast<float>(alpha));
    return colour;
}

/// Colours that stay apart under protanopia, deuteranopia and tritanopia (after Okabe and Ito), one shade for
/// each kind of base.
QColor roleColour(PlotRole role, bool dark)
{
    switch (role) {
    case PlotRole::Distribution: return dark ? QColor(0x6f, 0x9c, 0xc9) : QColor(0x5f, 0x8a, 0xb8);
    case PlotRole::ClippingError: return dark ? QColor(0xff, 0x8a, 0x4c) : QColor(0xc8, 0x4f, 0x00);
    case PlotRole::RoundingError: return dark ? QColor(0x35, 0xc4, 0x9a) : QColor(0x00, 0x83, 0x62);
    case PlotRole::Cutoff: return dark ? QColor(0xd9, 0x9a, 0xc8) : QColor(0x93, 0x42, 0x82);
    case PlotRole::Selection: return dark ? QColor(0xff, 0xc2, 0x3d) : QColor(0xd0, 0x7f, 0x00);
    case PlotRole::Activation: return dark ? QColor(0x62, 0xb2, 0xf0) : QColor(0x1f, 0x6f, 0xb0);
    case PlotRole::Weight: return dark ? QColor(0xe2, 0xa8, 0x3d) : QColor(0xb0, 0x70, 0x00);
    case PlotRole::Good: return dark ? QColor(0x4f, 0xc9, 0x8a) : QColor(0x15, 0x7a, 0x4c);
    case PlotRole::Busy: return dark ? QColor(0x6c, 0xb4, 0xf5) : QColor(0x1b, 0x66, 0xa8);
    case PlotRole::Stale: return dark ? QColor(0xd8, 0xb0, 0x5a) : QColor(0x8a, 0x62, 0x00);
    case PlotRole::Failure: return dark ? QColor(0xff, 0x7d, 0x70) : QColor(0xb3, 0x26, 0x1e);
    case PlotRole::Bound:
    case PlotRole::Level:
    case PlotRole::Envelope: break; // made from the text colour
    }
    return {};
}

/// Labels "2^-3" with a raised exponent; 1/4, 1/2, 1, 2, 4 written out.
class OctaveTicker final : public QCPAxisTickerLog
{
public:
    OctaveTicker()
    {
        setLogBase(2.0);
        setSubTickCount(0);
        setTickCount(8);
    }

protected:
    QString getTickLabel(double tick, const QLocale&, QChar, int) override
    {
        static const QString kDigits = u"\u2070\u00B9\u00B2\u00B3\u2074\u2075\u2076\u2077\u2078\u2079"_s;
        const int exponent = static_cast<int>(std::lround(std::log2(tick)));
        if (exponent >= 0 && exponent <= 6) {
            return QString::number(1 << exponent);
        }
        QString text = u"2"_s;
        for (const QChar character : QString::number(exponent)) {
            text += character == u'-' ? QChar(u'\u207B') : kDigits.at(character.digitValue());
        }
        return text;
    }

    QVector<double> createTickVector(double, const QCPRange& range) override
    {
        QVector<double> ticks;
        if (range.lower <= 0.0 || range.upper <= range.lower) {
            return ticks;
        }
        const double first = std::log2(range.lower);
        const double last = std::log2(range.upper);
        const double step = std::max(1.0, std::ceil((last - first) / 9.0));
        for (double exponent = std::floor(first / step) * step; exponent <= last + step; exponent += step) {
            ticks.append(std::exp2(exponent));
        }
        return ticks;
    }
};

/// 1, 10, 100, 10^4 with raised exponents.
class DecadeTicker final : public QCPAxisTickerLog
{
public:
    DecadeTicker() { setSubTickCount(8); }

protected:
    QString getTickLabel(double tick, const QLocale&, QChar, int) override
    {
        static const QString kDigits = u"\u2070\u00B9\u00B2\u00B3\u2074\u2075\u2076\u2077\u2078\u2079"_s;
        const int exponent = static_cast<int>(std::lround(std::log10(tick)));
        if (exponent >= 0 && exponent <= 2) {
            return QString::number(std::lround(tick));
        }
        QString text = u"10"_s;
        for (const QChar character : QString::number(exponent)) {
            text += character == u'-' ? QChar(u'\u207B') : kDigits.at(character.digitValue());
        }
        return text;
    }
};

} // namespace

PlotStyle::PlotStyle(const QPalette& palette)
    : m_dark(palette.color(QPalette::Base).lightnessF() < 0.5F)
    , m_base(palette.color(QPalette::Active, QPalette::Base))
    , m_text(palette.color(QPalette::Active, QPalette::Text))
{
}

QColor PlotStyle::mutedText() const
{
    return mix(m_text, m_base, 0.36);
}

QColor PlotStyle::faintLine() const
{
    return mix(m_text, m_base, m_dark ? 0.82 : 0.88);
}

QColor PlotStyle::colour(PlotRole role) const
{
    switch (role) {
    case PlotRole::Bound: return mix(m_text, m_base, 0.08);
    case PlotRole::Level: return mix(m_text, m_base, 0.45);
    case PlotRole::Envelope: return mix(m_text, m_base, 0.4);
    default: return roleColour(role, m_dark);
    }
}

QColor PlotStyle::tint(PlotRole role) const
{
    return mix(m_base, colour(role), m_dark ? 0.22 : 0.13);
}

QPen PlotStyle::pen(PlotRole role) const
{
    QPen pen(colour(role));
    switch (role) {
    case PlotRole::Bound: pen.setWidthF(1.6); break;
    case PlotRole::Cutoff:
        pen.setWidthF(1.4);
        pen.setDashPattern({5.0, 3.0});
        break;
    case PlotRole::Selection: pen.setWidthF(1.6); break;
    default: pen.setWidthF(1.0); break;
    }
    return pen;
}

QPen PlotStyle::ghostPen(int row) const
{
    static constexpr std::array kDashes {Qt::SolidLine, Qt::DashLine, Qt::DashDotLine, Qt::DotLine};
    const std::array colours {colour(PlotRole::Activation), colour(PlotRole::Cutoff), colour(PlotRole::Good),
        colour(PlotRole::Weight)};
    const auto index = static_cast<std::size_t>(row) % colours.size();
    return {colours[index], 1.4, kDashes[index]};
}

QBrush PlotStyle::brush(PlotRole role) const
{
    switch (role) {
    case PlotRole::ClippingError:
    case PlotRole::RoundingError: return withAlpha(colour(role), m_dark ? 0.38 : 0.3);
    case PlotRole::Cutoff: return withAlpha(colour(role), 0.1);
    case PlotRole::Selection: return withAlpha(colour(role), 0.22);
    case PlotRole::Distribution: return mix(colour(role), m_base, 0.12);
    default: return colour(role);
    }
}

QBrush PlotStyle::hatch(PlotRole role) const
{
    switch (role) {
    case PlotRole::ClippingError: return QBrush(withAlpha(colour(role), 0.95), Qt::BDiagPattern);
    case PlotRole::RoundingError: return QBrush(withAlpha(colour(role), 0.75), Qt::Dense6Pattern);
    case PlotRole::Cutoff: return QBrush(withAlpha(colour(role), 0.28), Qt::FDiagPattern);
    case PlotRole::Weight: return QBrush(withAlpha(m_base, 0.75), Qt::FDiagPattern);
    default: return Qt::NoBrush;
    }
}

void PlotStyle::fill(QPainter& painter, const QPainterPath& path, PlotRole role) const
{
    painter.fillPath(path, brush(role));
    if (const QBrush pattern = hatch(role); pattern.style() != Qt::NoBrush) {
        painter.fillPath(path, pattern);
    }
}

void PlotStyle::fill(QPainter& painter, const QRectF& rect, PlotRole role) const
{
    painter.fillRect(rect, brush(role));
    if (const QBrush pattern = hatch(role); pattern.style() != Qt::NoBrush) {
        painter.fillRect(rect, pattern);
    }
}

QBrush PlotStyle::clippedZone() const
{
    return QBrush(withAlpha(colour(PlotRole::ClippingError), m_dark ? 0.55 : 0.5), Qt::BDiagPattern);
}

QBrush PlotStyle::textBacking() const
{
    return withAlpha(m_base, 0.86);
}

QFont PlotStyle::labelFont() const
{
    QFont font = QApplication::font();
    if (font.pointSizeF() > 0) {
        font.setPointSizeF(std::max(7.5, font.pointSizeF() * 0.9));
    }
    return font;
}

QFont PlotStyle::emphasisFont() const
{
    QFont font = labelFont();
    font.setWeight(QFont::DemiBold);
    return font;
}

void PlotStyle::applyTo(QCustomPlot& plot) const
{
    constexpr QSize kSmallestCanvas(40, 30); // one without area complains when it is shown
    plot.setMinimumSize(kSmallestCanvas);
    plot.setBackground(m_base);
    for (QCPAxisRect* rect : plot.axisRects()) {
        for (QCPAxis* axis : rect->axes()) {
            applyTo(*axis);
        }
    }
}

void PlotStyle::applyTo(QCPAxis& axis) const
{
    const QPen line(mix(m_text, m_base, 0.55));
    axis.setBasePen(line);
    axis.setTickPen(line);
    axis.setSubTickPen(QPen(mix(m_text, m_base, 0.7)));
    axis.setTickLabelColor(mutedText());
    axis.setLabelColor(mutedText());
    axis.setTickLabelFont(labelFont());
    axis.setLabelFont(labelFont());
    axis.setTickLengthIn(0);
    axis.setTickLengthOut(4);
    axis.setSubTickLengthIn(0);
    axis.setSubTickLengthOut(2);
    axis.setTickLabelPadding(3);
    axis.setLabelPadding(3);
    axis.grid()->setPen(QPen(faintLine()));
    axis.grid()->setSubGridVisible(false);
    axis.grid()->setZeroLinePen(Qt::NoPen);
}

QCPColorGradient PlotStyle::densityGradient() const
{
    QCPColorGradient gradient;
    gradient.clearColorStops();
    gradient.setColorInterpolation(QCPColorGradient::ciRGB);
    gradient.setLevelCount(256);
    gradient.setNanHandling(QCPColorGradient::nhTransparent);
    if (m_dark) {
        gradient.setColorStopAt(0.0, mix(m_base, QColor(0x23, 0x3b, 0x66), 0.55));
        gradient.setColorStopAt(0.25, QColor(0x2c, 0x55, 0x87));
        gradient.setColorStopAt(0.5, QColor(0x2f, 0x8c, 0xa3));
        gradient.setColorStopAt(0.75, QColor(0x7f, 0xc9, 0x8e));
        gradient.setColorStopAt(1.0, QColor(0xfb, 0xf1, 0xa0));
    } else {
        gradient.setColorStopAt(0.0, mix(m_base, QColor(0xcf, 0xe0, 0xf0), 0.8));
        gradient.setColorStopAt(0.25, QColor(0x9f, 0xc6, 0xe3));
        gradient.setColorStopAt(0.5, QColor(0x4f, 0x94, 0xc8));
        gradient.setColorStopAt(0.75, QColor(0x1d, 0x58, 0x9b));
        gradient.setColorStopAt(1.0, QColor(0x0c, 0x1f, 0x52));
    }
    return gradient;
}

void useLinearTicks(QCPAxis& axis)
{
    axis.setScaleType(QCPAxis::stLinear);
    axis.setTicker(QSharedPointer<QCPAxisTicker>(new QCPAxisTicker));
    axis.setNumberFormat(u"gb"_s);
    axis.setNumberPrecision(5);
}

void useIntegerTicks(QCPAxis& axis)
{
    QSharedPointer<QCPAxisTickerFixed> ticker(new QCPAxisTickerFixed);
    ticker->setTickStep(1.0);
    ticker->setScaleStrategy(QCPAxisTickerFixed::ssMultiples);
    axis.setScaleType(QCPAxis::stLinear);
    axis.setTicker(ticker);
    axis.setSubTicks(false);
    axis.setNumberFormat(QStringLiteral("f"));
    axis.setNumberPrecision(0);
}

void useDecadeTicks(QCPAxis& axis)
{
    axis.setScaleType(QCPAxis::stLogarithmic);
    axis.setTicker(QSharedPointer<QCPAxisTicker>(new DecadeTicker));
}

void useOctaveTicks(QCPAxis& axis)
{
    axis.setScaleType(QCPAxis::stLogarithmic);
    axis.setTicker(QSharedPointer<QCPAxisTicker>(new OctaveTicker));
}

} // namespace qs
