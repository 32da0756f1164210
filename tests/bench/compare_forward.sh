#!/bin/sh
# Alternates our forward pass and ONNX Runtime's on the same machine and prints medians, the median ratio ours / theirs
# and the ratio of the best rounds (steadier where other guests share the processor).
# compare_forward.sh QUANTOSCOPE_CLI MODEL MODEL.onnx NODE_MODULES [ROUNDS] [BATCH] [THREADS]
set -eu
[ $# -ge 4 ] || { echo "usage: $0 QUANTOSCOPE_CLI MODEL MODEL.onnx NODE_MODULES [ROUNDS] [BATCH] [THREADS]" >&2; exit 2; }
cli=$1 model=$2 onnx=$3 modules=$4 rounds=${5:-5} batch=${6:-8} threads=${7:-2}
here=$(cd "$(dirname "$0")" && pwd)
results=$(mktemp)
trap 'rm -f "$results"' EXIT
round=0
while [ "$round" -lt "$rounds" ]; do
    "$cli" bench "$model" --batch "$batch" --samples "$((batch < 4 ? 4 : batch))" --threads "$threads" --seconds 1 --json \
        2>/dev/null | tr -d '\n' >>"$results"
    echo >>"$results"
    node "$here/compare_onnxruntime.mjs" "$onnx" "$batch" "$threads" "$modules" 1 >>"$results"
    round=$((round + 1))
done
node -e '
const lines = require("fs").readFileSync(process.argv[1], "utf8").split("\n").filter(l => l).map(l => JSON.parse(l));
const median = v => [...v].sort((a, b) => a - b)[v.length >> 1];
const ours = lines.filter(l => l.model);
const theirs = lines.filter(l => l.runtime).map(l => l.images_per_second);
const rates = ours.map(l => l.images_per_second ?? l.samples_per_second);
console.log(JSON.stringify({ rounds: ours.length, batch: ours[0].batch, threads: ours[0].threads,
    images_per_second: median(rates), share_of_peak: median(ours.map(l => l.share_of_peak)),
    calibration_overhead: median(ours.map(l => l.calibration_overhead)),
    onnxruntime_images_per_second: median(theirs), ratio: median(rates.map((v, i) => v / theirs[i])),
    ratio_of_best: Math.max(...rates) / Math.max(...theirs) }));' "$results"
