#!/usr/bin/env bash
# Builds samples/go and runs it: it trains, saves, loads and recommends.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$REC_SAMPLES_FOLDER/go" "$work/sample"
cd "$work/sample"
go mod edit -replace "recore=$REC_SAMPLES_FOLDER/../bindings/go"
go vet ./... && go build -o "$work" ./...
"$work/quickstart" "$REC_SAMPLES_FOLDER/data/orchard.inter.gz" "$work/model.rec" | tee "$work/out"
[ "$(grep -c 'item film-' "$work/out")" = 5 ]
