#pragma once

#include <QObject>
#include <QString>

#include <functional>

class QPoint;
class QWidget;

namespace qs {

/// The context menu of a plot: copy as picture, copy as CSV, save as PNG, SVG or PDF. Lives as long as the
/// view.
class PlotMenu : public QObject
{
    Q_OBJECT
public:
    /// `view` is what the picture shows; `csv` gives the table behind it, the first line naming columns and
    /// units. `name` starts the suggested file name.
    PlotMenu(QWidget* view, QString name, std::function<QString()> csv);

    /// The picture at the screen's resolution to the clipboard.
    void copyPicture() const;
    void copyCsv() const;

signals:
    void failed(const QString& sentence);

private:
    void popUp(const QPoint& position);
    void askAndSave();

    QWidget* m_view;
    QString m_name;
    std::function<QString()> m_csv;
};

} // namespace qs
