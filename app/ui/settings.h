#pragma once

#include "app/ui/appearance.h"

#include <QByteArray>
#include <QStringList>

namespace qs {

/// Typed access to what is remembered between runs. Values of another layout version are ignored, not
/// misread.
class Settings
{
public:
    static constexpr int kLayoutVersion = 4;
    static constexpr int kRecentLimit = 8;

    [[nodiscard]] QByteArray windowGeometry() const;
    [[nodiscard]] QByteArray windowState() const;
    void setWindow(const QByteArray& geometry, const QByteArray& state);

    /// How a view was arranged: its columns, or its splitter.
    [[nodiscard]] QByteArray viewState(const QString& view) const;
    void setViewState(const QString& view, const QByteArray& state);

    [[nodiscard]] Theme theme() const;
    void setTheme(Theme theme);
    /// Whether the tour was shown once.
    [[nodiscard]] bool isTourSeen() const;
    void setTourSeen();

    /// Where copies of unsaved sessions are kept.
    [[nodiscard]] static QString autosaveFolder();

    /// Where unfinished training is kept.
    [[nodiscard]] static QString trainingFolder();

    /// Paths of models and sessions, latest first; those that no longer exist are left out.
    [[nodiscard]] QStringList recentFiles() const;
    void addRecentFile(const QString& path);
};

} // namespace qs
