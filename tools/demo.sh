#!/usr/bin/env bash
# Trains three models on the data set that ships with the project and shows what comes out.
set -euo pipefail
cd "$(dirname "$0")/.."
echo "building (some minutes the first time) ..."
tools/build.sh release
recore=build/release/bin/recore data=samples/data/orchard.inter.gz out=build/demo
mkdir -p "$out"

"$recore" data describe "$data"
metrics=recall@20,ndcg@20,map@20,precision@20
"$recore" train --model popularity --data "$data" --out "$out/popularity.rec" --quiet
"$recore" train --model bprmf --data "$data" --set epochs=60 --set batch_size=512 --set lr=0.005 --out "$out/bprmf.rec"
"$recore" train --model lightgcn --data "$data" --set epochs=120 --set batch_size=512 --set lr=0.005 --out "$out/lightgcn.rec" --report report.html
for model in popularity bprmf lightgcn; do
  echo
  echo "$model"
  "$recore" evaluate --model "$out/$model.rec" --data "$data" --metrics "$metrics" --quiet
done
echo
echo "for user u0061, what they have not seen yet:"
"$recore" recommend --model "$out/lightgcn.rec" --user u0061 -k 5 --exclude-seen
echo
echo "the same file from plain C (samples/c/serve.c): user row, item row, bits of the score, item"
build/release/bin/serve "$out/lightgcn.rec" 5 0
echo
echo "report.html shows the learning curves; models are in $out"
