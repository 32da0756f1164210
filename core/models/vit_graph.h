#pragma once

#include "core/models/architecture.h"
#include "core/models/vit_config.h"

#include <memory>

namespace qs {

/// The graph of a ViT/DeiT classifier: input "pixel_values" [-1, channels, height, width], output "logits"
/// [-1, classes], weights straight from the mapped file. Throws Error(CorruptFile) naming the tensor that is
/// missing, mis-shaped or contradicts config.json, and Error(Unsupported) naming a tensor of a variant that
/// is not supported; tensors the network does not use are logged as warnings.
///
/// Nodes are named after the checkpoint's modules, constants after its tensors. Everything has the semantics
/// of ONNX opset 17, plus "Linear" (transB = 1) and "Gelu". The form is always this one (timm's names; T
/// tokens, H heads of d dimensions, D = H d); [..] are int64 constants:
///
///     patch_embed.proj        Conv(pixel_values, weight, bias; kernel_shape = strides = patch)  [-1, D, gh,
///     gw] patch_embed.flatten     Reshape [0, D, gh gw]       patch_embed.tokens  Transpose (0, 2, 1)
///     cls_token.batch         Shape(patch_embed.tokens; start 0, end 1)
///     cls_token.shape         Concat(cls_token.batch, [1, D]; axis 0)
///     cls_token.expand        Expand(cls_token, cls_token.shape)           dist_token likewise
///     embed                   Concat(cls_token.expand, patch_embed.tokens; axis 1)
///     pos_embed.add           Add(embed, pos_embed); before embed where pos_embed leaves out the class token
///     per block b:
///     b.norm1                 LayerNormalization(x, weight, bias; axis -1, epsilon)
///     b.attn.qkv              Linear                                                            [-1, T, 3 D]
///     b.attn.qkv.reshape      Reshape [0, 0, 3, H, d]     b.attn.qkv.transpose  Transpose (2, 0, 3, 1, 4)
///     b.attn.qkv.split        Split(axis 0) into three    [1, -1, H, T, d] each
///     b.attn.query|key|value  Squeeze(part, [0])                                                [-1, H, T,
///     d] b.attn.key.transpose    Transpose (0, 1, 3, 2) b.attn.matmul1          MatMul(query, key.transpose)
///     [-1, H, T, T] b.attn.scale            Mul(matmul1, scalar d^-1/2) b.attn.softmax        Softmax(axis
///     -1) b.attn.matmul2          MatMul(softmax, value)                                            [-1, H,
///     T, d] b.attn.matmul2.transpose  Transpose (0, 2, 1, 3)    b.attn.matmul2.reshape  Reshape [0, 0, D]
///     b.attn.proj             Linear                      b.ls1                 Mul(proj, gamma), where
///     present b.residual1             Add(x, proj) b.norm2, b.mlp.fc1 (Linear), b.mlp.act (Gelu), b.mlp.fc2
///     (Linear), [b.ls2], b.residual2 (Add) norm                    LayerNormalization          pool
///     Gather(norm, 0; axis 1) head                    Linear, its value is "logits"
///
/// Hugging Face's form has three Linears and for each of them Reshape [0, 0, H, d] and Transpose (0, 2, 1, 3)
/// instead of qkv, reshape, transpose, split and squeeze. Average pooling is Slice (class tokens off),
/// ReduceMean, fc_norm; two heads (distilled) are averaged by Add and Mul 0.5.
[[nodiscard]] std::shared_ptr<const Graph> buildVitGraph(const VitConfig& config, Checkpoint& weights);

/// readVitConfig() and buildVitGraph().
[[nodiscard]] Network makeVit(const ModelFolder& folder);

} // namespace qs
