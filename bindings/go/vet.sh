#!/usr/bin/env bash
# gofmt and go vet; the raw layer without unsafeptr, which SWIG's string copying would trigger.
set -euo pipefail
others="../../samples/go ../../samples/go-service ../../tests/bench/services ../../tests/cross_language/go"
[ -z "$("$(go env GOROOT)/bin/gofmt" -l *.go internal/arrowtest internal/crec/bridge.go $others | tee /dev/stderr)" ]
for module in $others; do (cd "$module" && go vet ./...); done
go vet . ./internal/arrowtest && go vet -unsafeptr=false ./internal/crec
