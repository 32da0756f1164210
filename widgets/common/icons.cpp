#include "widgets/common/icons.h"

#include "widgets/plot/plot_style.h"

#include <QFile>
#include <QHash>
#include <QPainter>
#include <QPalette>
#include <QPixmap>
#include <QSvgRenderer>

using namespace Qt::StringLiterals;

/// The icons live in a static library: its resources must be asked for by name. Must stand outside
/// namespaces.
static void loadIconResources()
{
    Q_INIT_RESOURCE(resources);
}

namespace qs {

namespace {

QString pathOf(const QString& name)
{
    static const bool loaded = (loadIconResources(), true);
    Q_UNUSED(loaded);
    return u":/quantoscope/icons/%1.svg"_s.arg(name);
}

/// Where the drawing has ink it takes the colour; white strokes stay as holes in filled shapes.
QPixmap tintedPixmap(QSvgRenderer& renderer, const QColor& colour, int size)
{
    QImage image(size, size, QImage::Format_ARGB32_Premultiplied);
    image.fill(Qt::transparent);
    QPainter painter(&image);
    renderer.render(&painter);
    painter.end();
    image = image.convertToFormat(QImage::Format_ARGB32);
    for (int y = 0; y < size; ++y) {
        auto* line = reinterpret_cast<QRgb*>(image.scanLine(y));
        for (int x = 0; x < size; ++x) {
            const int alpha = qAlpha(line[x]) * (255 - qGray(line[x])) / 255;
            line[x] = qRgba(colour.red(), colour.green(), colour.blue(), alpha);
        }
    }
    return QPixmap::fromImage(image);
}

void addPixmaps(QIcon& icon, QIcon::Mode mode, const QIcon& other)
{
    for (const QSize& size : other.availableSizes()) {
        icon.addPixmap(other.pixmap(size), mode);
    }
}

/// Icons are asked for with every row that is painted: each is made once. For the user-interface thread.
template<typename Make>
QIcon kept(const QString& key, const Make& make)
{
    static QHash<QString, QIcon> icons; // names and colours of two themes: a few dozen
    const auto found = icons.constFind(key);
    return found != icons.constEnd() ? *found : *icons.insert(key, make());
}

QString nameOfRole(Role role)
{
    switch (role) {
    case Role::PatchEmbedding: return u"role-patch"_s;
    case Role::PostNormQkv: return u"role-norm"_s;
    case Role::Query: return u"role-query"_s;
    case Role::Key: return u"role-key"_s;
    case Role::Softmax: return u"role-softmax"_s;
    case Role::Value: return u"role-value"_s;
    case Role::Projection: return u"role-projection"_s;
    case Role::PostNormFc1: return u"role-norm-mlp"_s;
    case Role::PostGeluFc2: return u"role-gelu"_s;
    case Role::Head: return u"role-head"_s;
    case Role::FrontEnd:
    case Role::Other: break;
    }
    return u"role-other"_s;
}

} // namespace

QIcon tintedIcon(const QString& name, const QColor& colour)
{
    return kept(u"%1 %2"_s.arg(name).arg(colour.rgba()), [&] {
        const QString path = pathOf(name);
        QIcon icon;
        if (QFile::exists(path)) {
            QSvgRenderer renderer(path);
            for (const int size : {16, 24, 32, 48}) {
                icon.addPixmap(tintedPixmap(renderer, colour, size));
            }
        }
        return icon;
    });
}

QIcon themedIcon(const QString& name, const QPalette& palette)
{
    const QColor active = palette.color(QPalette::Active, QPalette::ButtonText);
    const QColor disabled = palette.color(QPalette::Disabled, QPalette::ButtonText);
    return kept(u"%1 %2 %3"_s.arg(name).arg(active.rgba()).arg(disabled.rgba()), [&] {
        QIcon icon = tintedIcon(name, active);
        addPixmaps(icon, QIcon::Disabled, tintedIcon(name, disabled));
        return icon;
    });
}

QIcon roleIcon(Role role, SiteKind kind, const QPalette& palette)
{
    const bool isWeight = kind == SiteKind::Weight;
    const QString name = isWeight ? u"weight"_s : nameOfRole(role);
    const QColor colour = PlotStyle(palette).colour(isWeight ? PlotRole::Weight : PlotRole::Activation);
    const QColor selected = palette.color(QPalette::Active, QPalette::HighlightedText);
    return kept(u"%1 %2 %3 selected"_s.arg(name).arg(colour.rgba()).arg(selected.rgba()), [&] {
        QIcon icon = tintedIcon(name, colour);
        addPixmaps(icon, QIcon::Selected, tintedIcon(name, selected));
        return icon;
    });
}

QIcon stateIcon(ResultState state, const QPalette& palette)
{
    const PlotStyle style(palette);
    switch (state) {
    case ResultState::None: break;
    case ResultState::Computing: return tintedIcon(u"state-computing"_s, style.colour(PlotRole::Busy));
    case ResultState::Live: return tintedIcon(u"state-live"_s, style.colour(PlotRole::Good));
    case ResultState::Stale: return tintedIcon(u"state-stale"_s, style.colour(PlotRole::Stale));
    }
    return {};
}

} // namespace qs
