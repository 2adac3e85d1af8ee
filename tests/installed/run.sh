#!/usr/bin/env bash
# The samples against the installed tree, in a folder outside the project, by CMake and by pkg-config; Go where REC_GO is set.
#   run.sh BUILD_FOLDER SOURCE_FOLDER
set -euo pipefail
build=$1 source=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake --install "$build" --strip --prefix "$work/prefix" >"$work/install.log"
installed=$(cd "$work/prefix/include" && find . -type f | sort) public=$(cd "$source/include" && find . -type f | sort)
[ "$installed" = "$public" ] || { echo "other headers are installed than the public ones:"; echo "$installed"; exit 1; }
python3 "$source/tests/installed/check_license.py" "$source" "$work/prefix"
if find "$work/prefix" -name '*.so*' -o -name recore -type f -o -name recore-worker | xargs readelf -SW | grep ' \.symtab '; then
  echo "--strip left symbols"
  exit 1
fi
cp -r "$source/samples/c" "$source/samples/third_party_plugin" "$work/"
cp "$source/samples/data/orchard.inter.gz" "$source/samples/data/orchard.item.gz" "$work/"
libdir=$(dirname "$(find "$work/prefix" -name recore.pc -printf '%h\n')")
export LD_LIBRARY_PATH=$libdir
cd "$work"

echo "== C sample by CMake"
cmake -S c -B c/build -G Ninja -DCMAKE_PREFIX_PATH="$work/prefix" >c.log && cmake --build c/build >>c.log || { cat c.log; exit 1; }
c/build/train_and_serve orchard.inter.gz model.rec | tee cmake.out
c/build/serve model.rec 3 0 1 2 >served.out
[ "$(wc -l <served.out)" = 9 ]

echo "== C sample by pkg-config"
export PKG_CONFIG_PATH=$libdir/pkgconfig
cc -std=c99 -Wall -Wextra -pedantic -Werror $(pkg-config --cflags recore) c/train_and_serve.c -o train_and_serve $(pkg-config --libs recore)
./train_and_serve orchard.inter.gz model2.rec >pkgconfig.out
cmp model.rec model2.rec

if [ -n "${REC_GO:-}" ]; then
  echo "== Go samples by pkg-config"
  cp -r "$source/samples/go" "$source/samples/go-service" .
  for sample in go go-service; do
    (cd $sample && "$REC_GO" mod edit -replace "recore=$source/bindings/go" && "$REC_GO" build -o .. ./...)
  done
  ./quickstart orchard.inter.gz go.rec >go.out
  [ "$(grep -c 'item film-' go.out)" = 5 ]
fi

echo "== third-party plugin by CMake, installed beside the others"
cmake -S third_party_plugin -B plugin/build -G Ninja -DCMAKE_PREFIX_PATH="$work/prefix" >p.log && cmake --build plugin/build >>p.log || { cat p.log; exit 1; }
if nm -D --undefined-only plugin/build/librecore_fism.so | grep ' rec_'; then echo "the plugin links the library"; exit 1; fi
cmake --install plugin/build >>p.log
"$work/prefix/bin/recore" plugin check plugin/build/librecore_fism.so
"$work/prefix/bin/recore" train --model fism --data orchard.inter.gz --set epochs=3 --set batch_size=256 --out fism.rec --quiet
"$work/prefix/bin/recore" recommend --model fism.rec --user u0061 -k 3 --exclude-seen

echo "== third-party plugin by pkg-config"
mkdir alone
cc -std=c99 -O2 -fPIC -shared $(pkg-config --cflags recore) third_party_plugin/fism.c -lm -o alone/librecore_fism.so
rm "$(pkg-config --variable=pluginsdir recore)/librecore_fism.so"
REC_PLUGIN_PATH=$work/alone "$work/prefix/bin/recore" train --model fism --data orchard.inter.gz --set epochs=3 --set batch_size=256 --out fism2.rec --quiet
REC_PLUGIN_PATH=$work/alone "$work/prefix/bin/recore" evaluate --model fism2.rec --data orchard.inter.gz --metrics ndcg@20

if [ -n "${REC_WITH_TORCH:-}" ]; then
  echo "== third-party plugin over LibTorch by CMake"
  cmake -S third_party_plugin/libtorch -B simplex -G Ninja -DCMAKE_PREFIX_PATH="$work/prefix" >s.log && cmake --build simplex >>s.log || { cat s.log; exit 1; }
  if nm -D --undefined-only simplex/librecore_simplex.so | grep ' rec_'; then echo "the plugin links the library"; exit 1; fi
  "$work/prefix/bin/recore" plugin check simplex/librecore_simplex.so
  REC_PLUGIN_PATH=$work/simplex "$work/prefix/bin/recore" train --model simplex --data orchard.inter.gz --set epochs=3 --set lr=0.01 --out simplex.rec --quiet
  "$work/prefix/bin/recore" recommend --model simplex.rec --user u0061 -k 3 --exclude-seen # the tables are in the file
fi

jar=$work/prefix/share/java/recore.jar
if [ -f "$jar" ]; then
  echo "== Java sample with the installed jar alone, then with the installed library"
  unset LD_LIBRARY_PATH
  for where in cache.path="$work/cache" library.path="$libdir"; do
    java "-Drecore.$where" -cp "$jar" "$source/samples/java/Quickstart.java" orchard.inter.gz java.rec 2>&1 | tee java.out
    grep -q "film-" java.out
  done
fi
