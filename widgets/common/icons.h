#pragma once

#include "core/graph/site.h"
#include "widgets/common/result_state.h"

#include <QIcon>

class QColor;
class QPalette;

namespace qs {

/// Icons come from resources/icons as one-colour SVG and are tinted, so that they suit light and dark
/// palettes. The monochrome icon `name` (file name without ".svg") in the colour given; null icon when there
/// is no such file.
[[nodiscard]] QIcon tintedIcon(const QString& name, const QColor& colour);
/// In the palette's text colour, greyed when disabled.
[[nodiscard]] QIcon themedIcon(const QString& name, const QPalette& palette);
[[nodiscard]] QIcon roleIcon(Role role, SiteKind kind, const QPalette& palette);
/// Null for ResultState::None.
[[nodiscard]] QIcon stateIcon(ResultState state, const QPalette& palette);

} // namespace qs
