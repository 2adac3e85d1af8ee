"""Models of ReChorus and GRU4Rec as its authors train it, in Recore and rewritten in PyTorch, in one run: the seconds of an
epoch, or with --quality what a trained model reaches. It prints and decides nothing. Run by `make bench-peers` with
REC_BENCH_RECHORUS, a ReChorus folder whose dev and test files have neg_items.

The PyTorch side draws negatives and cuts batches with NumPy, a batch at once; ReChorus builds them row by row.
"""
import argparse
import csv
import json
import os
import statistics
import subprocess
import tempfile
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional

HISTORY = 20
BATCH = 256
# Recore's parameters, then those that PyTorch needs.
MODELS = {
    "bprmf": ({"loss": "bpr_multi", "l2": 1e-6}, 1e-3, 1e-6),
    "neumf": ({"lr": 5e-4, "l2": 1e-7, "dropout": 0.2}, 5e-4, 1e-7),
    "lightgcn": ({"loss": "bpr_multi", "reg_weight": 0, "l2": 1e-8}, 1e-3, 1e-8),
    "fpmc": ({"l2": 1e-6}, 1e-3, 1e-6),
    "gru4rec": ({"variant": "rechorus", "layers": "[100]", "l2": 1e-4}, 1e-3, 1e-4),
}


class Data:
    """The three parts as arrays; the history of a row is what its user had before it in all parts, by time."""

    def __init__(self, folder):
        self.parts = {name: self.read(os.path.join(folder, name + ".csv")) for name in ("train", "dev", "test")}
        self.n_users = 1 + max(part["user"].max() for part in self.parts.values())
        self.n_items = 1 + max(part["candidates"].max() for part in self.parts.values())
        self.clicked = np.zeros((self.n_users, self.n_items), bool)
        train = self.parts["train"]
        self.clicked[train["user"], train["candidates"][:, 0]] = True
        users, items, times, places = (np.concatenate([column(part) for part in self.parts.values()]) for column in (
            lambda part: part["user"], lambda part: part["candidates"][:, 0], lambda part: part["time"],
            lambda part: np.arange(len(part["user"]))))
        owners = np.repeat(np.arange(3), [len(part["user"]) for part in self.parts.values()])
        seen = [[] for _ in range(self.n_users)]
        for part in self.parts.values():
            part["history"] = np.zeros((len(part["user"]), HISTORY), np.int64)
            part["length"] = np.zeros(len(part["user"]), np.int64)
        for at in np.lexsort((users, times)):
            part, before = list(self.parts.values())[owners[at]], seen[users[at]]
            last = before[-HISTORY:]
            part["history"][places[at], :len(last)] = last
            part["length"][places[at]] = len(last)
            before.append(items[at])

    @staticmethod
    def read(path):
        with open(path, newline="") as file:
            header, *rows = csv.reader(file, delimiter="\t")
        at = {name: header.index(name) for name in header}
        candidates = [[int(row[at["item_id"]])] for row in rows]
        if "neg_items" in at:
            candidates = [own + json.loads(row[at["neg_items"]]) for own, row in zip(candidates, rows)]
        return {"user": np.array([int(row[at["user_id"]]) for row in rows]), "candidates": np.array(candidates),
                "time": np.array([int(row[at["time"]]) for row in rows])}


class BprMf(nn.Module):
    def __init__(self, data):
        super().__init__()
        self.users, self.items = nn.Embedding(data.n_users, 64), nn.Embedding(data.n_items, 64)

    def forward(self, users, candidates, history, length):
        return (self.users(users)[:, None] * self.items(candidates)).sum(-1)


class NeuMf(nn.Module):
    def __init__(self, data):
        super().__init__()
        self.mf_users, self.mlp_users = nn.Embedding(data.n_users, 64), nn.Embedding(data.n_users, 64)
        self.mf_items, self.mlp_items = nn.Embedding(data.n_items, 64), nn.Embedding(data.n_items, 64)
        self.layer, self.dropout, self.out = nn.Linear(128, 64), nn.Dropout(0.2), nn.Linear(128, 1, bias=False)

    def forward(self, users, candidates, history, length):
        users = users[:, None].expand_as(candidates)
        both = torch.cat([self.mlp_users(users), self.mlp_items(candidates)], -1)
        return self.out(torch.cat([self.mf_users(users) * self.mf_items(candidates), self.dropout(self.layer(both).relu())],
                                  -1)).squeeze(-1)


