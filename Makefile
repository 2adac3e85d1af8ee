# A thin front for the CMake presets. Every target sets up what it needs.
.PHONY: help setup build demo test test-quick test-deep test-lifetimes fuzz bench bench-calls bench-peers bench-services \
  install clean

JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
export CCACHE_SLOPPINESS = pch_defines,time_macros,include_file_mtime,include_file_ctime

help:
	@echo "make demo         install what is missing, build, train on the shipped data, write report.html, answer from C"
	@echo "make test         install what is missing, build, run every suite"
	@echo "make test-quick   the same without sanitizers and slow tests"
	@echo "make test-deep    two builds compared, the LibTorch plugins under ASan, the fuzzers;  make test-lifetimes: a million"
	@echo "                  objects in each language;  make fuzz: every fuzzer for MINUTES=1"
	@echo "make bench        this library's benchmarks;  make bench-peers: beside RecBole and implicit;"
	@echo "                  make bench-calls: one recommend() from C, Go, Java and Python;"
	@echo "                  make bench-services: the services of samples/ under load"
	@echo "make install      library, headers, plugins and command under PREFIX=$(PREFIX)"

setup:
	@tools/setup.sh

build: setup
	@tools/build.sh dev

demo: setup
	@tools/demo.sh

test: setup
	@tools/test.sh

test-quick: setup
	@tools/test.sh quick

test-deep: setup
	@tools/test_deep.sh

test-lifetimes: setup
	@tools/test_lifetimes.sh

MINUTES ?= 1
fuzz: setup
	@tools/fuzz.sh $(MINUTES)

bench: build
	@tools/bench.sh

bench-calls: build
	@tools/bench.sh calls

bench-peers: build
	@tools/bench.sh peers

bench-services: build
	@tools/bench.sh services

install: setup
	@tools/build.sh release
	@cmake --install build/release --strip --prefix $(PREFIX)

clean:
	rm -rf build
