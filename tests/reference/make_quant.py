#!/usr/bin/env python3
"""Quantizer references for tests/core/quant/tst_quant_references.cpp.

Written with PyTorch 1.13 and NumPy; float32 arithmetic of the fake quantizers as PyTorch executes it. Formulas:
methods.md 0.2 (uniform), 1.2 (percentile candidates, RepQ-ViT arXiv 2212.08254), 1.4 (log-sqrt2), AdaLog's log2.
Run: python3 tests/reference/make_quant.py   (writes tests/data/quant/references.json; same bytes every time)
"""
import json
import pathlib

import numpy as np
import torch

torch.manual_seed(20240611)
OUT = pathlib.Path(__file__).resolve().parents[1] / "data" / "quant" / "references.json"


def floats(tensor):
    """Exact float32 values as bit patterns: no decimal rounding enters the comparison."""
    return [int(v) for v in tensor.to(torch.float32).contiguous().view(torch.int32).flatten().tolist()]


def affine(x, bits, symmetric, lo, hi):
    """Scale and zero point from bounds (tensors that broadcast with x), and the dequantized values."""
    if symmetric:
        top = 2 ** (bits - 1) - 1
        scale = torch.maximum(lo.abs(), hi.abs()) / top
        zero = torch.zeros_like(scale)
        low, high = -top, top
    else:
        top = 2**bits - 1
        scale = (hi - lo) / top
        zero = torch.round(-lo / scale)
        low, high = 0, top
    codes = torch.clamp(torch.round(x / scale) + zero, low, high)
    return scale, zero, codes, (codes - zero) * scale


def uniform_cases():
    cases = []
    base = torch.randn(4, 10) * torch.tensor([[0.2], [1.0], [5.0], [0.01]]) + torch.tensor([[0.0], [0.3], [-2.0], [0.5]])
    for bits in range(2, 17):
        for symmetric in (False, True):
            for per_channel in ((bits + symmetric) % 2 == 0,):
                lo = base.amin(1, keepdim=True) if per_channel else base.amin().view(1, 1)
                hi = base.amax(1, keepdim=True) if per_channel else base.amax().view(1, 1)
                # bounds inside the data, so that codes saturate, plus values on ties and far outside
                lo, hi = lo * 0.75, hi * 0.75
                scale, zero, _, _ = affine(base, bits, symmetric, lo, hi)
                ties = (torch.arange(6) - 2.5) * scale
                x = torch.cat([base, ties.expand(4, 6), base[:, :2] * 10], 1)
                scale, zero, codes, y = affine(x, bits, symmetric, lo, hi)
                cases.append({"bits": bits, "symmetric": symmetric, "lower": floats(lo), "upper": floats(hi),
                              "scale": floats(scale), "zero_point": [int(v) for v in zero.flatten().tolist()],
                              "x": floats(x), "codes": [int(v) for v in codes.flatten().tolist()], "y": floats(y)})
    return cases


def logarithmic(x, bits, base, d):
    """In float64 from float32 x and d; x = 0 gives log2 = -inf and is masked."""
    k = {"log2": 1, "log-sqrt2": 2}[base]
    with np.errstate(divide="ignore"):
        q = np.round(-k * np.log2(x.astype(np.float64) / np.float64(d)))
    mask = q >= 2**bits
    q = np.clip(q, 0, 2**bits - 1)
    return np.where(mask, 0.0, np.float64(d) * 2.0 ** (-q / k))


def logarithmic_cases():
    cases = []
    p = torch.softmax(torch.randn(6, 12) * 3, -1).numpy().flatten()
    p = np.concatenate([p, np.float32([0.0, 1.0, 1e-30, 0.004645, 0.004646])])
    for bits in (2, 3, 4, 6, 8, 16):
        for base in ("log2", "log-sqrt2"):
            for d in np.float32([1.0, 0.613, 0.05]):
                cases.append({"bits": bits, "kind": base, "d": floats(torch.tensor([d])),
                              "y": [float(v) for v in logarithmic(p, bits, base, d)]})
    return {"x": floats(torch.from_numpy(p)), "cases": cases}


def adalog_levels(bits, base):
    """methods.md 4.3: the mantissa table in whole parts of 4 n - 2, n = 2^(b-1)."""
    code = np.arange(2**bits)
    whole = 4 * 2 ** (bits - 1) - 2
    table = np.round(2.0 ** (-((base * code) % 37) / 37.0) * whole) / whole
    return 2.0 ** -np.floor(code * base / 37.0) * table