class LightGcn(nn.Module):
    def __init__(self, data):
        super().__init__()
        self.users, self.items = nn.Embedding(data.n_users, 64), nn.Embedding(data.n_items, 64)
        rows, columns = np.nonzero(data.clicked)
        degrees = np.concatenate([data.clicked.sum(1), data.clicked.sum(0)]).astype(np.float64)
        scale = 1 / np.sqrt(degrees + 1e-10)
        columns = columns + data.n_users
        edges = np.stack([np.concatenate([rows, columns]), np.concatenate([columns, rows])])
        weights = torch.tensor(scale[edges[0]] * scale[edges[1]], dtype=torch.float32)
        self.graph = torch.sparse_coo_tensor(torch.from_numpy(edges), weights, (len(degrees),) * 2).coalesce()
        self.known = None  # during an evaluation

    def propagate(self):
        total = layer = torch.cat([self.users.weight, self.items.weight])
        for _ in range(3):
            layer = torch.sparse.mm(self.graph, layer)
            total = total + layer
        return total / 4

    def forward(self, users, candidates, history, length):
        nodes = self.propagate() if self.training or self.known is None else self.known
        self.known = None if self.training else nodes
        return (nodes[users][:, None] * nodes[candidates + self.users.num_embeddings]).sum(-1)


class Fpmc(nn.Module):
    def __init__(self, data):
        super().__init__()
        self.user_item, self.item_user = nn.Embedding(data.n_users, 64), nn.Embedding(data.n_items, 64)
        self.last_item, self.item_last = nn.Embedding(data.n_items, 64), nn.Embedding(data.n_items, 64)

    def forward(self, users, candidates, history, length):
        last = history.gather(1, (length - 1)[:, None]).squeeze(1)
        return ((self.user_item(users)[:, None] * self.item_user(candidates)).sum(-1) +
                (self.last_item(last)[:, None] * self.item_last(candidates)).sum(-1))


class Gru4Rec(nn.Module):
    def __init__(self, data):
        super().__init__()
        self.items, self.gru, self.out = nn.Embedding(data.n_items, 64), nn.GRU(64, 100, batch_first=True), nn.Linear(100, 64)

    def forward(self, users, candidates, history, length):
        packed = nn.utils.rnn.pack_padded_sequence(self.items(history), length, batch_first=True, enforce_sorted=False)
        return (self.out(self.gru(packed)[1][-1])[:, None] * self.items(candidates)).sum(-1)


NETWORKS = {"bprmf": BprMf, "neumf": NeuMf, "lightgcn": LightGcn, "fpmc": Fpmc, "gru4rec": Gru4Rec}


