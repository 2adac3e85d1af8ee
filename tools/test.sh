#!/usr/bin/env bash
# Every suite, phase by phase with seconds; the last line counts tests. tools/test.sh [quick]
set -uo pipefail
cd "$(dirname "$0")/.."
mode=${1:-all}
passed=0 failed=0
export CTEST_PARALLEL_LEVEL=${JOBS:-$(nproc)}

# phase NAME COMMAND...: one step that counts as a test of its own when it fails.
phase() {
  local name=$1 start=$SECONDS
  shift
  if "$@"; then printf '%-34s %5d s\n' "$name" $((SECONDS - start)); else
    printf '%-34s %5d s  FAILED\n' "$name" $((SECONDS - start))
    failed=$((failed + 1))
    return 1
  fi
}

# suite NAME PRESET CTEST-ARGUMENTS...: a ctest run whose tests are counted one by one.
suite() {
  local name=$1 preset=$2 start=$SECONDS log="build/$2.ctest.log"
  shift 2
  ctest --test-dir "build/$preset" --output-on-failure "$@" >"$log" 2>&1
  local total bad
  total=$(sed -n 's/.*tests failed out of \([0-9]*\)$/\1/p' "$log")
  bad=$(sed -n 's/.*, \([0-9]*\) tests failed out of [0-9]*$/\1/p' "$log")
  if [ -z "$total" ] || [ "$total" = 0 ]; then
    tail -20 "$log"
    echo "$name: no test ran"
    failed=$((failed + 1))
    return
  fi
  passed=$((passed + total - bad)) failed=$((failed + bad))
  printf '%-34s %5d s  %d tests\n' "$name" $((SECONDS - start)) "$total"
  if [ "$bad" != 0 ]; then
    grep -B 25 -E '^ *[0-9]+/[0-9]+ .*\*\*\*' "$log" | tail -150
    sed -n '/The following tests FAILED/,$p' "$log"
  fi
}

if phase "build" tools/build.sh dev; then
  if [ "$mode" = quick ]; then
    suite "C++, plugins, ABI, command, languages" dev -LE slow
  else
    suite "C++, plugins, ABI, command, languages" dev
    phase "build with ASan and UBSan" tools/build.sh asan && suite "tests under ASan and UBSan" asan -LE no-sanitizer
    phase "build with TSan" tools/build.sh tsan && suite "tests under TSan" tsan -LE no-sanitizer
  fi
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
