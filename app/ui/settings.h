#pragma once

#include <QByteArray>
#include <QStringList>

namespace qs {

/// Typed access to what is remembered between runs. Values of another layout version are ignored, not
/// misread.
class Settings
{
public:
    static constexpr int kLayoutVersion = 1;
    static constexpr int kRecentLimit = 8;

    [[nodiscard]] QByteArray windowGeometry() const;
    [[nodiscard]] QByteArray windowState() const;
    void setWindow(const QByteArray& geometry, const QByteArray& state);

    /// Model paths, latest first; those that no longer exist are left out.
    [[nodiscard]] QStringList recentModels() const;
    void addRecentModel(const QString& path);
};

} // namespace qs
