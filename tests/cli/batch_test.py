"""Whole files: `evaluate --per-row`, `compare`, and `recommend --all` with its sets of items."""

import ast
import csv
import json
import math
import os
import random
import statistics
import struct
import unittest

from cli_test import CliTest

METRICS = ["recall@5", "ndcg@5"]


def t_test(values):
    """Two-sided p of the mean of values, with Student's density integrated slowly."""
    n, mean = len(values), sum(values) / len(values)
    t = abs(mean) / math.sqrt(sum((x - mean) ** 2 for x in values) / (n - 1) / n)
    steps, density = 20_000, lambda x: (1 + x * x / (n - 1)) ** (-n / 2)
    area = lambda b: b / steps * sum(density((i + 0.5) * b / steps) for i in range(steps))  # noqa: E731
    return (area(60) - area(t)) / area(60)


def wilcoxon(values):
    """The signed-rank test by its definition: ties share their ranks, zeros are left out, no correction."""
    values = [x for x in values if x != 0]
    sizes = [abs(x) for x in values]
    ranks = [sum(y < x for y in sizes) + (sum(y == x for y in sizes) + 1) / 2 for x in sizes]
    n, w = len(values), sum(rank for x, rank in zip(values, ranks) if x > 0)
    ties = sum(sizes.count(x) ** 3 - sizes.count(x) for x in set(sizes))
    z = (w - n * (n + 1) / 4) / math.sqrt(n * (n + 1) * (2 * n + 1) / 24 - ties / 48)
    return math.erfc(abs(z) / math.sqrt(2))


