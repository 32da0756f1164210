#include "app/ui/picture_menu.h"

#include "app/ui/actions.h"
#include "app/ui/appearance.h"
#include "app/ui/notices.h"
#include "app/ui/views.h"
#include "widgets/common/error_strip.h"
#include "widgets/common/picture.h"
#include "widgets/views/distribution_view.h"

#include <QDockWidget>
#include <QFileDialog>
#include <QMainWindow>
#include <QMenu>
#include <QPainter>
#include <QPrintDialog>
#include <QPrinter>

namespace qs {

PictureMenu::PictureMenu(const Workbench& bench)
    : QObject(bench.controllers)
    , m_bench(bench)
{
    add(tr("Whole &Window"), QStringLiteral("window"), m_bench.window);
    add(tr("&Distribution"), QStringLiteral("distribution"), m_bench.views->distribution);
    for (QDockWidget* dock : m_bench.window->findChildren<QDockWidget*>()) {
        add(dock->windowTitle(), dock->windowTitle().toLower(), dock->widget());
    }
}

void PictureMenu::add(const QString& title, const QString& fileName, QWidget* view)
{
    m_bench.actions->pictureMenu->addAction(
        title, this, [this, view, title, fileName] { save(view, title, fileName); });
    m_bench.actions->printMenu->addAction(title, this, [this, view, title] { print(view, title); });
}

void PictureMenu::save(QWidget* view, const QString& title, const QString& fileName)
{
    const QString file = QFileDialog::getSaveFileName(m_bench.window, tr("Save Picture"),
        fileName + QStringLiteral(".png"), tr("Pictures (*.png *.svg *.pdf)"));
    if (!file.isEmpty() && !savePicture(*view, QString(title).remove(QLatin1Char('&')), file)) {
        m_bench.notices->fail(tr("Save picture"), tr("it could not be written to %1.").arg(file));
    }
}

void PictureMenu::print(QWidget* view, const QString& title)
{
    constexpr int kDotsPerInch = 250; // finer ones cost seconds: plots are painted dot by dot
    QPrinter printer;
    printer.setResolution(kDotsPerInch);
    printer.setDocName(QString(title).remove(QLatin1Char('&')));
    printer.setPageOrientation(
        view->width() > view->height() ? QPageLayout::Landscape : QPageLayout::Portrait);
    QPrintDialog dialog(&printer, m_bench.window);
    if (dialog.exec() != QDialog::Accepted) {
        return;
    }
    QPainter painter;
    if (!painter.begin(&printer)) {
        m_bench.notices->fail(tr("Print"), tr("the printer does not take the page."));
        return;
    }
    view->setPalette(Appearance::lightPalette());
    paintPicture(*view, painter, printer.pageRect(QPrinter::DevicePixel));
    view->setPalette(QPalette()); // the window's again
    painter.end();
}

} // namespace qs
