#pragma once

namespace qs {

/// Version of the program, "0.1.0"; written into recipes and exported files.
inline constexpr const char* kVersion = "0.1.0";

} // namespace qs
