#pragma once

#include "core/graph/graph.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace qs {

/// What an ONNX file says besides its graph.
struct OnnxDescription
{
    std::string graphName;
    std::string producerVersion;
    std::int64_t irVersion = 8;
    std::int64_t opset = 17;
    std::map<std::string, std::string> metadata; ///< metadata_props, written in key order
};

/// Writes a graph of standard operators as an ONNX file, atomically and with the same bytes for the same
/// input. Values keep their names; a leading -1 of an input's or output's dimensions becomes the symbol
/// "batch"; F16 and BF16 constants are widened to F32, since that is what the graph computes with. Throws
/// Error(Unsupported) naming a node whose operator ONNX does not have at that opset (our Linear, Gelu below
/// 20) or whose tensors exceed protobuf's 2 GiB, Error(Io).
void writeOnnxFile(const Graph& graph, const OnnxDescription& description, const std::filesystem::path& file);

} // namespace qs
