#!/usr/bin/env bash
# The library exports exactly the listed symbols, needs neither LibTorch nor OpenMP, and stays small; plugins need none
# of its symbols. check_exports.sh LIBRARY EXPORTS.txt PLUGINS_FOLDER
set -euo pipefail
library=$1 exports=$2 plugins=$3
diff <(nm -D --defined-only "$library" | awk '{print $3}' | LC_ALL=C sort) <(awk '{print $1}' "$exports" | LC_ALL=C sort)
if ldd "$library" | awk '{print $1}' | grep -iE 'torch|c10|gomp|libomp|iomp|blas|mkl'; then echo "the library needs what it must not need"; exit 1; fi
stripped=$(mktemp)
trap 'rm -f "$stripped"' EXIT
strip -o "$stripped" "$library"
size=$(wc -c <"$stripped")
[ "$size" -lt 3800000 ] || { echo "the library has $size bytes, 3.8 MB is the most, as the README says"; exit 1; }
for plugin in "$plugins"/librecore_*.so; do
  if nm -D --undefined-only "$plugin" | grep ' rec_'; then echo "$plugin needs symbols of the library"; exit 1; fi
  [ "$(nm -D --defined-only "$plugin" | grep -c ' [TDBR] ')" = 1 ] || { echo "$plugin exports more than rec_plugin_entry"; exit 1; }
done
echo "$(wc -l <"$exports") symbols, $size bytes"
