"""One model file answers with the same ids and score bits from C, from the command, from Python and from other languages.

same_answers.py SERVE RECORE DATA [--also COMMAND]..., with the Python package on the path. A COMMAND takes MODEL.rec K and
prints a line "user row, item row, score's bits, item" for each answer.
"""
import argparse
import json
import pathlib
import shlex
import struct
import subprocess
import sys
import tempfile

import recore

K = 10


def bits(score):
    return struct.pack("<f", score).hex()


def check(command, model, item_rows, items, scores):
    lines = subprocess.run(command, capture_output=True, text=True, check=True, encoding="utf-8").stdout.splitlines()
    python = [f"{u} {row} {struct.pack('>f', score).hex()} {item}" for u in range(len(items))
              for row, score, item in zip(item_rows[u], scores[u], items[u]) if row >= 0]
    for ours, theirs in zip(python, lines):
        if ours != theirs:
            sys.exit(f"{model}: Python {ours}, {command[0]} {theirs}")
    if len(python) != len(lines) or not lines:
        sys.exit(f"{model}: {len(python)} answers from Python, {len(lines)} from {command[0]}")


def main():
    parser = argparse.ArgumentParser()
    for name in ("serve", "command", "data"):
        parser.add_argument(name)
    parser.add_argument("--also", action="append", default=[], type=shlex.split)
    given = parser.parse_args()
    serve, command, data = given.serve, given.command, given.data
    with tempfile.TemporaryDirectory() as folder:
        for model, params in (("bprmf", "epochs=5"), ("lightgcn", "epochs=3"), ("ease", "lambda=100"), ("popularity", "seed=1")):
            path = str(pathlib.Path(folder) / f"{model}.rec")
            subprocess.run([command, "train", "--model", model, "--data", data, "--set", params, "--out", path, "--quiet"], check=True)
            loaded = recore.load(path)
            answers = loaded.recommender(exclude_seen=True)
            n_users = loaded.describe()["n_users"]
            from_c = subprocess.run([serve, path, str(K), *map(str, range(n_users))], capture_output=True, text=True, check=True)
            rows_of_c = [line.split() for line in from_c.stdout.splitlines()]
            users = [loaded.user_ids([row])[0] for row in range(n_users)]
            items, scores = answers.recommend(users, k=K)
            item_rows = [list(loaded.item_rows(row)) for row in items]
            for u in range(n_users):
                c = [(int(row), struct.unpack("<I", struct.pack(">I", int(hexadecimal, 16)))[0].to_bytes(4, "big").hex())
                     for _, row, hexadecimal in rows_of_c[u * K:(u + 1) * K]]
                python = [(int(r), bits(float(s))) for r, s in zip(item_rows[u], scores[u])]
                if c != python:
                    sys.exit(f"{model}, user row {u}: C {c}, Python {python}")
            for other in given.also:
                check([*other, path, str(K)], model, item_rows, items, scores)
            for u in range(0, n_users, max(n_users // 20, 1)):
                run = subprocess.run([command, "recommend", "--model", path, "--user", str(users[u]), "-k", str(K), "--exclude-seen", "--json"],
                                     capture_output=True, text=True, check=True)
                events = [json.loads(line) for line in run.stdout.splitlines()]
                shown = [(e["item"], bits(e["score"])) for e in events if e["event"] == "recommendation"]
                python = [(i, bits(float(s))) for i, s in zip(items[u], scores[u])]
                if shown != python:
                    sys.exit(f"{model}, user {users[u]}: command {shown}, Python {python}")
            print(f"{model}: {n_users} users, {2 + len(given.also)} languages and the command")


if __name__ == "__main__":
    main()
