#!/usr/bin/env bash
# The LibTorch plugins and their tests under ASan, which `make test` leaves out.
set -euo pipefail
cd "$(dirname "$0")/.."
tools/build.sh deep
# LibTorch keeps registries and thread pools for the life of the process; leak detection would list those.
export ASAN_OPTIONS=detect_leaks=0
ctest --test-dir build/deep --output-on-failure -L torch
