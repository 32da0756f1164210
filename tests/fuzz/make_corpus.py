#!/usr/bin/python3
"""Writes the seeds of tests/fuzz/corpus: small valid files of every kind the fuzz targets read, by onnx, NumPy, Pillow
and the standard library. Seeds named after a symptom (regression-*) are findings and are kept as they are.
Usage: make_corpus.py [target...]"""
import io
import json
import pathlib
import struct
import sys

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
DATA = HERE.parent / "data"


def write(target, name, content):
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def make_npy():
    rng = np.random.default_rng(1)
    arrays = {
        "f4": rng.standard_normal((2, 3)).astype("<f4"),
        "f8_fortran": np.asfortranarray(rng.standard_normal((3, 2, 2))),
        "f2": rng.standard_normal(5).astype("<f2"),
        "i8_scalar": np.array(-7, "<i8"),
        "bool": np.array([[True, False]]),
        "u2_empty": np.zeros((0, 4), "<u2"),
    }
    for name, array in arrays.items():
        stream = io.BytesIO()
        np.save(stream, array)
        write("npy", name, stream.getvalue())
    for version in ((2, 0), (3, 0)):
        stream = io.BytesIO()
        np.lib.format.write_array(stream, np.arange(4, dtype="<i4"), version=version)
        write("npy", f"version{version[0]}", stream.getvalue())


def make_npz():
    import zipfile

    arrays = {"a": np.arange(6, dtype="<f4").reshape(2, 3), "b": np.array([True, False])}
    for name, save in (("stored", np.savez), ("deflated", np.savez_compressed)):
        stream = io.BytesIO()
        save(stream, **arrays)
        write("npz", name, stream.getvalue())
    member = io.BytesIO()
    np.save(member, np.zeros(256, "<u1"))
    for name, wide, method in (("zip64", True, zipfile.ZIP_STORED), ("run", False, zipfile.ZIP_DEFLATED)):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", method) as archive:
            with archive.open("x.npy", "w", force_zip64=wide) as entry:
                entry.write(member.getvalue())
            archive.comment = b"comment"
        write("npz", name, stream.getvalue())


def pictures():
    from PIL import Image

    y, x = np.mgrid[0:20, 0:24]
    colours = np.stack([x * 10, y * 12, (x * y) % 256], -1).astype(np.uint8)
    return Image.fromarray(colours)


def make_jpeg():
    picture = pictures()
    forms = {
        "grey": (picture.convert("L"), {}),
        "420": (picture, {"quality": 60}),
        "444": (picture, {"quality": 90, "subsampling": 0}),
        "progressive": (picture, {"progressive": True, "quality": 50}),
        "cmyk": (picture.convert("CMYK"), {}),
        "optimised": (picture, {"optimize": True, "quality": 30}),
    }
    for name, (image, options) in forms.items():
        stream = io.BytesIO()
        image.save(stream, "JPEG", **options)
        write("jpeg", name, stream.getvalue())


def png(width, height, depth, colour, rows, interlace=0, extra=b""):
    """Filter type 0 in front of every row; for what Pillow does not write."""
    import zlib

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(rows))
            + chunk(b"IEND", b""))


def make_png():
    picture = pictures().resize((6, 5))
    forms = {
        "rgb": picture,
        "rgba": picture.convert("RGBA"),
        "grey": picture.convert("L"),
        "grey_alpha": picture.convert("LA"),
        "palette": picture.quantize(5),
        "one_bit": picture.convert("1"),
    }
    for name, image in forms.items():
        stream = io.BytesIO()
        image.save(stream, "PNG", optimize=True)
        write("png", name, stream.getvalue())
    stream = io.BytesIO()
    picture.quantize(5).save(stream, "PNG", transparency=2)
    write("png", "palette_transparent", stream.getvalue())
    write("png", "grey16", png(2, 2, 16, 0, b"\x00\x01\x02\x03\x04" * 2))
    # Adam7 of 2 x 2 pixels: pass 1 holds one pixel, pass 6 one, pass 7 a row of two
    write("png", "interlaced", png(2, 2, 8, 0, b"\x00\x10\x00\x20\x00\x30\x40", interlace=1))


def safetensors(tensors, metadata=None):
    header, payload = {}, b""
    for name, (dtype, shape, content) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(payload), len(payload) + len(content)]}
        payload += content
    if metadata:
        header["__metadata__"] = metadata
    text = json.dumps(header, separators=(",", ":")).encode()
    return struct.pack("<Q", len(text)) + text + payload


def make_safetensors():
    write("safetensors", "types", safetensors({
        "a.weight": ("F32", [2, 2], bytes(16)), "b": ("BF16", [3], bytes(6)), "c": ("F16", [], b"\0\x3c"),
        "d": ("I64", [1, 1], bytes(8)), "e": ("U8", [0], b""), "f": ("BOOL", [2], b"\1\0")}))
    write("safetensors", "metadata", safetensors({"w": ("F64", [1], bytes(8))}, {"format": "pt", "note": "ä"}))
    write("safetensors", "empty", safetensors({}))


