#!/usr/bin/python3
"""Reference statistics of small activations, made with NumPy alone.

Writes tests/data/stats.npz:
  columns          float32 [5, 37, 21]: samples, rows, channels of very different ranges
  columns_moments  float64 [21, 4]: minimum, maximum, sum, sum of squares per channel
  columns_percentiles float64 [21, 5]: np.percentile at 1, 25, 50, 75, 99
  columns_grid     float64 [21, 2]: bin width and number of the first bin
  columns_bins     float64 [21, 128, 3]: count, sum, sum of squares of each bin, zero-padded
  heads            float32 [3, 4, 19, 23]: samples, heads, rows, columns of softmax rows, some of them sharp
  heads_bins       float64 [4, 528, 3]: the same per logarithmic bin: octave -32 + i // 16, part i % 16
  heads_zeros      float64 [4]: values below 2^-32

Run: python3 tests/reference/make_stats.py   (NumPy 1.24; seed 20)
"""
import pathlib

import numpy as np

BINS = 128
FLOAT_DIGITS = 23
target = pathlib.Path(__file__).resolve().parent.parent / "data" / "stats.npz"


def bins_of(x, number, first, size):
    result = np.zeros((size, 3))
    for i, value in zip(number - first, x.astype(np.float64)):
        result[i] += [1.0, value, value * value]
    return result


def linear(x):
    """Smallest power of two w with floor(max/w) - floor(min/w) < BINS, no finer than floats are spaced."""
    x64 = x.astype(np.float64)
    largest = np.abs(x64).max()
    exponent = -126 if largest == 0 else max(-126, int(np.frexp(largest)[1]) - 1 - FLOAT_DIGITS)
    while np.floor(x64.max() / 2.0**exponent) - np.floor(x64.min() / 2.0**exponent) >= BINS:
        exponent += 1
    width = 2.0**exponent
    number = np.floor(x64 / width).astype(np.int64)
    return width, number.min(), bins_of(x, number, number.min(), BINS)


def logarithmic(x):
    x64 = x.astype(np.float64)
    inside = x64 >= 2.0**-32
    mantissa, exponent = np.frexp(x64[inside])  # mantissa in [0.5, 1)
    number = (exponent - 1 + 32) * 16 + np.floor((mantissa * 2 - 1) * 16).astype(np.int64)
    return bins_of(x[inside], number, 0, 33 * 16), np.count_nonzero(~inside)


rng = np.random.default_rng(20)
columns = rng.standard_normal((5, 37, 21)) * np.exp(rng.uniform(-6, 6, 21)) + rng.uniform(-3, 3, 21)
columns[..., 3] = 0.0
columns[..., 7] = -1.7
columns[..., 11] = np.maximum(columns[..., 11], 0)
columns[2, 5, 13] = 1e4  # an outlier in a late sample
columns[..., 17] = rng.integers(-3, 4, (5, 37)) * 1e-41  # denormal
columns = columns.astype(np.float32)
flat = columns.reshape(-1, 21)
grids = [linear(flat[:, c]) for c in range(21)]
f64 = flat.astype(np.float64)

logits = rng.standard_normal((3, 4, 19, 23)) * np.array([1.0, 3.0, 8.0, 30.0])[None, :, None, None]
heads = np.exp(logits - logits.max(-1, keepdims=True))
heads = (heads / heads.sum(-1, keepdims=True)).astype(np.float32)
logs = [logarithmic(heads[:, h].ravel()) for h in range(4)]

np.savez_compressed(
    target,
    columns=columns,
    columns_moments=np.stack([f64.min(0), f64.max(0), f64.sum(0), (f64 * f64).sum(0)], 1),
    columns_percentiles=np.percentile(f64, [1, 25, 50, 75, 99], axis=0).T.copy(),
    columns_grid=np.array([[w, float(k)] for w, k, _ in grids]),
    columns_bins=np.stack([b for _, _, b in grids]),
    heads=heads,
    heads_bins=np.stack([b for b, _ in logs]),
    heads_zeros=np.array([float(z) for _, z in logs]),
)
