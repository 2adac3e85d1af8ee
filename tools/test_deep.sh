#!/usr/bin/env bash
# What `make test` leaves out: two builds compared byte by byte, each fuzzer for a minute, the plugins over LibTorch under ASan,
# every failing allocation, and a PyTorch of its own LibTorch beside the plugins, for which `make test` has a stand-in.
set -euo pipefail
cd "$(dirname "$0")/.."
tools/test_reproducible.sh
tools/fuzz.sh 1
tools/build.sh deep
# LibTorch keeps registries and thread pools for the life of the process; leak detection would list those.
export ASAN_OPTIONS=detect_leaks=0
ctest --test-dir build/deep --output-on-failure -L torch

tools/build.sh dev
REC_TEST_DEEP=1 ctest --test-dir build/dev --output-on-failure -R '^FailingMemory'  # every allocation fails once
site=$(ls -d build/peers/lib/python3*/site-packages 2>/dev/null || true)
if [ ! -d "$site/torch" ]; then
  python3 -m venv build/peers
  build/peers/bin/pip install --quiet torch numpy
  site=$(ls -d build/peers/lib/python3*/site-packages)
fi
PYTHONPATH=build/dev/python REC_TORCH_SITE=$PWD/$site REC_BUILD_FOLDER=$PWD/build/dev REC_WITH_TORCH=1 \
  build/venv/bin/python -m pytest -q -p no:cacheprovider bindings/python/tests/test_isolation.py
