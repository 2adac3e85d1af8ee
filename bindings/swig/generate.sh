#!/usr/bin/env bash
# Writes the committed files that `go build` needs: the raw Go layer, since users have no SWIG, and copies of
# bindings/common/flat.{c,h}; --check compares instead. The LICENSE of the module is a copy, too.
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
# SWIG's version, its hash of go.i and trailing blanks are removed, so that a comment in go.i changes nothing.
sed -i -e 's/crec_[0-9a-f]\{16\}/crec/g' -e '/^ \* Version [0-9.]*$/d' -e '/^#define SWIG_VERSION /d' -e 's/[ \t]*$//' "$folder"/crec{.go,_wrap.c}
cp ../common/flat.{c,h} "$folder"
[ "$folder" != "$committed" ] || cp ../../LICENSE ../go
for file in crec.go crec_wrap.c flat.c flat.h; do
  cmp "$folder/$file" "$committed/$file" || { echo "run bindings/swig/generate.sh"; exit 1; }
done
cmp ../../LICENSE ../go/LICENSE || { echo "run bindings/swig/generate.sh"; exit 1; }
