#!/usr/bin/python3
"""Gradients of a small vision transformer and the first steps of Adam, for tests/core/gradient.

PyTorch's automatic differentiation in float64 through the network of tests/data/tiny_vit_timm (its two blocks, final norm
and head; tokens behind the position embedding are drawn at random), once in floating point and once with a fake quantizer
at every activation site: straight-through rounding, so that autograd itself yields the LSQ+ gradients of methods.md 0.3.
The loss is sum(logits * seed). Needs Debian's python3-torch (made with 1.13).
Run from anywhere: tests/reference/make_gradients.py   (writes tests/data/gradients.npz)
"""
import json
import math
import pathlib
import struct

import numpy
import torch
import torch.nn.functional as F

DATA = pathlib.Path(__file__).resolve().parent.parent / "data"
HEADS, DEPTH, WIDTH = 2, 2, 32
BITS = 4
TOP = 2**BITS - 1


def read_safetensors(path):
    raw = path.read_bytes()
    size = struct.unpack("<Q", raw[:8])[0]
    result = {}
    for name, entry in json.loads(raw[8 : 8 + size]).items():
        begin, end = entry["data_offsets"]
        values = numpy.frombuffer(raw[8 + size + begin : 8 + size + end], dtype="<f4").reshape(entry["shape"])
        result[name] = torch.from_numpy(values.astype(numpy.float64)).requires_grad_()
    return result


def straight_through(x):
    return x + (x.round() - x).detach()


class Sites:
    """Fake quantizers by site name; None: values pass unchanged."""

    def __init__(self, quantizers):
        self.quantizers = quantizers

    def __call__(self, name, x):
        if self.quantizers is None:
            return x
        if name not in self.quantizers:
            raw = x.detach()
            if name.endswith("softmax"):
                self.quantizers[name] = [torch.tensor(0.3 * float(raw.max()), dtype=torch.float32)]
            else:
                low, high = (float(raw.quantile(q)) for q in (0.02, 0.97))  # some values are clipped on both sides
                scale = torch.tensor((high - low) / TOP, dtype=torch.float32)
                self.quantizers[name] = [scale, torch.tensor(float(round(-low / float(scale))))]
            self.quantizers[name] = [p.double().requires_grad_() for p in self.quantizers[name]]
        if name.endswith("softmax"):
            (d,) = self.quantizers[name]
            code = straight_through(-2 * torch.log2(x / d))
            value = d * 2 ** (-code.clamp(0, TOP) / 2)
            return torch.where(code.detach() > TOP, torch.zeros_like(value), value)
        scale, zero = self.quantizers[name]
        code = (straight_through(x / scale) + straight_through(zero)).clamp(0, TOP)
        return (code - straight_through(zero)) * scale


def logits_of(weights, tokens, site):
    def linear(name, x):
        return F.linear(x, weights[name + ".weight"], weights[name + ".bias"])

    def norm(name, x):
        return F.layer_norm(x, (WIDTH,), weights[name + ".weight"], weights[name + ".bias"], 1e-6)

    x = tokens
    for i in range(DEPTH):
        block = f"blocks.{i}."
        attn = block + "attn."
        y = linear(attn + "qkv", site(attn + "qkv.input", norm(block + "norm1", x)))
        q, k, v = y.reshape(*y.shape[:2], 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
        q, k, v = site(attn + "query", q), site(attn + "key", k), site(attn + "value", v)
        p = site(attn + "softmax", (q @ k.transpose(-1, -2) / math.sqrt(WIDTH // HEADS)).softmax(-1))
        y = (p @ v).transpose(1, 2).reshape(x.shape)
        x = x + linear(attn + "proj", site(attn + "proj.input", y))
        y = linear(block + "mlp.fc1", site(block + "mlp.fc1.input", norm(block + "norm2", x)))
        x = x + linear(block + "mlp.fc2", site(block + "mlp.fc2.input", F.gelu(y)))
    return linear("head", site("head.input", norm("norm", x)[:, 0]))


def main():
    torch.manual_seed(11)
    arrays = {}
    tokens = torch.randn(2, 5, WIDTH).double()
    seed = torch.randn(2, 10).double()
    arrays["tokens"], arrays["seed"] = tokens, seed
    for mode in ("float", "quantized"):
        weights = read_safetensors(DATA / "tiny_vit_timm" / "model.safetensors")
        x = tokens.clone().requires_grad_()
        quantizers = None if mode == "float" else {}
        logits = logits_of(weights, x, Sites(quantizers))
        (logits * seed).sum().backward()
        arrays[mode + "/logits"] = logits
        arrays[mode + "/gradient/tokens"] = x.grad
        for name, weight in weights.items():
            if weight.grad is not None:
                arrays[mode + "/gradient/" + name] = weight.grad
        for name, parameters in (quantizers or {}).items():
            arrays["quantized/site/" + name] = torch.stack([p.detach() for p in parameters])
            arrays["quantized/site_gradient/" + name] = torch.stack([p.grad for p in parameters])
    parameters = torch.randn(7, dtype=torch.float64).requires_grad_()
    arrays["adam/start"] = parameters.detach().clone()
    optimizer = torch.optim.Adam([parameters], lr=0.01)
    gradients = torch.randn(5, 7).double()
    gradients[:, 3] = 0
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=5)
    for gradient in gradients:
        parameters.grad = gradient.clone()
        optimizer.step()
        schedule.step()
    arrays["adam/gradients"], arrays["adam/end"] = gradients, parameters
    numpy.savez_compressed(
        DATA / "gradients.npz", **{k: v.detach().numpy().astype(numpy.float32) for k, v in arrays.items()})


main()
