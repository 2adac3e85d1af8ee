"""The same work in Recore, RecBole and implicit, in one run: seconds, ratios, peak memory and NDCG.

Not a test: it prints and decides nothing. Run by `make bench-peers` with REC_BENCH_DATA.
"""
import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time

FACTORS, BATCH = 64, 2048


def read_pairs(path):
    with open(path) as file:
        for line in file:
            user, *items = line.split()
            for item in items:
                yield user, item


def write_recbole(folder, out):
    """Writes RecBole benchmark files from LightGCN text; Recore reads the same ones."""
    os.makedirs(out, exist_ok=True)
    for part in ("train", "valid", "test"):
        with open(os.path.join(out, f"bench.{part}.inter"), "w") as file:
            file.write("user_id:token\titem_id:token\n")
            file.writelines(f"{user}\t{item}\n" for user, item in read_pairs(os.path.join(folder, f"{part}.txt")))


def recbole(data, model, epochs, threads):
    """Child process: one JSON line with seconds per epoch and evaluation, ndcg and peak memory."""
    import logging

    import torch
    from recbole.config import Config
    from recbole.data import create_dataset, data_preparation
    from recbole.utils import get_model, get_trainer, init_seed

    torch.set_num_threads(threads)
    settings = {
        "data_path": os.path.dirname(data), "benchmark_filename": ["train", "valid", "test"],
        "load_col": {"inter": ["user_id", "item_id"]}, "train_batch_size": BATCH, "eval_batch_size": 4096 * 16,
        "embedding_size": FACTORS, "n_layers": 3, "reg_weight": 1e-4, "require_pow": True, "learning_rate": 1e-3,
        "epochs": epochs, "topk": [20], "metrics": ["Recall", "NDCG", "MAP", "Precision"], "valid_metric": "NDCG@20",
        "use_gpu": False, "device": "cpu", "show_progress": False, "seed": 1, "reproducibility": True,
    }
    config = Config(model=model, dataset=os.path.basename(data), config_dict=settings)
    logging.disable(logging.CRITICAL)
    init_seed(1, True)
    dataset = create_dataset(config)
    train, valid, _ = data_preparation(config, dataset)
    network = get_model(config["model"])(config, train.dataset).to(config["device"])
    trainer = get_trainer(config["MODEL_TYPE"], config["model"])(config, network)
    seconds = []
    for epoch in range(epochs):
        start = time.perf_counter()
        trainer._train_epoch(train, epoch, show_progress=False)
        seconds.append(time.perf_counter() - start)
    evals = []
    for _ in range(3):
        start = time.perf_counter()
        result = trainer._valid_epoch(valid, show_progress=False)[1]
        evals.append(time.perf_counter() - start)
    print(json.dumps({"epoch": sorted(seconds)[len(seconds) // 2], "eval": sorted(evals)[1], "ndcg": float(result["ndcg@20"]),
                      "batches": len(train), "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


def implicit_bpr(data, epochs, threads):
    import numpy
    from implicit.bpr import BayesianPersonalizedRanking
    from scipy.sparse import csr_matrix

    users, items, seen_users, seen_items = {}, {}, [], []
    with open(os.path.join(data, "bench.train.inter")) as file:
        next(file)
        for line in file:
            user, item = line.split()
            seen_users.append(users.setdefault(user, len(users)))
            seen_items.append(items.setdefault(item, len(items)))
    matrix = csr_matrix((numpy.ones(len(seen_users), dtype=numpy.float32), (seen_users, seen_items)))
    model = BayesianPersonalizedRanking(factors=FACTORS, iterations=epochs, num_threads=threads, verify_negative_samples=True)
    start = time.perf_counter()
    model.fit(matrix, show_progress=False)
    print(json.dumps({"epoch": (time.perf_counter() - start) / epochs}))


def recore(command, data, model, epochs, threads, params):
    with tempfile.TemporaryDirectory() as folder:
        arguments = [command, "train", "--model", model, "--data", data, "--out", os.path.join(folder, "m.rec"), "--json",
                     "--metrics", "ndcg@20,recall@20,map@20,precision@20", "--last", "--threads", str(threads), "--set", "patience=0"]
        for key, value in {"epochs": epochs, "batch_size": BATCH, "emb_size": FACTORS, **params}.items():
            arguments += ["--set", f"{key}={value}"]
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        run = subprocess.run(arguments, capture_output=True, text=True, check=True)
        events = [json.loads(line) for line in run.stdout.splitlines()]
        done = [event for event in events if event["event"] == "epoch"]
        mib = max(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, before) / 1024
        start = time.perf_counter()
        subprocess.run([command, "recommend", "--model", os.path.join(folder, "m.rec"), "--user", "1", "-k", "10", "--json"],
                       capture_output=True, check=True)
        answer = time.perf_counter() - start
    middle = sorted(event["train_seconds"] for event in done)[len(done) // 2]
    return {"epoch": middle, "eval": sorted(event["eval_seconds"] for event in done)[len(done) // 2],
            "ndcg": done[-1]["metrics"]["ndcg@20"], "mib": mib, "answer": answer}


def child(*arguments):
    run = subprocess.run([sys.executable, os.path.abspath(__file__), *map(str, arguments)], capture_output=True, text=True)
    if run.returncode != 0:
        sys.exit(run.stderr[-2000:])
    return json.loads(run.stdout.splitlines()[-1])


def main():
    if len(sys.argv) > 1 and sys.argv[1] == "recbole":
        return recbole(sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
    if len(sys.argv) > 1 and sys.argv[1] == "implicit":
        return implicit_bpr(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--recore", required=True)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--epochs", type=int, default=5, help="of BPR; LightGCN in RecBole takes one")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = os.path.join(folder, "bench")
        write_recbole(options.data, data)
        threads = options.threads
        ours = recore(options.recore, data, "bprmf", options.epochs, threads, {"init": "xavier_normal"})
        theirs = child("recbole", data, "BPR", options.epochs, threads)
        print(f"BPR-MF, Adam: an epoch {ours['epoch']:.4f} s, RecBole {theirs['epoch']:.3f} s: {theirs['epoch'] / ours['epoch']:.1f}x"
              f"  (valid ndcg@20 after {options.epochs} epochs {ours['ndcg']:.4f}, RecBole {theirs['ndcg']:.4f})")
        print(f"full ranking with 4 metrics {ours['eval']:.4f} s, RecBole {theirs['eval']:.3f} s: {theirs['eval'] / ours['eval']:.1f}x")
        print(f"peak memory {ours['mib']:.0f} MiB, RecBole {theirs['mib']:.0f} MiB: {ours['mib'] / theirs['mib']:.2f}")
        print(f"new process, open a model and answer once: {ours['answer'] * 1000:.1f} ms")
        other = child("implicit", data, options.epochs, threads)
        sgd = recore(options.recore, data, "bprmf", options.epochs, threads, {"optimizer": "sgd", "lr": 10})
        print(f"BPR-MF, SGD: an epoch {sgd['epoch']:.4f} s, implicit {other['epoch']:.3f} s: {other['epoch'] / sgd['epoch']:.2f}x")
        ours = recore(options.recore, data, "lightgcn", 1, threads, {"n_layers": 3})
        theirs = child("recbole", data, "LightGCN", 1, threads)
        step = ours["epoch"] / theirs["batches"]
        print(f"LightGCN, 3 layers: a step {step * 1000:.2f} ms, RecBole {theirs['epoch'] / theirs['batches'] * 1000:.1f} ms: "
              f"{theirs['epoch'] / ours['epoch']:.1f}x  (valid ndcg@20 after 1 epoch {ours['ndcg']:.4f}, RecBole {theirs['ndcg']:.4f})")


if __name__ == "__main__":
    main()
