#!/bin/sh
# Pictures of every screen of the window at scale 1 and 2: on the demo, and on DeiT-Tiny where its files lie beside the checkout.
# Usage: tests/app/screenshots.sh BUILD-FOLDER OUTPUT-FOLDER [--only NAME]
set -eu
build=$1
out=$2
shift 2
export QT_QPA_PLATFORM="${QT_QPA_PLATFORM:-offscreen}" LC_ALL=C.UTF-8
shared=$(dirname "$0")/../../../shared/data
for scale in 1 2; do
    export QT_SCALE_FACTOR=$scale
    "$build/tests/app/qs_screenshots" "$out/demo" "$@"
    if [ -d "$shared/models/deit_tiny_patch16_224" ]; then
        "$build/tests/app/qs_screenshots" "$out/deit-tiny" "$shared/models/deit_tiny_patch16_224" "$shared/images/calib" \
            "$shared/images/eval" "$@"
    fi
done