class Trainer:
    def __init__(self, data, model, seed):
        torch.manual_seed(seed)
        self.rng = np.random.default_rng(seed)
        self.data, self.net = data, NETWORKS[model](data)
        for module in self.net.modules():
            if isinstance(module, (nn.Linear, nn.Embedding)):
                for parameter in module.parameters():
                    nn.init.normal_(parameter, std=0.01)
        if model == "lightgcn":
            for table in (self.net.users, self.net.items):
                nn.init.xavier_uniform_(table.weight)
        named = list(self.net.named_parameters())
        self.adam = torch.optim.Adam([{"params": [p for name, p in named if "bias" not in name]},
                                      {"params": [p for name, p in named if "bias" in name], "weight_decay": 0}],
                                     lr=MODELS[model][1], weight_decay=MODELS[model][2])
        least = 1 if model in ("fpmc", "gru4rec") else 0
        self.rows = {name: np.flatnonzero(part["length"] >= least) for name, part in data.parts.items()}

    def scores(self, part, rows, candidates):
        length = torch.from_numpy(part["length"][rows])
        history = torch.from_numpy(part["history"][rows, :max(1, int(length.max()))])
        return self.net(torch.from_numpy(part["user"][rows]), torch.from_numpy(candidates), history, length)

    def epoch(self):
        """Seconds of an epoch with one negative per row, softplus(s_j - s_i), Adam."""
        start = time.perf_counter()
        self.net.train()
        part, rows = self.data.parts["train"], self.rng.permutation(self.rows["train"])
        negatives = self.rng.integers(1, self.data.n_items, len(rows))
        while (again := self.data.clicked[part["user"][rows], negatives]).any():
            negatives[again] = self.rng.integers(1, self.data.n_items, again.sum())
        candidates = np.stack([part["candidates"][rows, 0], negatives], 1)
        for at in range(0, len(rows), BATCH):
            score = self.scores(part, rows[at:at + BATCH], candidates[at:at + BATCH])
            self.adam.zero_grad()
            functional.softplus(score[:, 1] - score[:, 0]).mean().backward()
            self.adam.step()
        return time.perf_counter() - start

    def evaluate(self, name):
        """HR@5 and NDCG@5; ties count against the target."""
        self.net.eval()
        part, rows, ranks = self.data.parts[name], self.rows[name], []
        with torch.no_grad():
            for at in range(0, len(rows), BATCH):
                some = rows[at:at + BATCH]
                score = self.scores(part, some, part["candidates"][some])
                ranks.append((score >= score[:, :1]).sum(1).numpy())
        ranks = np.concatenate(ranks)
        return float((ranks <= 5).mean()), float(((ranks <= 5) / np.log2(ranks + 1)).mean())

    def train(self, patience=10):
        """The test values of the best epoch on dev."""
        dev, best = [], None
        while len(dev) - (dev.index(max(dev)) if dev else 0) <= patience:
            self.epoch()
            dev.append(self.evaluate("dev")[1])
            if dev[-1] == max(dev):
                best = self.evaluate("test")
        return best


class IndexedAdagrad:
    """Adagrad over the rows that a sparse gradient lists."""

    def __init__(self, parameters, lr):
        self.lr, self.parameters = lr, [(parameter, torch.zeros_like(parameter)) for parameter in parameters]

    @torch.no_grad()
    def step(self):
        for parameter, sums in self.parameters:
            gradient = parameter.grad
            if gradient.is_sparse:
                gradient = gradient.coalesce()
                rows, values = gradient.indices()[0], gradient.values()
                total = sums[rows] + values * values
                sums[rows] = total
                parameter[rows] -= self.lr * values / torch.sqrt(total + 1e-6)
            else:
                sums += gradient * gradient
                parameter -= self.lr * gradient / torch.sqrt(sums + 1e-6)
            parameter.grad = None


def official(data, units=100, slots=32, n_sample=2048, alpha=0.5):
    """Seconds and events of an epoch of session-parallel batches: constrained table, cross-entropy over targets and samples."""
    torch.manual_seed(1)
    part = data.parts["train"]
    order = np.lexsort((part["time"], part["user"]))
    items, users = part["candidates"][order, 0], part["user"][order]
    begins = np.flatnonzero(np.r_[True, users[1:] != users[:-1], True])
    sessions = sorted(range(len(begins) - 1), key=lambda s: part["time"][order[begins[s]]])
    table = nn.Embedding(data.n_items, units, sparse=True)
    bias = nn.Embedding(data.n_items, 1, sparse=True)
    cell = nn.GRUCell(units, units)
    for parameter in (table.weight, *cell.parameters()):
        nn.init.uniform_(parameter, -0.1, 0.1)
    nn.init.zeros_(bias.weight)
    adagrad = IndexedAdagrad([table.weight, bias.weight, *cell.parameters()], 0.05)
    weights = torch.from_numpy(np.bincount(items, minlength=data.n_items).astype(np.float32) ** alpha)
    start, events, store, used = time.perf_counter(), 0, None, 0
    places = np.array([[begins[s], begins[s + 1]] for s in sessions[:slots]])
    following = slots
    hidden = torch.zeros(len(places), units)
    while len(places) > 0:
        for _ in range(int((places[:, 1] - places[:, 0]).min()) - 1):
            if store is None or used == len(store):
                store, used = torch.multinomial(weights, 1000 * n_sample, replacement=True).view(1000, n_sample), 0
            inputs, targets = torch.from_numpy(items[places[:, 0]]), torch.from_numpy(items[places[:, 0] + 1])
            outputs = torch.cat([targets, store[used]])
            used += 1
            rows = table(torch.cat([inputs, outputs]))
            hidden = cell(rows[:len(inputs)], hidden.detach())
            score = hidden @ rows[len(inputs):].T + bias(outputs).T
            loss = functional.cross_entropy(score, torch.arange(len(targets)), reduction="sum") / slots
            loss.backward()
            adagrad.step()
            events += len(inputs)
            places[:, 0] += 1
        kept = []
        for slot in range(len(places)):
            while places[slot, 1] - places[slot, 0] < 2 and following < len(sessions):
                places[slot] = begins[sessions[following]], begins[sessions[following] + 1]
                following += 1
                hidden[slot] = 0
            if places[slot, 1] - places[slot, 0] >= 2:
                kept.append(slot)
        places, hidden = places[kept], hidden.detach()[kept]
    return time.perf_counter() - start, events


