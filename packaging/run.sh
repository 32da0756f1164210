#!/usr/bin/env bash
# Builds a release and opens the window: on the bundled demo, or on what the arguments name. Without a display it runs
# the demo job through the command line to its end. Does its own set-up on a fresh Debian 12.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)

"$here/packaging/install-packages.sh"
log="$here/build/release-build.log"
mkdir -p "$here/build"
echo "Building (the first time takes several minutes; later starts a moment). The log: build/release-build.log" >&2
# Once configured, the build itself sees what has changed in the set-up.
configure() { [ -f build/release/build.ninja ] || cmake --preset release; }
if ! (cd "$here" && configure && cmake --build --preset release) >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    echo "the build failed; the whole log is in build/release-build.log" >&2
    exit 1
fi

if [ -n "${DISPLAY:-}" ] || [ -n "${WAYLAND_DISPLAY:-}" ]; then
    if [ $# -eq 0 ]; then
        set -- --demo
    fi
    exec "$here/build/release/app/ui/quantoscope" "$@"
fi
echo "There is no display: running the demo job on the command line instead." >&2
exec "$here/packaging/demo-job.sh" "$here/build/release/app/cli/quantoscope-cli"
