#pragma once

#include "core/graph/graph_builder.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace qs {

/// One node of an ONNX file on its way into a graph: inputs are resolved, outputs are still names.
struct OnnxNodeDraft
{
    std::string op; ///< with the domain as prefix unless it is the default one
    std::string name; ///< unique, dotted
    std::vector<ValueId> inputs;
    std::vector<std::string> outputs;
    std::map<std::string, Attribute> attributes;
};

/// Rewrites a node of the given opset of the default domain into the form of opset 17, adding constants to
/// `builder` where an attribute became an input: axes of Squeeze, Unsqueeze and ReduceSum, split of Split
/// (13), starts/ends/axes of Slice, k of TopK (10), min/max of Clip, pads/value of Pad (11), ratio of Dropout
/// (12); back for constant axes of the other Reduce… operators, an input since 18; Resize of opset 10 and
/// Upsample become Resize of 11; scale and bias of GroupNormalization (18) are spread from groups to
/// channels, as 21 has them. Throws Error(Unsupported) naming the node where it cannot.
void normaliseOpset(OnnxNodeDraft& node, std::int64_t opset, GraphBuilder& builder);

/// Softmax, LogSoftmax and Hardmax before opset 13 act on the input flattened to two dimensions at `axis`
/// (default 1). Adds that meaning as Shape, Flatten, the operator over the last axis and Reshape, and returns
/// its output; kNoValue for any other node, and where the axis is already the last one.
[[nodiscard]] ValueId addFlattenedSoftmax(
    const OnnxNodeDraft& node, std::int64_t opset, GraphBuilder& builder);

} // namespace qs
