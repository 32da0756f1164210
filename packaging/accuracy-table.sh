#!/usr/bin/env bash
# A table of one model under the simple presets: top-1, agreement with FP32, KL and SQNR of the logits.
# Usage: accuracy-table.sh PATH-OF-quantoscope-cli MODEL CALIBRATION.h5 EVALUATION-DATA FOLDER-FOR-RECIPES
set -euo pipefail
cli=$1 model=$2 calibration=$3 data=$4 out=$5
mkdir -p "$out"

# The number behind a key of the command line's JSON, to two or four digits.
field() { sed -n "s/^ \"$1\": *\([-0-9.e]*\|null\),*$/\1/p" "$2" | head -n 1; }
shown() { if [ "$1" = null ]; then echo -; else printf "%.$2f" "$1"; fi; }
row() { printf '%-40s %8s %10s %9s %9s\n' "$@"; }

evaluate() { # label, further arguments of evaluate
    local label=$1
    shift
    "$cli" evaluate "$model" --data "$data" --json "$@" >"$out/result.json" 2>"$out/messages.txt" \
        || { cat "$out/messages.txt" >&2; return 1; }
    row "$label" "$(shown "$(field top1 "$out/result.json")" 2)" "$(shown "$(field agreement "$out/result.json")" 2)" \
        "$(shown "$(field kl "$out/result.json")" 4)" "$(shown "$(field sqnr_db "$out/result.json")" 2)"
}

row "plan" "top-1 %" "agree %" "KL nats" "SQNR dB"
evaluate "FP32"
for bits in 8 6 4; do
    for norm in tensor channel; do
        for preset in minmax percentile mse kl; do
            recipe="$out/w${bits}a${bits}-$preset-$norm.json"
            "$cli" quantize "$model" --calibration "$calibration" --preset "$preset" --norm "$norm" \
                --w-bits "$bits" --a-bits "$bits" --out "$recipe" >/dev/null 2>&1
            evaluate "W${bits}A${bits} $preset, LayerNorm per $norm" --recipe "$recipe"
        done
    done
    recipe="$out/w${bits}a${bits}-log-sqrt2.json"
    "$cli" quantize "$model" --calibration "$calibration" --preset percentile --norm channel --softmax log-sqrt2 \
        --w-bits "$bits" --a-bits "$bits" --out "$recipe" >/dev/null 2>&1
    evaluate "W${bits}A${bits} percentile, per channel, log√2" --recipe "$recipe"
done