def adalog(x, bits, base, d):
    with np.errstate(divide="ignore"):
        q = np.round(-np.log2(np.minimum(x.astype(np.float64) / np.float64(d), 1.0)) * 37.0 / base)
    coded = np.minimum(q, 2**bits - 1).astype(int)
    return np.where(q >= 2**bits, 0.0, np.float64(d) * adalog_levels(bits, base)[coded])


def adalog_cases():
    """Values, and the least squared error over all bases for one d: what a search must find."""
    cases, searches = [], []
    rng = np.random.default_rng(7)  # not from torch's stream, so that the other cases stay as they are
    logits = 3.0 * rng.normal(size=(40, 50))
    p = np.exp(logits - logits.max(1, keepdims=True))
    p = (p / p.sum(1, keepdims=True)).astype(np.float32).flatten()
    x = np.concatenate([p[:60], np.float32([0.0, 1.0, 1e-30, 0.25, 0.5])])
    for bits in (2, 3, 4, 6, 8):
        for base in (10, 18, 29, 37, 61, 138):
            for d in np.float32([1.0, 0.613]):
                cases.append({"bits": bits, "base": base, "d": floats(torch.tensor([d])),
                              "y": [float(v) for v in adalog(x, bits, base, d)]})
        errors = [float(np.sum((p.astype(np.float64) - adalog(p, bits, b, p.max())) ** 2)) for b in range(10, 139)]
        searches.append({"bits": bits, "error": min(errors), "sqrt2_error": errors[18 - 10]})
    return {"x": floats(torch.from_numpy(x)), "cases": cases, "searched": floats(torch.from_numpy(p)), "searches": searches}


def percentile_cases():
    """methods.md 1.2 on the rows of a weight: quantiles in float32, as the published code takes them."""
    cases = []
    w = torch.randn(5, 400).double()
    w[1] = w[1] ** 3
    w[2, 10] = 30.0
    w[3] = w[3].abs()
    w = w.float()
    for bits in (2, 3, 4, 6, 8):
        chosen, errors = [], []
        for row in w.double():
            best = (float("inf"), None)
            for p in (0.999, 0.9999, 0.99999):
                hi, lo = torch.quantile(row.float(), p), torch.quantile(row.float(), 1 - p)
                err = float(((row - affine(row.float(), bits, False, lo, hi)[3].double()) ** 2).sum())
                if err < best[0]:
                    best = (err, (float(lo), float(hi)))
            chosen.append(best[1])
            errors.append(best[0])
        cases.append({"bits": bits, "bounds": chosen, "errors": errors})
    return {"weight": floats(w), "rows": 5, "cases": cases}


def least_squares_cases():
    """The best of a full grid of shrunken min-max intervals; what a search must come close to."""
    w = torch.randn(3, 500)
    w[1] = w[1] ** 3
    w[2] = torch.nn.functional.gelu(w[2] * 2)
    cases = []
    for bits in (2, 3, 4, 6, 8):
        errors = []
        for row in w:
            lo0, hi0, mean = row.min(), row.max(), row.mean()
            best = float("inf")
            for a in range(5, 101, 1):
                lo = lo0 + (100 - a) * 0.01 * (mean - lo0)
                b = torch.arange(5, 101).view(-1, 1)
                hi = hi0 + (100 - b) * 0.01 * (mean - hi0)
                y = affine(row.view(1, -1), bits, False, lo, hi)[3]
                best = min(best, float(((row.double() - y.double()) ** 2).sum(1).min()))
            errors.append(best)
        cases.append({"bits": bits, "errors": errors})
    return {"weight": floats(w), "rows": 3, "cases": cases}


def main():
    OUT.parent.mkdir(parents=True, exist_ok=True)
    data = {"provenance": "tests/reference/make_quant.py, PyTorch " + torch.__version__ + ", NumPy " + np.__version__,
            "uniform": uniform_cases(), "logarithmic": logarithmic_cases(), "percentile": percentile_cases(),
            "least_squares": least_squares_cases(), "adalog": adalog_cases()}
    OUT.write_text(json.dumps(data, sort_keys=True, separators=(",", ":")) + "\n")
    print(OUT, OUT.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
