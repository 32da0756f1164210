#include "core/base/task_context.h"

#include "core/base/error.h"

namespace qs {

void TaskContext::throwIfCancelled() const
{
    if (stop.stop_requested()) {
        throw Error(ErrorCode::Cancelled, "the task was cancelled");
    }
}

} // namespace qs
