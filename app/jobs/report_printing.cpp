#include "app/jobs/report_printing.h"

#include <QBuffer>
#include <QImage>
#include <QImageReader>
#include <QMarginsF>
#include <QPageLayout>
#include <QPageSize>
#include <QPdfWriter>
#include <QTextDocument>
#include <QUrl>
#include <QVariant>

namespace qs {

namespace {

constexpr double kMarginMm = 0.0; ///< printing leaves 2 cm of its own, with the number of the page in it
constexpr int kSharpness = 3; ///< pixels of a chart per pixel of the page's layout
constexpr double kPictureWidth = 720.0; ///< of all pictures of a report
constexpr int kResolution = 300; ///< dots per inch

/// A document whose pictures are data: addresses; those in SVG are drawn at a higher resolution than they are
/// laid out in.
class ReportDocument final : public QTextDocument
{
public:
    using QTextDocument::QTextDocument;

protected:
    QVariant loadResource(int type, const QUrl& name) override
    {
        const QByteArray address = name.toEncoded();
        const qsizetype comma = address.indexOf(',');
        if (type != QTextDocument::ImageResource || name.scheme() != QLatin1String("data") || comma < 0) {
            return {}; // nothing outside the file
        }
        QByteArray bytes = QByteArray::fromBase64(QByteArray::fromPercentEncoding(address.mid(comma + 1)));
        QBuffer buffer(&bytes);
        buffer.open(QIODevice::ReadOnly);
        QImageReader reader(&buffer);
        if (address.contains("svg")) {
            reader.setScaledSize(reader.size() * kSharpness);
        }
        QImage picture = reader.read();
        if (!picture.isNull()) { // the layout knows the width alone, and takes the height from here
            picture.setDevicePixelRatio(static_cast<double>(picture.width()) / kPictureWidth);
        }
        return picture;
    }
};

} // namespace

QByteArray reportAsPdf(const QString& html, const QString& title)
{
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    QPdfWriter writer(&buffer);
    writer.setTitle(title);
    writer.setCreator(QStringLiteral("Quantoscope"));
    writer.setResolution(kResolution);
    writer.setPageLayout(QPageLayout(QPageSize(QPageSize::A4), QPageLayout::Landscape,
        QMarginsF(kMarginMm, kMarginMm, kMarginMm, kMarginMm), QPageLayout::Millimeter));
    ReportDocument document;
    document.setDocumentMargin(0.0);
    document.setHtml(html);
    document.print(&writer);
    return bytes;
}

} // namespace qs
