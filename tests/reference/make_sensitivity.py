#!/usr/bin/env python3
"""Writes tests/data/sensitivity.json: a small classifier x -> linear -> GELU -> linear, one site quantized at a time at
two widths, with its whole error and with the clipped or the rounded values alone, and what NumPy finds of the logits;
bootstrap intervals over the samples.

Fake quantization in float32 (methods.md 0.2: s = (upper - lower) / (2^b - 1), z = round(-lower / s)), products and
metrics in float64. Draws of the bootstrap: SplitMix64, index = (upper half * samples) >> 32.

Run: python3 tests/reference/make_sensitivity.py tests/data/sensitivity.json
"""
import json
import math
import sys

import numpy as np

SAMPLES, IN, HIDDEN, CLASSES = 24, 6, 8, 5
RESAMPLES, SEED, COVERAGE = 400, 7, 0.9
F = np.float32
erf = np.vectorize(math.erf)


def gelu(x):
    return 0.5 * x * (1 + erf(x / math.sqrt(2)))


def quantized(x, bits, lower, upper, cause):
    """lower and upper broadcast with x; what is clipped is where the code saturates."""
    top = 2**bits - 1
    lower, upper = np.asarray(lower, F), np.asarray(upper, F)
    scale = ((upper - lower) / F(top)).astype(F)
    zero = np.rint(-lower / scale).astype(F)
    code = np.rint(x.astype(F) / scale) + zero
    value = ((np.clip(code, 0, top) - zero) * scale).astype(F)
    clipped = (code < 0) | (code > top)
    if cause == "clipping":
        value = np.where(clipped, value, x)
    elif cause == "rounding":
        value = np.where(clipped, x, value)
    return value, clipped


def log_softmax(z):
    z = z - z.max(axis=-1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))


class Draws:
    def __init__(self, seed):
        self.state = seed

    def below(self, count):
        mask = (1 << 64) - 1
        self.state = (self.state + 0x9E3779B97F4A7C15) & mask
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        z ^= z >> 31
        return ((z >> 32) * count) >> 32


def main(target):
    rng = np.random.default_rng(5)
    x = rng.normal(size=(SAMPLES, IN)).astype(F)
    x[3] *= 3
    w1 = (rng.normal(size=(HIDDEN, IN)) * 0.6).astype(F)
    w2 = (rng.normal(size=(CLASSES, HIDDEN)) * 0.9).astype(F)

    def hidden(inputs, weight):
        return gelu(inputs.astype(np.float64) @ weight.astype(np.float64).T).astype(F)

    def head(h, weight):
        return h.astype(np.float64) @ weight.astype(np.float64).T

    h = hidden(x, w1)
    reference = head(h, w2)
    # labels: FP32's prediction, but for every fifth sample
    labels = reference.argmax(axis=1)
    labels[::5] = (labels[::5] + 1) % CLASSES

    manual = {"fc1.input": (-1.5, 1.25), "fc2.input": (-0.25, 1.0)}
    sites = []
    for name in ("fc1.input", "fc1.weight", "fc2.input", "fc2.weight"):
        for bits in (3, 4):
            entry = {"site": name, "bits": bits}
            for cause in ("both", "clipping", "rounding"):
                if name == "fc1.input":
                    q, clipped = quantized(x, bits, *manual[name], cause)
                    logits = head(hidden(q, w1), w2)
                elif name == "fc2.input":
                    q, clipped = quantized(h, bits, *manual[name], cause)
                    logits = head(q, w2)
                else:
                    w = w1 if name == "fc1.weight" else w2
                    q, clipped = quantized(w, bits, w.min(axis=1, keepdims=True), w.max(axis=1, keepdims=True), cause)
                    logits = head(hidden(x, q), w2) if name == "fc1.weight" else head(h, q)
                log_p, log_q = log_softmax(reference), log_softmax(logits)
                kl = (np.exp(log_p) * (log_p - log_q)).sum(axis=1)
                same = reference.argmax(axis=1) == logits.argmax(axis=1)
                signal, noise = (reference**2).sum(axis=1), ((reference - logits) ** 2).sum(axis=1)
                with np.errstate(divide="ignore"):
                    sqnr = 10 * np.log10(signal.sum() / noise.sum())
                figures = {"kl": float(kl.mean()), "changed": float(100 * np.mean(~same)),
                           "sqnr_db": float(sqnr) if np.isfinite(sqnr) else None}
                if cause != "both":
                    entry[cause] = figures
                    continue
                entry.update(figures)
                entry["clipped"] = int(clipped.sum())
                right = (reference.argmax(axis=1) == labels).astype(int)
                now = (logits.argmax(axis=1) == labels).astype(int)
                entry["top1_drop"] = float(100 * (right - now).mean())
                draws, values = Draws(SEED), []
                for _ in range(RESAMPLES):
                    i = [draws.below(SAMPLES) for _ in range(SAMPLES)]
                    values.append((kl[i].mean(), 100 * np.mean(~same[i]),
                                   10 * np.log10(signal[i].sum() / noise[i].sum()), 100 * (right - now)[i].mean()))
                tail = 100 * (1 - COVERAGE) / 2
                ends = np.percentile(np.array(values), [tail, 100 - tail], axis=0)
                for key, column in zip(("kl", "changed", "sqnr_db", "top1_drop"), range(4)):
                    entry[key + "_interval"] = [float(v) for v in ends[:, column]]
            sites.append(entry)
    result = {"made_with": "numpy " + np.__version__ + ", tests/reference/make_sensitivity.py",
              "x": [[float(v) for v in row] for row in x], "w1": [[float(v) for v in row] for row in w1],
              "w2": [[float(v) for v in row] for row in w2], "labels": [int(v) for v in labels],
              "manual": manual, "resamples": RESAMPLES, "seed": SEED, "coverage": COVERAGE, "sites": sites}
    with open(target, "w") as file:
        json.dump(result, file, indent=0, sort_keys=True)
        file.write("\n")
    for s in sites:
        print(s["site"], s["bits"], s["clipped"], s["kl"], s["changed"], s["top1_drop"], s["kl_interval"])


if __name__ == "__main__":
    main(sys.argv[1])
