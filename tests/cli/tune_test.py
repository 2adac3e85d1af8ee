"""`recore tune`: the table, the best model, pruning, a search that is killed and goes on, and what is refused."""
import os
import signal
import subprocess
import time
import unittest

from cli_test import RECORE, CliTest

CONFIG = """model: bprmf
parameters: {epochs: 2, batch_size: 1024, seed: 3}
data: {path: orchard.inter.gz}
training: {metrics: [ndcg@10]}
evaluation: {metrics: [ndcg@10]}
output: {model: best.rec}
"""
SPACE = ["--space", "lr=0.001..0.1 log", "--space", "emb_size=4,8"]


class Tune(CliTest):
    def setUp(self):
        for name in os.listdir(self.folder):
            if name not in ("orchard.inter.gz", "orchard.item.gz", "first.yaml", "m.rec"):
                os.remove(self.path(name))
        self.write("shop.yaml", CONFIG)
        self.before = set(os.listdir(self.folder))

    def tune(self, *words, code=0):
        return self.events(["tune", "shop.yaml", *SPACE, *words], code)

    def of_kind(self, events, kind):
        return [event for event in events if event["event"] == kind]

    def table(self, events):
        return self.of_kind(events, "table")[0]

    def assert_nothing_is_left(self, *made):
        self.assertEqual(set(os.listdir(self.folder)) - self.before, set(made))

    def test_the_best_trial_gives_the_model(self):
        events = self.tune("--trials", "4", "--parallel", "2")
        table = self.table(events)
        self.assertEqual([trial["trial"] for trial in table["trials"]], [0, 1, 2, 3])
        values = [trial["value"] for trial in table["trials"]]
        self.assertEqual(table["best"], values.index(max(values)))
        self.assertEqual({trial["state"] for trial in table["trials"]}, {"complete"})
        best = table["trials"][table["best"]]
        self.assertEqual(best["value"], max(value for _, value in best["values"]))
        self.assertEqual(sorted(event["trial"] for event in self.of_kind(events, "trial")), [0, 1, 2, 3])
        self.assertEqual([event["part"] for event in self.of_kind(events, "metrics")], ["valid", "test"])
        self.assertEqual(self.of_kind(events, "metrics")[0]["metrics"]["ndcg@10"], best["value"])
        self.assertEqual(events[-1]["event"], "done")
        self.assert_nothing_is_left("best.rec")
        card = self.events("info best.rec")[0]
        for name, value in best["parameters"].items():
            self.assertEqual(card["parameters"][name], value)
        model = self.bytes_of("best.rec")
        settings = [f"--set=parameters.{name}={value}" for name, value in best["parameters"].items()]
        self.recore(["run", "shop.yaml", *settings])
        self.assertEqual(self.bytes_of("best.rec"), model)
        other = self.table(self.tune("--trials", "4", "--parallel", "2", "--threads", "1", "--out", "other.rec"))
        self.assertEqual(other, table)
        self.assertEqual(self.bytes_of("other.rec"), model)

    def test_a_metric_with_brackets_of_its_own_decides(self):
        self.write("shop.yaml", CONFIG.replace("[ndcg@10]}", "'recall@10,rbp@5[0.5]', main_metric: 'rbp@5[0.5]'}", 1))
        events = self.tune("--trials", "2", "--sampler", "random")
        best = self.table(events)["trials"][self.table(events)["best"]]
        self.assertEqual(best["value"], max(event["metrics"]["rbp@5[0.5]"] for event in self.of_kind(events, "epoch")))

    def test_a_grid_is_printed_as_a_table(self):
        done = self.recore(["tune", "shop.yaml", "--sampler", "grid", "--space", "emb_size=4,8", "--space", "epochs=1..2",
                            "--report", "page.html"])
        lines = done.stdout.splitlines()
        self.assertEqual(lines[0].split(), ["trial", "emb_size", "epochs", "state", "epochs", "ndcg@10"])
        rows = [line.split() for line in lines[1:5]]
        self.assertEqual([row[:5] for row in rows], [["0", "4", "1", "complete", "1"], ["1", "4", "2", "complete", "2"],
                                                      ["2", "8", "1", "complete", "1"], ["3", "8", "2", "complete", "2"]])
        self.assertEqual(sum(row[-1] == "best" for row in rows), 1)
        self.assertIn("trial 3, emb_size=8 epochs=2: complete", done.stderr)
        self.assert_nothing_is_left("best.rec", "page.html")

    def test_goes_on_after_a_kill_to_the_same_table(self):
        words = ["--trials", "6", "--parallel", "2", "--threads", "2"]
        whole = self.table(self.tune(*words))
        for when in (1, 4):
            journal = f"{when}.journal"
            command = [RECORE, "tune", "shop.yaml", *SPACE, *words, "--json", "--journal", journal]
            with subprocess.Popen(command, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as search:
                for _ in range(when):
                    search.stdout.readline()
                search.send_signal(signal.SIGKILL)
            self.assertFalse(os.path.exists(self.path("other.rec")))
            with open(self.path(journal), "ab") as file:
                file.write(b'{"ask":')  # a line that was not written whole
            events = self.tune(*words, "--journal", journal)
            self.assertEqual(self.table(events), whole)
            self.assertLess(len(self.of_kind(events, "trial")), 6)
            self.assertEqual(self.table(self.tune(*words, "--journal", journal)), whole)
        error = self.tune(*words[2:], "--trials", "7", "--journal", "1.journal", code=2)[-1]
        self.assertIn("--trials: is 7, and the journal 1.journal is of a search with 6", error["message"])
        self.assert_nothing_is_left("best.rec", "1.journal", "4.journal")

    def test_ctrl_c_leaves_the_journal_alone(self):
        self.write("shop.yaml", CONFIG.replace("epochs: 2", "epochs: 100000"))
        command = [RECORE, "tune", "shop.yaml", *SPACE, "--parallel", "2", "--journal", "j"]
        with subprocess.Popen(command, cwd=self.folder, stderr=subprocess.PIPE, text=True) as search:
            for _ in range(600):
                if os.path.exists(self.path("j")) and b"report" in self.bytes_of("j"):
                    break
                time.sleep(0.1)
            search.send_signal(signal.SIGINT)
            _, stderr = search.communicate(timeout=60)
        self.assertEqual(search.returncode, 130)
        self.assertIn("cancelled; the same command goes on from j", stderr)
        self.assert_nothing_is_left("j")

    def test_prunes_what_falls_behind(self):
        self.write("shop.yaml", CONFIG.replace("epochs: 2", "epochs: 4, lr: 0.01"))
        # The first trials are good, so the others end at their first epochs.
        events = self.events(["tune", "shop.yaml", "--sampler", "grid", "--pruner", "halving", "--space", "lr=0.02,0.0001,0.00001"])
        states = [trial["state"] for trial in self.table(events)["trials"]]
        self.assertEqual(states, ["complete", "pruned", "pruned"])
        self.assertEqual([event["epochs"] for event in self.of_kind(events, "trial")], [4, 1, 1])
        events = self.events(["tune", "shop.yaml", "--sampler", "grid", "--pruner", "halving", "--min-epochs", "3", "--space",
                              "lr=0.02,0.0001"])
        self.assertEqual([event["epochs"] for event in self.of_kind(events, "trial")], [4, 3])
        self.assert_nothing_is_left("best.rec")

    def test_a_trial_that_fails_is_in_the_table(self):
        self.write("shop.yaml", CONFIG.replace("epochs: 2", "epochs: 2, optimizer: sgd, l2: 10"))
        events = self.events(["tune", "shop.yaml", "--sampler", "grid", "--space", "lr=0.01,1000000", "--parallel", "2"])
        trials = self.table(events)["trials"]
        self.assertEqual([trial["state"] for trial in trials], ["complete", "failed"])
        self.assertIn("the loss is", trials[1]["message"])
        os.remove(self.path("best.rec"))
        error = self.events(["tune", "shop.yaml", "--sampler", "grid", "--space", "lr=1000000,900000"], 4)[-1]
        self.assertIn("no trial is complete", error["message"])
        self.assertIn("the loss is", error["message"])
        self.assert_nothing_is_left()

    def test_data_that_cannot_be_used_end_the_search_at_once(self):
        for old, new, code, message in (("orchard.inter.gz", "none.csv", 3, "none.csv"),
                                        ("orchard.inter.gz}", "orchard.inter.gz, all_train: true}", 4, "have no valid part")):
            self.write("shop.yaml", CONFIG.replace(old, new))
            events = self.tune("--journal", "j", code=code)
            self.assertEqual([event["event"] for event in events], ["error"])
            self.assertIn(message, events[0]["message"])
        self.assert_nothing_is_left()

    def test_a_space_may_be_a_file(self):
        self.write("space.yaml", "tune:\n  emb_size: [4, 8]\n  epochs: {low: 1, high: 2}\n  lr: {low: 0.001, high: 0.1, log: true}\n")
        table = self.table(self.events("tune shop.yaml --space-file space.yaml --trials 2"))
        self.assertEqual(table["space"], {"emb_size": [4, 8], "epochs": {"low": 1, "high": 2},
                                          "lr": {"low": 0.001, "high": 0.1, "log": True}})
        self.write("space.yaml", "tune:\n  lr: {low: 0.001}\n")
        self.assertIn("lr: a range must have 'high'", self.recore("tune shop.yaml --space-file space.yaml", 2).stderr)
        self.write("space.yaml", "tuna:\n  lr: [1]\n")
        self.assertIn("must have a section tune:", self.recore("tune shop.yaml --space-file space.yaml", 2).stderr)
        self.assertIn("there is no file none.yaml", self.recore("tune shop.yaml --space-file none.yaml", 3).stderr)

    def test_mistakes_are_named_before_anything_is_run(self):
        for words, message in (([], "space: is not given"),
                               (["--space", "lr"], "space: must be NAME=LOW..HIGH"),
                               (["--space", "lr=0.1..0.01"], "lr: low must be less than high, got 0.1 and 0.01"),
                               (["--space", "lr=0..1 log"], "lr: low must be more than 0 with log, got 0"),
                               (["--space", "lr=a..b"], 'lr: low must be a number, got "a"'),
                               (["--space", "lr=1,2 log"], "lr: log is for a range"),
                               (["--space", "lr=0.1", "--space", "lr=0.2"], "lr is given twice"),
                               (["--space", "emb_siez=4,8"], "emb_siez: there is no such parameter, did you mean 'emb_size'?"),
                               (["--space", "emb_size=4..10000000"], "emb_size: must be between"),
                               (["--space", "lr=0.1", "--sampler", "tpee"], "sampler: there is no 'tpee', did you mean 'tpe'?"),
                               (["--space", "lr=0.1", "--pruner", "mean"], "pruner: there is no 'mean'"),
                               (["--space", "lr=0.1", "--out", "orchard.inter.gz"], "orchard.inter.gz is a file that is read"),
                               (["--space", "lr=0.1", "--journal", "best.rec"], "journal: is the file to write, best.rec"),
                               (["--space", "lr=0.1", "--journal", "orchard.inter.gz"], "is there and is no journal of a search"),
                               (["--space", "lr=0.1", "--set", "training.metrics=foo@5"], "'foo@5' is not a metric")):
            self.assertIn(message, self.recore(["tune", "shop.yaml", *words], 2).stderr, words)
        self.assertIn("a grid needs choices", self.recore(["tune", "shop.yaml", *SPACE, "--sampler", "grid"], 6).stderr)
        self.assertIn("config: is not given", self.recore(["tune", *SPACE], 2).stderr)
        self.assert_nothing_is_left()


if __name__ == "__main__":
    unittest.main()
