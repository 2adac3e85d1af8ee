"""One model file answers with the same ids and score bits from C, from the command, from Python and from Go.

same_answers.py SERVE RECORE DATA [GO], with the Python package on the path; GO is the program of the folder go, built.
"""
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

import recore

K = 10


def bits(score):
    return struct.pack("<f", score).hex()


def main():
    serve, command, data, *go = sys.argv[1:]
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
            for u in range(0, n_users, max(n_users // 20, 1)):
                run = subprocess.run([command, "recommend", "--model", path, "--user", str(users[u]), "-k", str(K), "--exclude-seen", "--json"],
                                     capture_output=True, text=True, check=True)
                events = [json.loads(line) for line in run.stdout.splitlines()]
                shown = [(e["item"], bits(e["score"])) for e in events if e["event"] == "recommendation"]
                python = [(i, bits(float(s))) for i, s in zip(items[u], scores[u])]
                if shown != python:
                    sys.exit(f"{model}, user {users[u]}: command {shown}, Python {python}")
            if go:
                run = subprocess.run([*go, path, str(K)], capture_output=True, text=True, check=True)
                lines = [line.split() for line in run.stdout.splitlines()]
                if [line[:3] for line in lines] != rows_of_c or [line[3] for line in lines] != [str(i) for row in items for i in row]:
                    sys.exit(f"{model}: C and Python on one side, Go on the other")
            print(f"{model}: {n_users} users" + (", Go too" if go else ""))


if __name__ == "__main__":
    main()
