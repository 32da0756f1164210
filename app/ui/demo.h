#pragma once

#include <QString>

namespace qs {

/// Folder of the bundled demo: the installed one beside the program, else the one of the source tree it was
/// built from; empty when neither exists.
[[nodiscard]] QString demoFolder();

} // namespace qs
