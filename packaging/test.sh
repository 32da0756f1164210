#!/usr/bin/env bash
# Builds with warnings as errors and runs all tests. Does its own set-up on a fresh Debian 12.
set -euo pipefail
cd "$(dirname "$0")/.."

node_packages=()
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    node_packages=(nodejs npm)
fi
packaging/install-packages.sh "${node_packages[@]}"

# ONNX Runtime judges the exported files. Its install script only fetches GPU parts from elsewhere, so it is skipped.
node_folder=build/node
mkdir -p "$node_folder"
if ! cmp -s tests/exporting/package-lock.json "$node_folder/package-lock.json"; then
    cp tests/exporting/package.json tests/exporting/package-lock.json "$node_folder/"
    if ! (cd "$node_folder" && npm ci --ignore-scripts --no-audit --no-fund >&2); then
        rm -rf "$node_folder/package-lock.json" "$node_folder/node_modules"
        echo "WARNING: ONNX Runtime could not be installed; the tests that need it are left out" >&2
    fi
fi

cmake --workflow --preset ci
