#pragma once

#include <QString>

class QPainter;
class QRectF;
class QWidget;

namespace qs {

/// Writes what the widget shows, by the file's ending: .svg and .pdf as drawings, .png and any other as
/// pixels of the screen (".png" is appended to another ending). `title` goes into drawings. Returns whether
/// it was written.
[[nodiscard]] bool savePicture(QWidget& view, const QString& title, const QString& file);

/// Draws what the widget shows at the top of `page`, as large as fits, in proportion.
void paintPicture(QWidget& view, QPainter& painter, const QRectF& page);

} // namespace qs
