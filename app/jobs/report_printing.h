#pragma once

#include <QByteArray>
#include <QString>

namespace qs {

/// The page that htmlReport() makes as a PDF: A4, landscape, charts at three times the screen's resolution.
/// On any thread, while there is a QGuiApplication.
[[nodiscard]] QByteArray reportAsPdf(const QString& html, const QString& title);

} // namespace qs
