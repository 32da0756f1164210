#!/usr/bin/python3
"""Writes the small random vision transformers of tests/data/tiny_vit_*, with the logits PyTorch computes for them.

Provenance: random weights from a fixed seed; the network is written down here from the published descriptions of ViT
(arXiv 2010.11929), DeiT (2012.12877) and DeiT III (2204.07118) with torch.nn.functional and torch.nn.MultiheadAttention in
float64, independently of the program under test. Needs Debian's python3-torch (made with 1.13).
Run from anywhere: tests/reference/make_tiny_vit.py
"""
import json
import pathlib
import struct

import numpy
import torch
import torch.nn.functional as F

DATA = pathlib.Path(__file__).resolve().parent.parent / "data"


def write_safetensors(path, tensors):
    header, payload = {}, b""
    names = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16"}
    for name, tensor in tensors.items():
        raw = tensor.contiguous().view(torch.int16 if tensor.element_size() == 2 else torch.int32).numpy().tobytes()
        header[name] = {"dtype": names[tensor.dtype], "shape": list(tensor.shape),
                        "data_offsets": [len(payload), len(payload) + len(raw)]}
        payload += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + payload)


def random_tensors(shapes, dtype, generator):
    """Weights of a size that keeps activations near 1; norms near 1 and 0."""
    result = {}
    for name, shape in shapes.items():
        value = torch.randn(shape, generator=generator, dtype=torch.float64)
        if len(shape) >= 2 and "token" not in name and "pos" not in name:
            value *= 1.5 / (value[0].numel() ** 0.5)
        elif name.endswith("weight") or name.endswith("gamma"):
            value = 1 + 0.3 * value
        else:
            value *= 0.2
        result[name] = value.to(dtype)
    return result


