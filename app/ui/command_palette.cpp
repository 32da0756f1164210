#include "app/ui/command_palette.h"

#include <QAction>
#include <QKeyEvent>
#include <QLineEdit>
#include <QListWidget>
#include <QMenu>
#include <QPainter>
#include <QStyledItemDelegate>
#include <QVBoxLayout>

#include <algorithm>
#include <utility>

namespace qs {

namespace {

constexpr int kShownEntries = 200; ///< nobody scrolls further; typing narrows
constexpr int kEntryRole = Qt::UserRole;
constexpr int kDetailRole = Qt::UserRole + 1;

/// Title at the left, detail pale at the right.
class EntryDelegate final : public QStyledItemDelegate
{
public:
    using QStyledItemDelegate::QStyledItemDelegate;

    [[nodiscard]] QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override
    {
        constexpr int kAir = 9;
        return QStyledItemDelegate::sizeHint(option, index) + QSize(0, kAir);
    }
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override
    {
        QStyledItemDelegate::paint(painter, option, index);
        const bool selected = option.state.testFlag(QStyle::State_Selected);
        painter->setPen(
            option.palette.color(selected ? QPalette::HighlightedText : QPalette::PlaceholderText));
        painter->drawText(option.rect.adjusted(0, 0, -8, 0), Qt::AlignRight | Qt::AlignVCenter,
            index.data(kDetailRole).toString());
    }
};

void collect(const QList<QAction*>& actions, const QString& path, std::vector<PaletteEntry>& entries)
{
    for (QAction* action : actions) {
        QString text = action->text();
        text.remove(QLatin1Char('&'));
        const QString title = path.isEmpty() ? text : path + QStringLiteral(" › ") + text;
        if (action->menu() != nullptr) {
            collect(action->menu()->actions(), title, entries);
        } else if (!action->isSeparator() && action->isEnabled() && !text.isEmpty()) {
            entries.push_back({title, action->shortcut().toString(QKeySequence::NativeText),
                [action] { action->trigger(); }});
        }
    }
}

int wordScore(const QString& word, const QString& title)
{
    int score = 0;
    qsizetype from = 0;
    for (const QChar letter : word) {
        const qsizetype at = title.indexOf(letter, from, Qt::CaseInsensitive);
        if (at < 0) {
            return -1;
        }
        const bool begins = at == 0 || !title.at(at - 1).isLetterOrNumber();
        score += begins ? 0 : at == from ? 1 : 10 + static_cast<int>(std::min<qsizetype>(at - from, 20));
        from = at + 1;
    }
    return score;
}

} // namespace

int paletteScore(const QString& typed, const QString& title)
{
    int score = 0;
    for (const QString& word : typed.split(QLatin1Char(' '), Qt::SkipEmptyParts)) {
        // A word that stands as such beats the same letters strewn about.
        const qsizetype whole = title.indexOf(word, 0, Qt::CaseInsensitive);
        const bool begins = whole == 0 || (whole > 0 && !title.at(whole - 1).isLetterOrNumber());
        const int found = whole >= 0 ? (begins ? 0 : 5) : wordScore(word, title);
        if (found < 0) {
            return -1;
        }
        score += found;
    }
    return score;
}

CommandPalette::CommandPalette(std::vector<PaletteEntry> entries, QWidget* parent)
    : QDialog(parent, Qt::Popup)
    , m_entries(std::move(entries))
    , m_input(new QLineEdit(this))
    , m_list(new QListWidget(this))
{
    setAttribute(Qt::WA_DeleteOnClose);
    setAccessibleName(tr("Search actions and sites"));
    m_input->setPlaceholderText(tr("Type an action or a site"));
    m_input->setAccessibleName(m_input->placeholderText());
    m_input->setClearButtonEnabled(true);
    m_list->setAccessibleName(tr("Matches"));
    m_list->setItemDelegate(new EntryDelegate(m_list));
    m_list->setFocusPolicy(Qt::NoFocus);
    m_list->setUniformItemSizes(true);
    m_list->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(6, 6, 6, 6);
    layout->addWidget(m_input);
    layout->addWidget(m_list);
    m_input->installEventFilter(this);
    connect(m_input, &QLineEdit::textChanged, this, &CommandPalette::narrow);
    connect(m_list, &QListWidget::itemClicked, this, &CommandPalette::runCurrent);
    resize(620, 420);
    if (parent != nullptr) {
        move(parent->mapToGlobal(QPoint((parent->width() - width()) / 2, 60)));
    }
    narrow({});
    m_input->setFocus();
}

std::vector<PaletteEntry> CommandPalette::entriesOf(const QList<QAction*>& menuBarActions)
{
    std::vector<PaletteEntry> entries;
    collect(menuBarActions, {}, entries);
    return entries;
}

bool CommandPalette::eventFilter(QObject* watched, QEvent* event)
{
    if (watched == m_input && event->type() == QEvent::KeyPress) {
        const int row = m_list->currentRow();
        const int page = std::max(1, m_list->height() / std::max(1, m_list->sizeHintForRow(0)) - 1);
        const auto go = [&](int to) { m_list->setCurrentRow(std::clamp(to, 0, m_list->count() - 1)); };
        switch (static_cast<QKeyEvent*>(event)->key()) {
        case Qt::Key_Up: go(row - 1); return true;
        case Qt::Key_Down: go(row + 1); return true;
        case Qt::Key_PageUp: go(row - page); return true;
        case Qt::Key_PageDown: go(row + page); return true;
        case Qt::Key_Return:
        case Qt::Key_Enter: runCurrent(); return true;
        default: break;
        }
    }
    return QDialog::eventFilter(watched, event);
}

void CommandPalette::narrow(const QString& typed)
{
    std::vector<std::pair<int, int>> found; // score, entry
    for (int i = 0; i < static_cast<int>(m_entries.size()); ++i) {
        const int score = paletteScore(typed, m_entries[static_cast<std::size_t>(i)].title);
        if (score >= 0) {
            found.emplace_back(score, i);
        }
    }
    std::stable_sort(
        found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    found.resize(std::min<std::size_t>(found.size(), kShownEntries));
    m_list->clear();
    for (const auto& [score, index] : found) {
        const PaletteEntry& entry = m_entries[static_cast<std::size_t>(index)];
        auto* item = new QListWidgetItem(entry.title, m_list);
        item->setData(kEntryRole, index);
        item->setData(kDetailRole, entry.detail);
    }
    m_list->setCurrentRow(0);
}

void CommandPalette::runCurrent()
{
    const QListWidgetItem* item = m_list->currentItem();
    if (item == nullptr) {
        return;
    }
    const auto run = m_entries[item->data(kEntryRole).toUInt()].run;
    close(); // first: what runs may open a dialog of its own
    run();
}

} // namespace qs
