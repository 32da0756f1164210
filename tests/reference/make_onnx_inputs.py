#!/usr/bin/python3
"""Writes tests/data/onnx_inputs: a model with inputs of several types, none of them a batch of floats, and its outputs.

Provenance: NumPy 1.24.2 and onnx 1.12.0 (Debian 12). picked = table[ids] * gain, seen = NOT mask, limit = a constant.
Run from the repository's root: /usr/bin/python3 tests/reference/make_onnx_inputs.py
"""
import os

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save

HERE = os.path.join(os.path.dirname(__file__), "..", "data", "onnx_inputs")


def main():
    os.makedirs(HERE, exist_ok=True)
    table = np.array([[1, 2], [3, 4], [5, 6]], np.float16)
    limit = np.array([7, 8], np.int64)
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["table", "ids"], ["rows"], name="/embed/Gather"),
            helper.make_node("Mul", ["rows", "gain"], ["picked"], name="/embed/Mul"),
            helper.make_node("Not", ["mask"], ["seen"], name="/mask/Not"),
        ],
        "inputs",
        [
            helper.make_tensor_value_info("ids", TensorProto.INT64, ["tokens"]),
            helper.make_tensor_value_info("gain", TensorProto.FLOAT16, []),
            helper.make_tensor_value_info("mask", TensorProto.BOOL, [2, 1]),
        ],
        [
            helper.make_tensor_value_info("picked", TensorProto.FLOAT16, ["tokens", 2]),
            helper.make_tensor_value_info("seen", TensorProto.BOOL, [2, 1]),
            helper.make_tensor_value_info("limit", TensorProto.INT64, [2]),
            helper.make_tensor_value_info("gain", TensorProto.FLOAT16, []),
        ],
        [numpy_helper.from_array(table, "table"), numpy_helper.from_array(limit, "limit")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="make_onnx_inputs.py")
    model.ir_version = 8
    save(model, os.path.join(HERE, "model.onnx"))
    ids = np.array([2, 0, 2], np.int32)
    gain = np.array(0.5, np.float16)
    mask = np.array([[True], [False]])
    arrays = {
        "ids": ids,
        "gain_in": gain,
        "mask": mask,
        "picked": (table[ids] * gain).astype(np.float32),
        "seen": ~mask,
        "limit": limit,
        "gain": gain.astype(np.float32),
    }
    for name, array in arrays.items():
        np.save(os.path.join(HERE, name + ".npy"), array)


if __name__ == "__main__":
    main()
