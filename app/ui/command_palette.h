#pragma once

#include <QDialog>
#include <QStringList>

#include <functional>
#include <vector>

class QAction;
class QLineEdit;
class QListWidget;

namespace qs {

/// One thing the palette can do.
struct PaletteEntry
{
    QString title; ///< "Run › Evaluate", "blocks.3.attn.qkv.input"
    QString detail; ///< shortcut or role, shown at the right
    std::function<void()> run;
};

/// Position-weighted match of typed letters in a title: every letter of every word of `typed` must occur in
/// order, case ignored. Smaller is better, -1 is no match: gaps between letters cost, beginnings of words are
/// free, so that "ev" finds "Run › Evaluate" before "Leave Sensitive Sites".
[[nodiscard]] int paletteScore(const QString& typed, const QString& title);

/// A list of everything that can be done, narrowed while typing: Up and Down choose, Return does it, Escape
/// closes.
class CommandPalette : public QDialog
{
    Q_OBJECT
public:
    explicit CommandPalette(std::vector<PaletteEntry> entries, QWidget* parent = nullptr);

    /// Enabled actions of a menu bar with the path of menus as title; separators and disabled ones are left
    /// out.
    [[nodiscard]] static std::vector<PaletteEntry> entriesOf(const QList<QAction*>& menuBarActions);

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void narrow(const QString& typed);
    void runCurrent();

    std::vector<PaletteEntry> m_entries;
    QLineEdit* m_input;
    QListWidget* m_list;
};

} // namespace qs
