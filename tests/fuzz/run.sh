#!/usr/bin/env bash
# Usage: tests/fuzz/run.sh SECONDS [TARGET...]: each libFuzzer program of build/fuzz for so long, one after the other.
# The inputs it discovers are kept in build/fuzz/corpus, findings in build/fuzz/findings; the log ends with its figures.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=$1
shift
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
    mapfile -t targets < <(find tests/fuzz/corpus -mindepth 1 -maxdepth 1 -type d -printf '%f\n' | sort)
fi
status=0
for target in "${targets[@]}"; do
    found=build/fuzz/corpus/$target
    findings=build/fuzz/findings
    mkdir -p "$found" "$findings"
    echo "== $target"
    longest=65536
    case $target in npy | recipe | config) longest=4096 ;; esac
    build/fuzz/tests/fuzz/fuzz_"$target" "$found" "tests/fuzz/corpus/$target" \
        -dict="tests/fuzz/dictionaries/$target.dict" -max_total_time="$seconds" -max_len=$longest -timeout=90 \
        -rss_limit_mb=2048 -artifact_prefix="$findings/$target-" -print_final_stats=1 \
        >"$findings/$target.log" 2>&1 || { echo "FINDING, see $findings/$target.log"; status=1; }
    grep -E "^(Done|SUMMARY|stat::(number_of_executed_units|peak_rss_mb))" "$findings/$target.log" || true
done
exit $status
