#!/usr/bin/env bash
# Configures and builds one preset: tools/build.sh dev|asan|tsan|release
set -euo pipefail
cd "$(dirname "$0")/.."
preset=$1
log="build/$preset.log"
mkdir -p build
export CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
if ! { cmake --preset "$preset" -DREC_PYTHON="$PWD/build/venv/bin/python" -DREC_SWIG="$PWD/build/venv/bin/swig" &&
  cmake --build --preset "$preset" -j "${JOBS:-$(nproc)}"; } >"$log" 2>&1; then
  grep -E 'error|FAILED' "$log" | head -40 || true
  tail -5 "$log"
  echo "the whole log is in $log" >&2
  exit 1
fi
