#pragma once

#include "core/graph/graph.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

namespace qs {

/// An ONNX file as it was read: its graph and what it says about itself.
struct OnnxFile
{
    std::shared_ptr<const Graph> graph;
    std::int64_t irVersion = 0;
    std::int64_t opset = 0; ///< of the default domain
    std::string producer;
    std::map<std::string, std::string> metadata;
};

/// Reads an .onnx file through the ONNX protobuf classes. Nodes keep operator name and attributes, brought to
/// the form of opset 17 where an older or newer one writes them otherwise (see onnx_opset.h); Constant nodes
/// become constants; node names turn into dotted paths ("/blocks.0/attn/qkv/MatMul" is
/// "blocks.0.attn.qkv.MatMul"), empty or repeated ones are numbered. Operators of other domains keep the
/// domain as a prefix ("com.microsoft.Attention"). The values of initializers are moved out of the message,
/// not copied; external data must lie in the file's own folder. Throws Error(Io | CorruptFile | Unsupported)
/// naming the file and the tensor or node.
[[nodiscard]] OnnxFile readOnnxFile(const std::filesystem::path& path);

} // namespace qs
