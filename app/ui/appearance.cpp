#include "app/ui/appearance.h"

#include <QApplication>
#include <QDBusConnection>
#include <QDBusMessage>
#include <QDBusPendingCallWatcher>
#include <QDBusPendingReply>
#include <QDBusVariant>

namespace qs {

namespace {

const QString kService = QStringLiteral("org.freedesktop.portal.Desktop");
const QString kPath = QStringLiteral("/org/freedesktop/portal/desktop");
const QString kInterface = QStringLiteral("org.freedesktop.portal.Settings");
const QString kSpace = QStringLiteral("org.freedesktop.appearance");
const QString kKey = QStringLiteral("color-scheme");

/// The portal wraps values in one or two variants: 1 asks for dark, 2 for light, 0 has no wish.
uint schemeOf(QVariant value)
{
    while (value.canConvert<QDBusVariant>()) {
        value = value.value<QDBusVariant>().variant();
    }
    return value.toUInt();
}

} // namespace

Appearance::Appearance(QObject* parent)
    : QObject(parent)
    , m_initial(QApplication::palette())
{
    QDBusConnection bus = QDBusConnection::sessionBus();
    if (!bus.isConnected()) {
        return;
    }
    bus.connect(kService, kPath, kInterface, QStringLiteral("SettingChanged"), this,
        SLOT(onPortalSetting(QString, QString, QDBusVariant)));
    QDBusMessage ask = QDBusMessage::createMethodCall(kService, kPath, kInterface, QStringLiteral("Read"));
    ask << kSpace << kKey;
    auto* watcher = new QDBusPendingCallWatcher(bus.asyncCall(ask), this);
    connect(watcher, &QDBusPendingCallWatcher::finished, this, [this](QDBusPendingCallWatcher* finished) {
        const QDBusPendingReply<QDBusVariant> reply = *finished;
        if (!reply.isError()) {
            onPortalSetting(kSpace, kKey, reply.value());
        }
        finished->deleteLater();
    });
}

void Appearance::setTheme(Theme theme)
{
    m_theme = theme;
    apply();
}

void Appearance::onPortalSetting(const QString& space, const QString& key, const QDBusVariant& value)
{
    if (space == kSpace && key == kKey) {
        const uint scheme = schemeOf(value.variant());
        m_systemKnown = scheme != 0;
        m_systemIsDark = scheme == 1;
        apply();
    }
}

void Appearance::apply()
{
    const bool dark = m_theme == Theme::Dark || (m_theme == Theme::System && m_systemKnown && m_systemIsDark);
    const bool asStarted = m_theme == Theme::System && !m_systemKnown;
    const QPalette palette = asStarted ? m_initial : dark ? darkPalette() : lightPalette();
    if (palette != QApplication::palette()) {
        QApplication::setPalette(palette);
    }
}

QPalette Appearance::darkPalette()
{
    QPalette palette;
    const auto set = [&](QPalette::ColorRole role, const QColor& colour) { palette.setColor(role, colour); };
    const QColor text(225, 226, 228);
    set(QPalette::Window, QColor(45, 47, 51));
    set(QPalette::WindowText, text);
    set(QPalette::Base, QColor(30, 31, 34));
    set(QPalette::AlternateBase, QColor(38, 40, 44));
    set(QPalette::Text, text);
    set(QPalette::Button, QColor(55, 58, 63));
    set(QPalette::ButtonText, text);
    set(QPalette::Light, QColor(80, 84, 90));
    set(QPalette::Midlight, QColor(66, 70, 75));
    set(QPalette::Mid, QColor(38, 40, 44));
    set(QPalette::Dark, QColor(26, 27, 30));
    set(QPalette::Shadow, QColor(14, 15, 16));
    set(QPalette::ToolTipBase, QColor(55, 58, 63));
    set(QPalette::ToolTipText, text);
    set(QPalette::PlaceholderText, QColor(150, 153, 158));
    set(QPalette::Highlight, QColor(70, 130, 190));
    set(QPalette::HighlightedText, Qt::white);
    set(QPalette::Link, QColor(110, 176, 240));
    set(QPalette::LinkVisited, QColor(176, 150, 230));
    for (const auto role : {QPalette::Text, QPalette::ButtonText, QPalette::WindowText}) {
        palette.setColor(QPalette::Disabled, role, QColor(120, 122, 126));
    }
    palette.setColor(QPalette::Disabled, QPalette::Highlight, QColor(70, 74, 80));
    return palette;
}

QPalette Appearance::lightPalette()
{
    QPalette palette;
    const auto set = [&](QPalette::ColorRole role, const QColor& colour) { palette.setColor(role, colour); };
    set(QPalette::Window, QColor(239, 239, 239));
    set(QPalette::WindowText, Qt::black);
    set(QPalette::Base, Qt::white);
    set(QPalette::AlternateBase, QColor(247, 247, 247));
    set(QPalette::Text, Qt::black);
    set(QPalette::Button, QColor(239, 239, 239));
    set(QPalette::ButtonText, Qt::black);
    set(QPalette::Light, Qt::white);
    set(QPalette::Midlight, QColor(202, 202, 202));
    set(QPalette::Mid, QColor(184, 184, 184));
    set(QPalette::Dark, QColor(159, 159, 159));
    set(QPalette::Shadow, QColor(118, 118, 118));
    set(QPalette::ToolTipBase, QColor(255, 255, 240));
    set(QPalette::ToolTipText, Qt::black);
    set(QPalette::PlaceholderText, QColor(0, 0, 0, 128));
    set(QPalette::Highlight, QColor(48, 140, 198));
    set(QPalette::HighlightedText, Qt::white);
    set(QPalette::Link, QColor(0, 92, 175));
    set(QPalette::LinkVisited, QColor(110, 50, 140));
    for (const auto role : {QPalette::Text, QPalette::ButtonText, QPalette::WindowText}) {
        palette.setColor(QPalette::Disabled, role, QColor(150, 150, 150));
    }
    palette.setColor(QPalette::Disabled, QPalette::Highlight, QColor(190, 190, 190));
    return palette;
}

} // namespace qs
