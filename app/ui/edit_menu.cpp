#include "app/ui/edit_menu.h"

#include "app/ui/actions.h"
#include "app/ui/edit_controller.h"
#include "app/ui/notices.h"
#include "app/ui/preset_dialog.h"
#include "app/ui/presets.h"
#include "app/ui/selection.h"

#include <QAction>
#include <QMainWindow>
#include <QMenu>

namespace qs {

EditMenu::EditMenu(const Workbench& bench)
    : QObject(bench.controllers)
    , m_bench(bench)
{
    connect(m_bench.actions->copyQuantizer, &QAction::triggered, this, [this] {
        if (!m_bench.selection->sites().isEmpty()) {
            m_bench.edit->copy(m_bench.selection->first().toStdString());
        }
    });
    connect(m_bench.actions->pasteQuantizer, &QAction::triggered, this,
        [this] { m_bench.edit->paste(m_bench.selection->sites()); });
    connect(m_bench.edit, &EditController::refused, this,
        [this](const QString& why) { m_bench.notices->fail(tr("Edit"), why); });
    fillPresets();
}

void EditMenu::fillPresets()
{
    for (const NamedPreset& preset : presets()) {
        QAction* action = m_bench.actions->presetMenu->addAction(preset.name);
        action->setStatusTip(preset.tip);
        connect(action, &QAction::triggered, this,
            [this, preset] { m_bench.edit->applyPreset(preset.options, preset.name); });
    }
    QAction* own = m_bench.actions->presetMenu->addAction(tr("&Own…"), this, &EditMenu::askForPreset);
    own->setStatusTip(tr("Choose bits, bounds, symmetry, and the quantizers behind LayerNorm and softmax"));
}

void EditMenu::askForPreset()
{
    auto* dialog = new PresetDialog(m_ownPreset, m_bench.window);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    connect(dialog, &QDialog::accepted, this, [this, dialog] {
        m_ownPreset = dialog->options();
        m_bench.edit->applyPreset(m_ownPreset, dialog->name());
    });
    dialog->open();
}

} // namespace qs
