#!/usr/bin/python3
"""Trains the small GPT-2 of tests/data/hf_gpt2_trained on a text, character by character, for a few minutes.

Provenance: weights trained here from random ones on the text given (made with the test part of WikiText-2), so that their
distributions are those of a real network; the last tenth of the text is not trained on and gives the sequences, whose
expected logits make_hf_models.gpt2() computes in float64. Needs Debian's python3-torch (made with 1.13).
Run from anywhere: tests/reference/make_trained_gpt2.py TEXT [STEPS]
"""
import json
import pathlib
import sys

import torch
import torch.nn.functional as F
from torch import nn

import make_hf_models

CONFIG = {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "n_embd": 48, "n_head": 4, "n_layer": 3,
          "n_inner": 192, "n_positions": 64, "vocab_size": 96, "activation_function": "gelu_new",
          "layer_norm_epsilon": 1e-5}
BATCH = 16


def ids_of(text):
    """0: line feed, 1 to 95: the printable characters of ASCII; others become '?'."""
    return torch.tensor([0 if c == "\n" else ord(c) - 31 if 32 <= ord(c) < 127 else ord("?") - 31 for c in text])


class Block(nn.Module):
    def __init__(self, width, heads, inner):
        super().__init__()
        self.heads = heads
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.c_attn, self.c_proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.c_fc, self.mlp_proj = nn.Linear(width, inner), nn.Linear(inner, width)

    def forward(self, x, mask):
        b, t, width = x.shape
        q, k, v = (part.view(b, t, self.heads, -1).transpose(1, 2) for part in self.c_attn(self.ln_1(x)).chunk(3, -1))
        scores = q @ k.transpose(2, 3) * (width // self.heads) ** -0.5 + mask
        x = x + self.c_proj((scores.softmax(-1) @ v).transpose(1, 2).reshape(b, t, width))
        return x + self.mlp_proj(F.gelu(self.c_fc(self.ln_2(x)), approximate="tanh"))


class Network(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(c["vocab_size"], c["n_embd"]), nn.Embedding(c["n_positions"], c["n_embd"])
        self.blocks = nn.ModuleList(Block(c["n_embd"], c["n_head"], c["n_inner"]) for _ in range(c["n_layer"]))
        self.ln_f = nn.LayerNorm(c["n_embd"])
        self.register_buffer("mask", torch.full((c["n_positions"], c["n_positions"]), -1e9).triu(1))
        for table in (self.wte, self.wpe):
            nn.init.normal_(table.weight, std=0.1)

    def forward(self, ids):
        x = self.wte(ids) + self.wpe.weight
        for block in self.blocks:
            x = block(x, self.mask)
        return F.linear(self.ln_f(x), self.wte.weight)


def train(text, steps):
    torch.manual_seed(1)
    network = Network(CONFIG)
    optimiser = torch.optim.AdamW(network.parameters(), lr=4e-3, betas=(0.9, 0.98), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=steps, pct_start=0.1)
    length = CONFIG["n_positions"]
    for step in range(steps):
        starts = torch.randint(0, len(text) - length - 1, (BATCH,))
        batch = torch.stack([text[start:start + length + 1] for start in starts])
        loss = F.cross_entropy(network(batch[:, :-1]).flatten(0, 1), batch[:, 1:].flatten())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % 100 == 0:
            print(step, round(loss.item(), 3), flush=True)
    return network


def tensors_of(network):
    """Under GPT-2's names; the matrices of the blocks as [in, out]."""
    result = {"transformer.wte.weight": network.wte.weight, "transformer.wpe.weight": network.wpe.weight}
    for part in ("weight", "bias"):
        result[f"transformer.ln_f.{part}"] = getattr(network.ln_f, part)
    layers = {"ln_1": "ln_1", "ln_2": "ln_2", "c_attn": "attn.c_attn", "c_proj": "attn.c_proj", "c_fc": "mlp.c_fc",
              "mlp_proj": "mlp.c_proj"}
    for i, block in enumerate(network.blocks):
        for own, name in layers.items():
            layer = getattr(block, own)
            result[f"transformer.h.{i}.{name}.weight"] = layer.weight.T if layer.weight.dim() == 2 else layer.weight
            result[f"transformer.h.{i}.{name}.bias"] = layer.bias
    return {name: value.detach().half().contiguous() for name, value in result.items()}


def main():
    torch.set_num_threads(1)
    text = ids_of(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    trained = len(text) * 9 // 10
    network = train(text[:trained], int(sys.argv[2]) if len(sys.argv) > 2 else 1500)
    weights = make_hf_models.Weights(0)
    weights.stored = tensors_of(network)
    length = CONFIG["n_positions"]
    ids = text[trained:trained + 2 * length].view(2, length)
    with torch.no_grad():
        logits = make_hf_models.gpt2(weights, CONFIG, ids)[1]
    make_hf_models.store("hf_gpt2_trained", CONFIG, weights, {"input_ids": ids}, {"logits": logits})
    nll = F.cross_entropy(logits[:, :-1].flatten(0, 1), ids[:, 1:].flatten()).item()
    (make_hf_models.DATA / "hf_gpt2_trained" / "expected.json").write_text(json.dumps({"mean_nll_nats": nll}) + "\n")
    print("mean NLL", nll)


if __name__ == "__main__":
    main()
