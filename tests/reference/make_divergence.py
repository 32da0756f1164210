#!/usr/bin/env python3
"""Bounds by least divergence for tests/core/quant/tst_histogram_divergence.cpp, in NumPy.

The measure and the search are those of resources/docs/numerics.md ("Finding bounds", kl), written down again with
whole matrices of overlaps instead of walks along the histogram. The idea is that of TensorRT's entropy calibrator
(S. Migacz, GTC 2017).
Run: python3 tests/reference/make_divergence.py   (writes tests/data/quant/divergence.npz; same arrays every time)
"""
import math
import pathlib

import numpy as np

OUT = pathlib.Path(__file__).resolve().parents[1] / "data" / "quant" / "divergence.npz"
VALUES_PER_PART = 16


class Values:
    """Channels of values as they are, or as bins of width 2^exponent."""

    def __init__(self, channels, exponent=None):
        self.channels = [np.asarray(c, np.float64) for c in channels]
        self.exponent = exponent
        everything = np.concatenate(self.channels)
        self.count = everything.size
        self.minimum, self.maximum = everything.min(), everything.max()
        self.mean = everything.sum() / self.count

    def resolution(self):
        parts = self.count // VALUES_PER_PART
        if self.exponent is None:
            return parts
        width = 2.0**self.exponent
        bins = sum(int(np.floor(c.max() / width) - np.floor(c.min() / width)) + 1 for c in self.channels)
        return min(parts, bins)

    def histogram(self, parts):
        lower, upper = self.minimum, self.maximum
        if self.exponent is None:
            at = np.concatenate(self.channels)
            part = np.minimum(np.floor((at - lower) / (upper - lower) * parts).astype(int), parts - 1)
            return np.bincount(part, minlength=parts).astype(float)
        edges = lower + (upper - lower) * (np.arange(parts + 1) / parts)
        counts = np.zeros(parts)
        width = 2.0**self.exponent
        for channel in self.channels:
            number, count = np.unique(np.floor(channel / width), return_counts=True)
            for k, n in zip(number, count):
                low, high = max(k * width, channel.min()), min((k + 1) * width, channel.max())
                if low < high:
                    overlap = np.minimum(edges[1:], high) - np.maximum(edges[:-1], low)
                    counts += n * np.maximum(overlap, 0) / (high - low)
                else:
                    counts[min(np.searchsorted(edges, low, side="right") - 1, parts - 1)] += n
        return counts


def float_scale(symmetric, bits, low, high):
    """methods.md 0.2 in float32: step and zero point."""
    low, high = np.float32(low), np.float32(high)
    if symmetric:
        return np.float32(max(abs(low), abs(high)) / np.float32(2 ** (bits - 1) - 1)), 0.0
    step = np.float32((high - low) / np.float32(2**bits - 1))
    return step, float(np.rint(np.float32(-low / step)))


class Measure:
    def __init__(self, values, symmetric, bits):
        self.symmetric, self.bits = symmetric, bits
        self.lower = values.minimum
        self.parts = min(4096, 16 * 2**bits, values.resolution())
        counts = values.histogram(self.parts)
        self.count = counts.sum()
        self.shares = counts / self.count
        self.width = (values.maximum - values.minimum) / self.parts

    def cell_edges(self, low, high):
        """Edges of the cells, the saturating ones left out, and their width."""
        step, zero = float_scale(self.symmetric, self.bits, low, high)
        step = float(step)
        codes = 2**self.bits - 1 if self.symmetric else 2**self.bits
        first = (-(2 ** (self.bits - 1) - 1) if self.symmetric else 0) - zero
        return (first - 0.5 + np.arange(codes + 1)) * step, step

    def __call__(self, low, high):
        cells, step = self.cell_edges(low, high)
        if step < self.width:
            return np.inf
        edges = self.lower + self.width * np.arange(self.parts + 1)
        middle = self.lower + self.width * (np.arange(self.parts) + 0.5)
        inside = np.nonzero((middle >= cells[0]) & (middle < cells[-1]) & (self.shares > 0))[0]
        if inside.size == 0:
            return np.inf
        reference = self.shares[inside].copy()
        reference[0] += self.shares[: inside[0]].sum()
        reference[-1] += self.shares[inside[-1] + 1 :].sum()
        cells = np.concatenate([[-np.inf], cells[1:-1], [np.inf]])
        overlap = np.minimum(edges[inside + 1, None], cells[None, 1:]) - np.maximum(edges[inside, None], cells[None, :-1])
        overlap = np.maximum(overlap, 0) / self.width
        overlap[overlap < 1e-9] = 0
        length = overlap.sum(0)
        used = length > 0
        kept = self.shares[inside].sum()
        quantized = (overlap.T @ self.shares[inside])[used] / length[used] / kept
        divergence = (reference * np.log(reference)).sum() - (reference @ overlap[:, used] * np.log(quantized)).sum()
        return divergence - (inside.size - used.sum()) / (2 * self.count)


