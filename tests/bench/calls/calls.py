"""What a language adds to one recommend(): the same model, user and k from C, Go, Java and Python, in turns.

calls.py --build BUILD_FOLDER [--go GO] [--jmh FOLDER_OF_JARS] [--rounds N], with the Python package on the path. The model
is small, so that the cost above C is not lost in the noise of C's own.
"""
import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import tempfile
import time

import numpy as np

import recore

HERE = pathlib.Path(__file__).parent
K, USER = 20, 7_919
SAMPLES = 10  # of each language and call, in each round


def make_model(path):
    rng = np.random.default_rng(1)
    users = np.concatenate([np.arange(1000), rng.integers(0, 1000, 2000)])
    items = np.concatenate([np.arange(1000) % 100, (rng.random(2000) ** 2 * 100).astype(np.int64)])
    recore.train(recore.Dataset.from_columns(users * USER, items * 104_729), "bprmf", epochs=2, emb_size=8).save(path)


def c(build):
    command = [build / "bin/rec_calls_bench", f"--benchmark_repetitions={SAMPLES}", "--benchmark_min_time=0.03",
               "--benchmark_format=json"]
    shown = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    yield "C", "rec_recommender_top_k", [b["real_time"] for b in shown["benchmarks"] if b["run_type"] == "iteration"], None


def build_go(go, build, program):
    environment = dict(os.environ, PKG_CONFIG_PATH=str(build / "go"), GOCACHE=str(build / "go/cache"), GOFLAGS="-mod=mod",
                       GOPROXY="off", GOTOOLCHAIN="local", CGO_ENABLED="1")
    subprocess.run([go, "test", "-c", "-o", program, "."], cwd=HERE / "go", env=environment, check=True)


def go(program):
    command = [program, "-test.bench=.", "-test.benchmem", f"-test.count={SAMPLES}", "-test.benchtime=30ms"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = {}
    for name, nanoseconds, size in re.findall(r"^Benchmark(\w+)\S*\s+\d+\s+([\d.]+) ns/op\s+(\d+) B/op", text, re.M):
        found.setdefault(name, []).append((float(nanoseconds), int(size)))
    for name, samples in found.items():
        yield "Go", name, [sample[0] for sample in samples], min(sample[1] for sample in samples)


def build_java(jmh, build, folder):
    jars = ":".join(map(str, [build / "java/recore.jar", *sorted(pathlib.Path(jmh).glob("*.jar"))]))
    subprocess.run(["javac", "-cp", jars, "-d", folder, HERE / "CallsBench.java"], check=True, capture_output=True)
    return ["java", f"-Drecore.library.path={build}/lib", "-cp", f"{jars}:{folder}", "org.openjdk.jmh.Main"]


def java(command, out):
    subprocess.run([*command, "-f", "1", "-wi", "4", "-w", "300ms", "-i", str(SAMPLES), "-r", "50ms", "-prof", "gc", "-rf", "json",
                    "-rff", out], check=True, capture_output=True)
    for benchmark in json.loads(pathlib.Path(out).read_text()):
        size = next(v["score"] for n, v in benchmark["secondaryMetrics"].items() if n.endswith("gc.alloc.rate.norm"))
        yield "Java", benchmark["benchmark"].split(".")[-1], benchmark["primaryMetric"]["rawData"][0], round(size)


def python(recommender):
    users, rows, scores = np.array([USER]), np.empty((1, K), np.int64), np.empty((1, K), np.float32)
    into, plain = recommender.recommend_into, recommender.recommend

    def timed(call, n):
        start = time.perf_counter_ns()
        for _ in range(n):
            call()
        return (time.perf_counter_ns() - start) / n

    def one_into():
        users[0] = USER  # a service would set a new user here
        into(users, K, rows, scores)

    for name, call, n in (("recommend_into", one_into, 10_000), ("recommend", lambda: plain(USER, K), 3_000)):
        timed(call, n)
        yield "Python", name, [timed(call, n) for _ in range(SAMPLES)], None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--go")
    parser.add_argument("--jmh", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        os.environ |= {"REC_BENCH_MODEL": str(work / "calls.rec"), "REC_BENCH_USER": str(USER), "REC_BENCH_K": str(K)}
        make_model(work / "calls.rec")
        recommender = recore.load(work / "calls.rec").recommender(exclude_seen=True)
        languages = [lambda: c(given.build)]
        if given.go:
            build_go(given.go, given.build, work / "calls_go")
            languages.append(lambda: go(work / "calls_go"))
        if given.jmh:
            command = build_java(given.jmh, given.build, work)
            languages.append(lambda: java(command, work / "jmh.json"))
        languages.append(lambda: python(recommender))
        samples, sizes = {}, {}
        for _ in range(given.rounds):
            for language in languages:
                for name, call, times, size in language():
                    samples.setdefault((name, call), []).append(times)
                    sizes[name, call] = size
    print(f"one recommend() of one user by int64 id, k = {K}; nanoseconds, {given.rounds} rounds of {SAMPLES} samples")
    print(f"{'':32}{'median':>9}{'minimum':>9}{'above C:':>11}{'median':>8}{'minimum':>9}{'heap bytes':>12}")
    rounds_of_c = samples["C", "rec_recommender_top_k"]
    for (name, call), rounds in samples.items():
        median, least = statistics.median(sum(rounds, [])), min(sum(rounds, []))
        # Compares within a round, since a noisy neighbour affects more than one sample.
        differences = [statistics.median(ours) - statistics.median(c) for ours, c in zip(rounds, rounds_of_c)]
        above = f"{statistics.median(differences):19.0f}{least - min(sum(rounds_of_c, [])):9.0f}" if name != "C" else ""
        size = sizes[name, call]
        print(f"{name + ' ' + call:32}{median:9.0f}{least:9.0f}{above}{'' if size is None else f'{size:12d}'}")


if __name__ == "__main__":
    main()