class Rows(CliTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for model in ("popularity", "itemknn"):
            cls.recore(f"train --model {model} --data orchard.inter.gz --out {model}.rec")

    def test_a_file_has_every_row(self):
        command = f"evaluate --model itemknn.rec --data orchard.inter.gz --metrics {','.join(METRICS)}"
        measured = self.events(command)[0]
        for name, separator in (("rows.csv", ","), ("rows.tsv", "\t"), ("rows.jsonl", None)):
            self.recore(f"{command} --per-row {name} --keep-lists 5")
            with open(self.path(name), newline="") as file:
                rows = [json.loads(line) for line in file] if separator is None else list(csv.DictReader(file, delimiter=separator))
            self.assertEqual(len(rows), measured["n_rows"])
            self.assertEqual([int(row["row"]) for row in rows], sorted(int(row["row"]) for row in rows))
            for metric in METRICS:
                mean = sum(float(row[metric]) for row in rows) / len(rows)
                self.assertAlmostEqual(mean, measured["metrics"][metric], 12)
            for row in rows:
                items, scores, relevant = (row[key] if separator is None else json.loads(row[key])
                                           for key in ("items", "scores", "relevant"))
                self.assertEqual((len(items), len(scores), scores), (5, 5, sorted(scores, reverse=True)))
                self.assertEqual(sum(relevant) > 0, float(row["recall@5"]) > 0)
                self.assertTrue(items[0].startswith("film-") and row["user"].startswith("u"), (items, row))

    def test_a_wrong_name_or_use_is_told_and_leaves_nothing(self):
        command = "evaluate --model itemknn.rec --data orchard.inter.gz"
        self.assertIn("per-row: the file's name must end in .csv, .tsv or .jsonl, got 'rows.txt'",
                      self.recore(f"{command} --per-row rows.txt", 2).stderr)
        self.assertIn("keep-lists: the lists are written to the file of --per-row",
                      self.recore(f"{command} --keep-lists 5", 2).stderr)
        self.assertIn("per-row: none/rows.csv cannot be written: No such file",
                      self.recore(f"{command} --per-row none/rows.csv", 3).stderr)
        self.assertIn("keep_lists: must be >= 0", self.recore(f"{command} --per-row a.csv --keep-lists=-1", 2).stderr)
        self.assertEqual([name for name in os.listdir(self.folder) if name.startswith("a.csv") or ".txt" in name], [])

    def test_an_experiment_writes_the_rows_of_its_test(self):
        self.write("rows.yaml", "model: popularity\ndata: {path: orchard.inter.gz}\nevaluation: {metrics: recall@5, keep_lists: 3}\n"
                                "output: {model: a.rec, rows: a.jsonl}\n")
        measured = self.events("run rows.yaml")
        with open(self.path("a.jsonl")) as file:
            rows = [json.loads(line) for line in file]
        test = [event for event in measured if event["event"] == "metrics"][-1]
        self.assertAlmostEqual(sum(row["recall@5"] for row in rows) / len(rows), test["metrics"]["recall@5"], 12)
        self.assertEqual(len(rows[0]["items"]), 3)
        self.assertIn("evaluation.metrics says which", self.recore(["run", "rows.yaml", "--set", "evaluation.metrics=''"], 2).stderr)


class Outputs(CliTest):
    def test_that_are_inputs_are_refused(self):
        self.write("d.csv", "user,item\n" + "".join(f"{u},{i}\n" for u in range(9) for i in range(u, u + 9)))
        self.recore("train --model popularity --data d.csv --out m.csv")
        self.recore("train --model bprmf --set epochs=1 --data d.csv --out w.rec")
        self.write("items.csv", "3\n")
        self.write("e.yaml", "model: popularity\ndata: {path: d.csv}\nevaluation: {metrics: recall@5}\noutput: {model: e.rec}\n")
        whole = {name: self.bytes_of(name) for name in ("d.csv", "m.csv", "items.csv", "w.rec", "e.yaml")}
        for arguments in ("evaluate --model m.csv --data d.csv --per-row d.csv", "evaluate --model m.csv --data d.csv --per-row m.csv",
                          "recommend --model m.csv --all --out m.csv", "recommend --model m.csv --all --allow @items.csv --out items.csv",
                          "compare m.csv w.rec --data d.csv --report d.csv", "compare m.csv w.rec --data d.csv --report w.rec",
                          "run e.yaml --set output.report=e.yaml", "run e.yaml --set output.rows=d.csv",
                          "train --model bprmf --data d.csv --warm-start w.rec --report w.rec --out w2.rec"):
            self.assertIn("is a file that is read", self.recore(arguments, 2).stderr, arguments)
        self.recore("run e.yaml")
        self.assertIn("are the same file", self.recore("run e.yaml --set training.enabled=false --set output.report=x.csv "
                                                       "--set output.rows=x.csv", 2).stderr)
        self.assertEqual({name: self.bytes_of(name) for name in whole}, whole)

    def test_of_an_experiment_are_what_it_asked_for(self):
        self.write("r.yaml", "model: itemknn\ndata: {path: orchard.inter.gz}\ntraining: {metrics: ndcg@5}\n"
                             "evaluation: {metrics: 'recall@10,mrr@10'}\noutput: {model: r.rec, rows: r.csv, report: r.html}\n")
        self.recore("run r.yaml")
        self.assertTrue(self.bytes_of("r.csv").startswith(b"row,user,recall@10,mrr@10\n"))
        # A saved model is measured by the rows that are asked for, not by those of its training.
        events = self.events("run r.yaml --set training.enabled=false --set evaluation.rows=event")
        asked = self.events("evaluate --model r.rec --data orchard.inter.gz --rows event --metrics recall@10,mrr@10")[0]
        measured = [event for event in events if event["event"] == "metrics" and event["part"] == "test"][0]
        self.assertEqual((measured["rows"], measured["metrics"]), ("event", asked["metrics"]))
        self.write("train.csv", "user,item\n1,1\n2,1\n")
        self.assertIn("no test part", self.recore("run r.yaml --set data.path=train.csv --set data.all_train=true", 4).stderr)


class Compare(CliTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for model in ("popularity", "itemknn"):
            cls.recore(f"train --model {model} --data orchard.inter.gz --out {model}.rec")

    def test_agrees_with_the_definitions(self):
        events = self.events("compare popularity.rec itemknn.rec m.rec --data orchard.inter.gz --metrics recall@5,ndcg@5")
        compared = [event for event in events if event["event"] == "comparison"]
        self.assertEqual(len(compared), 4)
        values = {}
        for model in ("popularity", "itemknn", "m"):
            self.recore(f"evaluate --model {model}.rec --data orchard.inter.gz --metrics recall@5,ndcg@5 --per-row {model}.jsonl")
            with open(self.path(model + ".jsonl")) as file:
                values[model + ".rec"] = [json.loads(line) for line in file]
        for event in compared:
            a, b = ([row[event["metric"]] for row in values[name]] for name in (event["against"], event["file"]))
            difference = [y - x for x, y in zip(a, b)]
            self.assertAlmostEqual(event["difference"], sum(difference) / len(difference), 12)
            self.assertAlmostEqual(event["p_t"], t_test(difference), 6)
            self.assertAlmostEqual(event["p_wilcoxon"], wilcoxon(difference), 9)
            low, high = event["interval"]
            error = statistics.stdev(difference) / math.sqrt(len(difference))
            self.assertTrue(low < event["difference"] < high)
            self.assertAlmostEqual((high - low) / (2 * 1.96 * error), 1, 1)
        ordered = sorted(compared, key=lambda event: event["p_t"])
        self.assertAlmostEqual(ordered[0]["p_holm"], min(1, 4 * ordered[0]["p_t"]), 12)
        self.assertGreaterEqual(ordered[-1]["p_holm"], ordered[-1]["p_t"])

    def test_a_model_does_not_differ_from_itself(self):
        event = self.events("compare m.rec ./m.rec --data orchard.inter.gz --metrics recall@5")[2]
        self.assertEqual((event["difference"], event["interval"], event["p_t"], event["p_wilcoxon"]), (0, [0, 0], 1, None))

    def test_rows_of_one_user_are_one_observation(self):
        """Twenty users with a hundred equal rows each are twenty observations, not two thousand."""
        generator = random.Random(1)
        rows = [f"{user},{generator.randrange(40)},{part}" for user in range(20) for part, n in ((0, 20), (1, 100)) for _ in range(n)]
        for part, name in ((0, "train.csv"), (1, "rows.csv")):
            self.write(name, "user,item\n" + "".join(row.rsplit(",", 1)[0] + "\n" for row in rows if row.endswith(str(part))))
        self.recore("train --model popularity --data train.csv --test rows.csv --out p.rec")
        self.recore("train --model bprmf --set epochs=1 --data train.csv --test rows.csv --out q.rec")
        events = self.events("compare p.rec q.rec --data train.csv --test rows.csv --rows event --metrics hit@10 --mask none")
        event = events[2]
        self.recore("evaluate --model p.rec --data train.csv --test rows.csv --rows event --metrics hit@10 --mask none --per-row p.jsonl")
        self.recore("evaluate --model q.rec --data train.csv --test rows.csv --rows event --metrics hit@10 --mask none --per-row q.jsonl")
        sums = {}
        for name, sign in (("p.jsonl", -1), ("q.jsonl", 1)):
            with open(self.path(name)) as file:
                for line in file:
                    row = json.loads(line)
                    sums[row["user"]] = sums.get(row["user"], 0) + sign * row["hit@10"]
        self.assertEqual(len(sums), 20)
        self.assertAlmostEqual(event["difference"], sum(sums.values()) / event["n_rows"], 12)
        self.assertAlmostEqual(event["p_t"], t_test(list(sums.values())), 6)

    def test_users_that_no_model_knows_are_one_observation_each(self):
        generator = random.Random(2)
        self.write("old.csv", "user,item\n" + "".join(f"a{u},{generator.randrange(30)}\n" for u in range(60) for _ in range(9)))
        self.write("new.csv", "user,item\n" + "".join(f"b{u},{generator.randrange(30)}\n" for u in range(15) for _ in range(40)))
        for name, neighbors in (("x", 2), ("y", 20)):
            self.recore(f"train --model itemknn --set n_neighbors={neighbors} --data old.csv --all --out {name}.rec")
            self.recore(f"evaluate --model {name}.rec --data new.csv --all --rows event --mask none --metrics hit@5 --per-row {name}.jsonl")
        event = self.events("compare x.rec y.rec --data new.csv --all --rows event --mask none --metrics hit@5")[2]
        sums = [0.0] * 15
        for name, sign in (("x", -1), ("y", 1)):
            with open(self.path(name + ".jsonl")) as file:
                for row in map(json.loads, file):
                    sums[row["row"] // 40] += sign * row["hit@5"]
        self.assertNotEqual(event["difference"], 0)
        self.assertAlmostEqual(event["p_t"], t_test(sums), 6)

    def test_groups_of_rows_make_up_the_whole(self):
        for by, rows in (("activity", "user"), ("popularity", "event")):
            events = self.events(f"compare popularity.rec itemknn.rec --data orchard.inter.gz --rows {rows} --metrics hit@10 --by {by}")
            groups = [event for event in events if event["event"] == "bucket"]
            whole = {event["file"]: event for event in events if event["event"] == "metrics"}
            for name, model in whole.items():
                mine = [event for event in groups if event["file"] == name]
                self.assertGreaterEqual(len(mine), 3)
                self.assertEqual(sum(event["n_rows"] for event in mine), model["n_rows"])
                mean = sum(event["value"] * event["n_rows"] for event in mine) / model["n_rows"]
                self.assertAlmostEqual(mean, model["metrics"]["hit@10"], 12)
                self.assertTrue(all(a["high"] < b["low"] for a, b in zip(mine, mine[1:])))
            if by == "popularity":
                values = [event["value"] for event in groups if event["file"] == "popularity.rec"]
                self.assertLess(values[0], values[-1])  # popular items are what it finds
        self.assertIn("by: popularity is that of a row's item",
                      self.recore("compare m.rec itemknn.rec --data orchard.inter.gz --by popularity", 2).stderr)

    def test_a_page_has_the_tables(self):
        shown = self.recore("compare popularity.rec itemknn.rec --data orchard.inter.gz --by activity --report page.html")
        self.assertIn("p (Wilcoxon)", shown.stdout)
        with open(self.path("page.html")) as file:
            page = file.read()
        for text in ("<h1>Comparison of popularity.rec, itemknn.rec</h1>", "95 % interval", "<svg", "By group of rows"):
            self.assertIn(text, page)

    def test_what_cannot_be_compared_is_told(self):
        self.assertIn("at least two models", self.recore("compare m.rec --data orchard.inter.gz", 2).stderr)
        self.recore("train --model popularity --data orchard.inter.gz --seed 9 --out seed9.rec")
        self.assertIn("was trained with seed 9 and the first with 1",
                      self.recore("compare m.rec seed9.rec --data orchard.inter.gz", 2).stderr)
        self.assertIn("there is no 'size'; there are nothing, activity, popularity",
                      self.recore("compare m.rec itemknn.rec --data orchard.inter.gz --by size", 2).stderr)


class Batch(CliTest):
    def test_every_user_is_answered_in_a_file(self):
        for name in ("all.csv", "all.tsv", "all.jsonl"):
            for threads in (1, 3):
                self.recore(f"recommend --model m.rec --all -k 4 --exclude-seen --out {name} --threads {threads}")
                if name.endswith("jsonl"):
                    with open(self.path(name)) as file:
                        answers = {row["user"]: list(zip(row["items"], row["scores"])) for row in map(json.loads, file)}
                else:
                    answers = {}
                    with open(self.path(name), newline="") as file:
                        for row in csv.DictReader(file, delimiter="\t" if "tsv" in name else ","):
                            answers.setdefault(row["user"], []).append((row["item"], float(row["score"])))
                            self.assertEqual(int(row["rank"]), len(answers[row["user"]]))
                self.assertEqual((len(answers), {len(items) for items in answers.values()}), (600, {4}))
                one = self.events("recommend --model m.rec --user u0061 -k 4 --exclude-seen")[:4]
                self.assertEqual([event["item"] for event in one], [item for item, _ in answers["u0061"]])
                for event, (_, score) in zip(one, answers["u0061"]):
                    self.assertAlmostEqual(event["score"], score, 6)

    def test_vectors_are_arrays_with_ids(self):
        self.assertIn("wrote 400 item and 600 user vectors", self.recore("export vectors m.rec --out vectors").stderr)
        items, users = (self.array(f"vectors/{kind}_vectors.npy") for kind in ("item", "user"))
        with open(self.path("vectors/item_ids.csv")) as file:
            item_ids = [line.rsplit(",", 1)[0] for line in file][1:]
        with open(self.path("vectors/user_ids.csv")) as file:
            user_ids = [line.rsplit(",", 1)[0] for line in file][1:]
        self.assertEqual((len(items), len(users), len(item_ids), len(user_ids)), (400, 600, 400, 600))
        for event in self.events("recommend --model m.rec --user u0061 -k 3")[:3]:
            score = sum(a * b for a, b in zip(users[user_ids.index("u0061")], items[item_ids.index(event["item"])]))
            self.assertAlmostEqual(event["score"], score, 5)
        self.recore("train --model itemknn --data orchard.inter.gz --out knn.rec")
        self.assertIn("is there already", self.recore("export vectors m.rec --out vectors", 2).stderr)
        self.assertIn("has no vectors", self.recore("export vectors knn.rec --out none", 6).stderr)
        self.assertFalse(os.path.exists(self.path("none")))

    def array(self, name):
        whole = self.bytes_of(name)
        self.assertEqual(whole[:8], b"\x93NUMPY\x01\x00")
        begin = 10 + int.from_bytes(whole[8:10], "little")
        self.assertEqual(begin % 64, 0)
        n, d = ast.literal_eval(whole[10:begin].decode())["shape"]
        numbers = struct.unpack(f"<{n * d}f", whole[begin:])
        return [numbers[row * d:(row + 1) * d] for row in range(n)]

    def test_sets_of_items_limit_the_answers(self):
        top = [event["item"] for event in self.events("recommend --model m.rec --user u0061 -k 6")[:6]]
        self.write("deny.txt", top[0] + "\n" + top[2] + "\r\nno such film\n")
        done = self.recore("recommend --model m.rec --user u0061 -k 4 --json --deny @deny.txt")
        self.assertEqual([json.loads(line).get("item") for line in done.stdout.splitlines()][:4], [top[1], *top[3:6]])
        self.assertIn("deny: the model does not know 1 of the 3 items, such as 'no such film'", done.stderr)
        allowed = self.events(f"recommend --model m.rec --user u0061 --allow {top[5]},{top[1]} --allow {top[3]}")
        self.assertEqual([event["item"] for event in allowed[:-1]], [top[1], top[3], top[5]])
        self.assertIn("600 users have no item", self.recore("recommend --model m.rec --all --out none.csv --allow nothere").stderr)
        self.recore("recommend --model m.rec --all -k 1000000 --out all.csv")
        self.recore(f"recommend --model m.rec --all --out all.csv --deny {','.join(top)}")
        with open(self.path("all.csv"), newline="") as file:
            self.assertFalse(set(top) & {row["item"] for row in csv.DictReader(file)})
        like = [event["item"] for event in self.events("similar --model m.rec --item film-039 -k 3")[:3]]
        left = self.events(f"similar --model m.rec --item film-039 -k 2 --deny {like[0]}")
        self.assertEqual([event["item"] for event in left[:2]], like[1:])

    def test_wrong_use_is_told_and_leaves_nothing(self):
        for arguments, code, words in (("--all", 2, "out: the file for --all is required"),
                                       ("--user u0061 --out a.csv", 2, "all: is required with --out"),
                                       ("--all --user u0061 --out a.csv", 2, "--user and --history have no meaning"),
                                       ("--all --out a.txt", 2, "must end in .csv, .tsv or .jsonl, got 'a.txt'"),
                                       ("--all --out none/a.csv", 3, "out: none/a.csv cannot be written"),
                                       ("--all --out a.csv --deny @none", 3, "deny: none cannot be read")):
            self.assertIn(words, self.recore("recommend --model m.rec " + arguments, code).stderr)
        self.assertIn("sets of items, and --user asks for users",
                      self.recore("similar --model m.rec --user u0061 --deny film-001", 2).stderr)
        self.assertEqual([name for name in os.listdir(self.folder) if name.startswith("a.")], [])


if __name__ == "__main__":
    unittest.main()
