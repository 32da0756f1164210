#!/usr/bin/python3
"""Writes a model directory of a given shape with random weights, to measure speed and memory with: the numbers mean
nothing, the shapes are those of real models. Beside the model goes inputs.npy with random samples."""
import argparse
import json
import pathlib
import struct

import numpy as np

SHARD_BYTES = 10**9
BLOCK = 1 << 22
SHAPES = {
    "deit_small": {"family": "deit", "width": 384, "layers": 12},
    "deit_base": {"family": "deit", "width": 768, "layers": 12},
    # OpenLLaMA 3B's widths; 23 of its 26 layers make 3.05 thousand million parameters, 6.1 GB of BF16
    "llama_3b": {"family": "llama", "width": 3200, "heads": 32, "layers": 23, "mlp": 8640, "vocabulary": 32000},
}


def stored(values, dtype):
    if dtype == "F32":
        return values
    if dtype == "F16":
        return values.astype(np.float16)
    bits = values.view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)  # to the nearest BF16, ties to even


class Normals:
    """Normal numbers, a fixed block of them over and over: making billions would take minutes."""

    def __init__(self):
        self.block = np.random.default_rng(0).standard_normal(BLOCK, dtype=np.float32)

    def write(self, stream, count, scale, dtype):
        block = stored(self.block[: min(BLOCK, count)] * np.float32(scale), dtype)
        for begin in range(0, count, BLOCK):
            stream.write(block[: min(BLOCK, count - begin)].tobytes())


def linear(name, outputs, *inputs):
    yield name + ".weight", (outputs, *inputs), float(np.prod(inputs)) ** -0.5
    yield name + ".bias", (outputs,), 0.01


def norm(name, width):
    yield name + ".weight", (width,), None
    yield name + ".bias", (width,), 0.01


def deit_tensors(shape):
    """(name, dims, standard deviation or None for ones)"""
    d = shape["width"]
    yield "cls_token", (1, 1, d), 0.02
    yield "pos_embed", (1, 197, d), 0.02
    yield from linear("patch_embed.proj", d, 3, 16, 16)
    for i in range(shape["layers"]):
        block = f"blocks.{i}."
        yield from norm(block + "norm1", d)
        yield from linear(block + "attn.qkv", 3 * d, d)
        yield from linear(block + "attn.proj", d, d)
        yield from norm(block + "norm2", d)
        yield from linear(block + "mlp.fc1", 4 * d, d)
        yield from linear(block + "mlp.fc2", d, 4 * d)
    yield from norm("norm", d)
    yield from linear("head", 1000, d)


def llama_tensors(shape):
    d, mlp = shape["width"], shape["mlp"]
    yield "model.embed_tokens.weight", (shape["vocabulary"], d), 1.0
    for i in range(shape["layers"]):
        layer = f"model.layers.{i}."
        yield layer + "input_layernorm.weight", (d,), None
        for name in ("q", "k", "v", "o"):
            yield f"{layer}self_attn.{name}_proj.weight", (d, d), d**-0.5
        yield layer + "post_attention_layernorm.weight", (d,), None
        yield layer + "mlp.gate_proj.weight", (mlp, d), d**-0.5
        yield layer + "mlp.up_proj.weight", (mlp, d), d**-0.5
        yield layer + "mlp.down_proj.weight", (d, mlp), mlp**-0.5
    yield "model.norm.weight", (d,), None
    yield "lm_head.weight", (shape["vocabulary"], d), d**-0.5


def deit_config(name, shape):
    return {
        "architecture": name + "_patch16_224",
        "num_classes": 1000,
        "num_features": shape["width"],
        "global_pool": "token",
        "pretrained_cfg": {
            "input_size": [3, 224, 224],
            "interpolation": "bicubic",
            "crop_pct": 0.9,
            "mean": [0.485, 0.456, 0.406],
            "std": [0.229, 0.224, 0.225],
        },
    }


def llama_config(_, shape):
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": shape["width"],
        "intermediate_size": shape["mlp"],
        "num_hidden_layers": shape["layers"],
        "num_attention_heads": shape["heads"],
        "num_key_value_heads": shape["heads"],
        "vocab_size": shape["vocabulary"],
        "max_position_embeddings": 2048,
        "rms_norm_eps": 1e-6,
        "rope_theta": 10000.0,
        "hidden_act": "silu",
        "tie_word_embeddings": False,
    }


def write_shard(path, tensors, dtype, normals):
    size = 4 if dtype == "F32" else 2
    header, at = {}, 0
    for name, dims, _ in tensors:
        end = at + int(np.prod(dims)) * size
        header[name] = {"dtype": dtype, "shape": list(dims), "data_offsets": [at, end]}
        at = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 64)
    with open(path, "wb") as stream:
        stream.write(struct.pack("<Q", len(text)) + text)
        for _, dims, scale in tensors:
            if scale is None:
                stream.write(stored(np.ones(dims, np.float32), dtype).tobytes())
            else:
                normals.write(stream, int(np.prod(dims)), scale, dtype)


def write_weights(folder, tensors, dtype):
    shards, room = [[]], SHARD_BYTES
    for tensor in tensors:
        size = int(np.prod(tensor[1])) * (4 if dtype == "F32" else 2)
        if size > room and shards[-1]:
            shards.append([])
            room = SHARD_BYTES
        shards[-1].append(tensor)
        room -= size
    normals = Normals()
    if len(shards) == 1:
        write_shard(folder / "model.safetensors", shards[0], dtype, normals)
        return
    weight_map = {}
    for i, shard in enumerate(shards):
        name = f"model-{i + 1:05}-of-{len(shards):05}.safetensors"
        write_shard(folder / name, shard, dtype, normals)
        weight_map.update({tensor[0]: name for tensor in shard})
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))


def write_inputs(path, shape, samples, tokens):
    rng = np.random.default_rng(1)
    if shape["family"] == "llama":
        np.save(path, rng.integers(0, shape["vocabulary"], (samples, tokens)))
        return
    inputs = np.lib.format.open_memmap(path, "w+", np.float32, (samples, 3, 224, 224))
    for i in range(samples):
        inputs[i] = rng.standard_normal((3, 224, 224), dtype=np.float32)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("shape", choices=sorted(SHAPES))
    parser.add_argument("--samples", type=int, default=32)
    parser.add_argument("--tokens", type=int, default=64, help="of a language model's samples")
    parser.add_argument("--dtype", choices=("F32", "F16", "BF16"), help="default: BF16 for llama, else F32")
    parser.add_argument("--layers", type=int)
    options = parser.parse_args()
    shape = dict(SHAPES[options.shape])
    shape["layers"] = options.layers or shape["layers"]
    is_llama = shape["family"] == "llama"
    options.folder.mkdir(parents=True, exist_ok=True)
    config = (llama_config if is_llama else deit_config)(options.shape, shape)
    (options.folder / "config.json").write_text(json.dumps(config, indent=1))
    tensors = (llama_tensors if is_llama else deit_tensors)(shape)
    write_weights(options.folder, tensors, options.dtype or ("BF16" if is_llama else "F32"))
    write_inputs(options.folder / "inputs.npy", shape, options.samples, options.tokens)


if __name__ == "__main__":
    main()
