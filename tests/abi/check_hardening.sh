#!/usr/bin/env bash
# Binaries are linked as cmake/RecBuildFlags.cmake asks for, and the library was compiled so: check_hardening.sh LIBRARY FILE...
set -euo pipefail
export LC_ALL=C
bad=0
fail() {
  echo "$1"
  bad=1
}
for file in "$@"; do
  header=$(readelf -hW "$file") segments=$(readelf -lW "$file") dynamic=$(readelf -dW "$file")
  grep -q 'Type: *DYN' <<<"$header" || fail "$file: is not position-independent"
  grep -q ' GNU_RELRO ' <<<"$segments" || fail "$file: has no GNU_RELRO segment"
  grep -qE 'FLAGS.* (BIND_)?NOW' <<<"$dynamic" || fail "$file: binds lazily"
  # Type Offset VirtAddr PhysAddr FileSiz MemSiz Flg Align: without E
  grep -qE ' GNU_STACK +(0x[0-9a-f]+ +){5}RW +' <<<"$segments" || fail "$file: its stack is executable"
  if grep -q '(TEXTREL)' <<<"$dynamic"; then fail "$file: has text relocations"; fi
done
symbols=$(readelf -W --dyn-syms "$1")
grep -q ' UND __stack_chk_fail' <<<"$symbols" || fail "$1: was compiled without -fstack-protector-strong"
exit $bad
