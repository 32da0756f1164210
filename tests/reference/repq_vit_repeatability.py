#!/usr/bin/env python3
"""How well PyTorch repeats the published RepQ-ViT logits when it is given the published quantizers.

    tests/reference/repq_vit_repeatability.py MODEL_FOLDER IMAGE_FOLDER [--bits 4,6] [--threads 1,2] [--samples N]

MODEL_FOLDER is DeiT-Tiny with model.safetensors and expected/repq_vit_w4a4.npz and the like; IMAGE_FOLDER the evaluation
images with their labels.txt, in the order of expected/eval_logits_*.npy. The model is written out here from methods.md 1.1 to 1.4, in PyTorch's own float32 operations. Prints, per bits and thread count, SQNR and agreement with the
published logits, the number of images above 80 dB, and the same between the thread counts: the bound for anybody who
adds up in another order, since one code on the other side of a border changes all behind it.
"""
import argparse
import json
import pathlib
import struct

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image


def read_safetensors(path):
    with open(path, "rb") as file:
        size = struct.unpack("<Q", file.read(8))[0]
        header = json.loads(file.read(size))
        data = file.read()
    return {name: torch.from_numpy(np.frombuffer(data[slice(*entry["data_offsets"])], dtype=np.float32)
                                   .reshape(entry["shape"]).copy())
            for name, entry in header.items() if name != "__metadata__"}


def prepared(path):
    """Shorter side 256 (the other rounded), bicubic, centre crop 224 (at the floor), ImageNet mean and deviation."""
    image = Image.open(path).convert("RGB")
    scale = 256 / min(image.size)
    image = image.resize(tuple(round(side * scale) for side in image.size), Image.BICUBIC)
    left, top = ((side - 224) // 2 for side in image.size)
    pixels = np.asarray(image.crop((left, top, left + 224, top + 224)), dtype=np.float32) / np.float32(255)
    mean, deviation = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])
    return torch.from_numpy(((pixels - mean) / deviation).transpose(2, 0, 1).copy())


