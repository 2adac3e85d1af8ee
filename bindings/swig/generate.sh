#!/usr/bin/env bash
# Writes what `go build` needs and is committed for it: the raw Go layer, since users have no SWIG, and copies of
# bindings/common; --check compares instead.
#   generate.sh [--check] SWIG
set -euo pipefail
cd "$(dirname "$0")"
committed=../go/internal folder=../go/internal
if [ "$1" = --check ]; then
  shift
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  mkdir "$folder"/{crec,arrowtest}
fi
"$1" -go -cgo -intgosize 64 -DSWIGWORDSIZE64 -I../../include -outdir "$folder/crec" -o "$folder/crec/crec_wrap.c" go.i
# SWIG's version and blanks at line ends are no part of the answer.
sed -i -e '/^ \* Version [0-9.]*$/d' -e '/^#define SWIG_VERSION /d' -e 's/[ \t]*$//' "$folder"/crec/crec{.go,_wrap.c}
cp ../common/flat.{c,h} "$folder/crec"
cp ../common/test/arrow_stream.{c,h} "$folder/arrowtest"
for file in crec/{crec.go,crec_wrap.c,flat.c,flat.h} arrowtest/arrow_stream.{c,h}; do
  cmp "$folder/$file" "$committed/$file" || { echo "run bindings/swig/generate.sh"; exit 1; }
done