def make_safetensors_index():
    """For the two shards that the target has: the seeds "types" and "metadata" of the target "safetensors"."""
    shards = {name: "a.safetensors" for name in ("a.weight", "b", "c", "d", "e", "f")} | {"w": "b.safetensors"}
    write("safetensors_index", "whole", json.dumps({"metadata": {"total_size": 60}, "weight_map": shards}))
    del shards["w"]
    write("safetensors_index", "one", json.dumps({"weight_map": shards}))


def make_config():
    for config in sorted(DATA.glob("*/config.json")):
        folder = config.parent
        text = f"=== base {folder.name}\n"
        for name in ("config.json", "preprocessor_config.json", "model.safetensors.index.json"):
            if (folder / name).exists():
                content = json.dumps(json.loads((folder / name).read_text()), separators=(",", ":"))
                text += f"=== {name}\n{content}\n"
        write("config", folder.name, text)


def make_recipe():
    choice = {"enabled": True, "kind": "uniform", "symmetry": "asymmetric", "granularity": "group", "bits": 8,
              "method": "manual", "manual_bounds": [[-1.5, 2.25], [0, 1e-3]]}
    params = {"kind": "log2", "symmetry": "symmetric", "granularity": "tensor", "axis": "head", "bits": 4,
              "scales": [0.0125], "zero_points": [3], "bounds": [[-1, 1]]}
    recipe = {
        "format": "quantoscope-recipe", "format_version": 1, "tool_version": "0.1.0",
        "model": {"name": "tiny", "hash": "a" * 64}, "calibration": {"hash": "b" * 64, "samples": 32}, "seed": 5,
        "preprocessing": {"height": 224, "width": 224, "resize_shorter": 248, "resampling": "bicubic",
                          "mean": [0.5, 0.5, 0.5], "std": [0.2, 0.25, 0.3]},
        "plan": {"head.input": choice, "head.weight": dict(choice, method="mse", manual_bounds=[], bits=2)},
        "quantizers": {"head.input": params}}
    write("recipe", "whole", json.dumps(recipe))
    del recipe["seed"]
    write("recipe", "least", json.dumps(dict(recipe, preprocessing=None, plan={}, quantizers={})))


