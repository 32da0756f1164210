#include "widgets/common/picture.h"

#include <QPainter>
#include <QPdfWriter>
#include <QPixmap>
#include <QSvgGenerator>
#include <QWidget>

#include <algorithm>

namespace qs {

namespace {

bool saveSvg(QWidget& view, const QString& title, const QString& file)
{
    QSvgGenerator generator;
    generator.setFileName(file);
    generator.setSize(view.size());
    generator.setViewBox(QRect(QPoint(), view.size()));
    generator.setTitle(title);
    QPainter painter;
    if (!painter.begin(&generator)) {
        return false;
    }
    view.render(&painter);
    return painter.end();
}

bool savePdf(QWidget& view, const QString& title, const QString& file)
{
    QPdfWriter writer(file);
    writer.setTitle(title);
    constexpr int kDotsPerInch = 96; // one dot is one pixel of the view
    writer.setResolution(kDotsPerInch);
    writer.setPageSize(QPageSize(QSizeF(view.size()) / kDotsPerInch, QPageSize::Inch));
    writer.setPageMargins(QMarginsF());
    QPainter painter;
    if (!painter.begin(&writer)) {
        return false;
    }
    view.render(&painter);
    return painter.end();
}

} // namespace

bool savePicture(QWidget& view, const QString& title, const QString& file)
{
    if (file.endsWith(QLatin1String(".svg"), Qt::CaseInsensitive)) {
        return saveSvg(view, title, file);
    }
    if (file.endsWith(QLatin1String(".pdf"), Qt::CaseInsensitive)) {
        return savePdf(view, title, file);
    }
    const bool isPng = file.endsWith(QLatin1String(".png"), Qt::CaseInsensitive);
    return view.grab().save(isPng ? file : file + QStringLiteral(".png"), "PNG");
}

void paintPicture(QWidget& view, QPainter& painter, const QRectF& page)
{
    if (view.size().isEmpty()) {
        return;
    }
    const double factor = std::min(page.width() / view.width(), page.height() / view.height());
    painter.save();
    painter.translate(page.topLeft());
    painter.scale(factor, factor);
    view.render(&painter);
    painter.restore();
}

} // namespace qs
