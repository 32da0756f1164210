#pragma once

#include "core/models/model.h"
#include "core/quant/quantizer.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace qs {

/// A normalisation whose output passes through a per-channel quantizer on its way into linears: what scale
/// reparameterization can turn into one scale per tensor.
struct NormSite
{
    int site = -1; ///< index into Model::sites
    NodeId norm = kNoNode; ///< LayerNormalization or RMSNormalization over the last dimension
    std::vector<NodeId> linears; ///< readers of the site
    std::set<NodeId> path; ///< nodes between that keep rows whole (window partition), and the linears
    bool hasOtherReaders
        = false; ///< the norm's output also goes elsewhere: into the residual of a post-norm block
};

enum class NormScope {
    Blocks, ///< not the classifier's input, which RepQ-ViT leaves (methods.md 1.3)
    All
};

/// The activation sites that can be reparameterized, in order: Reshape, Transpose, Slice, Concat and Gather
/// that leave the last dimension alone may lie between the norm and its linears.
[[nodiscard]] std::vector<NormSite> findNormSites(const Model& model, NormScope scope = NormScope::Blocks);

/// How the zero point of the tensor follows from those of the channels.
enum class ZeroPointRule {
    Rounded, ///< an integer, so that codes stay what they were bit for bit
    Published ///< the arithmetic mean with its fraction, as the published RepQ-ViT code leaves it
              ///< (methods.md 1.3)
};

/// What turns the per-channel quantizer of one site into one for the tensor: x' = (x + s_c r2_c) / r1_c with
/// r1_c = s_c / s~ and r2_c = z_c - z~ (RepQ-ViT, arXiv 2212.08254; methods.md 1.3). A value; a recipe keeps
/// it.
struct Reparameterization
{
    std::string site;
    QuantParams channels; ///< the quantizer before: one scale per channel
    QuantParams tensor; ///< the quantizer after: one scale

    friend bool operator==(const Reparameterization&, const Reparameterization&) = default;
};

/// s~ and z~ as means over the channels. A dead channel, whose scale is below 2^-20 s~, takes part in the
/// means and is given (s~, z~) afterwards.
[[nodiscard]] Reparameterization meanReparameterization(
    const std::string& site, QuantParams channels, ZeroPointRule rule = ZeroPointRule::Rounded);
/// The same with s~ and z~ given. Throws Error(InvalidArgument) when the scales are not positive.
[[nodiscard]] Reparameterization reparameterizationTo(
    const std::string& site, QuantParams channels, float scale, double zeroPoint);

/// The model with gamma, beta, the following weights and biases rewritten (in double, stored as F32): the
/// FP32 outputs stay as they were, and the tensor's quantizer gives each value the code that the channel's
/// gave it (with rounded zero points). Asymmetric: a linear without bias gets "<linear>.bias", a
/// LayerNormalization without beta "<norm>.beta"; other readers of the norm get its old output back
/// (methods.md 5.9, how a post-norm BERT is handled). Throws Error(InvalidArgument) naming the site: no such
/// site or none of findNormSites(), another number of channels, or an RMSNormalization, which has no beta,
/// with zero points that differ.
[[nodiscard]] std::shared_ptr<const Model> reparameterized(
    const Model& model, const std::vector<Reparameterization>& reparameterizations);

} // namespace qs
