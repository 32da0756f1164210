#pragma once

#include <QWidget>

class QTextBrowser;

namespace qs {

/// The documents of resources/docs, readable without leaving the program: contents at the left, text at the
/// right.
class HelpWindow : public QWidget
{
    Q_OBJECT
public:
    explicit HelpWindow(QWidget* parent = nullptr);

    /// Shows a document by its file name ("guide.md"); raises the window.
    void open(const QString& document);

private:
    void styleTables();

    QTextBrowser* m_browser;
};

} // namespace qs
