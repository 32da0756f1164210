#pragma once

#include <QHash>
#include <QString>
#include <QWidget>

class QListWidget;
class QTextBrowser;
class QTextDocument;
class QUrl;

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
    void follow(const QUrl& link);
    void showDocument(const QString& name);
    [[nodiscard]] QTextDocument* made(const QString& name);

    QListWidget* m_contents;
    QTextBrowser* m_browser;
    QHash<QString, QTextDocument*> m_documents; ///< those that were shown, by file name
    QString m_shown;
};

} // namespace qs
