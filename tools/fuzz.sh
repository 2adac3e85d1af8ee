#!/usr/bin/env bash
# tools/fuzz.sh MINUTES [TARGET...]: runs the fuzzers of tests/fuzz, each for so long, from the kept inputs and from what
#   earlier runs left in build/fuzz/corpus. A finding is a failure and its input is named.
# tools/fuzz.sh keep [TARGET...]: chooses anew, from all of those, which inputs are kept in tests/fuzz/corpus. Inputs named
#   seed_* and finding_* stay.
set -uo pipefail
cd "$(dirname "$0")/.."
mode=${1:-1}
shift
targets=("$@")
[ ${#targets[@]} -gt 0 ] ||
  targets=(model_file checkpoint datasets arrow params plugin_note worker_messages api_sequences)
kept_files=30 kept_bytes=1024

tools/setup.sh fuzz && tools/build.sh fuzz || exit 1
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

failed=0
for target in "${targets[@]}"; do
  if [ "$mode" = keep ]; then keep "$target"; else fuzz "$target"; fi || failed=1
done
exit $failed
