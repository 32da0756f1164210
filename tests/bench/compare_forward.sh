#!/bin/sh
# Alternates our forward pass and ONNX Runtime's on the same machine and prints medians and the ratio ours / theirs.
# compare_forward.sh QS_BENCH_FORWARD MODEL_DIR MODEL.onnx NODE_MODULES [ROUNDS] [BATCH] [THREADS]
set -eu
[ $# -ge 4 ] || { echo "usage: $0 QS_BENCH_FORWARD MODEL_DIR MODEL.onnx NODE_MODULES [ROUNDS] [BATCH] [THREADS]" >&2; exit 2; }
bench=$1 model=$2 onnx=$3 modules=$4 rounds=${5:-5} batch=${6:-8} threads=${7:-2}
here=$(cd "$(dirname "$0")" && pwd)
results=$(mktemp)
trap 'rm -f "$results"' EXIT
round=0
while [ "$round" -lt "$rounds" ]; do
    "$bench" "$model" "--benchmark_filter=batch:$batch/threads:$threads/" --benchmark_min_time=2 \
        --benchmark_format=json 2>/dev/null | sed 's/^/O /' >>"$results"
    echo >>"$results"
    node "$here/compare_onnxruntime.mjs" "$onnx" "$batch" "$threads" "$modules" 2 | sed 's/^/T /' >>"$results"
    round=$((round + 1))
done
node -e '
const lines = require("fs").readFileSync(process.argv[1], "utf8").split("\n");
const median = v => v.sort((a, b) => a - b)[v.length >> 1];
const values = key => lines.filter(l => l.startsWith("O") && l.includes(`"${key}"`)).map(l => Number(l.split(":")[1].replace(",", "")));
const ours = values("images_per_second");
const theirs = lines.filter(l => l.startsWith("T {")).map(l => JSON.parse(l.slice(2)).images_per_second);
const ratios = ours.map((v, i) => v / theirs[i]);
console.log(JSON.stringify({ rounds: ours.length, images_per_second: median(ours), share_of_peak: median(values("share_of_peak")),
    onnxruntime_images_per_second: median(theirs), ratio: median(ratios) }));' "$results"
