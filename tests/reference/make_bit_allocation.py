#!/usr/bin/env python3
"""Budgets of bits by trying every combination: the vertices of the lower convex hull of (mean bits, noise).

Usage: /usr/bin/python3 tests/reference/make_bit_allocation.py      writes tests/data/bit_allocation.json
"""
import itertools
import json
import pathlib

import numpy as np


def hull(points):
    """Lower convex hull of (cost, noise, which) by Andrew's monotone chain, ending at the least noise."""
    best = {}
    for cost, noise, which in points:
        if cost not in best or noise < best[cost][0]:
            best[cost] = (noise, which)
    chain = []
    for cost in sorted(best):
        noise, which = best[cost]
        while len(chain) >= 2:
            (c0, n0, _), (c1, n1, _) = chain[-2], chain[-1]
            if (c1 - c0) * (noise - n0) - (n1 - n0) * (cost - c0) > 1e-15:
                break
            chain.pop()
        chain.append((cost, noise, which))
    end = min(range(len(chain)), key=lambda i: chain[i][1])
    return chain[: end + 1]


def case(random, sites, widths, monotone):
    costs = [int(c) for c in random.integers(1, 50, sites)]
    noise = []
    for _ in range(sites):
        scale = 10.0 ** random.uniform(-4, 0)
        values = [scale * 4.0 ** -b * random.uniform(0.3, 3.0) for b in widths]
        if monotone:
            values = sorted(values, reverse=True)
        noise.append(values)
    fixed = float(10.0 ** random.uniform(-6, -4))
    points = []
    for choice in itertools.product(range(len(widths)), repeat=sites):
        cost = sum(c * widths[k] for c, k in zip(costs, choice)) / sum(costs)
        points.append((cost, fixed + sum(noise[i][k] for i, k in enumerate(choice)), choice))
    front = hull(points)
    return {
        "costs": costs,
        "widths": widths,
        "noise": noise,
        "fixed": fixed,
        "front": [{"mean_bits": c, "noise": n, "bits": [widths[k] for k in which]} for c, n, which in front],
    }


def main():
    random = np.random.default_rng(11)
    cases = [case(random, 1, [2, 4, 8], True), case(random, 4, [2, 3, 4, 6, 8], True),
             case(random, 6, [3, 4, 8], True), case(random, 5, [2, 4, 5, 6], False)]
    target = pathlib.Path(__file__).parent.parent / "data" / "bit_allocation.json"
    target.write_text(json.dumps({"cases": cases}, indent=1) + "\n")


if __name__ == "__main__":
    main()
