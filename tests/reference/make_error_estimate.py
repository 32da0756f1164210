"""Writes tests/data/error_estimate.json: errors of samples and the 95 % intervals NumPy computes from them. Student's
quantiles come from integrating the density.

Run: python3 tests/reference/make_error_estimate.py tests/data/error_estimate.json
"""
import json
import math
import sys

import numpy as np

Z = 1.959963984540054


def student_quantile(freedom, share=0.975):
    x = np.linspace(0.0, 200.0, 4_000_001)
    log_norm = math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2) - 0.5 * math.log(freedom * math.pi)
    density = np.exp(log_norm - (freedom + 1) / 2 * np.log1p(x * x / freedom))
    cumulated = 0.5 + np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2 * (x[1] - x[0]))])
    return float(np.interp(share, cumulated, x))


def mean_interval(values, t, lowest, highest):
    half = t * values.std(ddof=1) / math.sqrt(len(values))
    return [float(values.mean()), max(lowest, float(values.mean() - half)), min(highest, float(values.mean() + half))]


def estimate(kl, agreement, signal, noise):
    n = len(kl)
    t = student_quantile(n - 1)
    sqnr = 10 * math.log10(signal.sum() / noise.sum())
    influence = signal / signal.mean() - noise / noise.mean()
    half = 10 / math.log(10) * t * influence.std(ddof=1) / math.sqrt(n)
    if set(np.unique(agreement)) <= {0.0, 1.0}:
        p = agreement.mean()
        centre = (p + Z**2 / (2 * n)) / (1 + Z**2 / n)
        width = Z / (1 + Z**2 / n) * math.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
        share = [100 * float(p), 100 * max(0.0, centre - width), 100 * min(1.0, centre + width)]
    else:
        share = mean_interval(100 * agreement, t, 0.0, 100.0)
    return {
        "kl": [float(v) for v in kl],
        "agreement": [float(v) for v in agreement],
        "signal": [float(v) for v in signal],
        "noise": [float(v) for v in noise],
        "expected": {"kl": mean_interval(kl, t, 0.0, math.inf), "sqnr": [sqnr, sqnr - half, sqnr + half],
                     "agreement": share},
    }


def main(target):
    rng = np.random.default_rng(33)
    cases = []
    for count, whole in ((8, True), (24, True), (64, False), (3, False)):
        agreement = rng.integers(0, 2, size=count).astype(float) if whole else rng.uniform(0.5, 1.0, size=count)
        signal = rng.uniform(200.0, 900.0, size=count)
        cases.append(estimate(rng.lognormal(-3.0, 1.0, size=count), agreement, signal,
                              signal * rng.lognormal(-3.5, 0.6, size=count)))
    result = {
        "made_with": "numpy " + np.__version__ + ", tests/reference/make_error_estimate.py, seed 33",
        "cases": cases,
        "student": [[n, student_quantile(n)] for n in (2, 3, 4, 5, 7, 15, 31, 63, 500)],
    }
    with open(target, "w") as file:
        json.dump(result, file, indent=0, sort_keys=True)
        file.write("\n")


if __name__ == "__main__":
    main(sys.argv[1])
