#!/usr/bin/python3
"""Writes the small random transformers of tests/data/hf_* and timm_*, with the outputs PyTorch computes for them.

Provenance: random weights from fixed seeds. The networks are written down here from their published descriptions with
torch.nn.functional and torch.nn.MultiheadAttention in float64, independently of the program under test: Swin (arXiv
2103.14030), BERT (1810.04805), GPT-2, OPT (2205.01068), LLaMA (2302.13971, rotary embedding 2104.09864, grouped queries
2305.13245), CLIP (2103.00020), DeiT (2012.12877). Tensor names and configuration keys are those of Hugging Face's and
timm's checkpoints. Needs Debian's python3-torch (made with 1.13).
Run from anywhere: tests/reference/make_hf_models.py
"""
import json
import math
import shutil

import numpy
import torch
import torch.nn.functional as F

from make_tiny_vit import DATA, write_safetensors

ACTIVATIONS = {"gelu": F.gelu, "gelu_new": lambda x: F.gelu(x, approximate="tanh"), "relu": F.relu, "silu": F.silu,
               "quick_gelu": lambda x: x * torch.sigmoid(1.702 * x)}


class Weights:
    """Makes every tensor when it is first asked for; the file gets them all, the network computes in float64."""

    def __init__(self, seed, dtype=torch.float32):
        self.generator = torch.Generator().manual_seed(seed)
        self.dtype = dtype
        self.stored = {}

    def get(self, name, shape, spread, centre=0.0):
        if name not in self.stored:
            value = torch.randn(shape, generator=self.generator, dtype=torch.float64) * spread + centre
            self.stored[name] = value.to(self.dtype)
        assert self.stored[name].shape == torch.Size(shape), name
        return self.stored[name].double()

    def linear(self, name, x, outputs, bias=True):
        weight = self.get(name + ".weight", (outputs, x.shape[-1]), 1.5 / math.sqrt(x.shape[-1]))
        return F.linear(x, weight, self.get(name + ".bias", (outputs,), 0.2) if bias else None)

    def conv1d(self, name, x, outputs):
        weight = self.get(name + ".weight", (x.shape[-1], outputs), 1.5 / math.sqrt(x.shape[-1]))
        return x @ weight + self.get(name + ".bias", (outputs,), 0.2)

    def norm(self, name, x, eps, names=("weight", "bias")):
        width = (x.shape[-1],)
        return F.layer_norm(x, width, self.get(f"{name}.{names[0]}", width, 0.3, 1.0),
                            self.get(f"{name}.{names[1]}", width, 0.2), eps)

    def rms_norm(self, name, x, eps):
        scale = torch.rsqrt((x ** 2).mean(-1, keepdim=True) + eps)
        return x * scale * self.get(name + ".weight", (x.shape[-1],), 0.3, 1.0)

    def embedding(self, name, ids, rows, width):
        return F.embedding(ids, self.get(name + ".weight", (rows, width), 0.8))

    def patches(self, name, pixels, outputs, patch, bias=True):
        fan_in = pixels.shape[1] * patch * patch
        weight = self.get(name + ".weight", (outputs, pixels.shape[1], patch, patch), 1.5 / math.sqrt(fan_in))
        x = F.conv2d(pixels.double(), weight, self.get(name + ".bias", (outputs,), 0.2) if bias else None, stride=patch)
        return x.flatten(2).transpose(1, 2)


