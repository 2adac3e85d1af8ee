"""Training and evaluation on impression lists and labelled rows by the command."""

import math
import os
import random
import unittest

from cli_test import CliTest


class Labelled(CliTest):
    """A ReChorus folder of impression lists in which odd users click odd items; the metrics are recomputed slowly here."""
    METRICS = "rechorus.hr@2,rechorus.ndcg@2,rechorus.map@2"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        os.mkdir(os.path.join(cls.folder, "shown"))
        draw = random.Random(4)
        cls.rows = {"train": [], "dev": [], "test": []}
        for part, n_lists in (("train", 12), ("dev", 2), ("test", 3)):
            for user in range(1, 31):
                for time in range(n_lists):
                    for item in draw.sample(range(1, 25), 6):
                        clicked = user % 2 == item % 2 if draw.random() < 0.9 else draw.random() < 0.5
                        cls.rows[part].append((user, item, time, int(clicked)))
            draw.shuffle(cls.rows[part])
            with open(os.path.join(cls.folder, "shown", part + ".csv"), "w") as file:
                file.write("user_id\titem_id\ttime\tlabel\n")
                file.writelines("\t".join(map(str, row)) + "\n" for row in cls.rows[part])

    def scores(self, model):
        words = ["recommend", "--model", model, "-k", "24"]
        for user in range(1, 31):
            words += ["--user", str(user)]
        return {(int(e["user"]), int(e["item"])): e["score"] for e in self.events(words) if e["event"] == "recommendation"}

    def lists_metrics(self, scores, part, max_pos=20, max_neg=20, k=2):
        lists = {}
        for user, item, time, label in self.rows[part]:
            lists.setdefault((user, time), ([], []))[label].append(item)
        values = []
        for (user, _), (shown, clicked) in lists.items():
            if not shown or not clicked:
                continue
            shown, clicked = shown[:max_neg], clicked[:max_pos]
            ranked = sorted([(-scores[user, i] + 1e-6, 1) for i in clicked] + [(-scores[user, i], 0) for i in shown])
            hits, gain, precisions = 0, 0.0, 0.0
            for j, (_, hit) in enumerate(ranked[:k], 1):
                hits += hit
                gain += hit / math.log2(j + 1)
                precisions += hit * hits / j
            ideal = sum(1 / math.log2(j + 1) for j in range(1, min(k, len(clicked)) + 1))
            values.append((hits > 0, gain / ideal, precisions / min(k, len(clicked))))
        return [sum(column) / len(values) for column in zip(*values)], len(values)

    def test_learns_to_rank_lists(self):
        events = self.events("train --model bprmf --data shown --set task=impression --set emb_size=8 --set lr=0.02"
                             " --set epochs=20 --set batch_size=64 --out lists.rec --report lists.html")
        self.assertEqual(list(events[0]["metrics"]), ["rechorus.ndcg@5[list]", "rechorus.hr@5[list]", "rechorus.map@5[list]"])
        self.assertEqual((events[-2]["event"], events[-2]["rows"]), ("metrics", "list"))
        scores = self.scores("lists.rec")
        for options, slots in (("", {}), (" --max-pos 1 --max-neg 2", {"max_pos": 1, "max_neg": 2})):
            got = self.events("evaluate --model lists.rec --data shown --rows list --metrics " + self.METRICS + options)[0]
            wanted, n = self.lists_metrics(scores, "test", **slots)
            self.assertEqual(got["n_rows"], n)
            for value, expected in zip(got["metrics"].values(), wanted):
                self.assertAlmostEqual(value, expected, places=9)
        self.assertGreater(self.lists_metrics(scores, "test")[0][1], 0.85)
        card = self.events("info lists.rec")[0]["valid_metrics"]
        valid = self.events("evaluate --model lists.rec --data shown --part valid --rows list --metrics rechorus.ndcg@5")[0]
        self.assertEqual(valid["metrics"]["rechorus.ndcg@5[list]"], card["rechorus.ndcg@5[list]"])

    def test_learns_to_tell_clicked_rows(self):
        for loss in ("bce", "mse"):
            self.recore("train --model lightgcn --data shown --set task=ctr --set emb_size=8 --set lr=0.02 --set n_layers=1"
                        f" --set epochs=30 --set batch_size=64 --set label_loss={loss} --metrics rechorus.auc --out ctr.rec")
            got = self.events("evaluate --model ctr.rec --data shown --rows label"
                              " --metrics rechorus.auc,rechorus.acc,rechorus.log_loss,rmse")[0]
            scores = self.scores("ctr.rec")
            rows = [(scores[user, item], label) for user, item, _, label in self.rows["test"]]
            clicked, shown = ([s for s, label in rows if label == y] for y in (1, 0))
            order = sum((a > b) + (a == b) / 2 for a in clicked for b in shown) / (len(clicked) * len(shown))
            pairs = [(1 / (1 + math.exp(-s)), label) for s, label in rows]
            right = sum((p > 0.5) == (label == 1) for p, label in pairs) / len(pairs)
            loss = -sum(math.log(p if label else 1 - p) for p, label in pairs) / len(pairs)
            rmse = math.sqrt(sum((p - label) ** 2 for p, label in pairs) / len(pairs))
            self.assertEqual(got["n_rows"], len(rows))
            for value, expected in zip(got["metrics"].values(), (order, right, loss, rmse)):
                self.assertAlmostEqual(value, expected, places=6)
            self.assertGreater(order, 0.85)

    def test_is_refused_by_models_without_the_task(self):
        error = self.events("train --model ease --data shown --set task=impression --out x.rec", 6)[-1]
        self.assertIn("cannot be trained for task=impression", error["message"])
        error = self.events("train --model bprmf --data orchard.inter.gz --set task=ctr --out x.rec", 4)[-1]
        self.assertIn("label", error["message"])


if __name__ == "__main__":
    unittest.main()
