#pragma once

#include <cstdint>
#include <string>

namespace qs {

/// One point of the loss curve of a block reconstruction.
struct LossPoint
{
    std::string block;
    int blockIndex = 0;
    int blocks = 0;
    std::int64_t iteration = 0;
    std::int64_t iterations = 0;
    /// Weighted squared error of the block's output relative to its power, over the iteration's samples.
    double loss = 0.0;
};

} // namespace qs
