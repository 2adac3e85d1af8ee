#!/usr/bin/env bash
# The lifetimes of objects in Java, Go and Python at length, which `make test` does in seconds: a million rounds of objects
# made and closed, a hundred thousand left to the collector, as many closed while other threads use them.
set -euo pipefail
cd "$(dirname "$0")/.."
tools/build.sh dev
ctest --test-dir build/dev -C lifetimes -L lifetimes --output-on-failure "$@"
