#pragma once

#include <QObject>
#include <QPalette>

class QDBusVariant;

namespace qs {

/// How light the window is.
enum class Theme {
    System, ///< as the desktop says, followed while the program runs
    Light,
    Dark
};

/// Sets the application's palette. The desktop's wish is asked of the XDG settings portal; without a portal
/// the palette that Qt started with stays.
class Appearance : public QObject
{
    Q_OBJECT
public:
    explicit Appearance(QObject* parent = nullptr);

    void setTheme(Theme theme);
    [[nodiscard]] Theme theme() const { return m_theme; }
    [[nodiscard]] static QPalette darkPalette();
    [[nodiscard]] static QPalette lightPalette();

private slots:
    void onPortalSetting(const QString& space, const QString& key, const QDBusVariant& value);

private:
    void apply();

    Theme m_theme = Theme::System;
    QPalette m_initial;
    bool m_systemIsDark = false;
    bool m_systemKnown = false;
};

} // namespace qs
