#!/usr/bin/env bash
# What the window does with the demo, on the command line: calibrate, quantize in several ways, evaluate, export, verify.
# Usage: demo-job.sh PATH-OF-quantoscope-cli [OUTPUT-FOLDER]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cli=$1
demo=$(cd "$here/../resources/demo" && pwd)
out=${2:-$(mktemp -d)}
mkdir -p "$out"

"$cli" inspect "$demo" | sed '/^$/,$d'
"$cli" calibrate "$demo" --data "$demo/calib" --out "$out/calibration.h5"
"$here/accuracy-table.sh" "$cli" "$demo" "$out/calibration.h5" "$demo/eval" "$out"
"$cli" quantize "$demo" --calibration "$out/calibration.h5" --preset portable-int8 --out "$out/int8.json"
"$cli" export "$demo" --recipe "$out/int8.json" --format onnx-qdq --out "$out/demo-int8.onnx" --verify \
    --data "$demo/calib"
echo "everything written to $out"
