#!/usr/bin/python3
"""Writes tests/data/npy: arrays as NumPy itself stores them.

Provenance: NumPy 1.24.2 and the zipfile module of Python 3.11 (Debian 12). Every array holds 0, 1, 2, … in C order
(booleans: odd numbers), so a test can state the expected value of any index.
Run from the repository's root: /usr/bin/python3 tests/reference/make_npy.py
"""
import io
import os
import zipfile

import numpy as np

HERE = os.path.join(os.path.dirname(__file__), "..", "data", "npy")


def counting(dtype, *shape):
    return np.arange(int(np.prod(shape))).reshape(shape).astype(dtype)


def fixed_member(archive, name, array, method):
    data = io.BytesIO()
    np.lib.format.write_array(data, array)
    info = zipfile.ZipInfo(name + ".npy", (1980, 1, 1, 0, 0, 0))
    info.compress_type = method
    archive.writestr(info, data.getvalue())


def main():
    os.makedirs(HERE, exist_ok=True)
    for code in "f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8".split():
        np.save(os.path.join(HERE, f"c_{code}.npy"), counting(code, 2, 3, 4))
    np.save(os.path.join(HERE, "c_b1.npy"), counting("i4", 2, 3, 4) % 2 == 1)
    np.save(os.path.join(HERE, "fortran_f4.npy"), np.asfortranarray(counting("f4", 2, 3, 4)))
    np.save(os.path.join(HERE, "fortran_i2.npy"), np.asfortranarray(counting("i2", 5, 3)))
    np.save(os.path.join(HERE, "scalar_f8.npy"), np.float64(2.5))
    np.save(os.path.join(HERE, "empty_f4.npy"), np.zeros((0, 4), "f4"))
    np.save(os.path.join(HERE, "vector_f4.npy"), counting("f4", 5))
    np.save(os.path.join(HERE, "big_endian.npy"), counting(">f4", 3))
    np.save(os.path.join(HERE, "objects.npy"), np.array([{"a": 1}], dtype=object), allow_pickle=True)
    np.save(os.path.join(HERE, "records.npy"), np.zeros(2, [("a", "f4"), ("b", "i2")]))
    np.save(os.path.join(HERE, "complex.npy"), np.zeros(2, "c8"))
    for version in ((2, 0), (3, 0)):
        with open(os.path.join(HERE, f"version{version[0]}.npy"), "wb") as file:
            np.lib.format.write_array(file, counting("f4", 3, 2), version=version)

    def archive(name, method, **options):
        with zipfile.ZipFile(os.path.join(HERE, name), "w", **options) as target:
            fixed_member(target, "x", counting("f4", 3, 2), method)
            fixed_member(target, "labels", counting("i8", 3), method)
            fixed_member(target, "zeros", np.zeros((100, 10), "f4"), method)
            target.writestr(zipfile.ZipInfo("readme.txt", (1980, 1, 1, 0, 0, 0)), "not an array")

    archive("stored.npz", zipfile.ZIP_STORED)
    archive("deflated.npz", zipfile.ZIP_DEFLATED)
    archive("bzip2.npz", zipfile.ZIP_BZIP2)
    zipfile.ZIP64_LIMIT = 16  # every size and offset goes to the zip64 fields
    archive("zip64.npz", zipfile.ZIP_DEFLATED, allowZip64=True)


main()