def attend(query, key, value, heads, hidden=None):
    """Projected query, key and value [B, T, D] through torch's own attention. hidden [B or 1, T, T]: True hides."""
    width = query.shape[-1]
    net = torch.nn.MultiheadAttention(width, heads, bias=False, batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        net.in_proj_weight.copy_(torch.eye(width).repeat(3, 1))
        net.out_proj.weight.copy_(torch.eye(width))
    if hidden is not None:
        hidden = hidden.expand(query.shape[0], -1, -1).repeat_interleave(heads, 0)
    return net(query, key, value, attn_mask=hidden, need_weights=False)[0]


def causal(length):
    return torch.ones(1, length, length, dtype=torch.bool).triu(1)


def store(folder, config, weights, feeds, expected, processor=None):
    target = DATA / folder
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    write_safetensors(target / "model.safetensors", weights.stored)
    (target / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    if processor:
        (target / "preprocessor_config.json").write_text(json.dumps(processor, indent=2) + "\n")
    for name, value in feeds.items():
        numpy.save(target / f"feed.{name}.npy", value.numpy())
    for name, value in expected.items():
        numpy.save(target / f"expect.{name}.npy", value.float().numpy())


def token_ids(seed, vocabulary, batch, length):
    return torch.randint(0, vocabulary, (batch, length), generator=torch.Generator().manual_seed(seed))


def image(seed, batch, height, width):
    return torch.randn((batch, 3, height, width), generator=torch.Generator().manual_seed(seed))


# ---- decoders

def gpt2(w, c, ids, prefix="transformer."):
    width, heads = c["n_embd"], c["n_head"]
    x = w.embedding(prefix + "wte", ids, c["vocab_size"], width)
    x = x + w.embedding(prefix + "wpe", torch.arange(ids.shape[1]), c["n_positions"], width)
    for i in range(c["n_layer"]):
        block = f"{prefix}h.{i}."
        q, k, v = w.conv1d(block + "attn.c_attn", w.norm(block + "ln_1", x, 1e-5), 3 * width).split(width, -1)
        if c.get("scale_attn_by_inverse_layer_idx"):
            q = q / (i + 1)
        x = x + w.conv1d(block + "attn.c_proj", attend(q, k, v, heads, causal(ids.shape[1])), width)
        y = ACTIVATIONS["gelu_new"](w.conv1d(block + "mlp.c_fc", w.norm(block + "ln_2", x, 1e-5), c["n_inner"]))
        x = x + w.conv1d(block + "mlp.c_proj", y, width)
    x = w.norm(prefix + "ln_f", x, 1e-5)
    return x, F.linear(x, w.get(prefix + "wte.weight", (c["vocab_size"], width), 0.8))


def make_gpt2():
    c = {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "n_embd": 32, "n_head": 4, "n_layer": 2,
         "n_inner": 64, "n_positions": 24, "vocab_size": 61, "activation_function": "gelu_new",
         "layer_norm_epsilon": 1e-5}
    w, ids = Weights(11), token_ids(11, 61, 3, 13)
    store("hf_gpt2", c, w, {"input_ids": ids}, {"logits": gpt2(w, c, ids)[1]})
    # As the published file: no prefix, the causal masks stored; here also with scores divided by the layer's number.
    c = {**c, "architectures": ["GPT2Model"], "n_embd": 16, "n_inner": 24, "n_head": 2,
         "scale_attn_by_inverse_layer_idx": True}
    w = Weights(12, torch.float16)
    hidden = gpt2(w, c, ids, "")[0]
    w.stored["h.0.attn.bias"] = torch.ones(24, 24).tril().view(1, 1, 24, 24)
    store("hf_gpt2_model", c, w, {"input_ids": ids}, {"last_hidden_state": hidden})


def opt(w, c, ids):
    width, heads, inner = c["hidden_size"], c["num_attention_heads"], c["word_embed_proj_dim"]
    before, root = c["do_layer_norm_before"], "model.decoder."
    x = w.embedding(root + "embed_tokens", ids, c["vocab_size"], inner)
    if inner != width:
        x = w.linear(root + "project_in", x, width, bias=False)
    positions = torch.arange(ids.shape[1]) + 2
    x = x + w.embedding(root + "embed_positions", positions, c["max_position_embeddings"] + 2, width)
    for i in range(c["num_hidden_layers"]):
        layer = f"{root}layers.{i}."
        y = w.norm(layer + "self_attn_layer_norm", x, 1e-5) if before else x
        q, k, v = (w.linear(f"{layer}self_attn.{part}_proj", y, width) for part in "qkv")
        x = x + w.linear(layer + "self_attn.out_proj", attend(q, k, v, heads, causal(ids.shape[1])), width)
        if not before:
            x = w.norm(layer + "self_attn_layer_norm", x, 1e-5)
        y = w.norm(layer + "final_layer_norm", x, 1e-5) if before else x
        y = F.relu(w.linear(layer + "fc1", y, c["ffn_dim"]))
        x = x + w.linear(layer + "fc2", y, width)
        if not before:
            x = w.norm(layer + "final_layer_norm", x, 1e-5)
    if before:
        x = w.norm(root + "final_layer_norm", x, 1e-5)
    if inner != width:
        x = w.linear(root + "project_out", x, inner, bias=False)
    return F.linear(x, w.get(root + "embed_tokens.weight", (c["vocab_size"], inner), 0.8))


def make_opt():
    c = {"architectures": ["OPTForCausalLM"], "model_type": "opt", "hidden_size": 32, "num_attention_heads": 4,
         "num_hidden_layers": 2, "ffn_dim": 48, "vocab_size": 61, "max_position_embeddings": 24,
         "word_embed_proj_dim": 32, "do_layer_norm_before": True, "activation_function": "relu"}
    w, ids = Weights(21), token_ids(21, 61, 2, 11)
    store("hf_opt", c, w, {"input_ids": ids}, {"logits": opt(w, c, ids)})
    c = {**c, "word_embed_proj_dim": 20, "do_layer_norm_before": False}
    w = Weights(22, torch.float16)
    store("hf_opt_post_norm", c, w, {"input_ids": ids}, {"logits": opt(w, c, ids)})


def rotary_frequencies(c, dim):
    base = c["rope_theta"] ** (-torch.arange(0, dim, 2, dtype=torch.float64) / dim)
    scaling = c.get("rope_scaling")
    if not scaling:
        return base
    if scaling["rope_type"] == "linear":
        return base / scaling["factor"]
    # LLaMA 3.1: by wave length against the original context
    original, low, high = (scaling[key] for key in
                           ("original_max_position_embeddings", "low_freq_factor", "high_freq_factor"))
    wave = 2 * math.pi / base
    smooth = (original / wave - low) / (high - low)
    blended = (1 - smooth) * base / scaling["factor"] + smooth * base
    return torch.where(wave > original / low, base / scaling["factor"],
                       torch.where(wave < original / high, base, blended))


def rotate(x, frequencies):
    """x [B, H, T, d]: (x_i, x_{i + d/2}) as one complex number, turned by position times frequency."""
    half = x.shape[-1] // 2
    turn = torch.outer(torch.arange(x.shape[2], dtype=torch.float64), frequencies)
    turned = torch.complex(x[..., :half], x[..., half:]) * torch.polar(torch.ones_like(turn), turn)
    return torch.cat([turned.real, turned.imag], -1)


def llama(w, c, ids):
    width, heads, shared, dim = (c[key] for key in
                                 ("hidden_size", "num_attention_heads", "num_key_value_heads", "head_dim"))
    eps, bias, mlp_bias, mlp = (c[key] for key in ("rms_norm_eps", "attention_bias", "mlp_bias", "intermediate_size"))
    batch, length = ids.shape
    frequencies = rotary_frequencies(c, dim)
    x = w.embedding("model.embed_tokens", ids, c["vocab_size"], width)
    for i in range(c["num_hidden_layers"]):
        layer = f"model.layers.{i}."
        y = w.rms_norm(layer + "input_layernorm", x, eps)

        def operand(part, count):
            made = w.linear(f"{layer}self_attn.{part}_proj", y, count * dim, bias)
            return made.view(batch, length, count, dim).transpose(1, 2)
        q = rotate(operand("q", heads), frequencies)
        k = rotate(operand("k", shared), frequencies).repeat_interleave(heads // shared, 1)
        v = operand("v", shared).repeat_interleave(heads // shared, 1)
        scores = (q @ k.transpose(2, 3) / math.sqrt(dim)).masked_fill(causal(length), -math.inf)
        context = (scores.softmax(-1) @ v).transpose(1, 2).reshape(batch, length, heads * dim)
        x = x + w.linear(layer + "self_attn.o_proj", context, width, bias)
        y = w.rms_norm(layer + "post_attention_layernorm", x, eps)
        y = F.silu(w.linear(layer + "mlp.gate_proj", y, mlp, mlp_bias)) * w.linear(layer + "mlp.up_proj", y, mlp, mlp_bias)
        x = x + w.linear(layer + "mlp.down_proj", y, width, mlp_bias)
    x = w.rms_norm("model.norm", x, eps)
    if c["tie_word_embeddings"]:
        return F.linear(x, w.get("model.embed_tokens.weight", (c["vocab_size"], width), 0.8))
    return w.linear("lm_head", x, c["vocab_size"], bias=False)


def make_llama():
    c = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 32, "intermediate_size": 44,
         "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 12,
         "rms_norm_eps": 1e-5, "rope_theta": 500.0, "hidden_act": "silu", "max_position_embeddings": 64,
         "vocab_size": 61, "tie_word_embeddings": False, "attention_bias": False, "mlp_bias": False,
         "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                          "original_max_position_embeddings": 32}}
    w, ids = Weights(31), token_ids(31, 61, 2, 40)
    store("hf_llama3", c, w, {"input_ids": ids}, {"logits": llama(w, c, ids)})
    c = {**c, "num_key_value_heads": 4, "head_dim": 8, "tie_word_embeddings": True, "attention_bias": True,
         "mlp_bias": True, "rope_theta": 10000.0, "rope_scaling": {"rope_type": "linear", "factor": 2.5}}
    w = Weights(32, torch.bfloat16)
    store("hf_llama_linear", c, w, {"input_ids": ids}, {"logits": llama(w, c, ids)})


# ---- encoders

def bert(w, c, ids, types, mask, prefix="bert.", old=False):
    width, eps = c["hidden_size"], c["layer_norm_eps"]
    names = ("gamma", "beta") if old else ("weight", "bias")
    root, positions = prefix + "embeddings.", torch.arange(ids.shape[1])
    x = w.embedding(root + "word_embeddings", ids, c["vocab_size"], width)
    x = x + w.embedding(root + "position_embeddings", positions, c["max_position_embeddings"], width)
    x = x + w.embedding(root + "token_type_embeddings", types, c["type_vocab_size"], width)
    x = w.norm(root + "LayerNorm", x, eps, names)
    hidden = (mask == 0)[:, None, :].expand(-1, ids.shape[1], -1)
    for i in range(c["num_hidden_layers"]):
        layer = f"{prefix}encoder.layer.{i}."
        q, k, v = (w.linear(f"{layer}attention.self.{part}", x, width) for part in ("query", "key", "value"))
        y = w.linear(layer + "attention.output.dense", attend(q, k, v, c["num_attention_heads"], hidden), width)
        x = w.norm(layer + "attention.output.LayerNorm", x + y, eps, names)
        y = ACTIVATIONS[c["hidden_act"]](w.linear(layer + "intermediate.dense", x, c["intermediate_size"]))
        x = w.norm(layer + "output.LayerNorm", x + w.linear(layer + "output.dense", y, width), eps, names)
    return x


def make_bert():
    c = {"architectures": ["BertForSequenceClassification"], "model_type": "bert", "hidden_size": 32,
         "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 61,
         "max_position_embeddings": 24, "type_vocab_size": 2, "layer_norm_eps": 1e-12, "hidden_act": "gelu",
         "id2label": {"0": "a", "1": "b", "2": "c"}}
    ids = token_ids(41, 61, 3, 12)
    types = (torch.arange(12)[None] >= torch.tensor([[5], [12], [3]])).long()
    mask = (torch.arange(12)[None] < torch.tensor([[12], [9], [7]])).long()
    feeds = {"input_ids": ids, "token_type_ids": types, "attention_mask": mask}
    w = Weights(41)
    pooled = torch.tanh(w.linear("bert.pooler.dense", bert(w, c, ids, types, mask)[:, 0], 32))
    logits = w.linear("classifier", pooled, 3)
    w.stored["bert.embeddings.position_ids"] = torch.arange(24, dtype=torch.float32)[None]
    store("hf_bert_classifier", c, w, feeds, {"logits": logits})

    # The older names of the norms; types and mask left out, which means zeros and ones.
    c = {**c, "architectures": ["BertForMaskedLM"], "hidden_act": "gelu_new"}
    w = Weights(42, torch.float16)
    x = bert(w, c, ids, torch.zeros_like(ids), torch.ones_like(ids), old=True)
    x = ACTIVATIONS["gelu_new"](w.linear("cls.predictions.transform.dense", x, 32))
    x = w.norm("cls.predictions.transform.LayerNorm", x, 1e-12, ("gamma", "beta"))
    words = w.get("bert.embeddings.word_embeddings.weight", (61, 32), 0.8)
    store("hf_bert_masked_lm", c, w, {"input_ids": ids},
          {"logits": F.linear(x, words, w.get("cls.predictions.bias", (61,), 0.2))})

    c = {**c, "architectures": ["BertModel"], "hidden_size": 16, "intermediate_size": 20, "num_attention_heads": 2}
    w = Weights(43, torch.bfloat16)
    x = bert(w, c, ids, types, mask, "")
    pooled = torch.tanh(w.linear("pooler.dense", x[:, 0], 16))
    store("hf_bert_model", c, w, feeds, {"last_hidden_state": x, "pooler_output": pooled})


def clip_tower(w, prefix, c, x, hidden):
    act = ACTIVATIONS[c["hidden_act"]]
    for i in range(c["num_hidden_layers"]):
        layer = f"{prefix}encoder.layers.{i}."
        y = w.norm(layer + "layer_norm1", x, 1e-5)
        q, k, v = (w.linear(f"{layer}self_attn.{part}_proj", y, c["hidden_size"]) for part in "qkv")
        y = attend(q, k, v, c["num_attention_heads"], hidden)
        x = x + w.linear(layer + "self_attn.out_proj", y, c["hidden_size"])
        y = act(w.linear(layer + "mlp.fc1", w.norm(layer + "layer_norm2", x, 1e-5), c["intermediate_size"]))
        x = x + w.linear(layer + "mlp.fc2", y, c["hidden_size"])
    return x


def clip_vision(w, c, pixels):
    width = c["hidden_size"]
    x = w.patches("vision_model.embeddings.patch_embedding", pixels, width, c["patch_size"], bias=False)
    token = w.get("vision_model.embeddings.class_embedding", (width,), 0.5).expand(x.shape[0], 1, width)
    x = torch.cat([token, x], 1)
    x = x + w.get("vision_model.embeddings.position_embedding.weight", (x.shape[1], width), 0.5)
    x = clip_tower(w, "vision_model.", c, w.norm("vision_model.pre_layrnorm", x, 1e-5), None)
    return x, w.norm("vision_model.post_layernorm", x[:, 0], 1e-5)


def clip_text(w, c, ids, mask):
    width, root = c["hidden_size"], "text_model."
    x = w.embedding(root + "embeddings.token_embedding", ids, c["vocab_size"], width)
    positions = torch.arange(ids.shape[1])
    x = x + w.embedding(root + "embeddings.position_embedding", positions, c["max_position_embeddings"], width)
    hidden = causal(ids.shape[1]) | (mask == 0)[:, None, :]
    x = w.norm(root + "final_layer_norm", clip_tower(w, root, c, x, hidden), 1e-5)
    if c["eos_token_id"] == 2:
        ends = [row.index(max(row)) for row in ids.tolist()]
    else:
        ends = [row.index(c["eos_token_id"]) for row in ids.tolist()]
    return x, torch.stack([x[i, end] for i, end in enumerate(ends)])


def make_clip():
    vision = {"model_type": "clip_vision_model", "hidden_size": 24, "intermediate_size": 40, "num_hidden_layers": 2,
              "num_attention_heads": 3, "image_size": 16, "patch_size": 4, "hidden_act": "quick_gelu"}
    text = {"model_type": "clip_text_model", "hidden_size": 16, "intermediate_size": 28, "num_hidden_layers": 2,
            "num_attention_heads": 4, "vocab_size": 62, "max_position_embeddings": 14, "hidden_act": "quick_gelu",
            "eos_token_id": 60}
    ids = token_ids(51, 60, 2, 9)
    ids[0, 5] = ids[0, 7] = ids[1, 8] = 60
    ids[1, 2] = 61  # above the end, so that the highest id is another token
    pixels, everything = image(51, 3, 16, 16), torch.ones_like(ids)
    processor = {"do_center_crop": True, "crop_size": 16, "size": {"shortest_edge": 18}, "resample": 3,
                 "image_mean": [0.48, 0.46, 0.41], "image_std": [0.27, 0.26, 0.28]}

    w = Weights(51)
    texts = F.normalize(w.linear("text_projection", clip_text(w, text, ids, everything)[1], 20, bias=False), dim=-1)
    images = F.normalize(w.linear("visual_projection", clip_vision(w, vision, pixels)[1], 20, bias=False), dim=-1)
    logits = images @ texts.T * w.get("logit_scale", (), 0.0, 2.6592).exp()
    c = {"architectures": ["CLIPModel"], "model_type": "clip", "projection_dim": 20, "vision_config": vision,
         "text_config": text}
    store("hf_clip", c, w, {"input_ids": ids, "pixel_values": pixels},
          {"logits_per_image": logits, "logits_per_text": logits.T, "text_embeds": texts, "image_embeds": images},
          processor)

    w = Weights(52, torch.float16)
    hidden, pooled = clip_vision(w, vision, pixels)
    store("hf_clip_vision", {**vision, "architectures": ["CLIPVisionModel"]}, w, {"pixel_values": pixels},
          {"last_hidden_state": hidden, "pooler_output": pooled}, processor)

    # Files of before 2023 state 2 as the end, and mean the highest id.
    text = {**text, "eos_token_id": 2, "hidden_act": "gelu"}
    mask = (torch.arange(9)[None] < torch.tensor([[9], [7]])).long()
    ids = token_ids(53, 60, 2, 9)
    w = Weights(53, torch.float16)
    hidden, pooled = clip_text(w, text, ids, mask)
    store("hf_clip_text", {**text, "architectures": ["CLIPTextModel"]}, w, {"input_ids": ids, "attention_mask": mask},
          {"last_hidden_state": hidden, "pooler_output": pooled})
    w = Weights(54, torch.bfloat16)
    hidden, pooled = clip_text(w, text, ids, torch.ones_like(ids))
    embeds = w.linear("text_projection", pooled, 12, bias=False)
    c = {**text, "architectures": ["CLIPTextModelWithProjection"], "projection_dim": 12}
    store("hf_clip_text_projection", c, w, {"input_ids": ids}, {"text_embeds": embeds, "last_hidden_state": hidden})


# ---- vision

SWIN_HF = {"patch": "swin.embeddings.patch_embeddings.projection", "patch_norm": "swin.embeddings.norm",
           "layers": "swin.encoder.layers.", "norm1": "layernorm_before", "attn": "attention.self",
           "proj": "attention.output.dense", "norm2": "layernorm_after", "fc1": "intermediate.dense",
           "fc2": "output.dense", "norm": "swin.layernorm", "head": "classifier"}
SWIN_TIMM = {"patch": "patch_embed.proj", "patch_norm": "patch_embed.norm", "layers": "layers.", "norm1": "norm1",
             "attn": "attn", "proj": "attn.proj", "norm2": "norm2", "fc1": "mlp.fc1", "fc2": "mlp.fc2", "norm": "norm",
             "head": "head.fc"}


def partition(x, size):
    """[B, H, W, C] -> [B windows, size^2, C]"""
    b, h, w, c = x.shape
    return x.view(b, h // size, size, w // size, size, c).permute(0, 1, 3, 2, 4, 5).reshape(-1, size * size, c)


def swin_attention(w, path, x, heads, size, mask, fused):
    count, t, width = x.shape
    if fused:
        q, k, v = w.linear(path + ".qkv", x, 3 * width).chunk(3, -1)
    else:
        q, k, v = (w.linear(f"{path}.{part}", x, width) for part in ("query", "key", "value"))
    q, k, v = (part.view(count, t, heads, -1).transpose(1, 2) for part in (q, k, v))
    table = w.get(path + ".relative_position_bias_table", ((2 * size - 1) ** 2, heads), 0.5)
    at = [(i, j) for i in range(size) for j in range(size)]
    bias = torch.empty(heads, t, t, dtype=torch.float64)
    for a, (ai, aj) in enumerate(at):
        for b, (bi, bj) in enumerate(at):
            bias[:, a, b] = table[(ai - bi + size - 1) * (2 * size - 1) + aj - bj + size - 1]
    scores = q @ k.transpose(2, 3) / math.sqrt(width // heads) + bias
    if mask is not None:
        scores = (scores.view(-1, mask.shape[0], heads, t, t) + mask[None, :, None]).view(count, heads, t, t)
    return (scores.softmax(-1) @ v).transpose(1, 2).reshape(count, t, width)


def shift_mask(side, size, shift):
    regions = torch.zeros(1, side, side, 1)
    number = 0
    for rows in (slice(0, -size), slice(-size, -shift), slice(-shift, None)):
        for columns in (slice(0, -size), slice(-size, -shift), slice(-shift, None)):
            regions[:, rows, columns] = number
            number += 1
    regions = partition(regions, size).squeeze(-1)
    return (regions[:, None, :] != regions[:, :, None]).double() * -100


def swin(w, names, pixels, embed, depths, heads, window, patch, classes, fused, merge_first, ratio=2, eps=1e-5):
    x = w.norm(names["patch_norm"], w.patches(names["patch"], pixels, embed, patch), 1e-5)
    side = pixels.shape[-1] // patch
    for stage, depth in enumerate(depths):
        width = embed << stage
        for i in range(depth):
            path = f"{names['layers']}{stage}.blocks.{i}."
            size = min(window, side)
            shift = window // 2 if i % 2 and side > window else 0
            y = w.norm(path + names["norm1"], x, eps).view(-1, side, side, width)
            y = partition(torch.roll(y, (-shift, -shift), (1, 2)), size)
            mask = shift_mask(side, size, shift) if shift else None
            y = swin_attention(w, path + names["attn"], y, heads[stage], size, mask, fused)
            y = w.linear(path + names["proj"], y, width)
            y = y.view(-1, side // size, side // size, size, size, width).permute(0, 1, 3, 2, 4, 5)
            y = torch.roll(y.reshape(-1, side, side, width), (shift, shift), (1, 2))
            x = x + y.reshape(-1, side * side, width)
            y = F.gelu(w.linear(path + names["fc1"], w.norm(path + names["norm2"], x, eps), ratio * width))
            x = x + w.linear(path + names["fc2"], y, width)
        if stage + 1 < len(depths):
            path = f"{names['layers']}{stage + 1 if merge_first else stage}.downsample."
            grid = x.view(-1, side, side, width)
            parts = [grid[:, i::2, j::2] for i, j in ((0, 0), (1, 0), (0, 1), (1, 1))]
            x = torch.cat(parts, -1).view(-1, side * side // 4, 4 * width)
            x = w.linear(path + "reduction", w.norm(path + "norm", x, 1e-5), 2 * width, bias=False)
            side //= 2
    x = w.norm(names["norm"], x, eps)
    return w.linear(names["head"], x.mean(1), classes)


def make_swin():
    net = dict(embed=16, depths=(2, 2), heads=(2, 4), window=4, patch=2, classes=6)
    pixels = image(61, 2, 16, 16)
    c = {"architectures": ["SwinForImageClassification"], "model_type": "swin", "image_size": 16, "patch_size": 2,
         "num_channels": 3, "embed_dim": 16, "depths": [2, 2], "num_heads": [2, 4], "window_size": 4, "mlp_ratio": 2.0,
         "qkv_bias": True, "hidden_act": "gelu", "layer_norm_eps": 1e-5, "id2label": {str(i): str(i) for i in range(6)}}
    w = Weights(61, torch.float16)
    logits = swin(w, SWIN_HF, pixels, fused=False, merge_first=False, **net)
    w.stored["swin.encoder.layers.0.blocks.0.attention.self.relative_position_index"] = torch.zeros(16, 16)
    processor = {"size": {"height": 16, "width": 16}, "resample": 3, "image_mean": [0.485, 0.456, 0.406],
                 "image_std": [0.229, 0.224, 0.225]}
    store("hf_swin", c, w, {"pixel_values": pixels}, {"logits": logits}, processor)
    net.update(depths=(1, 2), window=3)
    pixels = image(62, 2, 24, 24)
    c = {"architecture": "swin_tiny_patch4_window7_224", "num_classes": 6, "model_args": {"mlp_ratio": 2.0},
         "pretrained_cfg": {"input_size": [3, 24, 24], "crop_pct": 0.9, "interpolation": "bicubic",
                            "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}}
    for folder, first, head in (("timm_swin", True, "head.fc"), ("timm_swin_old", False, "head")):
        w = Weights(62, torch.bfloat16)
        logits = swin(w, {**SWIN_TIMM, "head": head}, pixels, fused=True, merge_first=first, **net)
        store(folder, c, w, {"pixel_values": pixels}, {"logits": logits})


def make_distilled():
    """Hugging Face's DeiT with a teacher: two heads, averaged."""
    width, root = 24, "deit."
    pixels = image(71, 2, 16, 16)
    w = Weights(71)
    x = w.patches(root + "embeddings.patch_embeddings.projection", pixels, width, 4)
    tokens = [w.get(f"{root}embeddings.{name}", (1, 1, width), 0.5).expand(2, -1, -1)
              for name in ("cls_token", "distillation_token")]
    x = torch.cat([*tokens, x], 1)
    x = x + w.get(root + "embeddings.position_embeddings", (1, x.shape[1], width), 0.5)
    for i in range(2):
        layer = f"{root}encoder.layer.{i}."
        y = w.norm(layer + "layernorm_before", x, 1e-12)
        q, k, v = (w.linear(f"{layer}attention.attention.{part}", y, width) for part in ("query", "key", "value"))
        x = x + w.linear(layer + "attention.output.dense", attend(q, k, v, 3), width)
        y = F.gelu(w.linear(layer + "intermediate.dense", w.norm(layer + "layernorm_after", x, 1e-12), 36))
        x = x + w.linear(layer + "output.dense", y, width)
    x = w.norm(root + "layernorm", x, 1e-12)
    logits = (w.linear("cls_classifier", x[:, 0], 5) + w.linear("distillation_classifier", x[:, 1], 5)) / 2
    c = {"architectures": ["DeiTForImageClassificationWithTeacher"], "model_type": "deit", "hidden_size": width,
         "intermediate_size": 36, "num_hidden_layers": 2, "num_attention_heads": 3, "image_size": 16, "patch_size": 4,
         "layer_norm_eps": 1e-12, "hidden_act": "gelu", "id2label": {str(i): str(i) for i in range(5)}}
    store("hf_deit_distilled", c, w, {"pixel_values": pixels}, {"logits": logits})


def main():
    with torch.no_grad():
        for make in (make_gpt2, make_opt, make_llama, make_bert, make_clip, make_swin, make_distilled):
            make()


if __name__ == "__main__":
    main()
