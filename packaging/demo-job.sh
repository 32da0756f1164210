#!/usr/bin/env bash
# What the window does with the demo, on the command line: calibrate, quantize in several ways, evaluate, export, verify.
# Usage: demo-job.sh PATH-OF-quantoscope-cli [OUTPUT-FOLDER]
set -euo pipefail
cli=$1
demo=$(cd "$(dirname "$0")/../resources/demo" && pwd)
out=${2:-$(mktemp -d)}
mkdir -p "$out"

"$cli" inspect "$demo" | head -n 8
"$cli" calibrate "$demo" --data "$demo/calib" --out "$out/calibration.h5"

field() { sed -n "s/.*\"$1\": *\([-0-9.einf\"]*\).*/\1/p" "$2" | head -n 1; }
row() { printf '%-34s %8s %10s %9s %9s\n' "$@"; }
row "plan on $(grep -c . "$demo/eval/labels.txt") images" "top-1 %" "agree %" "KL" "SQNR dB"

evaluate() { # label, arguments of evaluate...
    local label=$1
    shift
    "$cli" evaluate "$demo" --data "$demo/eval" --json "$@" >"$out/result.json" 2>/dev/null
    row "$label" "$(field top1 "$out/result.json")" "$(field agreement "$out/result.json")" \
        "$(field kl "$out/result.json")" "$(field sqnr_db "$out/result.json")"
}

evaluate "FP32"
for bits in 8 6 4; do
    for norm in tensor channel; do
        for preset in minmax percentile mse; do
            recipe="$out/w${bits}a${bits}-$preset-$norm.json"
            "$cli" quantize "$demo" --calibration "$out/calibration.h5" --preset "$preset" --norm "$norm" \
                --w-bits "$bits" --a-bits "$bits" --out "$recipe" 2>/dev/null
            evaluate "W${bits}A${bits} $preset, LayerNorm per $norm" --recipe "$recipe"
        done
    done
done

"$cli" quantize "$demo" --calibration "$out/calibration.h5" --preset portable-int8 --out "$out/int8.json"
"$cli" export "$demo" --recipe "$out/int8.json" --format onnx-qdq --out "$out/demo-int8.onnx" --verify \
    --data "$demo/calib"
echo "everything written to $out"