def search(values, symmetric, bits):
    """Bounds of least divergence among the candidates of the least-squares search, with it and that of min-max."""
    measure = Measure(values, symmetric, bits)
    best = {"divergence": None, "bounds": None}

    def offer(low, high):
        divergence = measure(low, high)
        if best["divergence"] is not None and not divergence < best["divergence"]:
            return False
        best["divergence"], best["bounds"] = divergence, (low, high)
        return True

    def interval(a, b):
        def bound(factor, edge):
            return edge + (100 - factor) * 0.01 * (values.mean - edge)

        return 5 <= a <= 100 and 5 <= b <= 100 and offer(bound(a, values.minimum), bound(b, values.maximum))

    def magnitude(factor):
        largest = max(abs(values.minimum), abs(values.maximum))
        bound = largest - (100 - factor) * 0.01 * largest
        return 5 <= factor <= 100 and offer(-bound, bound)

    if symmetric:
        current = 100
        for factor in range(100, 4, -5):
            current = factor if magnitude(factor) else current
        for step in (2, 1):
            moved = True
            while moved:
                origin = current
                for factor in (origin - step, origin + step):
                    current = factor if magnitude(factor) else current
                moved = current != origin
        largest = max(abs(values.minimum), abs(values.maximum))
        first = measure(-largest, largest)
    else:
        current = (100, 100)
        for a in range(100, 4, -5):
            for b in range(100, 4, -5):
                current = (a, b) if interval(a, b) else current
        for step in (10, 5, 2, 1):
            moved = True
            while moved:
                moved, origin = False, current
                for a, b in ((-1, 0), (1, 0), (0, -1), (0, 1), (-1, -1), (1, 1)):
                    moving = (origin[0] + step * a, origin[1] + step * b)
                    if interval(*moving):
                        current, moved = moving, True
        first = measure(values.minimum, values.maximum)
    return (*best["bounds"], best["divergence"], first)


def distributions():
    rng = np.random.default_rng(20261128)
    normal = rng.normal(0.1, 0.7, 6000)
    gelu = np.array([x * 0.5 * (1 + math.erf(x / math.sqrt(2))) for x in rng.normal(0, 1.5, 6000)])
    outlier = rng.normal(0, 1, (4, 1500))
    outlier[2] = 20 * outlier[2] + 3
    logits = rng.normal(0, 2, (60, 100))
    attention = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    laplace = rng.laplace(0, 1, 6000)
    few = rng.normal(0, 1, 300)
    made = {"normal": normal, "laplace": laplace, "gelu": gelu, "outlier": outlier, "attention": attention.ravel(),
            "few": few}
    return {name: np.atleast_2d(x).astype(np.float16).astype(np.float32) for name, x in made.items()}


EXPONENTS = {"normal": -6, "laplace": -4, "gelu": -6, "outlier": -3, "attention": -9, "few": -4}


def main():
    arrays = {}
    for name, channels in distributions().items():
        arrays[name] = channels
        wholes = [channels] if len(channels) == 1 else [channels] + [c[None] for c in channels]
        rows = []
        for symmetric in (False, True):
            for bits in (2, 3, 4, 6, 8):
                for exponent in (None, EXPONENTS[name]):
                    for index, part in enumerate(wholes):
                        found = search(Values(part, exponent), symmetric, bits)
                        rows.append([symmetric, bits, exponent is not None, index - 1, *found])
        arrays[name + ".cases"] = np.array(rows, np.float64)  # index -1: all channels
    np.savez_compressed(OUT, **arrays)
    for name in EXPONENTS:
        for row in arrays[name + ".cases"]:
            print(name, " ".join(f"{v:.6g}" for v in row))


if __name__ == "__main__":
    main()
