#include "core/base/log.h"

#include <mutex>

namespace qs {

namespace {

std::mutex& sinkMutex()
{
    static std::mutex mutex;
    return mutex;
}

LogSink& sinkSlot()
{
    static LogSink sink;
    return sink;
}

} // namespace

void setLogSink(LogSink sink)
{
    const std::lock_guard lock(sinkMutex());
    sinkSlot() = std::move(sink);
}

void log(LogLevel level, std::string_view message)
{
    const std::lock_guard lock(sinkMutex());
    if (sinkSlot()) {
        sinkSlot()(level, message);
    }
}

} // namespace qs
