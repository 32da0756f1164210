"""WAV files of every sample format, their PCM headers by the standard library, with the samples they hold.

Usage: make_wav.py OUT_FOLDER    writes <format>.wav and <format>.npy (float32, one channel)
"""
import struct
import sys
import wave
from pathlib import Path

import numpy as np

out = Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)
rng = np.random.default_rng(11)


def pcm(name, bits, channels, rate=16000):
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    values = rng.integers(low, high, size=(21, channels), endpoint=True)
    values[0], values[1], values[2] = low, high, 0
    stored = values + 128 if bits == 8 else values
    raw = b"".join(int(v).to_bytes(bits // 8, "little", signed=bits != 8) for v in stored.reshape(-1))
    with wave.open(str(out / f"{name}.wav"), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(bits // 8)
        file.setframerate(rate)
        file.writeframes(raw)
    np.save(out / f"{name}.npy", (values / 2.0 ** (bits - 1)).mean(axis=1).astype(np.float32))


def chunk(tag, content):
    return tag + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def riff(name, *chunks):
    body = b"WAVE" + b"".join(chunks)
    (out / f"{name}.wav").write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)


def floating(name, bits):
    values = rng.normal(size=20).astype(np.float32)
    stored = values.astype("<f4" if bits == 32 else "<f8").tobytes()
    head = struct.pack("<HHIIHHH", 3, 1, 16000, 16000 * bits // 8, bits // 8, bits, 0)
    riff(name, chunk(b"fmt ", head), chunk(b"fact", struct.pack("<I", 20)), chunk(b"data", stored))
    np.save(out / f"{name}.npy", values)


def extensible(name):
    values = rng.integers(-(2 ** 23), 2 ** 23, size=(9, 2))
    raw = b"".join(int(v).to_bytes(3, "little", signed=True) for v in values.reshape(-1))
    guid = struct.pack("<H", 1) + bytes.fromhex("000000001000800000aa00389b71")
    head = struct.pack("<HHIIHHHHI", 0xFFFE, 2, 44100, 44100 * 6, 6, 24, 22, 24, 3) + guid
    riff(name, chunk(b"LIST", b"INFOabc"), chunk(b"fmt ", head), chunk(b"data", raw), chunk(b"tail", b"xyz"))
    np.save(out / f"{name}.npy", (values / 2.0**23).mean(axis=1).astype(np.float32))


pcm("pcm8", 8, 1)
pcm("pcm16", 16, 1)
pcm("pcm24", 24, 1)
pcm("pcm32", 32, 1)
pcm("stereo16", 16, 2)
floating("float32", 32)
floating("float64", 64)
extensible("extensible24")
