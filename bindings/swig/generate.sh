#!/usr/bin/env bash
# Writes the raw Go layer, which is committed since users have no SWIG; --check compares instead.
#   generate.sh [--check] SWIG
set -euo pipefail
cd "$(dirname "$0")"
committed=../go/internal/crec folder=../go/internal/crec
if [ "$1" = --check ]; then
  shift
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
fi
"$1" -go -cgo -intgosize 64 -DSWIGWORDSIZE64 -I../../include -outdir "$folder" -o "$folder/crec_wrap.c" go.i
for file in crec.go crec_wrap.c; do
  # SWIG's version and blanks at line ends are no part of the answer.
  sed -i -e '/^ \* Version [0-9.]*$/d' -e '/^#define SWIG_VERSION /d' -e 's/[ \t]*$//' "$folder/$file"
  cmp "$folder/$file" "$committed/$file" || { echo "run bindings/swig/generate.sh"; exit 1; }
done
