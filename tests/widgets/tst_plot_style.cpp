#include "widgets/common/icons.h"
#include "widgets/plot/plot_style.h"

#include <QImage>
#include <QPainter>
#include <QPalette>
#include <QTest>

#include <cmath>

using namespace qs;

namespace {

/// WCAG 2 relative luminance and contrast.
double luminance(const QColor& colour)
{
    const auto linear = [](float value) {
        const double v = static_cast<double>(value);
        return v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
    };
    return 0.2126 * linear(colour.redF()) + 0.7152 * linear(colour.greenF())
        + 0.0722 * linear(colour.blueF());
}

double contrast(const QColor& a, const QColor& b)
{
    const double first = luminance(a);
    const double second = luminance(b);
    return (std::max(first, second) + 0.05) / (std::min(first, second) + 0.05);
}

QPalette paletteOf(const QColor& base, const QColor& text)
{
    QPalette palette;
    palette.setColor(QPalette::Base, base);
    palette.setColor(QPalette::Text, text);
    return palette;
}

} // namespace

class TestPlotStyle : public QObject
{
    Q_OBJECT
private slots:
    void linesGrowWithTheScreensResolution()
    {
        QImage image(40, 40, QImage::Format_RGB32);
        image.setDevicePixelRatio(2.0);
        image.fill(Qt::white);
        QPainter painter(&image);
        painter.setRenderHint(QPainter::Antialiasing);
        painter.setPen(PlotStyle(paletteOf(Qt::white, Qt::black)).pen(PlotRole::Bound));
        painter.drawLine(QPointF(10.0, 0.0), QPointF(10.0, 20.0));
        painter.end();
        double ink = 0.0; // of a row, in device pixels
        for (int x = 0; x < image.width(); ++x) {
            ink += 1.0 - qGray(image.pixel(x, 20)) / 255.0;
        }
        QVERIFY2(ink > 2.4 && ink < 3.4, qPrintable(QString::number(ink))); // twice 1.6, not quite black
    }
    void rolesAreLegibleOnLightAndDark_data()
    {
        QTest::addColumn<QPalette>("palette");
        QTest::newRow("light") << paletteOf(Qt::white, Qt::black);
        QTest::newRow("dark") << paletteOf(QColor(0x1e, 0x1f, 0x22), QColor(0xdf, 0xe1, 0xe5));
    }
    void rolesAreLegibleOnLightAndDark()
    {
        QFETCH(QPalette, palette);
        const PlotStyle style(palette);
        QVERIFY(contrast(style.mutedText(), style.base()) >= 4.5);
        // Used for words.
        for (const PlotRole role : {PlotRole::ClippingError, PlotRole::RoundingError, PlotRole::Cutoff,
                 PlotRole::Good, PlotRole::Busy, PlotRole::Stale, PlotRole::Failure, PlotRole::Bound}) {
            QVERIFY2(contrast(style.colour(role), style.base()) >= 4.5,
                qPrintable(QString::number(static_cast<int>(role)) + QLatin1Char(' ')
                    + QString::number(contrast(style.colour(role), style.base()))));
        }
        // Used for marks.
        for (const PlotRole role : {PlotRole::Distribution, PlotRole::Selection, PlotRole::Activation,
                 PlotRole::Weight, PlotRole::Level, PlotRole::Envelope}) {
            QVERIFY(contrast(style.colour(role), style.base()) >= 3.0);
        }
    }
    void neighboursDifferByPatternToo()
    {
        const PlotStyle style(paletteOf(Qt::white, Qt::black));
        QVERIFY(style.hatch(PlotRole::ClippingError).style() != style.hatch(PlotRole::RoundingError).style());
        QVERIFY(style.hatch(PlotRole::Weight).style() != style.hatch(PlotRole::Activation).style());
    }
    void everyRoleHasAnIcon()
    {
        for (int role = 0; role <= static_cast<int>(Role::Other); ++role) {
            QVERIFY(!roleIcon(static_cast<Role>(role), SiteKind::Activation, QPalette()).isNull());
        }
        QVERIFY(!roleIcon(Role::Other, SiteKind::Weight, QPalette()).isNull());
        QVERIFY(stateIcon(ResultState::None, QPalette()).isNull());
        for (const ResultState state : {ResultState::Live, ResultState::Computing, ResultState::Stale}) {
            QVERIFY(!stateIcon(state, QPalette()).isNull());
        }
        QVERIFY(tintedIcon(QStringLiteral("no-such-icon"), Qt::black).isNull());
    }
};

QTEST_MAIN(TestPlotStyle)
#include "tst_plot_style.moc"
