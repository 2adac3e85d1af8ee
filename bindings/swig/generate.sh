#!/usr/bin/env bash
# Writes the raw Go layer; its output is committed, since users have no SWIG.
#   generate.sh SWIG [FOLDER]
set -euo pipefail
folder=$(realpath "${2:-$(dirname "$0")/../go/internal/crec}")
cd "$(dirname "$0")"
"$1" -go -cgo -intgosize 64 -DSWIGWORDSIZE64 -I../../include -outdir "$folder" -o "$folder/crec_wrap.c" go.i
# Neither the version of SWIG nor blanks at line ends are part of the answer.
sed -i -e '/^ \* Version [0-9.]*$/d' -e 's/[ \t]*$//' "$folder/crec.go" "$folder/crec_wrap.c"
