"""One model file answers 1,000 users with the same ids and score bits from C, Python, the command and other languages.

same_answers.py SERVE RECORE [--also COMMAND]..., with the Python package on the path. SERVE and a COMMAND take MODEL.rec K, SERVE
the rows of users too, and print a line "user row, item row, score's bits, item" for each answer.
"""
import argparse
import json
import pathlib
import shlex
import struct
import subprocess
import sys
import tempfile

import numpy as np

import recore

K, N_USERS = 50, 1000
MODELS = (("bprmf", "epochs=5"), ("lightgcn", "epochs=3"), ("ease", "lambda=100"), ("popularity", "seed=1"))


def write_data(path):
    """1,000 users of 200 items, with ids beyond ASCII. Some have seen nearly all items, so that their rows are short."""
    rng = np.random.default_rng(7)
    with open(path, "w", encoding="utf-8") as out:
        out.write("user_id:token\titem_id:token\n")
        for user in range(N_USERS):
            for item in rng.permutation(200)[: 195 if user % 100 == 0 else 20]:
                out.write(f"{['u', 'üser-', '😀 ', '-'][user % 4]}{user}\t{['i', 'Ö', '電影'][item % 3]}{item}\n")


def answers_of_command(command, path, users):
    run = subprocess.run([command, "recommend", "--model", path, "-k", str(K), "--exclude-seen", "--json",
                          *(argument for user in users for argument in ("--user", user))],
                         capture_output=True, text=True, check=True, encoding="utf-8")
    events = [json.loads(line) for line in run.stdout.splitlines()]
    return [f"{e['user']} {bits(e['score'])} {e['item']}" for e in events if e["event"] == "recommendation"]


def bits(score):
    return struct.pack(">f", score).hex()


def compare(model, name, expected, given):
    for ours, theirs in zip(expected, given):
        if ours != theirs:
            sys.exit(f"{model}: Python {ours}, {name} {theirs}")
    if len(expected) != len(given) or not given:
        sys.exit(f"{model}: {len(expected)} answers from Python, {len(given)} from {name}")


def main():
    parser = argparse.ArgumentParser()
    for name in ("serve", "command"):
        parser.add_argument(name)
    parser.add_argument("--also", action="append", default=[], type=shlex.split)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = str(pathlib.Path(folder) / "world.inter")
        write_data(data)
        for model, params in MODELS:
            path = str(pathlib.Path(folder) / f"{model}.rec")
            subprocess.run([given.command, "train", "--model", model, "--data", data, "--set", params, "--out", path, "--quiet"],
                           check=True, stdout=subprocess.DEVNULL)
            loaded = recore.load(path)
            users = loaded.user_ids().tolist()
            answer = loaded.recommender(exclude_seen=True).recommend(users, k=K)
            if len(users) != N_USERS or answer.counts.sum() == N_USERS * K:
                sys.exit(f"{model}: {len(users)} users, or no short row among them")
            found = [(u, answer.rows[u, i], bits(answer.scores[u, i]), answer.items[u, i])
                     for u in range(N_USERS) for i in range(answer.counts[u])]
            lines = [" ".join(map(str, place)) for place in found]
            for other in ([given.serve, path, str(K), *map(str, range(N_USERS))], *([*also, path, str(K)] for also in given.also)):
                printed = subprocess.run(other, capture_output=True, text=True, check=True, encoding="utf-8").stdout
                compare(model, other[0], lines, printed.splitlines())
            by_user = [f"{users[u]} {score} {item}" for u, _, score, item in found]
            compare(model, given.command, by_user, answers_of_command(given.command, path, users))
            print(f"{model}: {N_USERS} users, {len(found)} answers, {2 + len(given.also)} languages and the command")


if __name__ == "__main__":
    main()
