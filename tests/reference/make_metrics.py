"""Writes tests/data/metrics.json: logits of two models and the figures NumPy computes from them; under "language"
those of two language models, [samples, tokens, vocabulary].

Run: python3 tests/reference/make_metrics.py tests/data/metrics.json
"""
import json
import sys

import numpy as np


def log_softmax(z):
    z = z - z.max(axis=-1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))


def language():
    rng = np.random.default_rng(21)
    reference = (rng.normal(size=(5, 7, 11)) * 2).astype(np.float32)
    actual = (reference + rng.normal(size=reference.shape)).astype(np.float32)
    ids = rng.integers(0, 11, size=(5, 7))
    p, q = reference.astype(np.float64), actual.astype(np.float64)
    log_p, log_q = log_softmax(p), log_softmax(q)
    next_ids = ids[:, 1:]
    nll = -np.take_along_axis(log_q[:, :-1], next_ids[..., None], axis=-1)[..., 0]
    order = np.argsort(-q, axis=-1, kind="stable")[:, :-1]
    return {
        "shape": list(reference.shape),
        "reference": [float(v) for v in reference.ravel()],
        "actual": [float(v) for v in actual.ravel()],
        "ids": [int(v) for v in ids.ravel()],
        "tokens": int(nll.size),
        "nll": float(nll.mean()),
        "perplexity": float(np.exp(nll.mean())),
        "top1": 100.0 * float(np.mean(order[..., 0] == next_ids)),
        "top5": 100.0 * float(np.mean((order[..., :5] == next_ids[..., None]).any(axis=-1))),
        "agreement": 100.0 * float(np.mean(p.argmax(axis=-1) == q.argmax(axis=-1))),
        "kl": float((np.exp(log_p) * (log_p - log_q)).sum(axis=-1).mean()),
        "sqnr_db": float(10 * np.log10((p**2).sum() / ((p - q) ** 2).sum())),
    }


def main(target):
    rng = np.random.default_rng(20)
    reference = (rng.normal(size=(40, 12)) * 3).astype(np.float32)
    actual = (reference + rng.normal(size=reference.shape) * 1.5).astype(np.float32)
    labels = rng.integers(0, 12, size=40)
    p, q = reference.astype(np.float64), actual.astype(np.float64)
    order = np.argsort(-q, axis=1, kind="stable")
    log_p, log_q = log_softmax(p), log_softmax(q)
    result = {
        "made_with": "numpy " + np.__version__ + ", tests/reference/make_metrics.py, seed 20",
        "classes": 12,
        "reference": [float(v) for v in reference.ravel()],
        "actual": [float(v) for v in actual.ravel()],
        "labels": [int(v) for v in labels],
        "top1": 100.0 * float(np.mean(order[:, 0] == labels)),
        "top5": 100.0 * float(np.mean((order[:, :5] == labels[:, None]).any(axis=1))),
        "agreement": 100.0 * float(np.mean(p.argmax(axis=1) == q.argmax(axis=1))),
        "kl": float((np.exp(log_p) * (log_p - log_q)).sum(axis=1).mean()),
        "sqnr_db": float(10 * np.log10((p**2).sum() / ((p - q) ** 2).sum())),
        "language": language(),
    }
    with open(target, "w") as file:
        json.dump(result, file, indent=0, sort_keys=True)
        file.write("\n")


if __name__ == "__main__":
    main(sys.argv[1])
