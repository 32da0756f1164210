#!/usr/bin/python3
"""Gradients of a small vision transformer, the first steps of Adam, of a block's training and of all blocks', for tests/core/gradient and
tests/core/methods.

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


def linear(weights, name, x):
    return F.linear(x, weights[name + ".weight"], weights[name + ".bias"])


def norm(weights, name, x):
    return F.layer_norm(x, (WIDTH,), weights[name + ".weight"], weights[name + ".bias"], 1e-6)


def block_of(weights, i, x, site):
    block = f"blocks.{i}."
    attn = block + "attn."
    y = linear(weights, attn + "qkv", site(attn + "qkv.input", norm(weights, block + "norm1", x)))
    q, k, v = y.reshape(*y.shape[:2], 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
    q, k, v = site(attn + "query", q), site(attn + "key", k), site(attn + "value", v)
    p = site(attn + "softmax", (q @ k.transpose(-1, -2) / math.sqrt(WIDTH // HEADS)).softmax(-1))
    y = (p @ v).transpose(1, 2).reshape(x.shape)
    x = x + linear(weights, attn + "proj", site(attn + "proj.input", y))
    y = linear(weights, block + "mlp.fc1", site(block + "mlp.fc1.input", norm(weights, block + "norm2", x)))
    return x + linear(weights, block + "mlp.fc2", site(block + "mlp.fc2.input", F.gelu(y)))


def logits_of(weights, tokens, site):
    x = tokens
    for i in range(DEPTH):
        x = block_of(weights, i, x, site)
    return linear(weights, "head", site("head.input", norm(weights, "norm", x)[:, 0]))


def centred_power(target, importance):
    return (importance * (target - target.mean((0, 1))) ** 2).sum()


def train(arrays, tokens, key, depth):
    """Three steps of the first blocks towards their own outputs in floating point: codes and steps of the weights,
    everything else. Each block's error counts relative to the centred power of its target."""
    weights = read_safetensors(DATA / "tiny_vit_timm" / "model.safetensors")

    def outputs(given, site):
        x, result = tokens, []
        for i in range(depth):
            x = block_of(given, i, x, site)
            result.append(x)
        return result

    targets = [t.detach() for t in outputs(weights, Sites(None))]
    importance = [torch.rand(t.shape[1:], dtype=torch.float64) + 0.1 for t in targets]
    quantizers = {}
    outputs(weights, Sites(quantizers))  # their start
    grids, groups = {}, []
    rates = {"weight": 0.01, "weight_step": 0.001, "step": 0.002, "zero": 0.01, "norm": 0.001, "bias": 0.001}

    def learn(value, rate):
        value = value.detach().clone().requires_grad_()
        groups.append({"params": [value], "lr": rates[rate]})
        return value

    trained = {}
    for name in [n for n in weights if n.startswith("blocks.") and int(n.split(".")[1]) < depth]:
        value = weights[name].detach()
        if value.dim() == 2:
            low, high = value.min(1, keepdim=True)[0].float(), value.max(1, keepdim=True)[0].float()
            scale = ((high - low) / TOP).double()
            zero = torch.round(-low.double() / scale)
            grids[name] = [learn(value / scale, "weight"), learn(torch.zeros_like(scale), "weight_step"), scale, zero]
            arrays[key + "/scale/" + name], arrays[key + "/zero/" + name] = scale[:, 0], zero[:, 0]
        else:
            trained[name] = learn(value, "norm" if "norm" in name else "bias")
    sites = {}
    for name, parameters in quantizers.items():
        start = parameters[0].detach()
        sites[name] = [start, learn(torch.zeros(()).double(), "step")] + [learn(z, "zero") for z in parameters[1:]]
        arrays[key + "/site/" + name] = torch.stack([p.detach() for p in parameters])

    def dequantized():
        result = dict(trained)
        for name, (codes, log_step, scale, zero) in grids.items():
            q = (straight_through(codes) + zero).clamp(0, TOP)
            result[name] = (q - zero) * scale * log_step.exp()
        return result

    def now():
        return {n: [p[0] * p[1].exp()] + p[2:] for n, p in sites.items()}

    optimizer = torch.optim.Adam(groups)
    base = [group["lr"] for group in optimizer.param_groups]
    steps, losses = 3, []
    for step in range(steps):
        for group, rate in zip(optimizer.param_groups, base):
            group["lr"] = rate * 0.5 * (1 + math.cos(math.pi * step / steps))
        made = outputs(dequantized(), Sites(now()))
        errors = [((y - t) ** 2 * h).sum() for y, t, h in zip(made, targets, importance)]
        losses.append(sum(e / (t**2 * h).sum() for e, t, h in zip(errors, targets, importance)) / depth)
        optimizer.zero_grad()
        sum(e / centred_power(t, h) for e, t, h in zip(errors, targets, importance)).backward()
        optimizer.step()
    arrays[key + "/losses"] = torch.stack(losses)
    arrays[key + "/power"] = torch.stack([centred_power(t, h) for t, h in zip(targets, importance)])
    for i in range(depth):
        arrays[f"{key}/importance/{i}"], arrays[f"{key}/target/{i}"] = importance[i], targets[i]
    for name, value in dequantized().items():
        arrays[key + "/end/" + name] = value
    for name, parameters in now().items():
        arrays[key + "/end_site/" + name] = torch.stack([p.detach() for p in parameters])
    arrays[key + "/output"] = outputs(dequantized(), Sites(now()))[-1]


def decoder_operators(arrays):
    """RMSNorm, SiLU and rotary embedding (halves), each with the gradient of sum(y * seed)."""

    def record(name, inputs, function):
        inputs = {key: value.double().requires_grad_() for key, value in inputs.items()}
        y = function(**inputs)
        seed = torch.randn(y.shape).double()
        (y * seed).sum().backward()
        arrays[f"operators/{name}/y"], arrays[f"operators/{name}/seed"] = y, seed
        for key, value in inputs.items():
            arrays[f"operators/{name}/{key}"] = value
            arrays[f"operators/{name}/gradient/{key}"] = value.grad

    record("rms", {"x": torch.randn(2, 5, 12), "gamma": torch.randn(12)},
           lambda x, gamma: x * torch.rsqrt((x**2).mean(-1, keepdim=True) + 1e-5) * gamma)
    record("silu", {"x": 2.0 * torch.randn(3, 17)}, lambda x: F.silu(x))
    angles = torch.arange(6).double()[:, None] * 10000.0 ** (-torch.arange(4).double() / 4)
    arrays["operators/rotary/cosines"], arrays["operators/rotary/sines"] = angles.cos(), angles.sin()

    def rotate(x):
        a, b = x[..., :4], x[..., 4:]
        c, s = angles[:5].cos(), angles[:5].sin()
        return torch.cat([a * c - b * s, b * c + a * s], -1)

    record("rotary", {"x": torch.randn(2, 3, 5, 8)}, rotate)


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
    train(arrays, tokens, "train", 1)
    train(arrays, tokens, "together", DEPTH)
    decoder_operators(arrays)
    numpy.savez_compressed(
        DATA / "gradients.npz", **{k: v.detach().numpy().astype(numpy.float32) for k, v in arrays.items()})


main()
