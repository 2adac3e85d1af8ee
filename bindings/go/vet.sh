#!/usr/bin/env bash
# go vet; the raw layer without unsafeptr, which SWIG's own copy of a string sets off.
set -euo pipefail
go vet . ./internal/arrowtest && go vet -unsafeptr=false ./internal/crec
