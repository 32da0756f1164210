#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the bundled demo: images, a small ViT trained on them, reference outputs.

    make_demo.py --out DIR              draw the images, train, save, measure
    make_demo.py --out DIR --measure    measure what is already in DIR

Everything comes from this file and the seed: the images are drawn here, the
network is trained here from random weights. Needs PyTorch, NumPy and Pillow
(Debian: python3-torch python3-numpy python3-pil).

The network is a plain pre-norm vision transformer with timm's parameter names.
One thing about it is arranged on purpose, see channel_gains(): a few channels
after each LayerNorm are much wider than the others, as in large pretrained ViTs.
"""

import argparse
import colorsys
import io
import json
import math
import multiprocessing
import os
import struct
import sys
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from PIL import Image, ImageDraw
from torch.nn.utils import parametrize

SIZE = 96
PATCH = 12
DIM = 96
DEPTH = 6
HEADS = 4
MEAN = STD = 0.5

# The spread of LayerNorm gains at the start of training, see channel_gains().
GAIN_SPREAD = 0.3
OUTLIER_CHANNELS = 3
OUTLIER_LOW, OUTLIER_HIGH = 6.0, 14.0

CALIB_IMAGES = 64
EVAL_IMAGES = 512
LOGIT_IMAGES = 16  # the first evaluation images; kept as PNG so that every decoder gives the same pixels
TRAIN_SPLIT, VALID_SPLIT, CALIB_SPLIT, EVAL_SPLIT = range(4)


# ---------------------------------------------------------------------------------------------------------------------
# Images
# ---------------------------------------------------------------------------------------------------------------------

SUPERSAMPLE = 3
MASK_CELLS = 3  # cells of the training mask across one patch


def polar(radii, turn=0.0):
    """Points at evenly spaced angles with the given radii, the first pointing up."""
    n = len(radii)
    angles = [2 * math.pi * (i / n + turn) - math.pi / 2 for i in range(n)]
    return [(r * math.cos(a), r * math.sin(a)) for r, a in zip(radii, angles)]


def outline_disc():
    return polar([0.92] * 72)


def outline_triangle():
    return polar([1.05] * 3)


def outline_square():
    return polar([1.1] * 4, turn=0.125)


def outline_hexagon():
    return polar([1.0] * 6)


def outline_star():
    return polar([1.08, 0.44] * 5)


def outline_flower():
    return polar([0.74 + 0.3 * math.cos(5 * 2 * math.pi * i / 120) for i in range(120)])


def outline_cross():
    a, b = 1.0, 0.33
    return [(-b, -a), (b, -a), (b, -b), (a, -b), (a, b), (b, b), (b, a), (-b, a), (-b, b), (-a, b), (-a, -b), (-b, -b)]


def outline_arrow():
    return [(0, -1.05), (0.8, -0.1), (0.3, -0.1), (0.3, 1.0), (-0.3, 1.0), (-0.3, -0.1), (-0.8, -0.1)]


def outline_heart():
    points = []
    for i in range(80):
        t = 2 * math.pi * i / 80
        x = 16 * math.sin(t) ** 3
        y = 13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)
        points.append((x / 16.5, -(y + 2.5) / 16.5))
    return points


def outline_bolt():
    return [(0.2, -1.1), (-0.62, 0.15), (-0.08, 0.15), (-0.28, 1.1), (0.62, -0.27), (0.08, -0.27), (0.45, -1.1)]


def outline_drop():
    body = [(0.66 * math.cos(a), 0.35 + 0.66 * math.sin(a)) for a in np.linspace(-0.45, math.pi + 0.45, 50)]
    return body + [(0.0, -1.1)]


def outline_letter_e():
    return [(-0.7, -1.0), (0.7, -1.0), (0.7, -0.58), (-0.22, -0.58), (-0.22, -0.21), (0.5, -0.21), (0.5, 0.21),
            (-0.22, 0.21), (-0.22, 0.58), (0.7, 0.58), (0.7, 1.0), (-0.7, 1.0)]


def outline_crescent():
    outer = [(math.cos(a), math.sin(a)) for a in np.linspace(0.75, 2 * math.pi - 0.75, 60)]
    tip_x, tip_y = outer[-1]
    centre = 0.5
    start = math.atan2(tip_y, tip_x - centre)
    radius = math.hypot(tip_y, tip_x - centre)
    angles = np.linspace(start, -start - 2 * math.pi, 60)
    inner = [(centre + radius * math.cos(a), radius * math.sin(a)) for a in angles]
    return [(x + 0.2, y) for x, y in outer + inner]


def outline_spiral():
    """A band of constant width that winds out from the centre."""
    turns, width = 2.15, 0.115
    t = np.linspace(0.12, 1.0, 110)
    angle, radius = 2 * math.pi * turns * t, 1.0 * t
    side = [[(r * math.cos(a), r * math.sin(a)) for r, a in zip(radius + s * width, angle)] for s in (1, -1)]
    return side[0] + side[1][::-1]


def outline_ring():
    """Two circles joined by a seam of no width."""
    return polar([0.98] * 72) + [(0, -0.98), (0, -0.56)] + polar([0.56] * 72)[::-1]


CLASSES = {
    "disc": outline_disc, "ring": outline_ring, "triangle": outline_triangle, "square": outline_square,
    "hexagon": outline_hexagon, "star": outline_star, "flower": outline_flower, "cross": outline_cross,
    "arrow": outline_arrow, "crescent": outline_crescent, "heart": outline_heart, "spiral": outline_spiral,
    "bolt": outline_bolt, "drop": outline_drop, "letter E": outline_letter_e,
}
CLASS_NAMES = list(CLASSES)


def smooth_field(rng, cells, amplitude):
    """A smooth random field in [-amplitude, amplitude], `cells` features across."""
    coarse = rng.uniform(-1, 1, (cells, cells)).astype(np.float32)
    return amplitude * np.asarray(Image.fromarray(coarse).resize((SIZE, SIZE), Image.BICUBIC))


def mask_of(draw_into):
    """An antialiased coverage mask in [0, 1]; draw_into(draw, k) draws at k times the size."""
    k = SUPERSAMPLE
    big = Image.new("L", (SIZE * k, SIZE * k))
    draw_into(ImageDraw.Draw(big), k)
    return np.asarray(big.resize((SIZE, SIZE), Image.BOX), dtype=np.float32)[..., None] / 255


def colour(rng, hue=None):
    """A random colour, from muted to vivid, as RGB in [0, 1]."""
    hue = rng.uniform() if hue is None else hue
    return np.array(colorsys.hsv_to_rgb(hue % 1, rng.uniform(0.15, 0.85), rng.uniform(0.2, 0.98)), dtype=np.float32)


def colour_away_from(rng, others, distance):
    """A random colour at least `distance` away from each of the others, in luma-weighted RGB."""
    weights = np.array([0.9, 1.2, 0.7], dtype=np.float32)
    best, best_distance = None, -1.0
    for _ in range(40):
        candidate = colour(rng)
        nearest = min(float(np.linalg.norm((candidate - other) * weights)) for other in others)
        if nearest > best_distance:
            best, best_distance = candidate, nearest
        if nearest >= distance:
            break
    return best


def draw_background(rng):
    """A gradient between two related colours, with clouds and sometimes stripes or a checker."""
    hue = rng.uniform()
    first, second = colour(rng, hue), colour(rng, hue + rng.uniform(-0.15, 0.15))
    second = 0.5 * first + 0.5 * second
    angle = rng.uniform(0, 2 * math.pi)
    ys, xs = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32) / SIZE - 0.5
    along = xs * math.cos(angle) + ys * math.sin(angle)
    across = -xs * math.sin(angle) + ys * math.cos(angle)
    ramp = np.clip(along + 0.5 + smooth_field(rng, 4, 0.35), 0, 1)[..., None]
    image = first * (1 - ramp) + second * ramp
    kind = rng.integers(4)
    if kind == 1:
        image = image + rng.uniform(0.02, 0.07) * np.sin(across * rng.uniform(25, 80))[..., None]
    elif kind == 2:
        frequency = rng.uniform(12, 35)
        image = image + rng.uniform(0.02, 0.06) * (np.sin(along * frequency) * np.sin(across * frequency))[..., None]
    elif kind == 3:
        image = image + smooth_field(rng, 16, 0.08)[..., None]
    return image.astype(np.float32), first, second


def draw_clutter(rng, image, lines, dots, shards, avoid=None):
    """Thin lines and arcs, small dots and small shards in random colours, on top of the image.

    Shards keep clear of the point `avoid`.
    """
    for _ in range(lines):
        points = rng.uniform(-0.1, 1.1, (2, 2)) * SIZE
        width = rng.uniform(0.7, 1.9)
        bent = rng.uniform() < 0.4
        start, sweep = rng.uniform(0, 360), rng.uniform(40, 160)

        def line(draw, k):
            if bent:
                low, high = points.min(0), points.max(0) + 6
                draw.arc([*(low * k), *(high * k)], start, start + sweep, fill=255, width=max(1, round(width * k)))
            else:
                draw.line([tuple(p * k) for p in points], fill=255, width=max(1, round(width * k)))

        mask = mask_of(line) * rng.uniform(0.45, 0.95)
        image = image * (1 - mask) + colour(rng) * mask
    for _ in range(dots):
        (x, y), radius = rng.uniform(0, SIZE, 2), rng.uniform(0.9, 3.2)
        mask = mask_of(lambda draw, k: draw.ellipse(
            [(x - radius) * k, (y - radius) * k, (x + radius) * k, (y + radius) * k], fill=255))
        image = image * (1 - mask) + colour(rng) * mask
    for _ in range(shards):
        centre = rng.uniform(0, SIZE, 2)
        if avoid is not None and np.linalg.norm(centre - avoid) < 14:
            continue
        corners = [centre + np.array(p) * rng.uniform(2.0, 6.5) for p in polar([1] * 4, rng.uniform())]
        mask = mask_of(lambda draw, k: draw.polygon([tuple(c * k) for c in corners], fill=255))
        image = image * (1 - mask) + colour(rng) * mask
    return image


def draw_scene(label, rng):
    """One image of the class and the mask of its shape.

    In order: background, clutter, the shape with shadow and rim, occluders, light, noise.
    """
    image, first, second = draw_background(rng)

    scale = SIZE * rng.uniform(0.25, 0.40)
    room = min(12.0, max(0.0, SIZE / 2 - 0.97 * scale))
    centre = SIZE / 2 + rng.uniform(-room, room, 2)
    turn = math.radians(rng.uniform(-25, 25))
    mirror = 1.0 if CLASS_NAMES[label] == "letter E" else rng.choice([-1.0, 1.0])
    stretch = rng.uniform(0.88, 1.12)
    linear = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    points = np.array(CLASSES[CLASS_NAMES[label]]()) * [mirror * stretch, 1 / stretch]
    points = points @ linear.T * scale + centre

    def shape_mask(offset=(0.0, 0.0)):
        return mask_of(lambda draw, k: draw.polygon([tuple((p + offset) * k) for p in points], fill=255))

    image = draw_clutter(rng, image, rng.integers(0, 5), rng.integers(0, 9), rng.integers(0, 5))

    light = rng.uniform(0, 2 * math.pi)
    towards = np.array([math.cos(light), math.sin(light)])
    body = shape_mask()
    if rng.uniform() < 0.6:
        hard = Image.fromarray(shape_mask(towards * rng.uniform(1.5, 3.5))[..., 0])
        soft = hard.resize((SIZE // 2, SIZE // 2), Image.BOX).resize((SIZE, SIZE), Image.BICUBIC)
        shadow = np.asarray(soft)[..., None]
        image = image * (1 - rng.uniform(0.2, 0.45) * np.clip(shadow, 0, 1))

    fill = colour_away_from(rng, [first, second], 0.45)
    ys, xs = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)
    facing = ((xs - centre[0]) * towards[0] + (ys - centre[1]) * towards[1])[..., None] / scale
    texture = smooth_field(rng, 10, 0.05)[..., None]
    paint = fill - rng.uniform(0.0, 0.16) * facing + texture
    image = image * (1 - body) + paint * body
    if rng.uniform() < 0.35:
        dark = rng.uniform() < 0.6
        closed = [tuple(p) for p in points] + [tuple(points[0]), tuple(points[1])]
        width = rng.uniform(0.9, 1.8)
        rim = mask_of(lambda draw, k: draw.line(
            [(x * k, y * k) for x, y in closed], fill=255, width=round(width * k), joint="curve")) * body
        rim_colour = np.clip(fill * (0.45 if dark else 1.0) + (0.0 if dark else 0.25), 0, 1)
        image = image * (1 - 0.8 * rim) + rim_colour * 0.8 * rim

    image = draw_clutter(rng, image, rng.integers(0, 3), rng.integers(0, 5), rng.integers(0, 2), avoid=centre)
    if rng.uniform() < 0.25:  # a bar across the rim of the shape
        angle = rng.uniform(0, 2 * math.pi)
        normal = np.array([math.cos(angle), math.sin(angle)])
        middle = centre + normal * scale * rng.uniform(0.55, 1.0)
        along = np.array([-normal[1], normal[0]]) * SIZE * 1.5
        width = rng.uniform(2.5, 5.5)
        mask = mask_of(lambda draw, k: draw.line(
            [tuple((middle - along) * k), tuple((middle + along) * k)], fill=255, width=round(width * k)))
        image = image * (1 - mask) + colour(rng) * mask

    ys, xs = ys / SIZE - 0.5, xs / SIZE - 0.5
    slope, vignette = rng.uniform(0, 0.15), rng.uniform(0, 0.4)
    shade = 1 + slope * (xs * math.cos(light) + ys * math.sin(light)) - vignette * (xs**2 + ys**2)
    image = image * shade[..., None] * rng.uniform(0.85, 1.1)
    image = image + rng.normal(0, rng.uniform(0.0, 0.018), image.shape)
    return Image.fromarray((np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)), body[..., 0]


def jpeg_bytes(image):
    """The image as JPEG bytes."""
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=90, subsampling=0, optimize=True)
    return stream.getvalue()


def png_bytes(image):
    """The image as PNG bytes."""
    stream = io.BytesIO()
    image.save(stream, "PNG", optimize=True)
    return stream.getvalue()


def scene(seed, split, index):
    """Image, label and mask of the shape with this number; depends on nothing else."""
    rng = np.random.default_rng([seed, split, index])
    label = index % len(CLASS_NAMES) if split in (CALIB_SPLIT, EVAL_SPLIT) else int(rng.integers(len(CLASS_NAMES)))
    image, mask = draw_scene(label, rng)
    return image, label, mask


def training_sample(job):
    """Pixels as they come out of JPEG, the label, and the mask at MASK_CELLS cells across each patch."""
    image, label, mask = scene(*job)
    side = SIZE // PATCH * MASK_CELLS
    cells = mask.reshape(side, SIZE // side, side, SIZE // side).mean((1, 3))
    return np.asarray(Image.open(io.BytesIO(jpeg_bytes(image)))), label, (cells * 255 + 0.5).astype(np.uint8)


def make_training_set(seed, split, count, workers):
    """`count` images as uint8 [count, 3, SIZE, SIZE], their labels, and masks as uint8 [count, 1, cells, cells]."""
    side = SIZE // PATCH * MASK_CELLS
    pixels = np.empty((count, SIZE, SIZE, 3), dtype=np.uint8)
    labels = np.empty(count, dtype=np.int64)
    masks = np.empty((count, 1, side, side), dtype=np.uint8)
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        jobs = ((seed, split, i) for i in range(count))
        for i, sample in enumerate(pool.imap(training_sample, jobs, chunksize=64)):
            pixels[i], labels[i], masks[i, 0] = sample
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous(), torch.from_numpy(labels), torch.from_numpy(masks)


def write_image_folder(folder, seed, split, count, png_count=0):
    """Writes the images and labels.txt; the order of labels is shuffled by the seed."""
    os.makedirs(folder, exist_ok=True)
    order = np.random.default_rng([seed, split, 1 << 30]).permutation(count)
    lines = []
    for position, index in enumerate(order):
        image, label, _ = scene(seed, split, int(index))
        as_png = position < png_count
        name = f"{position:03d}.{'png' if as_png else 'jpg'}"
        with open(os.path.join(folder, name), "wb") as file:
            file.write(png_bytes(image) if as_png else jpeg_bytes(image))
        lines.append(f"{name} {label}\n")
    with open(os.path.join(folder, "labels.txt"), "w", encoding="ascii") as file:
        file.writelines(lines)


def read_image_folder(folder):
    """Images as uint8 [n, 3, SIZE, SIZE] and labels, in the order of labels.txt."""
    with open(os.path.join(folder, "labels.txt"), encoding="ascii") as file:
        entries = [line.split() for line in file]
    pixels = np.stack([np.asarray(Image.open(os.path.join(folder, name)).convert("RGB")) for name, _ in entries])
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous(), torch.tensor([int(label) for _, label in entries])


def preprocess(pixels):
    """uint8 pixels to the network's input. The images already have the input size: no resize, no crop."""
    return (pixels.float() / 255 - MEAN) / STD


