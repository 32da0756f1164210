#!/usr/bin/env python3
"""Reference of the closed-form weight reconstruction: tests/data/methods/reconstruction.json.

NumPy in double precision. The ridge correction solves the normal equations of
    sum |T - A [W b]^T|^2 / n + ridge mean(diag(X^T X / n)) |[W b] - [W0 b0]|^2.
Rounding with error feedback is stated as optimal brain surgery does it, not through a Cholesky factor: after a column is
rounded, the columns that are still free move by the least-squares answer to its error,
    d_free = -H_ff^-1 H_fi d_i.
"""
import json
import pathlib

import numpy as np

rng = np.random.default_rng(20)
n, k, o = 60, 5, 3
x = rng.normal(size=(n, k)) @ rng.normal(size=(k, k)) + 0.4
x = x.astype(np.float32).astype(np.float64)
xq = np.round(x / 0.5) * 0.5
w = rng.normal(size=(o, k)).astype(np.float32).astype(np.float64)
b = rng.normal(size=o).astype(np.float32).astype(np.float64)
y = (x @ w.T + b).astype(np.float32).astype(np.float64)

a = np.hstack([xq, np.ones((n, 1))])
gram = a.T @ a / n
ridge = 0.01 * np.mean(np.diag(gram)[:k])
w0 = np.hstack([w, b[:, None]])
target = y.T @ a / n
corrected = w0 + np.linalg.solve(gram + ridge * np.eye(k + 1), (target - w0 @ gram).T).T

ridges = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
seen = 12  # rows that the correction is made from; it is tried on the others
held_out = []
drifted = y + 0.3 * a @ rng.normal(size=(k + 1, o)) + 2.0 * rng.normal(size=(n, o))
drifted = drifted.astype(np.float32).astype(np.float64)
for factor in ridges:
    g = a[:seen].T @ a[:seen] / seen
    t = drifted[:seen].T @ a[:seen] / seen
    regular = g + factor * np.mean(np.diag(g)[:k]) * np.eye(k + 1)
    tried = w0 + np.linalg.solve(regular, (t - w0 @ g).T).T
    held_out.append(float(np.mean(np.sum((drifted[seen:] - a[seen:] @ tried.T) ** 2, 1))))


def feedback(row, h, step, zero, top):
    """Columns in natural order; all of them are rounded."""
    row = row.copy()
    size = len(row)
    codes = []
    for i in range(size):
        code = np.clip(np.round(row[i] / step) + zero, 0, top)
        error = (code - zero) * step - row[i]
        row[i] = (code - zero) * step
        codes.append(int(code))
        free = list(range(i + 1, size))
        if free:
            row[free] -= np.linalg.solve(h[np.ix_(free, free)], h[free, i]) * error
    return codes


hessian = xq.T @ xq / n
damped = hessian + 0.01 * np.mean(np.diag(hessian)) * np.eye(k)
rows = []
for r in w:
    step = np.float32((r.max() - r.min()) / 7.0)
    zero = int(np.round(-r.min() / step))
    rows.append({"step": float(step), "zero_point": zero, "codes": feedback(r, damped, float(step), zero, 7)})

out = {
    "provenance": "tests/reference/make_reconstruction.py, NumPy " + np.__version__,
    "inputs": xq.tolist(), "targets": y.tolist(), "weight": w.tolist(), "bias": b.tolist(),
    "corrected_weight": corrected[:, :k].tolist(), "corrected_bias": corrected[:, k].tolist(),
    "hessian": hessian.tolist(), "rows": rows,
    "drifted_targets": drifted.tolist(), "seen": seen, "ridges": ridges, "held_out_errors": held_out,
    "relative_error": float(np.mean(np.sum((y - a @ corrected.T) ** 2, 1)) / np.mean(np.sum(y ** 2, 1))),
}
path = pathlib.Path(__file__).resolve().parents[1] / "data" / "methods" / "reconstruction.json"
path.write_text(json.dumps(out, indent=1, sort_keys=True) + "\n")
