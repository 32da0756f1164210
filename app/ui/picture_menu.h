#pragma once

#include "app/ui/workbench.h"

#include <QObject>
#include <QString>

class QWidget;

namespace qs {

/// Pictures of every view, to a file or to a printer: two submenus of the File menu.
class PictureMenu : public QObject
{
    Q_OBJECT
public:
    explicit PictureMenu(const Workbench& bench);

private:
    void add(const QString& title, const QString& fileName, QWidget* view);
    void save(QWidget* view, const QString& title, const QString& fileName);
    void print(QWidget* view, const QString& title); ///< dark text on a light ground, whatever the window has

    const Workbench m_bench;
};

} // namespace qs
