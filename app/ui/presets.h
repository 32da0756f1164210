#pragma once

#include "core/quant/plan.h"

#include <QList>
#include <QString>

namespace qs {

/// A preset of the Preset menu.
struct NamedPreset
{
    QString name;
    QString tip;
    PresetOptions options;
};

/// W8A8, W6A6 and W4A4 by every automatic method, and the plans that need more than bits.
[[nodiscard]] QList<NamedPreset> presets();

} // namespace qs
