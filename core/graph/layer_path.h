#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace qs {

/// Dotted layer paths ("blocks.3.attn.qkv"): how they are taken apart, and how file names become such.

/// The path without its last part; "" for a path without a dot.
[[nodiscard]] std::string parentOf(const std::string& path);
/// The path through its first part that is a number ("vit.encoder.layer.3") or is called a block or a numbered
/// layer ("net.transformer_block_2", "block0"), and through a second numbered list of blocks inside it
/// ("layers.0.blocks.1"). "" where there is none.
[[nodiscard]] std::string blockOf(const std::string& path);
/// The longest path that all of these lie in; for one path its parent.
[[nodiscard]] std::string commonParentOf(const std::vector<std::string>& paths);

/// The layer in a node's name: without the operator at its end ("attn.qkv.MatMul_1" is "attn.qkv") and with
/// the doubled name of a list once ("blocks.blocks.0" is "blocks.0"). "" where the name is an operator's or a
/// number alone.
[[nodiscard]] std::string layerOfNode(const std::string& name);
/// The layer in the name of its weight or bias ("layers.0.wq.weight" is "layers.0.wq",
/// "W:net/dense_1/Tensordot/MatMul_7" is "net.dense_1"). "" for names that say nothing ("onnx::MatMul_123").
[[nodiscard]] std::string layerOfParameter(const std::string& name);

} // namespace qs
