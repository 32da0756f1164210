#include "app/ui/edit_menu.h"

#include "app/ui/actions.h"
#include "app/ui/edit_controller.h"
#include "app/ui/notices.h"
#include "app/ui/presets.h"
#include "app/ui/selection.h"

#include <QAction>
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
}

} // namespace qs
