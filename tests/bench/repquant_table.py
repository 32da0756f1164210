#!/usr/bin/env python3
"""Accuracy of the presets, and of every single ingredient left out, as a Markdown table.

    tests/bench/repquant_table.py CLI MODEL CALIBRATION EVALUATION FOLDER [--bits 4/4,6/6,3/3] [--ablations 4/4]
                                  [--samples 32] [--threads 2] [--images]

CLI is quantoscope-cli; CALIBRATION and EVALUATION are data as `--data` takes it. Recipes and results are kept in FOLDER,
and what is there already is not made again: an interrupted table goes on where it was (repquant itself too, by --resume).
Rows are made one after the other. `time` is that of the quantization alone. --images adds the rows that need image input.
"""
import argparse
import json
import pathlib
import re
import subprocess
import sys
import time

METHODS = {
    "repq-vit": ["reparam", "log-sqrt2"],
    "repquant-fast": ["reparam", "log-sqrt2", "log-gelu", "dual-clipping", "reconstruction", "bias-refit"],
    "repquant": ["reparam", "log-sqrt2", "log-gelu", "dual-clipping", "reconstruction", "bias-refit"],
}


def rows_of(options):
    """(name, bits, arguments of quantize) of every row."""
    for bits in options.bits.split(","):
        for preset in ("minmax", "percentile"):
            yield preset, bits, ["--preset", preset]
        for method in METHODS:
            yield method, bits, ["--preset", method]
        yield "repquant with AdaLog", bits, ["--preset", "repquant", "--softmax", "adalog"]
    for bits in filter(None, options.ablations.split(",")):
        for method, ingredients in METHODS.items():
            for ingredient in ingredients:
                yield f"{method} without {ingredient}", bits, ["--preset", method, "--without", ingredient]
        if options.images:
            yield "repquant on the images as they are", bits, ["--preset", "repquant", "--augment", "1"]
        yield "repquant block by block only", bits, ["--preset", "repquant", "--end-to-end", "0"]


def run(options, arguments):
    command = [options.cli, "--threads", str(options.threads), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(" ".join(command) + "\n" + done.stderr)
    return done.stdout


def measure(options, name, bits, arguments):
    """Metrics of a row, from FOLDER or made now."""
    folder = pathlib.Path(options.folder)
    stem = re.sub(r"[^a-z0-9]+", "-", f"{name} w{bits.replace('/', 'a')}")
    result = folder / (stem + ".json")
    if result.exists():
        return json.loads(result.read_text())
    w, a = bits.split("/")
    recipe = folder / (stem + ".recipe.json")
    command = ["quantize", options.model, "--w-bits", w, "--a-bits", a, "--out", str(recipe), *arguments]
    if arguments[1] in METHODS:
        command += ["--data", options.calibration, "--samples", str(options.samples)]
        if arguments[1] == "repquant":
            command += ["--resume", str(folder / (stem + ".state.h5"))]
    else:
        calibration = folder / "calibration.h5"
        if not calibration.exists():
            run(options, ["calibrate", options.model, "--data", options.calibration, "--samples",
                          str(options.samples), "--out", str(calibration)])
        command += ["--calibration", str(calibration)]
    start = time.monotonic()
    run(options, command)
    seconds = time.monotonic() - start
    metrics = json.loads(
        run(options, ["evaluate", options.model, "--recipe", str(recipe), "--data", options.evaluation, "--json"]))
    metrics["seconds"] = seconds
    del metrics["layer_sqnr_db"]
    result.write_text(json.dumps(metrics))
    return metrics


def row_text(name, bits, metrics):
    label = f"W{bits.replace('/', 'A')}" if bits else ""
    seconds = f"{metrics['seconds']:.0f} s" if "seconds" in metrics else ""
    shown = [("nll", ".4f"), ("top1", ".2f"), ("agreement", ".2f"), ("kl", ".4f"), ("sqnr_db", ".2f")]
    cells = [format(metrics[key], form) if metrics.get(key) is not None else "-" for key, form in shown]
    return "| " + " | ".join([label, name, *cells, seconds]) + " |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("cli", "model", "calibration", "evaluation", "folder"):
        parser.add_argument(name)
    parser.add_argument("--bits", default="4/4,6/6,3/3")
    parser.add_argument("--ablations", default="4/4")
    parser.add_argument("--samples", type=int, default=32)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", default="", help="names of rows, separated by commas; others are left out")
    parser.add_argument("--images", action="store_true")
    options = parser.parse_args()
    pathlib.Path(options.folder).mkdir(parents=True, exist_ok=True)
    print("| bits | plan | NLL | top-1 % | agreement % | KL nats | SQNR dB | time |")
    print("|---|---|---|---|---|---|---|---|")
    exact = json.loads(run(options, ["evaluate", options.model, "--data", options.evaluation, "--json"]))
    print(row_text("FP32", "", exact), flush=True)
    rows = list(rows_of(options))
    if options.only:
        rows = [row for row in rows if row[0] in options.only.split(",")]
    for name, bits, arguments in rows:
        print(row_text(name, bits, measure(options, name, bits, arguments)), flush=True)


main()
