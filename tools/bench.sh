#!/usr/bin/env bash
# tools/bench.sh: kernels.   tools/bench.sh peers: the same work beside RecBole and implicit, in build/peers.
# Data: REC_BENCH_DATA, a LightGCN text folder with train.txt, valid.txt, test.txt (MovieLens 1M for the documented figures).
set -euo pipefail
cd "$(dirname "$0")/.."
if [ "${1:-}" != peers ]; then
  exec build/dev/bin/rec_kernels_bench --benchmark_repetitions=5 --benchmark_min_time=0.1 --benchmark_report_aggregates_only=true
fi
: "${REC_BENCH_DATA:?set it to a folder with train.txt, valid.txt and test.txt}"
if [ ! -f build/peers/.installed ]; then
  python3 -m venv build/peers
  build/peers/bin/pip install --quiet --disable-pip-version-check torch==2.5.1 recbole==1.2.1 numpy==1.26.4 scipy==1.11.4 \
    pandas implicit faiss-cpu kmeans-pytorch ray psutil 'setuptools<81'
  touch build/peers/.installed
fi
tools/build.sh release
root=$PWD data=$(realpath "$REC_BENCH_DATA")
cd build/peers  # RecBole leaves its logs where it is run
exec bin/python "$root/tests/bench/peers.py" --data "$data" --recore "$root/build/release/bin/recore" "${@:2}"
