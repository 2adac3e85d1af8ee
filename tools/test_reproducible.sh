#!/usr/bin/env bash
# Two Release builds of the same sources, in two folders, install the same bytes: the library, the worker, the command and the
# plugins without LibTorch. With REC_KEEP set, the builds are kept.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap '[ -n "${REC_KEEP:-}" ] && echo "kept: $work" || rm -rf "$work"' EXIT
unset CFLAGS CXXFLAGS LDFLAGS CMAKE_C_COMPILER_LAUNCHER CMAKE_CXX_COMPILER_LAUNCHER
export CCACHE_DISABLE=1  # a cache would hide what differs

build() {  # build SOURCE BUILD PREFIX
  mkdir -p "$1"
  cp -r CMakeLists.txt LICENSE cmake include core plugins cli "$1"
  # Debug information is stripped, but the build id, which is a hash over it, stays.
  cmake -S "$1" -B "$2" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS=-g1 -DREC_WITH_TORCH=OFF >"$work/log"
  cmake --build "$2" -j "${JOBS:-$(nproc)}" >>"$work/log" || { tail -30 "$work/log"; return 1; }
  cmake --install "$2" --strip --prefix "$3" >>"$work/log"
}
# Paths of different length, a build folder inside the sources and one outside.
build "$work/a" "$work/a/build" "$work/first"
build "$work/another/folder" "$work/elsewhere" "$work/second"

diff -r "$work/first" "$work/second" || { echo "two builds of the same sources differ"; exit 1; }
if grep -rlF "$work" "$work/first"; then echo "a path of the build is in what is installed"; exit 1; fi
echo "$(find "$work/first" -type f | wc -l) files, the same bytes"
