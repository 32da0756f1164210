#pragma once

namespace qs {

/// How a shown result stands to the present plan.
enum class ResultState {
    None, ///< nothing known
    Computing, ///< a job for the present plan runs; the value shown is the previous one
    Live, ///< belongs to the present plan
    Stale ///< belongs to an earlier plan and nothing is running
};

} // namespace qs
