#!/usr/bin/env bash
# Dependencies point one way: capi -> worker -> training -> evaluation -> serving -> {plugin, data, sampling, kernels} -> base.
# A plugin sees include/ and plugins/common/; the command sees rec_c_api.h.
set -euo pipefail
cd "$(dirname "$0")/.."
declare -A level=([base]=0 [tuning]=1 [kernels]=1 [data]=1 [sampling]=2 [plugin]=1 [serving]=3 [evaluation]=4 [training]=5 [worker]=6 [capi]=7)
bad=0
while IFS=: read -r file _ include; do
  from=$(cut -d/ -f2 <<<"$file") to=$(sed -E 's/.*"core\/([a-z]+)\/.*/\1/' <<<"$include")
  [ "$from" = "$to" ] && continue
  # Siblings of one level may not see each other, but for the kernels that the plugins' host offers.
  if [ "${level[$to]}" -lt "${level[$from]}" ] || [ "$from/$to" = plugin/kernels ]; then continue; fi
  echo "$file includes core/$to: the arrow points the wrong way"
  bad=1
done < <(grep -rnE '#include "core/' core)
# arrow_abi.h is no part of core: the structs of Arrow's C interface, which rec_dataset_export_arrow fills.
if grep -rnE --exclude='*_test.cpp' '#include "core/' plugins cli bindings samples 2>/dev/null | grep -v '"core/data/arrow_abi.h"$'; then
  echo "core/ is private"
  bad=1
fi
if grep -rnE '#include "rec_plugin_api.h"' cli 2>/dev/null; then echo "the command uses rec_c_api.h only"; bad=1; fi
if grep -rlE 'spdlog' core --include=*.cpp --include=*.h | grep -v '^core/base/log.cpp$'; then echo "spdlog is named in core/base/log.cpp only"; bad=1; fi
exit $bad
