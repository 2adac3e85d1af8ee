#!/usr/bin/env bash
# Writes one small model file of every model and the answers it gives, for tests/artefacts: tools/make_artefacts.sh FOLDER
# Once for each released format; the files of a release are never written again.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$1 recore=build/dev/bin/recore serve=build/dev/bin/serve
mkdir -p "$out"
awk 'BEGIN { print "user_id,item_id,timestamp"
  for (u = 0; u < 8; ++u) for (j = 0; j < 6; ++j) printf "u%d,i%d,%d\n", u, u % 2 + 2 * ((3 * j + u) % 5), 1000 * u + 60 * j
}' >"$out/interactions.csv"
"$recore" data split "$out/interactions.csv" --by leave-one-out --out "$out/split" --quiet
train() {  # train MODEL [SETTING...]
  local name=$1 setting settings=()
  for setting in "${@:2}"; do settings+=(--set "$setting"); done
  "$recore" train --model "$name" --data "$out/split" "${settings[@]}" --out "$out/$name.rec" --quiet
}
train popularity
train itemknn
train ease
for model in bprmf lightgcn neumf fpmc slrc_plus hrm ans; do train "$model" emb_size=4 epochs=3 batch_size=16; done
train autocf emb_size=4 epochs=3 batch_size=16 seed_num=2
train gru4rec layers=[4] epochs=2 batch_size=4
train two_tower id_dim=4 h1=4 h2=4 out_dim=4 epochs=3 batch_size=16
for file in "$out"/*.rec; do
  "$serve" "$file" 5 0 1 2 3 | awk -v name="$(basename "$file")" '{ answers[$1] = answers[$1] (answers[$1] == "" ? "" : " ") $2 ":" $3 }
    END { for (user = 0; user < 4; ++user) print name, user, answers[user] }'
done >"$out/answers.txt"
rm -r "$out/split"