def make_onnx():
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(2)

    def f32(name, *shape):
        return numpy_helper.from_array(rng.standard_normal(shape).astype(np.float32), name)

    def i64(name, values):
        return numpy_helper.from_array(np.array(values, np.int64), name)

    def model(name, nodes, inputs, outputs, initializers=(), opset=17):
        def infos(values):
            return [helper.make_tensor_value_info(value, kind, shape) for value, (kind, shape) in values.items()]

        graph = helper.make_graph(nodes, "g", infos(inputs), infos(outputs), list(initializers))
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], producer_name="quantoscope")
        made.ir_version = 8
        write("onnx", name, made.SerializeToString())

    F, node = TensorProto.FLOAT, helper.make_node
    x = {"x": (F, ["batch", 4])}
    y = {"y": (F, None)}
    model("linear", [node("MatMul", ["x", "w"], ["m"], name="/fc/MatMul"), node("Add", ["m", "b"], ["a"], name="/fc/Add"),
                     node("Relu", ["a"], ["r"]), node("Gemm", ["r", "v", "c"], ["y"], transB=1)],
          x, y, [f32("w", 4, 3), f32("b", 3), f32("v", 2, 3), f32("c", 2)])
    model("layer_norm", [node("ReduceMean", ["x"], ["mean"], axes=[-1]), node("Sub", ["x", "mean"], ["d"]),
                         node("Pow", ["d", "two"], ["s"]), node("ReduceMean", ["s"], ["v"], axes=[-1]),
                         node("Add", ["v", "eps"], ["e"]), node("Sqrt", ["e"], ["q"]), node("Div", ["d", "q"], ["n"]),
                         node("Mul", ["n", "g"], ["w"]), node("Add", ["w", "b"], ["y"])],
          x, y, [f32("g", 4), f32("b", 4), numpy_helper.from_array(np.float32(2), "two"),
                 numpy_helper.from_array(np.float32(1e-5), "eps")])
    model("gelu", [node("Div", ["x", "r2"], ["d"]), node("Erf", ["d"], ["e"]), node("Add", ["e", "one"], ["a"]),
                   node("Mul", ["x", "a"], ["m"]), node("Mul", ["m", "half"], ["y"])],
          x, y, [numpy_helper.from_array(np.float32(v), n) for n, v in (("r2", 2 ** .5), ("one", 1), ("half", .5))])
    model("attention", [node("MatMul", ["x", "w"], ["qkv"]), node("Reshape", ["qkv", "s"], ["r"]),
                        node("Transpose", ["r"], ["t"], perm=[2, 0, 3, 1, 4]),
                        node("Split", ["t", "parts"], ["q", "k", "v"], axis=0), node("Squeeze", ["q", "ax"], ["q1"]),
                        node("Squeeze", ["k", "ax"], ["k1"]), node("Squeeze", ["v", "ax"], ["v1"]),
                        node("Transpose", ["k1"], ["kt"], perm=[0, 1, 3, 2]), node("MatMul", ["q1", "kt"], ["z"]),
                        node("Softmax", ["z"], ["p"], axis=-1), node("MatMul", ["p", "v1"], ["o"]),
                        node("Transpose", ["o"], ["ot"], perm=[0, 2, 1, 3]), node("Reshape", ["ot", "flat"], ["y"])],
          {"x": (F, ["n", 3, 4])}, y,
          [f32("w", 4, 12), i64("s", [0, 3, 3, 2, 2]), i64("parts", [1, 1, 1]), i64("ax", [0]), i64("flat", [0, 3, 4])])
    model("convolution", [node("Conv", ["x", "w", "b"], ["c"], kernel_shape=[2, 2], strides=[2, 2], pads=[0, 0, 1, 1]),
                          node("Flatten", ["c"], ["y"], axis=2)],
          {"x": (F, [1, 3, 4, 4])}, y, [f32("w", 2, 3, 2, 2), f32("b", 2)])
    model("shapes", [node("Shape", ["x"], ["s"]), node("Gather", ["s", "i"], ["d"], axis=0),
                     node("Concat", ["d", "rest"], ["t"], axis=0), node("Reshape", ["x", "t"], ["r"]),
                     node("Slice", ["r", "from", "to", "ax", "step"], ["c"]), node("Unsqueeze", ["c", "ax"], ["u"]),
                     node("Expand", ["u", "t3"], ["y"])],
          x, y, [i64("i", [0]), i64("rest", [2, 2]), i64("from", [0]), i64("to", [2 ** 62]), i64("ax", [1]),
                 i64("step", [1]), i64("t3", [1, 2, 2, 2])])
    model("old_opset", [node("Unsqueeze", ["x"], ["u"], axes=[0]), node("Squeeze", ["u"], ["s"], axes=[0]),
                        node("Split", ["s"], ["a", "b"], axis=1, split=[2, 2]), node("Softmax", ["a"], ["y"])],
          x, y, opset=11)
    model("constants", [node("Constant", [], ["c"], value=f32("", 4)), node("Constant", [], ["f"], value_float=1.5),
                        node("Constant", [], ["i"], value_ints=[1, 4]), node("Mul", ["x", "c"], ["m"]),
                        node("Add", ["m", "f"], ["a"]), node("Reshape", ["a", "i"], ["y"])], x, y)
    model("qdq", [node("QuantizeLinear", ["x", "s", "z"], ["q"]), node("DequantizeLinear", ["q", "s", "z"], ["d"]),
                  node("DequantizeLinear", ["w8", "ws", "wz"], ["w"], axis=1), node("MatMul", ["d", "w"], ["y"])],
          x, y, [numpy_helper.from_array(np.float32(.1), "s"), numpy_helper.from_array(np.uint8(128), "z"),
                 numpy_helper.from_array(rng.integers(-127, 127, (4, 3)).astype(np.int8), "w8"), f32("ws", 3),
                 numpy_helper.from_array(np.zeros(3, np.int8), "wz")])
    typed = [helper.make_tensor("float", F, [2], [1, 2]), helper.make_tensor("double", TensorProto.DOUBLE, [1], [3]),
             helper.make_tensor("half", TensorProto.FLOAT16, [2], [1.5, 2]),
             helper.make_tensor("bool", TensorProto.BOOL, [2], [True, False]),
             helper.make_tensor("u64", TensorProto.UINT64, [1], [2 ** 63]),
             helper.make_tensor("i8", TensorProto.INT8, [1], [-3])]
    external = TensorProto(name="external", data_type=F, dims=[4], data_location=TensorProto.EXTERNAL)
    for key, value in (("location", "weights.bin"), ("offset", "64"), ("length", "16")):
        external.external_data.add(key=key, value=value)
    model("tensors", [node("Cast", ["half"], ["h"], to=F), node("Add", ["x", "external"], ["a"]),
                      node("Add", ["float", "h"], ["b"]), node("Identity", ["a"], ["y"])], x, y, typed + [external])
    branch = helper.make_graph([node("Identity", ["x"], ["t"])], "b", [], [helper.make_tensor_value_info("t", F, None)])
    model("control_flow", [node("If", ["c"], ["y"], then_branch=branch, else_branch=branch)],
          x | {"c": (TensorProto.BOOL, [])}, y)


def make_wav():
    for file in sorted((DATA / "wav").glob("*.wav")):
        write("wav", file.stem, file.read_bytes())


def make_tokenizer():
    for folder in sorted(path for path in (DATA / "tokenizers").iterdir() if path.is_dir()):
        write("tokenizer", folder.name, (folder / "tokenizer.json").read_bytes())


def main():
    makers = {name.removeprefix("make_"): maker for name, maker in globals().items() if name.startswith("make_")}
    for name in sys.argv[1:] or sorted(makers):
        makers[name]()


if __name__ == "__main__":
    main()
