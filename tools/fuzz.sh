#!/usr/bin/env bash
# tools/fuzz.sh MINUTES [TARGET...]: runs the fuzzers of tests/fuzz, each for so long, from the kept inputs and from what
#   earlier runs left in build/fuzz/corpus. A finding is a failure and its input is named.
# tools/fuzz.sh random N [TARGET...]: N random inputs of each, under the sanitizers and without a fuzzer, which is a few
#   times as fast.
# tools/fuzz.sh keep [TARGET...]: chooses anew, from all of those, which inputs are kept in tests/fuzz/corpus. Inputs named
#   seed_* and finding_* stay.
set -uo pipefail
cd "$(dirname "$0")/.."
mode=${1:-1}
shift
[ "$mode" = random ] && count=$1 && shift
targets=("$@")
[ ${#targets[@]} -gt 0 ] ||
  targets=(model_file checkpoint datasets arrow params plugin_note worker_messages api_sequences)
kept_files=30 kept_bytes=1024

if [ "$mode" = random ]; then
  tools/setup.sh && cmake --preset asan >build/asan.log 2>&1 &&
    cmake --build --preset asan --target "${targets[@]/#/fuzz_}" >>build/asan.log 2>&1 || { tail -n 20 build/asan.log; exit 1; }
else
  tools/setup.sh fuzz && tools/build.sh fuzz || exit 1
fi
TMPDIR=$(mktemp -d /dev/shm/recore_fuzz.XXXXXX)
export TMPDIR ASAN_OPTIONS=allocator_may_return_null=1:quarantine_size_mb=16:detect_stack_use_after_return=0
trap 'rm -rf "$TMPDIR"' EXIT

keep() {
  local target=$1 kept=tests/fuzz/corpus/$1 chosen=$TMPDIR/chosen
  mkdir -p "$chosen" "$kept" build/fuzz/corpus/"$target"
  build/fuzz/bin/fuzz_"$target" -merge=1 -max_len=$kept_bytes "$chosen" "$kept" build/fuzz/corpus/"$target" \
    >build/fuzz/"$target".log 2>&1 || return 1
  find "$kept" -type f ! -name 'seed_*' ! -name 'finding_*' -delete
  # The merge takes small inputs first; every so many-th of them are of all sizes.
  local all step
  all=$(ls "$chosen" | wc -l)
  step=$(((all + kept_files - 1) / kept_files))
  (cd "$chosen" && ls -Sr | awk -v step="$step" 'NR % step == 0') | while read -r name; do cp "$chosen/$name" "$kept/"; done
  rm -rf "$chosen"
  printf '%-18s %4d inputs kept\n' "$target" "$(ls "$kept" | wc -l)"
}

fuzz() {
  local target=$1 log=build/fuzz/$1.log findings=build/fuzz/findings/$1-
  mkdir -p build/fuzz/corpus/"$target" build/fuzz/findings
  local code=0
  build/fuzz/bin/fuzz_"$target" -max_total_time=$((mode * 60)) -max_len=4096 -len_control=20 -entropic=0 -timeout=20 \
    -rss_limit_mb=2048 -malloc_limit_mb=256 -print_final_stats=1 -artifact_prefix="$findings" \
    build/fuzz/corpus/"$target" tests/fuzz/corpus/"$target" >"$log" 2>&1 || code=$?
  local count rate
  count=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  rate=$(sed -n 's/^stat::average_exec_per_sec: *//p' "$log")
  printf '%-18s %10s inputs  %7s /s  %s\n' "$target" "${count:-?}" "${rate:-?}" "$([ $code = 0 ] && echo ok || echo FINDING)"
  [ $code = 0 ] && return
  grep -aE '^(finding:|==.*ERROR|SUMMARY|.*runtime error:)' "$log" | head -5
  sed -n 's/.*Test unit written to /input: /p' "$log"
  echo "log:   $log"
  return 1
}

random() {
  local log=build/asan/fuzz_$1.log
  if ASAN_OPTIONS=$ASAN_OPTIONS:malloc_context_size=0:detect_leaks=0 build/asan/bin/fuzz_"$1" --random 0 "$count" >"$log" 2>&1; then
    printf '%-18s %s\n' "$1" "$(tail -n 1 "$log")"
  else
    printf '%-18s FINDING\n' "$1"
    grep -aE '^(at|finding:|==.*ERROR|SUMMARY|.*runtime error:)' "$log" | tail -n 5
    return 1
  fi
}

failed=0
for target in "${targets[@]}"; do
  case $mode in
    keep) keep "$target" ;;
    random) random "$target" ;;
    *) fuzz "$target" ;;
  esac || failed=1
done
exit $failed
