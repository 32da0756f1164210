#pragma once

#include "app/ui/main_window.h"
#include "app/ui/settings.h"

#include <QCoreApplication>
#include <QSettings>

#include <memory>

namespace qs::test {

/// Settings of the test alone, and empty: whatever the user or another test chose changes nothing.
inline void useEmptySettings(const QString& application)
{
    QCoreApplication::setOrganizationName(QStringLiteral("QuantoscopeTest"));
    QCoreApplication::setApplicationName(application);
    QSettings().clear();
}

/// A shown window with such settings, for somebody who has seen the tour.
[[nodiscard]] inline std::unique_ptr<MainWindow> freshWindow(const QString& application)
{
    useEmptySettings(application);
    Settings().setTourSeen();
    auto window = std::make_unique<MainWindow>();
    window->show();
    return window;
}

} // namespace qs::test
