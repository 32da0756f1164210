#pragma once

#include "core/graph/graph.h"

#include <string>
#include <utility>
#include <vector>

namespace qs {

/// What a site is to a transformer; decides defaults, icons and "apply to all of this role".
enum class Role {
    PatchEmbedding, ///< input or weight of the patch convolution, or of a first linear on the input's numbers
    PostNormQkv, ///< LayerNorm output feeding q, k, v; also that linear's weight
    Query,
    Key,
    Softmax, ///< attention probabilities
    Value,
    Projection, ///< attention output projection
    PostNormFc1, ///< LayerNorm output feeding the first MLP linear; also that weight
    PostGeluFc2, ///< activation feeding the second MLP linear; also that weight
    Head, ///< classifier
    FrontEnd, ///< signal processing before a logarithm (power or mel spectrum); presets leave it in floating
              ///< point
    Other
};

enum class SiteKind { Activation, Weight };

/// Which dimension of an activation (see ActivationView) has its own statistics and may have its own scale.
enum class GroupAxis {
    Channel, ///< the last dimension: position within a row
    Head ///< dimension 1: heads of q, k, v and of the attention probabilities; channels of a convolution's
         ///< input
};

/// A place where a quantizer can stand: one value and the nodes that would read its quantized form.
struct Site
{
    std::string name; ///< "blocks.3.attn.qkv.input", "blocks.3.attn.qkv.weight", "blocks.3.attn.softmax"
    std::string layer; ///< node whose output suffers first: "blocks.3.attn.qkv"
    std::string block; ///< enclosing block for the tree: "blocks.3", or "" outside blocks
    SiteKind kind = SiteKind::Activation;
    Role role = Role::Other;
    ValueId value = kNoValue;
    /// (node, input index) of every reader through the quantizer; others (a residual addition) read the raw
    /// value.
    std::vector<std::pair<NodeId, int>> readers;
    GroupAxis groupAxis = GroupAxis::Channel;
    std::int64_t groups = 1; ///< channels or heads; for a weight: output channels
    int weightAxis = 0; ///< weights: the dimension of the stored tensor that holds the output channels
};

/// Lower-case, hyphenated ("post-gelu"); stable, used in JSON.
[[nodiscard]] std::string_view nameOf(Role role);
/// The graph's sites in execution order; each linear's weight follows its input. Recognises Linear, Conv and
/// the attention pattern MatMul -> [Mul|Div] -> Softmax -> MatMul; roles come from what produces and reads
/// the values.
///
/// - "<layer>.input", "<layer>.weight" for every Conv and Linear. Linears that read one value share one input
///   site, named after the first of them, or "<parent>.qkv.input" when they make query, key and value.
/// - "<parent>.query", ".key", ".softmax", ".value" for every attention, where <parent> is the dotted path
/// that
///   encloses the softmax node ("blocks.3.attn"). Query and key belong to the layer of the first MatMul,
///   softmax and value to the second. The value of ".key" is [B, H, T, d] before the Transpose of its last
///   two dimensions, and its reader is that Transpose; where there is none it is the MatMul's own operand.
[[nodiscard]] std::vector<Site> findSites(const Graph& graph);
/// Index of the site of that name, or -1.
[[nodiscard]] int indexOfSite(const std::vector<Site>& sites, std::string_view name);

} // namespace qs
