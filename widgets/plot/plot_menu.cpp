#include "widgets/plot/plot_menu.h"

#include <QApplication>
#include <QClipboard>
#include <QFileDialog>
#include <QMenu>
#include <QPainter>
#include <QPdfWriter>
#include <QPixmap>
#include <QSvgGenerator>
#include <QWidget>

#include <utility>

namespace qs {

PlotMenu::PlotMenu(QWidget* view, QString name, std::function<QString()> csv)
    : QObject(view)
    , m_view(view)
    , m_name(std::move(name))
    , m_csv(std::move(csv))
{
    m_view->setContextMenuPolicy(Qt::CustomContextMenu);
    connect(m_view, &QWidget::customContextMenuRequested, this, &PlotMenu::popUp);
}

void PlotMenu::copyPicture() const
{
    QApplication::clipboard()->setPixmap(m_view->grab());
}

void PlotMenu::copyCsv() const
{
    QApplication::clipboard()->setText(m_csv());
}

bool PlotMenu::savePicture(const QString& file) const
{
    const QSize size = m_view->size();
    if (file.endsWith(QLatin1String(".svg"), Qt::CaseInsensitive)) {
        QSvgGenerator generator;
        generator.setFileName(file);
        generator.setSize(size);
        generator.setViewBox(QRect(QPoint(0, 0), size));
        generator.setTitle(m_name);
        QPainter painter;
        if (!painter.begin(&generator)) {
            return false;
        }
        m_view->render(&painter);
        return painter.end();
    }
    if (file.endsWith(QLatin1String(".pdf"), Qt::CaseInsensitive)) {
        QPdfWriter writer(file);
        writer.setTitle(m_name);
        constexpr int kDotsPerInch = 96; // one dot is one pixel of the view
        writer.setResolution(kDotsPerInch);
        writer.setPageSize(QPageSize(QSizeF(size) / kDotsPerInch, QPageSize::Inch));
        writer.setPageMargins(QMarginsF());
        QPainter painter;
        if (!painter.begin(&writer)) {
            return false;
        }
        m_view->render(&painter);
        return painter.end();
    }
    const bool isPng = file.endsWith(QLatin1String(".png"), Qt::CaseInsensitive);
    return m_view->grab().save(isPng ? file : file + QStringLiteral(".png"), "PNG");
}

void PlotMenu::popUp(const QPoint& position)
{
    QMenu menu(m_view);
    connect(menu.addAction(tr("Copy as &Picture")), &QAction::triggered, this, &PlotMenu::copyPicture);
    connect(menu.addAction(tr("Copy as &CSV")), &QAction::triggered, this, &PlotMenu::copyCsv);
    menu.addSeparator();
    connect(menu.addAction(tr("&Save Picture…")), &QAction::triggered, this, &PlotMenu::askAndSave);
    menu.exec(m_view->mapToGlobal(position));
}

void PlotMenu::askAndSave()
{
    const QString file = QFileDialog::getSaveFileName(m_view->window(), tr("Save Picture"),
        m_name + QStringLiteral(".png"), tr("Pictures (*.png *.svg *.pdf)"));
    if (!file.isEmpty() && !savePicture(file)) {
        emit failed(tr("The picture could not be written to %1.").arg(file));
    }
}

} // namespace qs
