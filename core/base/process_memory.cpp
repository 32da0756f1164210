#include "core/base/process_memory.h"

#include <sys/resource.h>

namespace qs {

std::int64_t peakResidentBytes()
{
    rusage usage {};
    if (::getrusage(RUSAGE_SELF, &usage) != 0) {
        return 0;
    }
#if defined(__APPLE__)
    return usage.ru_maxrss;
#else
    return usage.ru_maxrss * std::int64_t {1024};
#endif
}

} // namespace qs