def shapes_of(names, dim, mlp, depth, classes, image, patch, prefix, fused, **options):
    shapes = {}
    for key in ("cls", "dist"):
        if key in names:
            shapes[names[key]] = (1, 1, dim)
    tokens = (image[0] // patch) * (image[1] // patch) + (0 if options.get("no_embed_class") else prefix)
    shapes[names["pos"]] = (1, tokens, dim)
    shapes[names["patch"] + ".weight"] = (dim, 3, patch, patch)
    shapes[names["patch"] + ".bias"] = (dim,)

    def linear(name, rows, columns):
        shapes[name + ".weight"] = (rows, columns)
        shapes[name + ".bias"] = (rows,)

    def norm(name):
        shapes[name + ".weight"] = (dim,)
        shapes[name + ".bias"] = (dim,)

    for i in range(depth):
        block = names["block"] % i
        norm(block + names["norm1"])
        for part in names["qkv"]:
            linear(block + part, 3 * dim if fused else dim, dim)
        linear(block + names["proj"], dim, dim)
        norm(block + names["norm2"])
        linear(block + names["fc1"], mlp, dim)
        linear(block + names["fc2"], dim, mlp)
        if options.get("layer_scale"):
            shapes[block + "ls1.gamma"] = (dim,)
            shapes[block + "ls2.gamma"] = (dim,)
    norm(names["norm"])
    for head in names["heads"]:
        linear(head, classes, dim)
    return shapes


def forward(w, names, x, dim, heads, depth, patch, eps, approximate="none", no_embed_class=False, average=False, **_):
    w = {name: value.double() for name, value in w.items()}

    def linear(name, value):
        return F.linear(value, w[name + ".weight"], w[name + ".bias"])

    def norm(name, value):
        return F.layer_norm(value, (dim,), w[name + ".weight"], w[name + ".bias"], eps)

    def gelu(value):  # torch 1.13's tanh form and erf form
        return F.gelu(value, approximate=approximate)

    x = F.conv2d(x.double(), w[names["patch"] + ".weight"], w[names["patch"] + ".bias"], stride=patch)
    x = x.flatten(2).transpose(1, 2)
    if no_embed_class:
        x = x + w[names["pos"]]
    prefix = [w[names[key]].expand(x.shape[0], -1, -1) for key in ("cls", "dist") if key in names]
    x = torch.cat(prefix + [x], 1)
    if not no_embed_class:
        x = x + w[names["pos"]]
    for i in range(depth):
        block = names["block"] % i
        attention = torch.nn.MultiheadAttention(dim, heads, batch_first=True, dtype=torch.float64)
        with torch.no_grad():
            attention.in_proj_weight.copy_(torch.cat([w[block + part + ".weight"] for part in names["qkv"]]))
            attention.in_proj_bias.copy_(torch.cat([w[block + part + ".bias"] for part in names["qkv"]]))
            attention.out_proj.weight.copy_(w[block + names["proj"] + ".weight"])
            attention.out_proj.bias.copy_(w[block + names["proj"] + ".bias"])
            y = norm(block + names["norm1"], x)
            y = attention(y, y, y, need_weights=False)[0]
        x = x + y * w.get(block + "ls1.gamma", 1)
        y = gelu(linear(block + names["fc1"], norm(block + names["norm2"], x)))
        x = x + linear(block + names["fc2"], y) * w.get(block + "ls2.gamma", 1)
    if average:
        pooled = [norm(names["norm"], x[:, len(prefix):].mean(1))]
    else:
        x = norm(names["norm"], x)
        pooled = [x[:, i] for i in range(len(names["heads"]))]
    return sum(linear(head, value) for head, value in zip(names["heads"], pooled)) / len(pooled)


TIMM = {"cls": "cls_token", "pos": "pos_embed", "patch": "patch_embed.proj", "block": "blocks.%d.", "norm1": "norm1",
        "qkv": ["attn.qkv"], "proj": "attn.proj", "norm2": "norm2", "fc1": "mlp.fc1", "fc2": "mlp.fc2", "norm": "norm",
        "heads": ["head"]}
HF = {"cls": "vit.embeddings.cls_token", "pos": "vit.embeddings.position_embeddings",
      "patch": "vit.embeddings.patch_embeddings.projection", "block": "vit.encoder.layer.%d.",
      "norm1": "layernorm_before", "qkv": ["attention.attention." + part for part in ("query", "key", "value")],
      "proj": "attention.output.dense", "norm2": "layernorm_after", "fc1": "intermediate.dense", "fc2": "output.dense",
      "norm": "vit.layernorm", "heads": ["classifier"]}


def make(folder, names, config, seed, dtype=torch.float32, batch=2, processor=None, **net):
    generator = torch.Generator().manual_seed(seed)
    weights = random_tensors(shapes_of(names, **net), dtype, generator)
    pixels = torch.randn((batch, 3, *net["image"]), generator=generator, dtype=torch.float32)
    with torch.no_grad():
        logits = forward(weights, names, pixels, **net)
    target = DATA / folder
    target.mkdir(parents=True, exist_ok=True)
    write_safetensors(target / "model.safetensors", weights)
    (target / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    if processor:
        (target / "preprocessor_config.json").write_text(json.dumps(processor, indent=2) + "\n")
    numpy.save(target / "pixels.npy", pixels.numpy())
    numpy.save(target / "logits.npy", logits.float().numpy())


def timm_config(net, classes, **arguments):
    return {"architecture": "vit_tiny_patch16_224", "num_classes": classes, "global_pool": "avg" if net.get("average") else "token",
            "model_args": {"img_size": net["image"][0], "patch_size": net["patch"], "embed_dim": net["dim"],
                           "depth": net["depth"], "num_heads": net["heads"], "mlp_ratio": net["mlp"] / net["dim"], **arguments},
            "pretrained_cfg": {"input_size": [3, *net["image"]], "interpolation": "bicubic", "crop_pct": 0.9,
                               "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}}


def main():
    net = dict(dim=32, mlp=96, depth=2, heads=2, classes=10, image=(16, 16), patch=8, prefix=1, fused=True, eps=1e-6)
    make("tiny_vit_timm", TIMM, timm_config(net, 10), seed=1, **net)

    net = dict(dim=32, mlp=64, depth=2, heads=4, classes=7, image=(16, 24), patch=8, prefix=1, fused=False, eps=1e-12,
               approximate="tanh")
    config = {"architectures": ["ViTForImageClassification"], "model_type": "vit", "hidden_size": 32,
              "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64, "image_size": [16, 24],
              "patch_size": 8, "num_channels": 3, "layer_norm_eps": 1e-12, "hidden_act": "gelu_new", "qkv_bias": True,
              "id2label": {str(i): "class %d" % i for i in range(7)}}
    processor = {"do_normalize": True, "do_resize": True, "image_mean": [0.5, 0.4, 0.3], "image_std": [0.2, 0.3, 0.4],
                 "resample": 2, "size": {"height": 16, "width": 24}}
    make("tiny_vit_hf", HF, config, seed=2, dtype=torch.float16, processor=processor, **net)

    small = dict(dim=8, mlp=16, depth=1, heads=2, classes=5, image=(8, 8), patch=4, eps=1e-6, fused=True)
    net = dict(small, prefix=2)
    make("tiny_vit_distilled", {**TIMM, "dist": "dist_token", "heads": ["head", "head_dist"]}, timm_config(net, 5),
         seed=3, **net)
    net = dict(small, prefix=1, no_embed_class=True, layer_scale=True)
    make("tiny_vit_deit3", TIMM, timm_config(net, 5, no_embed_class=True, init_values=1e-6), seed=4,
         dtype=torch.bfloat16, **net)
    net = dict(small, prefix=1, average=True)
    make("tiny_vit_average", {**TIMM, "norm": "fc_norm"}, timm_config(net, 5), seed=5, **net)


if __name__ == "__main__":
    main()
