#!/usr/bin/python3
"""Writes a ViT of DeiT's shape with random weights as ONNX, for timing alone.

make_vit_onnx.py OUT.onnx WIDTH HEADS [DEPTH = 12]     DeiT-Small: 384 6, DeiT-Base: 768 12

Opset 20 with LayerNormalization and Gelu as operators, a packed qkv product and a free batch dimension, so that every runtime
sees the same graph.
"""
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

out, width, heads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
depth = int(sys.argv[4]) if len(sys.argv) > 4 else 12
tokens, classes, patch, size = 197, 1000, 16, 224
rng = np.random.default_rng(0)
nodes, constants = [], []


def constant(name, array):
    constants.append(numpy_helper.from_array(array, name))
    return name


def normal(name, *shape, scale=0.02):
    return constant(name, (rng.standard_normal(shape) * scale).astype(np.float32))


def ints(name, *values):
    return constant(name, np.array(values, np.int64))


def node(op, inputs, name, outputs=None, **attributes):
    nodes.append(helper.make_node(op, inputs, outputs or [name], name=name, **attributes))
    return (outputs or [name])[0]


def linear(x, name, inputs, outputs):
    y = node("MatMul", [x, normal(name + ".weight", inputs, outputs)], name + ".matmul")
    return node("Add", [y, normal(name + ".bias", outputs)], name)


def norm(x, name):
    scale = constant(name + ".weight", np.ones(width, np.float32))
    shift = constant(name + ".bias", np.zeros(width, np.float32))
    return node("LayerNormalization", [x, scale, shift], name, axis=-1, epsilon=1e-6)


def attention(x, name):
    packed = linear(x, name + ".qkv", width, 3 * width)
    split = node("Reshape", [packed, ints(name + ".split", 0, tokens, 3, heads, width // heads)], name + ".reshape")
    turned = node("Transpose", [split], name + ".transpose", perm=[2, 0, 3, 1, 4])
    q, k, v = (node("Gather", [turned, constant(f"{name}.{i}", np.array(i, np.int64))], f"{name}.{part}", axis=0)
               for i, part in enumerate("qkv"))
    scores = node("MatMul", [q, node("Transpose", [k], name + ".kT", perm=[0, 1, 3, 2])], name + ".matmul1")
    factor = constant(name + ".factor", np.array((width // heads) ** -0.5, np.float32))
    scaled = node("Mul", [scores, factor], name + ".scale")
    context = node("MatMul", [node("Softmax", [scaled], name + ".softmax", axis=-1), v], name + ".matmul2")
    joined = node("Transpose", [context], name + ".join.transpose", perm=[0, 2, 1, 3])
    joined = node("Reshape", [joined, ints(name + ".join.shape", 0, tokens, width)], name + ".join")
    return linear(joined, name + ".proj", width, width)


x = node("Conv", ["pixel_values", normal("patch.weight", width, 3, patch, patch), normal("patch.bias", width)], "patch",
         kernel_shape=[patch, patch], strides=[patch, patch])
x = node("Reshape", [x, ints("flat.shape", 0, width, tokens - 1)], "flat")
x = node("Transpose", [x], "tokens", perm=[0, 2, 1])
x = node("Pad", [x, ints("pad.amounts", 0, 1, 0, 0, 0, 0)], "pad")  # the class token's place; the position adds its value
x = node("Add", [x, normal("position", 1, tokens, width)], "embed")
for i in range(depth):
    block = f"blocks.{i}"
    x = node("Add", [x, attention(norm(x, block + ".norm1"), block + ".attn")], block + ".residual1")
    y = linear(norm(x, block + ".norm2"), block + ".mlp.fc1", width, 4 * width)
    y = linear(node("Gelu", [y], block + ".mlp.act"), block + ".mlp.fc2", 4 * width, width)
    x = node("Add", [x, y], block + ".residual2")
x = node("Gather", [norm(x, "norm"), constant("first", np.array(0, np.int64))], "pool", axis=1)
linear(x, "head", width, classes)
nodes[-1].output[0] = "logits"

graph = helper.make_graph(
    nodes, f"vit-{width}", [helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, ["batch", 3, size, size])],
    [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", classes])], constants)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)])
model.ir_version = 8
onnx.save(model, out)