def recore(options, model, params):
    """The number of epochs of a training run, and HR@5 and NDCG@5 of its model on the test part."""
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "m.rec")
        sets = [argument for key, value in params.items() for argument in ("--set", f"{key}={value}")]
        common = ["--data", options.data, "--protocol", "given", "--json"]
        training = lines(options.recore, "train", "--model", model, "--out", file, "--threads", str(options.threads), *sets,
                         *common, "--metrics", "rechorus.ndcg@5")
        metrics = lines(options.recore, "evaluate", "--model", file, *common, "--metrics", "rechorus.hr@5,rechorus.ndcg@5")
    return [event for event in training if event["event"] == "epoch"], tuple(metrics[0]["metrics"].values())


def lines(*command):
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in run.stdout.splitlines()]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--recore", required=True)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--models", default=",".join([*MODELS, "official"]))
    parser.add_argument("--rounds", type=int, default=3, help="of an epoch of both sides, in turns")
    parser.add_argument("--quality", action="store_true")
    parser.add_argument("--seeds", default="1,2,3")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    data = Data(options.data)
    for model in options.models.split(","):
        (judge if options.quality else compare)(options, data, model)


def judge(options, data, model):
    """What both sides reach with each seed, trained until ten epochs in a row bring no improvement on dev."""
    here, there = [], []
    for seed in map(int, options.seeds.split(",")):
        params = {**MODELS[model][0], "batch_size": BATCH, "epochs": 200, "patience": 10, "seed": seed}
        here.append(recore(options, model, params)[1])
        there.append(Trainer(data, model, seed).train())
        print(f"{model} seed {seed}: {mean(here[-1:])}, in PyTorch {mean(there[-1:])}", flush=True)
    print(f"{model} mean: {mean(here)}, in PyTorch {mean(there)}", flush=True)


def mean(reached):
    return "HR@5 {:.4f} NDCG@5 {:.4f}".format(*map(statistics.mean, zip(*reached)))


def compare(options, data, model):
    """Epochs of both sides in turns; PyTorch runs with as many threads and with one, and the faster counts."""
    here, there, events = [], {threads: [] for threads in {options.threads, 1}}, 0
    if model == "official":
        plugin = "gru4rec"
        params = {"variant": "official", "layers": "[100]", "loss": "softmax", "n_sample": 2048, "batch_size": 32}
    else:
        plugin, params = model, {**MODELS[model][0], "batch_size": BATCH}
    for turn in range(options.rounds):
        epochs, _ = recore(options, plugin, {**params, "epochs": 3, "eval_every": 3})
        here.append(statistics.median(epoch["train_seconds"] for epoch in epochs))
        for threads, seconds in there.items():
            torch.set_num_threads(threads)
            if model == "official":
                passed, events = official(data)
            else:
                passed = Trainer(data, model, turn).epoch()
            seconds.append(passed)
    ours = statistics.median(here)
    theirs, threads = min((statistics.median(seconds), threads) for threads, seconds in there.items())
    speed = f", {events / ours:,.0f} and {events / theirs:,.0f} events/s" if events else ""
    print(f"{model}: an epoch {ours:.3f} s, in PyTorch {theirs:.2f} s (threads {threads}): {theirs / ours:.1f}x{speed}",
          flush=True)


if __name__ == "__main__":
    main()
