#include "app/ui/settings.h"

#include <QFileInfo>
#include <QSettings>
#include <QStandardPaths>

namespace qs {

namespace {

const QString kVersionKey = QStringLiteral("window/layoutVersion");
const QString kGeometryKey = QStringLiteral("window/geometry");
const QString kStateKey = QStringLiteral("window/state");
const QString kViewKey = QStringLiteral("window/views/%1");
const QString kThemeKey = QStringLiteral("window/theme");
const QString kDark = QStringLiteral("dark");
const QString kLight = QStringLiteral("light");
const QString kTourKey = QStringLiteral("tourSeen");
const QString kRecentKey = QStringLiteral("recentModels"); // as it was named before sessions came in

QByteArray windowValue(const QString& key)
{
    const QSettings settings;
    return settings.value(kVersionKey).toInt() == Settings::kLayoutVersion ? settings.value(key).toByteArray()
                                                                           : QByteArray();
}

} // namespace

QByteArray Settings::windowGeometry() const
{
    return windowValue(kGeometryKey);
}

QByteArray Settings::windowState() const
{
    return windowValue(kStateKey);
}

void Settings::setWindow(const QByteArray& geometry, const QByteArray& state)
{
    QSettings settings;
    settings.setValue(kVersionKey, kLayoutVersion);
    settings.setValue(kGeometryKey, geometry);
    settings.setValue(kStateKey, state);
}

QByteArray Settings::viewState(const QString& view) const
{
    return windowValue(kViewKey.arg(view));
}

void Settings::setViewState(const QString& view, const QByteArray& state)
{
    QSettings().setValue(kViewKey.arg(view), state);
}

Theme Settings::theme() const
{
    const QString name = QSettings().value(kThemeKey).toString();
    return name == kDark ? Theme::Dark : name == kLight ? Theme::Light : Theme::System;
}

void Settings::setTheme(Theme theme)
{
    QSettings().setValue(kThemeKey,
        theme == Theme::Dark        ? kDark
            : theme == Theme::Light ? kLight
                                    : QString());
}

bool Settings::isTourSeen() const
{
    return QSettings().value(kTourKey).toBool();
}

void Settings::setTourSeen()
{
    QSettings().setValue(kTourKey, true);
}

QString Settings::autosaveFolder()
{
    return QStandardPaths::writableLocation(QStandardPaths::AppDataLocation) + QStringLiteral("/sessions");
}

QString Settings::trainingFolder()
{
    return QStandardPaths::writableLocation(QStandardPaths::CacheLocation) + QStringLiteral("/training");
}

QStringList Settings::recentFiles() const
{
    QStringList present;
    for (const QString& path : QSettings().value(kRecentKey).toStringList()) {
        if (QFileInfo::exists(path)) {
            present.append(path);
        }
    }
    return present;
}

void Settings::addRecentFile(const QString& path)
{
    QStringList recent = recentFiles();
    recent.removeAll(path);
    recent.prepend(path);
    QSettings().setValue(kRecentKey, QStringList(recent.mid(0, kRecentLimit)));
}

} // namespace qs
