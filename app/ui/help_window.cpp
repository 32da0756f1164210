#include "app/ui/help_window.h"

#include <QDesktopServices>
#include <QHBoxLayout>
#include <QListWidget>
#include <QShortcut>
#include <QSplitter>
#include <QTextBrowser>
#include <QTextTable>

namespace qs {

namespace {

const QString kFolder = QStringLiteral("qrc:/quantoscope/docs/");

} // namespace

HelpWindow::HelpWindow(QWidget* parent)
    : QWidget(parent, Qt::Window)
    , m_browser(new QTextBrowser(this))
{
    setWindowTitle(tr("Quantoscope Help"));
    auto* contents = new QListWidget(this);
    contents->setAccessibleName(tr("Contents"));
    const QList<std::pair<QString, QString>> documents {{tr("Guide"), QStringLiteral("guide.md")},
        {tr("Numbers and methods"), QStringLiteral("numerics.md")},
        {tr("File formats"), QStringLiteral("formats.md")},
        {tr("Architecture"), QStringLiteral("architecture.md")}};
    for (const auto& [title, file] : documents) {
        auto* item = new QListWidgetItem(title, contents);
        item->setData(Qt::UserRole, file);
    }
    m_browser->setAccessibleName(tr("Document"));
    m_browser->setOpenLinks(false);
    m_browser->document()->setDocumentMargin(18.0);
    connect(m_browser, &QTextBrowser::anchorClicked, this, [this](const QUrl& link) {
        const QUrl target = m_browser->source().resolved(link);
        if (target.scheme() == QLatin1String("qrc")) {
            m_browser->setSource(target);
        } else {
            QDesktopServices::openUrl(target);
        }
    });
    connect(contents, &QListWidget::currentItemChanged, this, [this](QListWidgetItem* item) {
        m_browser->setSource(QUrl(kFolder + item->data(Qt::UserRole).toString()));
    });
    contents->setSpacing(3);
    connect(m_browser, &QTextBrowser::sourceChanged, this, &HelpWindow::styleTables);
    connect(m_browser, &QTextBrowser::sourceChanged, contents, [contents](const QUrl& source) {
        for (int row = 0; row < contents->count(); ++row) {
            if (contents->item(row)->data(Qt::UserRole).toString() == source.fileName()) {
                contents->setCurrentRow(row);
            }
        }
    });
    auto* splitter = new QSplitter(this);
    splitter->addWidget(contents);
    splitter->addWidget(m_browser);
    splitter->setStretchFactor(1, 1);
    splitter->setSizes({190, 760});
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(splitter);
    connect(new QShortcut(QKeySequence(Qt::Key_Escape), this), &QShortcut::activated, this, &QWidget::close);
    resize(950, 720);
}

void HelpWindow::styleTables()
{
    for (QTextFrame* frame : m_browser->document()->rootFrame()->childFrames()) {
        if (auto* table = qobject_cast<QTextTable*>(frame)) {
            QTextTableFormat format = table->format();
            format.setBorderCollapse(true);
            format.setBorder(1.0);
            format.setBorderBrush(palette().brush(QPalette::Mid));
            format.setCellPadding(5.0);
            table->setFormat(format);
        }
    }
}

void HelpWindow::open(const QString& document)
{
    m_browser->setSource(QUrl(kFolder + document));
    show();
    raise();
    activateWindow();
    m_browser->setFocus();
}

} // namespace qs
