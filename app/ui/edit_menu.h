#pragma once

#include "app/ui/workbench.h"
#include "core/quant/plan.h"

#include <QObject>

namespace qs {

/// What the Edit menu does to the plan: presets, and copying a quantizer from site to site.
class EditMenu : public QObject
{
    Q_OBJECT
public:
    explicit EditMenu(const Workbench& bench);

private:
    void fillPresets();
    void askForPreset();

    const Workbench m_bench;
    PresetOptions m_ownPreset; ///< what was asked for the last time
};

} // namespace qs
