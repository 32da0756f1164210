#!/usr/bin/env python3
"""Clipping thresholds of TensorRT's entropy calibration beside those of our measure, for resources/docs/numerics.md.

The former after the pseudocode of S. Migacz, 8-bit Inference with TensorRT, GTC 2017: 2048 bins of |x|, 128 levels;
thresholds where the last bin is empty are left out, their divergence being infinite. The latter by make_divergence.py,
symmetric at 8 bits. Both as parts of max |x|.
Run: python3 tests/reference/entropy_thresholds.py   (a minute; prints one line per distribution)
"""
import math

import numpy as np

import make_divergence

BINS, LEVELS, COUNT = 2048, 128, 400_000


def tensorrt_threshold(values):
    magnitudes = np.abs(values)
    counts = np.histogram(magnitudes, BINS, (0, magnitudes.max()))[0].astype(float)
    best, threshold = np.inf, 1.0
    for kept in range(LEVELS, BINS + 1):
        reference = counts[:kept].copy()
        reference[-1] += counts[kept:].sum()
        level = np.minimum((np.arange(kept) * LEVELS) // kept, LEVELS - 1)
        used = reference > 0
        mass = np.bincount(level, counts[:kept], LEVELS)
        bins = np.bincount(level, used, LEVELS)
        quantized = np.where(used, mass[level] / np.maximum(bins[level], 1), 0.0)
        if np.any(quantized[used] == 0):
            continue
        p, q = reference[used] / reference.sum(), quantized[used] / quantized.sum()
        divergence = (p * np.log(p / q)).sum()
        if divergence < best:
            best, threshold = divergence, kept / BINS
    return threshold


def main():
    rng = np.random.default_rng(0)
    gelu = np.vectorize(lambda x: x * 0.5 * (1 + math.erf(x / math.sqrt(2))))
    attention = np.exp(rng.normal(0, 1.5, (COUNT // 200, 200)))
    cases = {
        "GELU of N(-1, 1)": gelu(rng.normal(-1, 1, COUNT)),
        "GELU of N(-0.8, 1.5)": gelu(rng.normal(-0.8, 1.5, COUNT)),
        "GELU of Laplace(-1, 0.7)": gelu(rng.laplace(-1, 0.7, COUNT)),
        "softmax of N(0, 1.5)": (attention / attention.sum(1, keepdims=True)).ravel(),
        "N(0, 1)": rng.normal(0, 1, COUNT),
        "Laplace(0, 1)": rng.laplace(0, 1, COUNT),
    }
    for name, values in cases.items():
        values = values.astype(np.float32)
        upper = make_divergence.search(make_divergence.Values([values]), True, 8)[1]
        print(f"{name:26s} TensorRT {tensorrt_threshold(values):.3f}  ours {upper / np.abs(values).max():.3f}", flush=True)


if __name__ == "__main__":
    main()
