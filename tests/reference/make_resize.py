#!/usr/bin/python3
"""Writes tests/data/images/resize.npz: a picture and what Pillow makes of it at other sizes.

Provenance: Pillow 9.4.0, NumPy 1.24.2 (Debian 12). "input" is [47, 61, 3]; every other array is named
<filter>_<width>x<height> and holds Image.resize((width, height), filter).
Run from the repository's root: /usr/bin/python3 tests/reference/make_resize.py
"""
import os

import numpy as np
from PIL import Image

HERE = os.path.join(os.path.dirname(__file__), "..", "data", "images")
SIZES = [(23, 31), (70, 55), (61, 20), (29, 47), (1, 1), (150, 3), (2, 46), (61, 47)]


def picture():
    """Smooth ramps, hard edges and noise, so that overshoot and clipping both happen."""
    generator = np.random.default_rng(20250101)
    y, x = np.mgrid[0:47, 0:61]
    image = np.stack([x * 255 // 60, y * 255 // 46, (x + y) * 2], axis=2).astype(np.int64)
    image[10:20, 10:40] = 255 * (((x + y) // 3) % 2)[10:20, 10:40, None]
    image[25:40, 30:55] = generator.integers(0, 256, (15, 25, 3))
    return np.clip(image, 0, 255).astype(np.uint8)


def main():
    os.makedirs(HERE, exist_ok=True)
    image = picture()
    arrays = {"input": image}
    for name, kind in (("nearest", Image.NEAREST), ("bilinear", Image.BILINEAR), ("bicubic", Image.BICUBIC)):
        for size in SIZES:
            resized = Image.fromarray(image).resize(size, kind)
            arrays[f"{name}_{size[0]}x{size[1]}"] = np.asarray(resized)
    np.savez_compressed(os.path.join(HERE, "resize.npz"), **arrays)


main()