class Model:
    def __init__(self, folder, bits):
        self.w = read_safetensors(folder / "model.safetensors")
        self.q = np.load(folder / "expected" / f"repq_vit_w{bits}a{bits}.npz")
        self.bits = bits
        self.weights = {}
        for block in range(12):
            for norm, linear in (("norm1", "attn.qkv"), ("norm2", "mlp.fc1")):
                self.rewrite(f"blocks.{block}.{norm}", f"blocks.{block}.{linear}")
        for name in ["patch_embed.proj", "head"] + [
                f"blocks.{b}.{l}" for b in range(12) for l in ("attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2")]:
            weight = self.w[name + ".weight"]
            shape = (-1,) + (1,) * (weight.dim() - 1)
            self.weights[name] = self.uniform(weight, name + ".weight_quantizer", bits, shape)

    def number(self, name, shape=(1,)):
        return torch.from_numpy(np.asarray(self.q[name], dtype=np.float32)).reshape(shape)

    def rewrite(self, norm, linear):
        """methods.md 1.3 with the published rule: the tensor's scale and zero point are means, fractions kept."""
        site = linear + ".input_quantizer"
        own, own_zero = self.number(site + ".pre_delta", (-1,)), self.number(site + ".pre_zp", (-1,))
        scale, zero = self.number(site + ".delta"), self.number(site + ".zp")
        ratio, shift = own / scale, own_zero - zero
        self.w[norm + ".weight"] = self.w[norm + ".weight"] / ratio
        self.w[norm + ".bias"] = (self.w[norm + ".bias"] + own * shift) / ratio
        weight = self.w[linear + ".weight"]
        self.w[linear + ".bias"] = self.w[linear + ".bias"] - weight @ (own * shift)
        self.w[linear + ".weight"] = weight * ratio

    def uniform(self, x, name, bits, shape=(1,)):
        scale, zero = self.number(name + ".delta", shape), self.number(name + ".zp", shape)
        code = torch.clamp(torch.round(x / scale) + zero, 0, 2**bits - 1)
        return (code - zero) * scale

    def log_sqrt2(self, x, name):
        scale = self.number(name + ".delta")
        code = torch.round(-1 * (x / scale).log2() * 2)
        zeroed = code >= 2**self.bits
        code = torch.clamp(code, 0, 2**self.bits - 1)
        odd = (code % 2) * (np.sqrt(2) - 1) + 1
        value = 2 ** (-1 * torch.ceil(code / 2)) * odd * scale
        value[zeroed] = 0
        return value

    def linear(self, x, name):
        return F.linear(self.uniform(x, name + ".input_quantizer", self.bits), self.weights[name], self.w[name + ".bias"])

    def norm(self, x, name):
        return F.layer_norm(x, (192,), self.w[name + ".weight"], self.w[name + ".bias"], 1e-6)

    def __call__(self, pixels):
        x = self.uniform(pixels, "patch_embed.proj.input_quantizer", 8)
        x = F.conv2d(x, self.weights["patch_embed.proj"], self.w["patch_embed.proj.bias"], stride=16)
        x = x.flatten(2).transpose(1, 2)
        n = x.shape[0]
        x = torch.cat([self.w["cls_token"].expand(n, -1, -1), x], 1) + self.w["pos_embed"]
        for block in range(12):
            p = f"blocks.{block}."
            qkv = self.linear(self.norm(x, p + "norm1"), p + "attn.qkv").reshape(n, -1, 3, 3, 64).permute(2, 0, 3, 1, 4)
            q, k, v = qkv.unbind(0)
            q = self.uniform(q, p + "attn.matmul1.quantizer_A", self.bits)
            k = self.uniform(k.transpose(-2, -1), p + "attn.matmul1.quantizer_B", self.bits)
            scores = ((q @ k) * 64**-0.5).softmax(-1)
            scores = self.log_sqrt2(scores, p + "attn.matmul2.quantizer_A")
            context = scores @ self.uniform(v, p + "attn.matmul2.quantizer_B", self.bits)
            x = x + self.linear(context.transpose(1, 2).reshape(n, -1, 192), p + "attn.proj")
            hidden = F.gelu(self.linear(self.norm(x, p + "norm2"), p + "mlp.fc1"))
            x = x + self.linear(hidden, p + "mlp.fc2")
        return self.linear(self.norm(x, "norm")[:, 0], "head")


def compare(name, reference, logits):
    error = ((logits - reference) ** 2).sum(1)
    power = (reference**2).sum(1)
    exact = int((10 * torch.log10(power / error.clamp(min=1e-30)) > 80).sum())
    agreement = 100.0 * (logits.argmax(1) == reference.argmax(1)).double().mean().item()
    print(f"{name}: SQNR {10 * torch.log10(power.sum() / error.sum()).item():.2f} dB, agreement {agreement:.2f} %, "
          f"{exact} of {len(reference)} images above 80 dB", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("images", type=pathlib.Path)
    parser.add_argument("--bits", default="4,6")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--batches", default="1,32", help="images per run, one for every thread count")
    parser.add_argument("--samples", type=int, default=468)
    options = parser.parse_args()
    names = [line.split()[0] for line in (options.images / "labels.txt").read_text().splitlines() if line.strip()]
    pixels = torch.stack([prepared(options.images / name) for name in names[: options.samples]])
    for bits in map(int, options.bits.split(",")):
        published = torch.from_numpy(
            np.load(options.folder / "expected" / f"eval_logits_repq_vit_w{bits}a{bits}.npy"))[: options.samples].double()
        runs = []
        for threads, batch in zip(options.threads.split(","), map(int, options.batches.split(","))):
            torch.set_num_threads(int(threads))
            model = Model(options.folder, bits)
            with torch.no_grad():
                logits = torch.cat([model(part) for part in pixels.split(batch)]).double()
            compare(f"W{bits}A{bits}, {threads} threads, {batch} images at once, against the published", published, logits)
            runs.append(logits)
        compare(f"W{bits}A{bits}, the two runs against each other", runs[0], runs[1])


if __name__ == "__main__":
    main()
