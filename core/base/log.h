#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace qs {

enum class LogLevel { Debug, Info, Warning, Error };

/// Receives every message of core/. The default sink drops them: core never prints.
using LogSink = std::function<void(LogLevel, std::string_view message)>;

/// Replaces the sink (thread-safe). An empty function drops messages again.
void setLogSink(LogSink sink);

void log(LogLevel level, std::string_view message);

} // namespace qs
