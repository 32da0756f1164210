#!/usr/bin/python3
"""Writes tests/data/images: small JPEG and PNG files, and pixels.npz with what they hold.

Provenance: JPEG files and most PNG files by Pillow 9.4.0 (libjpeg-turbo 2.1.5, libpng 1.6.39; Debian 12); their pixels
are Pillow's open().convert("RGB"). PNG files of 16 bits and interlaced ones, which Pillow does not write, come from
the writer below, and their pixels are the array it was given (16 bits: the high byte).
Run from the repository's root: /usr/bin/python3 tests/reference/make_images.py
"""
import os
import struct
import zlib

import numpy as np
from PIL import Image

HERE = os.path.join(os.path.dirname(__file__), "..", "data", "images")
WIDTH, HEIGHT = 37, 29  # no multiple of a block or of a chroma sample


def picture():
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    image = np.stack([x * 255 // (WIDTH - 1), y * 255 // (HEIGHT - 1), 255 - (x * y) % 256], axis=2)
    image[(x - 12) ** 2 + (y - 12) ** 2 < 40] = (250, 30, 60)
    image[20:26, 20:34] = (0, 0, 255)
    return image.astype(np.uint8)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def write_png(path, array, colour_type, interlaced):
    """array [height, width, channels], uint8 or uint16."""
    height, width = array.shape[:2]
    depth = array.dtype.itemsize * 8
    big = array.astype(array.dtype.newbyteorder(">"))
    passes = [(0, 0, 1, 1)]
    if interlaced:
        passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    rows = b""
    for left, top, step_x, step_y in passes:
        part = big[top::step_y, left::step_x]
        if part.size:
            rows += b"".join(b"\0" + row.tobytes() for row in part)
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, int(interlaced))
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9))
                   + chunk(b"IEND", b""))


def main():
    os.makedirs(HERE, exist_ok=True)
    image = Image.fromarray(picture())
    pixels = {}

    def save(name, source, **options):
        path = os.path.join(HERE, name)
        source.save(path, **options)
        pixels[name] = np.asarray(Image.open(path).convert("RGB"))

    save("photo420.jpg", image, quality=80)
    save("photo422.jpg", image, quality=80, subsampling=1)
    save("photo444.jpg", image, quality=95, subsampling=0)
    save("progressive.jpg", image, quality=80, progressive=True)
    save("grey.jpg", image.convert("L"), quality=80)
    ink = 255 - np.asarray(image).astype(np.int64)
    black = (ink.min(axis=2, keepdims=True) * 2) // 3
    save("cmyk.jpg", Image.fromarray(np.concatenate([ink, black], 2).astype(np.uint8), "CMYK"), quality=90)
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter: ignored
    save("turned.jpg", image, quality=80, exif=exif)

    save("rgb.png", image)
    alpha = Image.fromarray((np.arange(WIDTH * HEIGHT) % 256).astype(np.uint8).reshape(HEIGHT, WIDTH))
    rgba = image.copy()
    rgba.putalpha(alpha)
    save("rgba.png", rgba)
    save("grey.png", image.convert("L"))
    save("grey_alpha.png", Image.merge("LA", (image.convert("L"), alpha)))
    save("one_bit.png", image.convert("1"))
    palette = image.quantize(13, method=Image.Quantize.MEDIANCUT)
    save("palette.png", palette, bits=4)
    save("palette_transparent.png", palette, bits=4, transparency=3)

    plain = picture()
    wide = plain.astype(np.uint16) * 256 + 200  # the low byte must not round the high one up
    write_png(os.path.join(HERE, "rgb16.png"), wide, 2, False)
    pixels["rgb16.png"] = plain
    write_png(os.path.join(HERE, "grey16.png"), wide[:, :, :1], 0, False)
    pixels["grey16.png"] = np.repeat(plain[:, :, :1], 3, axis=2)
    write_png(os.path.join(HERE, "interlaced.png"), plain, 2, True)
    pixels["interlaced.png"] = np.asarray(Image.open(os.path.join(HERE, "interlaced.png")).convert("RGB"))
    assert (pixels["interlaced.png"] == plain).all()
    np.savez_compressed(os.path.join(HERE, "pixels.npz"), **pixels)


main()
