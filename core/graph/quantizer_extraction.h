#pragma once

#include "core/graph/graph.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace qs {

/// A quantizer as a file in QDQ form has it: where it stood and what it does.
struct StoredQuantizer
{
    enum class Kind { Uniform, Log2, LogSqrt2 };

    std::string value; ///< name of the value it stood on; for a weight the constant that it is now
    bool isWeight = false;
    Kind kind = Kind::Uniform;
    std::vector<float> scales; ///< one, or one per index along `axis`
    std::vector<std::int32_t> zeroPoints; ///< as stored; same size
    std::int64_t axis = 0; ///< of the value; meaningless for one scale
    std::int32_t minimumCode = 0; ///< stored codes that it can give (weights: that its type has)
    std::int32_t maximumCode = 0;
    std::int32_t leastCode = 0; ///< weights: stored codes that occur
    std::int32_t greatestCode = 0;
};

/// A graph in floating point, and the quantizers that were in it.
struct ExtractedQuantizers
{
    std::shared_ptr<const Graph> graph;
    std::vector<StoredQuantizer> quantizers;
};

/// Takes the quantizers out of a graph: QuantizeLinear -> [Clip] -> DequantizeLinear around an activation
/// goes, DequantizeLinear of stored codes becomes a constant in float, and so do float weights between the
/// two; the table of levels that our exporter writes for logarithmic quantizers goes too. Left alone: scales
/// that are computed, blocks, a pair whose two scales differ, a second quantizer of another scale on one
/// value, a pair that makes a graph output, and constants that would together take more than 256 MiB and
/// eight times what the graph's take.
[[nodiscard]] ExtractedQuantizers extractQuantizers(const Graph& graph);

} // namespace qs