# ---------------------------------------------------------------------------------------------------------------------
# Network
# ---------------------------------------------------------------------------------------------------------------------


def keep(site, x):
    """The default tap: hands every activation on unchanged."""
    return x


class Attention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x, name, tap):
        batch, tokens, dim = x.shape
        x = tap(f"{name}.qkv.input", x)
        q, k, v = self.qkv(x).reshape(batch, tokens, 3, self.heads, dim // self.heads).permute(2, 0, 3, 1, 4)
        q, k, v = tap(f"{name}.q", q), tap(f"{name}.k", k), tap(f"{name}.v", v)
        p = tap(f"{name}.softmax", (q @ k.transpose(-2, -1) * (dim // self.heads) ** -0.5).softmax(dim=-1))
        x = (p @ v).transpose(1, 2).reshape(batch, tokens, dim)
        return self.proj(tap(f"{name}.proj.input", x))


class Mlp(nn.Module):
    def __init__(self, dim, hidden):
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.fc2 = nn.Linear(hidden, dim)

    def forward(self, x, name, tap):
        x = F.gelu(self.fc1(tap(f"{name}.fc1.input", x)))
        return self.fc2(tap(f"{name}.fc2.input", x))


class Block(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.attn = Attention(dim, heads)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.mlp = Mlp(dim, 4 * dim)

    def forward(self, x, name, tap):
        x = x + self.attn(self.norm1(x), f"{name}.attn", tap)
        return x + self.mlp(self.norm2(x), f"{name}.mlp", tap)


class PatchEmbed(nn.Module):
    def __init__(self, dim, patch):
        super().__init__()
        self.proj = nn.Conv2d(3, dim, patch, patch)

    def forward(self, x):
        return self.proj(x).flatten(2).transpose(1, 2)


class VisionTransformer(nn.Module):
    """Pre-norm ViT with class token, as timm's VisionTransformer; tap(site, x) sees every quantizable activation."""

    def __init__(self, classes):
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, DIM))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + (SIZE // PATCH) ** 2, DIM))
        self.patch_embed = PatchEmbed(DIM, PATCH)
        self.blocks = nn.ModuleList(Block(DIM, HEADS) for _ in range(DEPTH))
        self.norm = nn.LayerNorm(DIM, eps=1e-6)
        self.head = nn.Linear(DIM, classes)

    def features(self, x, tap=keep):
        """The tokens after the final norm."""
        x = self.patch_embed(tap("patch_embed.proj.input", x))
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), x], dim=1) + self.pos_embed
        for i, block in enumerate(self.blocks):
            x = block(x, f"blocks.{i}", tap)
        return self.norm(x)

    def forward(self, x, tap=keep):
        return self.head(tap("head.input", self.features(x, tap)[:, 0]))


class ColumnScale(nn.Module):
    """A linear's weight as V * scale, one factor per input channel; V is what the optimizer moves."""

    def __init__(self, scale):
        super().__init__()
        self.register_buffer("scale", scale)

    def forward(self, v):
        return v * self.scale


def channel_gains(rng, outliers):
    """Initial LayerNorm gains: log-normal, with a few channels an order of magnitude above the rest.

    Large pretrained ViTs have LayerNorm outputs whose channel ranges differ by a factor of 10 to 30, with the widest
    channels in the same places in all blocks. That is what breaks a single scale per tensor at few bits, and what
    channel-wise methods repair. Training a network of this size for a few minutes does not bring it about by itself,
    so it is given at the start: the gains are drawn here and the columns of the linear that reads a channel are
    divided by its gain, see unbalance(). From there on both are trained as in any other network.
    """
    gains = np.exp(rng.normal(0.0, GAIN_SPREAD, DIM))
    gains[outliers] = np.exp(rng.uniform(math.log(OUTLIER_LOW), math.log(OUTLIER_HIGH), len(outliers)))
    return torch.tensor(gains, dtype=torch.float32)


def unbalance(model, seed):
    """Gives norm1 and norm2 unequal gains, and divides the columns of the linears that follow by them.

    The columns are divided through a parametrization rather than in place, because the optimizers' steps do not depend
    on the size of a gradient: so a wide channel's columns move in proportion to their own size.
    """
    rng = np.random.default_rng([seed, 77])
    outliers = rng.choice(DIM, OUTLIER_CHANNELS, replace=False)
    for block in model.blocks:
        for norm, linear in ((block.norm1, block.attn.qkv), (block.norm2, block.mlp.fc1)):
            gains = channel_gains(rng, outliers)
            with torch.no_grad():
                norm.weight.copy_(gains)
            parametrize.register_parametrization(linear, "weight", ColumnScale(1 / gains), unsafe=True)


def fold_columns(model):
    """Folds the parametrizations into plain weights."""
    for block in model.blocks:
        for linear in (block.attn.qkv, block.mlp.fc1):
            if parametrize.is_parametrized(linear):
                parametrize.remove_parametrizations(linear, "weight", leave_parametrized=True)


def initialise(model):
    """Truncated normal weights, zero biases, and waves over rows and columns as position embedding."""
    for module in model.modules():
        if isinstance(module, (nn.Linear, nn.Conv2d)):
            fan_in = module.weight[0].numel()
            nn.init.trunc_normal_(module.weight, std=min(0.06, fan_in**-0.5))
            nn.init.zeros_(module.bias)
    side = SIZE // PATCH
    rows, columns = np.divmod(np.arange(side * side), side)
    waves = []
    for place in (rows, columns):
        for i in range(DIM // 4):
            phase = place / side * math.pi * (side ** (i / (DIM // 4 - 1)))
            waves += [np.sin(phase), np.cos(phase)]
    with torch.no_grad():
        model.pos_embed[0, 1:] = 0.2 * torch.tensor(np.stack(waves, 1), dtype=torch.float32)
    nn.init.trunc_normal_(model.cls_token, std=0.02)


# ---------------------------------------------------------------------------------------------------------------------
# Training
# ---------------------------------------------------------------------------------------------------------------------


class Muon(torch.optim.Optimizer):
    """Momentum whose step is orthogonalised by Newton-Schulz iterations (K. Jordan et al., 2024).

    For the matrices inside the blocks. In a first trial it brought top-1 on held-out images to 92 % after 64 000
    samples, AdamW to 62 %.
    """

    def __init__(self, parameters, lr, momentum=0.95, weight_decay=0.0):
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @staticmethod
    def orthogonalised(g):
        """The nearest (semi-)orthogonal matrix, roughly: singular values end up between 0.7 and 1.2."""
        g = g / (g.norm() + 1e-7)
        tall = g.shape[0] > g.shape[1]
        g = g.t() if tall else g
        for _ in range(5):
            gram = g @ g.t()
            g = 3.4445 * g + (-4.7750 * gram + 2.0315 * gram @ gram) @ g
        return g.t() if tall else g

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                if not state:
                    state["velocity"] = torch.zeros_like(p)
                velocity = state["velocity"].lerp_(p.grad, 1 - group["momentum"])
                update = p.grad.lerp(velocity, group["momentum"])
                # q, k and v are three matrices in one
                parts = update.chunk(3) if p.shape[0] == 3 * p.shape[1] else (update,)
                gain = max(1.0, parts[0].shape[0] / parts[0].shape[1]) ** 0.5
                update = gain * torch.cat([self.orthogonalised(part) for part in parts])
                p.mul_(1 - group["lr"] * group["weight_decay"]).add_(update, alpha=-group["lr"])


def augment(x, generator):
    """Another order of the colour channels for each quarter of the batch; other contrast and brightness per image."""
    x = torch.cat([part[:, torch.randperm(3, generator=generator)] for part in x.chunk(4)])
    contrast = 1 + 0.15 * (2 * torch.rand(len(x), 1, 1, 1, generator=generator) - 1)
    brightness = 0.15 * (2 * torch.rand(len(x), 1, 1, 1, generator=generator) - 1)
    return x * contrast + brightness


def training_loss(model, helper, x, labels, masks):
    """Cross-entropy of the class token, plus what every patch token can learn from the mask of the shape.

    A helper head, dropped after training, asks each patch token for the mask inside its patch and, where the shape
    is, for the class. This dense signal is what lets so small a network learn from so few images in minutes.
    """
    tokens = model.features(x)
    class_loss = F.cross_entropy(model.head(tokens[:, 0]), labels, label_smoothing=0.05)
    inside, token_logits = helper(tokens[:, 1:]).split([MASK_CELLS**2, len(CLASS_NAMES)], dim=2)
    target = F.unfold(masks, MASK_CELLS, stride=MASK_CELLS).transpose(1, 2)
    mask_loss = F.binary_cross_entropy_with_logits(inside, target)
    cover = target.mean(2)
    token_labels = labels[:, None].expand_as(cover)
    token_loss = F.cross_entropy(token_logits.transpose(1, 2), token_labels, reduction="none")
    token_loss = (token_loss * cover).sum() / cover.sum()
    return class_loss + mask_loss + 0.5 * token_loss


def train(training, valid, options):
    """Trains the network and returns it with plain weights."""
    torch.manual_seed(options.seed)
    generator = torch.Generator().manual_seed(options.seed)
    pixels, labels, masks = training
    model = VisionTransformer(len(CLASS_NAMES))
    helper = nn.Linear(DIM, MASK_CELLS**2 + len(CLASS_NAMES))
    initialise(model)
    unbalance(model, options.seed)
    hidden = [p for p in model.blocks.parameters() if p.ndim == 2]
    others = [p for p in [*model.parameters(), *helper.parameters()] if all(p is not q for q in hidden)]
    optimizers = [Muon(hidden, lr=options.muon_lr, weight_decay=0.05),
                  torch.optim.AdamW(others, lr=options.lr, betas=(0.9, 0.98), weight_decay=0.0)]
    peaks = [options.muon_lr, options.lr]
    steps_per_epoch = len(labels) // options.batch
    total = steps_per_epoch * options.epochs
    warmup = max(1, min(300, total // 10))
    step, started = 0, time.monotonic()
    for epoch in range(options.epochs):
        order = torch.randperm(len(labels), generator=generator)
        loss_sum = 0.0
        for i in range(steps_per_epoch):
            pick = order[i * options.batch:(i + 1) * options.batch]
            rate = min((step + 1) / warmup, 0.5 * (1 + math.cos(math.pi * step / total)))
            for optimizer, peak in zip(optimizers, peaks):
                optimizer.param_groups[0]["lr"] = peak * rate
            x = augment(preprocess(pixels[pick]), generator)
            loss = training_loss(model, helper, x, labels[pick], masks[pick].float() / 255)
            for optimizer in optimizers:
                optimizer.zero_grad(set_to_none=True)
            loss.backward()
            for optimizer in optimizers:
                optimizer.step()
            loss_sum += loss.item()
            step += 1
        top1 = 100 * (predict(model, valid[0]).argmax(1) == valid[1]).float().mean().item()
        print(f"epoch {epoch + 1:3d}/{options.epochs}  loss {loss_sum / steps_per_epoch:.3f}  "
              f"held-out top-1 {top1:.1f} %  {time.monotonic() - started:.0f} s", flush=True)
    fold_columns(model)
    return model.eval()


@torch.no_grad()
def predict(model, pixels, tap=keep):
    """Logits, in batches."""
    return torch.cat([model(preprocess(part), tap) for part in pixels.split(128)])


# ---------------------------------------------------------------------------------------------------------------------
# Files
# ---------------------------------------------------------------------------------------------------------------------


def write_safetensors(path, tensors):
    """The safetensors format: u64 header length, JSON header padded to 8 bytes, raw little-endian bytes."""
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, tensor in tensors.items():
        size = 4 * tensor.numel()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for tensor in tensors.values():
            file.write(tensor.detach().contiguous().numpy().astype("<f4").tobytes())


def read_safetensors(path):
    """The tensors of a file that write_safetensors() wrote."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header, data = json.loads(file.read(length)), file.read()
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            tensors[name] = torch.from_numpy(np.frombuffer(data[begin:end], "<f4").reshape(entry["shape"]).copy())
    return tensors


def write_json(path, value):
    with open(path, "w", encoding="ascii") as file:
        json.dump(value, file, indent=2)
        file.write("\n")


def config():
    """config.json in timm's form."""
    return {
        "architecture": "vit_demo_patch12_96",
        "num_classes": len(CLASS_NAMES),
        "num_features": DIM,
        "global_pool": "token",
        "model_args": {"img_size": SIZE, "patch_size": PATCH, "embed_dim": DIM, "depth": DEPTH, "num_heads": HEADS},
        "pretrained_cfg": {
            "input_size": [3, SIZE, SIZE],
            "interpolation": "bicubic",
            "crop_pct": 1.0,
            "crop_mode": "center",
            "mean": [MEAN] * 3,
            "std": [STD] * 3,
            "num_classes": len(CLASS_NAMES),
            "first_conv": "patch_embed.proj",
            "classifier": "head",
        },
    }


def load_model(folder):
    """The network of a demo folder."""
    model = VisionTransformer(len(CLASS_NAMES))
    model.load_state_dict(read_safetensors(os.path.join(folder, "model.safetensors")))
    return model.eval()


# ---------------------------------------------------------------------------------------------------------------------
# Measuring
# ---------------------------------------------------------------------------------------------------------------------


def fake_quantize(x, low, high, bits):
    """Uniform asymmetric: s = (high-low)/N, z = round(-low/s), codes clamped to 0..N; rounds half to even."""
    top = 2**bits - 1
    step = (high - low).clamp_min(1e-12) / top
    zero = torch.round(-low / step)
    return (torch.clamp(torch.round(x / step) + zero, 0, top) - zero) * step


def follows_norm(site):
    """Whether the site holds the output of a LayerNorm."""
    return site.endswith(("qkv.input", "fc1.input", "head.input"))


def channel_bounds(model, pixels):
    """Per site, minimum and maximum over the images: per channel after a LayerNorm, of the tensor elsewhere."""
    bounds = {}

    def observe(site, x):
        flat = x.reshape(-1, x.shape[-1]) if follows_norm(site) else x.reshape(-1, 1)
        low, high = flat.min(0).values, flat.max(0).values
        if site in bounds:
            low, high = torch.minimum(low, bounds[site][0]), torch.maximum(high, bounds[site][1])
        bounds[site] = (low, high)
        return x

    predict(model, pixels, observe)
    return bounds


@torch.no_grad()
def quantize_weights(model, bits):
    """Weights of every linear and the convolution, per output channel, min-max."""
    for module in model.modules():
        if isinstance(module, (nn.Linear, nn.Conv2d)):
            rows = module.weight.flatten(1)
            low, high = rows.min(1, keepdim=True).values, rows.max(1, keepdim=True).values
            module.weight.copy_(fake_quantize(rows, low, high, bits).reshape(module.weight.shape))


def correct_after(folder, bounds, pixels, labels, weight_bits, activation_bits, channelwise):
    """Correct predictions with min-max bounds; channelwise: a scale per channel after each LayerNorm."""
    model = load_model(folder)
    if weight_bits:
        quantize_weights(model, weight_bits)

    def quantize(site, x):
        low, high = bounds[site]
        if not channelwise:
            low, high = low.min(), high.max()
        return fake_quantize(x, low, high, activation_bits)

    logits = predict(model, pixels, quantize if activation_bits else keep)
    return int((logits.argmax(1) == labels).sum())


def measure(folder):
    """Prints top-1 in FP32 and quantized, and the spread of channel ranges; returns (logits, correct, figures)."""
    calib, _ = read_image_folder(os.path.join(folder, "calib"))
    pixels, labels = read_image_folder(os.path.join(folder, "eval"))
    model = load_model(folder)
    logits = predict(model, pixels)
    correct = int((logits.argmax(1) == labels).sum())
    top2 = logits.topk(2, dim=1).values
    print(f"FP32                        {correct:4d} of {len(labels)}  {100 * correct / len(labels):6.2f} %"
          f"   (closest two logits: {(top2[:, 0] - top2[:, 1]).min():.4f})")

    bounds = channel_bounds(model, calib)
    figures = {}
    for weight_bits, activation_bits, channelwise in [
            (8, 8, False), (6, 6, False), (4, 0, False), (0, 4, False), (0, 4, True), (4, 4, False), (4, 4, True)]:
        name = f"W{weight_bits or 32}A{activation_bits or 32}"
        if activation_bits:
            name += " per-channel LN" if channelwise else " per-tensor"
        figures[name] = correct_after(folder, bounds, pixels, labels, weight_bits, activation_bits, channelwise)
        print(f"{name:27s} {figures[name]:4d} of {len(labels)}  {100 * figures[name] / len(labels):6.2f} %")

    for site, (low, high) in bounds.items():
        if follows_norm(site):
            ranges = (high - low).sort(descending=True).values
            print(f"{site:27s} channel range: median {ranges.median():.2f}, widest "
                  f"{', '.join(f'{r:.1f}' for r in ranges[:4])}; widest/median {ranges[0] / ranges.median():.1f}")
    return logits, correct, figures


def main():
    parser = argparse.ArgumentParser(description="Makes the bundled demo: images, network, reference outputs.")
    parser.add_argument("--out", required=True, metavar="DIR", help="folder to write, or to measure")
    parser.add_argument("--measure", action="store_true", help="only measure what DIR already holds")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=7)
    parser.add_argument("--train-images", type=int, default=24000)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--lr", type=float, default=2e-3, help="peak rate of AdamW: embeddings, norms, biases, heads")
    parser.add_argument("--muon-lr", type=float, default=0.02, help="peak rate of Muon: the matrices in the blocks")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    if options.measure:
        measure(options.out)
        return

    os.makedirs(options.out, exist_ok=True)
    write_image_folder(os.path.join(options.out, "calib"), options.seed, CALIB_SPLIT, CALIB_IMAGES)
    write_image_folder(os.path.join(options.out, "eval"), options.seed, EVAL_SPLIT, EVAL_IMAGES, png_count=LOGIT_IMAGES)
    with open(os.path.join(options.out, "classes.txt"), "w", encoding="ascii") as file:
        file.writelines(f"{name}\n" for name in CLASS_NAMES)

    started = time.monotonic()
    training = make_training_set(options.seed, TRAIN_SPLIT, options.train_images, options.threads)
    valid = make_training_set(options.seed, VALID_SPLIT, 512, options.threads)
    print(f"{options.train_images} training images drawn in {time.monotonic() - started:.0f} s", flush=True)
    model = train(training, valid, options)
    write_safetensors(os.path.join(options.out, "model.safetensors"), model.state_dict())
    write_json(os.path.join(options.out, "config.json"), config())

    logits, correct, figures = measure(options.out)
    np.save(os.path.join(options.out, "expected_logits.npy"), logits[:LOGIT_IMAGES].numpy().astype("<f4"))
    write_json(os.path.join(options.out, "expected.json"), {
        "eval_top1_correct": correct,
        "eval_images": EVAL_IMAGES,
        "logit_images": LOGIT_IMAGES,
        "min_max_top1_correct": figures,
        "made_with": f"make_demo.py --seed {options.seed} --epochs {options.epochs}, "
                     f"PyTorch {torch.__version__}, float32",
    })


if __name__ == "__main__":
    sys.exit(main())
