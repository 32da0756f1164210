#include "widgets/plot/plot_menu.h"

#include "widgets/common/picture.h"

#include <QApplication>
#include <QClipboard>
#include <QFileDialog>
#include <QMenu>
#include <QPixmap>
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
    if (!file.isEmpty() && !savePicture(*m_view, m_name, file)) {
        emit failed(tr("The picture could not be written to %1.").arg(file));
    }
}

} // namespace qs
