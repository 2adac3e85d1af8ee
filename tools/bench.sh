#!/usr/bin/env bash
# tools/bench.sh: kernels.   tools/bench.sh peers: the same work beside RecBole, implicit and PyTorch, in build/peers.
# tools/bench.sh calls [--rounds N]: one recommend() from C, Go, Java and Python.
# tools/bench.sh services [OPTION...]: the services of samples/ under load, with the options of tests/bench/services/main.go.
# Data of peers, either or both: REC_BENCH_DATA, a LightGCN text folder with train.txt, valid.txt, test.txt (MovieLens 1M for
# the documented figures), and REC_BENCH_RECHORUS, a ReChorus folder whose dev.csv and test.csv have neg_items (Amazon
# Grocery), for the same models written down in PyTorch.
set -euo pipefail
cd "$(dirname "$0")/.."

# The service has one core, what loads it another.
services() {
  local out=build/bench-services data=samples/data/orchard.inter.gz seed
  mkdir -p "$out"
  for seed in 1 2; do
    build/dev/bin/recore train --model bprmf --data "$data" --set epochs=10 --set "seed=$seed" --out "$out/$seed.rec" --quiet
  done
  zcat "$data" | tail -n +2 | cut -f1 | sort -u >"$out/users.txt"
  local load=(taskset -c 0 build/dev/services/load --models "$out/1.rec,$out/2.rec" --users "$out/users.txt" "$@" -- taskset -c 1)
  echo "== a server that only spins 20 us and answers: what the machine does to any"
  "${load[@]}" build/dev/services/load control
  echo "== samples/go-service"
  "${load[@]}" build/dev/services/go-service
  echo "== samples/java-service, with a heap that does not grow, so that what grows is not the heap"
  "${load[@]}" java -Xms128m -Xmx128m -XX:+AlwaysPreTouch -Drecore.library.path=build/dev/lib \
    -cp build/dev/java/recore.jar:build/dev/services/java Service
}

calls() {
  local jar go
  command -v mvn >/dev/null || { echo "calls: JMH comes by Maven; install the package maven" >&2; return 1; }
  if [ ! -f build/jmh/.installed ]; then
    for jar in org.openjdk.jmh:jmh-core:1.37 org.openjdk.jmh:jmh-generator-annprocess:1.37 \
      net.sf.jopt-simple:jopt-simple:5.0.4 org.apache.commons:commons-math3:3.6.1; do
      mvn -q -B -Dstyle.color=never dependency:copy -Dartifact="$jar" -DoutputDirectory="$PWD/build/jmh"
    done
    touch build/jmh/.installed
  fi
  go=$(sed -n 's/^REC_GO:[A-Z]*=//p' build/dev/CMakeCache.txt)
  PYTHONPATH=build/dev/python build/venv/bin/python tests/bench/calls/calls.py --build "$PWD/build/dev" --go "$go" \
    --jmh build/jmh "$@"
}

if [ "${1:-}" = services ] || [ "${1:-}" = calls ]; then
  "$@"
  exit
fi
if [ "${1:-}" != peers ]; then
  exec build/dev/bin/rec_kernels_bench --benchmark_repetitions=5 --benchmark_min_time=0.1 --benchmark_report_aggregates_only=true
fi
: "${REC_BENCH_DATA:=}" "${REC_BENCH_RECHORUS:=}"
if [ -z "$REC_BENCH_DATA$REC_BENCH_RECHORUS" ]; then
  echo "peers: set REC_BENCH_DATA to a folder with train.txt, valid.txt and test.txt, or REC_BENCH_RECHORUS to one with" \
    "train.csv, dev.csv and test.csv" >&2
  exit 2
fi
if [ ! -f build/peers/.installed ]; then
  python3 -m venv build/peers
  build/peers/bin/pip install --quiet --disable-pip-version-check torch==2.5.1 recbole==1.2.1 numpy==1.26.4 scipy==1.11.4 \
    pandas implicit faiss-cpu kmeans-pytorch ray psutil 'setuptools<81'
  touch build/peers/.installed
fi
tools/build.sh release
root=$PWD
peer() {  # peer SCRIPT DATA ARGUMENT...
  (cd build/peers && bin/python "$root/tests/bench/$1" --data "$2" --recore "$root/build/release/bin/recore" "${@:3}")
}
# RecBole leaves its logs where it is run: in build/peers.
[ -z "$REC_BENCH_DATA" ] || peer peers.py "$(realpath "$REC_BENCH_DATA")" "${@:2}"
[ -z "$REC_BENCH_RECHORUS" ] || peer in_pytorch.py "$(realpath "$REC_BENCH_RECHORUS")" "${@:2}"
