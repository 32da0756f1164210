#pragma once

namespace qs {

/// Where in a user's gesture an edit happens. Everything from Begin to End is one undo step; Abort takes it
/// back.
enum class EditPhase { Begin, Update, End, Abort };

} // namespace qs
