#include "app/ui/help_window.h"

#include <QDesktopServices>
#include <QFile>
#include <QHBoxLayout>
#include <QListWidget>
#include <QShortcut>
#include <QSplitter>
#include <QTextBrowser>
#include <QTextDocument>
#include <QTextTable>
#include <QUrl>

namespace qs {

namespace {

const QString kFolder = QStringLiteral("qrc:/quantoscope/docs/");

} // namespace

HelpWindow::HelpWindow(QWidget* parent)
    : QWidget(parent, Qt::Window)
    , m_contents(new QListWidget(this))
    , m_browser(new QTextBrowser(this))
{
    setWindowTitle(tr("Quantoscope Help"));
    m_contents->setAccessibleName(tr("Contents"));
    const QList<std::pair<QString, QString>> documents {{tr("Guide"), QStringLiteral("guide.md")},
        {tr("Numbers and methods"), QStringLiteral("numerics.md")},
        {tr("File formats"), QStringLiteral("formats.md")},
        {tr("Architecture"), QStringLiteral("architecture.md")}};
    for (const auto& [title, file] : documents) {
        auto* item = new QListWidgetItem(title, m_contents);
        item->setData(Qt::UserRole, file);
    }
    m_contents->setSpacing(3);
    m_browser->setAccessibleName(tr("Document"));
    m_browser->setOpenLinks(false);
    connect(m_browser, &QTextBrowser::anchorClicked, this, &HelpWindow::follow);
    connect(m_contents, &QListWidget::currentItemChanged, this,
        [this](const QListWidgetItem* item) { showDocument(item->data(Qt::UserRole).toString()); });
    auto* splitter = new QSplitter(this);
    splitter->addWidget(m_contents);
    splitter->addWidget(m_browser);
    splitter->setStretchFactor(1, 1);
    splitter->setSizes({190, 760});
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(splitter);
    connect(new QShortcut(QKeySequence(Qt::Key_Escape), this), &QShortcut::activated, this, &QWidget::close);
    resize(950, 720);
}

void HelpWindow::follow(const QUrl& link)
{
    const QUrl target = QUrl(kFolder + m_shown).resolved(link);
    if (target.scheme() != QLatin1String("qrc")) {
        QDesktopServices::openUrl(target);
        return;
    }
    showDocument(target.fileName());
    if (target.hasFragment()) {
        m_browser->scrollToAnchor(target.fragment());
    }
}

void HelpWindow::showDocument(const QString& name)
{
    if (name == m_shown) {
        return;
    }
    QTextDocument*& document = m_documents[name];
    if (document == nullptr) {
        document = made(name);
    }
    m_shown = name;
    m_browser->setDocument(document);
    for (int row = 0; row < m_contents->count(); ++row) {
        if (m_contents->item(row)->data(Qt::UserRole).toString() == name) {
            m_contents->setCurrentRow(row);
        }
    }
}

QTextDocument* HelpWindow::made(const QString& name)
{
    QFile file(QLatin1Char(':') + QUrl(kFolder + name).path());
    file.open(QIODevice::ReadOnly);
    auto* document
        = new QTextDocument(this); // as long as nobody shows it, no part of it is laid out again and again
    document->setDefaultFont(m_browser->font());
    document->setDocumentMargin(18.0);
    document->setBaseUrl(QUrl(kFolder + name));
    document->setMarkdown(QString::fromUtf8(file.readAll()));
    for (QTextFrame* frame : document->rootFrame()->childFrames()) {
        if (auto* table = qobject_cast<QTextTable*>(frame)) {
            QTextTableFormat format = table->format();
            format.setBorderCollapse(true);
            format.setBorder(1.0);
            format.setBorderBrush(palette().brush(QPalette::Mid));
            format.setCellPadding(5.0);
            table->setFormat(format);
        }
    }
    return document;
}

void HelpWindow::open(const QString& document)
{
    showDocument(document);
    show();
    raise();
    activateWindow();
    m_browser->setFocus();
}

} // namespace qs
