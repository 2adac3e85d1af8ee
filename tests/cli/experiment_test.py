"""`recore run`, --dump-config and `recore rechorus`: one engine behind several commands."""
import os
import random
import re
import subprocess
import unittest

from cli_test import RECORE, CliTest

CONFIG = """model: bprmf
parameters: {emb_size: 8, epochs: 3, lr: 0.01, seed: 5}
data:
  path: ${SHOP}.inter.gz
training: {metrics: [ndcg@10, recall@10], main_metric: recall@10}
evaluation: {metrics: 'recall@10,ndcg@10'}
output: {model: run.rec}
"""


class Run(CliTest):
    def setUp(self):
        os.environ["SHOP"] = "orchard"
        self.write("first.yaml", CONFIG)

    def test_a_file_gives_what_the_same_options_give(self):
        self.recore("run first.yaml")
        self.recore("train --model bprmf --data orchard.inter.gz --set emb_size=8 --set epochs=3 --set lr=0.01 --seed 5 "
                    "--metrics ndcg@10,recall@10 --main-metric recall@10 --out train.rec --dump-config train.yaml")
        self.assertEqual(self.bytes_of("run.rec"), self.bytes_of("train.rec"))
        whole = self.bytes_of("train.rec")
        self.recore("run train.yaml")
        self.assertEqual(self.bytes_of("train.rec"), whole)

    def test_tells_epochs_and_both_parts(self):
        events = self.events("run first.yaml --dump-config all.yaml")
        kinds = [event["event"] for event in events]
        self.assertEqual(kinds, ["experiment", "epoch", "epoch", "epoch", "metrics", "metrics", "done"])
        self.assertEqual([event["part"] for event in events if event["event"] == "metrics"], ["valid", "test"])
        measured = self.events("evaluate --model run.rec --data orchard.inter.gz --metrics recall@10,ndcg@10 --seed 5")[0]
        self.assertEqual(events[-2]["metrics"], measured["metrics"])
        self.assertIn("lr: 0.01", events[0]["config"])
        self.assertEqual(self.events("run all.yaml")[-2]["metrics"], measured["metrics"])

    def test_a_setting_replaces_a_value(self):
        self.assertEqual(len(self.events("run first.yaml --set parameters.epochs=1 --set output.model=one.rec")), 5)
        self.assertEqual(self.events("info one.rec")[0]["parameters"]["epochs"], 1)

    def test_a_mistake_is_named_with_its_line(self):
        for old, new, line, words in (
                ("model: bprmf", "modell: bprmf", 1, "modell: there is no such key, did you mean 'model'?"),
                ("  path:", "  pathh:", 4, "data.pathh: there is no such key, did you mean 'path'?"),
                ("data:", "path: x\ndata:", 3, "path: there is no such key, did you mean 'data.path'?"),
                ("data:", "training: {}\ndata:", 6, "training: is there twice"),
                ("${SHOP}", "${NO_SUCH_SHOP}", 4, "there is no variable 'NO_SUCH_SHOP' in the environment"),
                ("{metrics: [", "{early_stop_epochs: ten, metrics: [", 5, "must be a whole number, got 'ten'"),
                ("{model: run.rec}", "[run.rec]", 7, "output: must be a section"),
                ("{model: run.rec}", "{model: run.rec", 8, "is no YAML"),
                ("output: {model: run.rec}", "", 1, "output.model: is not given")):
            self.write("wrong.yaml", CONFIG.replace(old, new))
            error = self.events("run wrong.yaml", 2)[-1]
            self.assertEqual((error["event"], error["status"], error["line"]), ("error", "INVALID_ARGUMENT", line), words)
            self.assertIn(words, error["message"])
        self.assertIn("there is no file", self.recore("run nothing.yaml", 3).stderr)
        self.write("wrong.yaml", CONFIG.replace("epochs: 3", "epochz: 3"))
        self.assertIn("did you mean 'epochs'", self.recore("run wrong.yaml", 2).stderr)
        self.assertFalse(os.path.exists(self.path("wrong.rec")))


class ReChorus(CliTest):
    """A folder with a planted preference: users like the items of their own parity."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        generator = random.Random(3)
        os.makedirs(os.path.join(cls.folder, "data", "planted"))
        os.makedirs(os.path.join(cls.folder, "data", "lists"))
        os.makedirs(os.path.join(cls.folder, "src"))
        rows = {"train": [], "dev": [], "test": []}
        shown = {"train": [], "dev": [], "test": []}
        for user in range(1, 61):
            own = [item for item in range(1, 41) if item % 2 == user % 2]
            other = [item for item in range(1, 41) if item % 2 != user % 2]
            generator.shuffle(own)
            for place, item in enumerate(own[:10]):
                part = "train" if place < 8 else "dev" if place == 8 else "test"
                negatives = "" if part == "train" else "\t" + str(generator.sample(other, 15))
                rows[part].append(f"{user}\t{item}\t{1000 + place}{negatives}")
                for label, chosen in ((1, item), (0, generator.choice(other)), (0, generator.choice(other))):
                    shown[part].append(f"{user}\t{chosen}\t{1000 + place}\t{label}")
        for part in rows:
            head = "user_id\titem_id\ttime"
            cls.put("data/planted", part, head + ("" if part == "train" else "\tneg_items"), rows[part])
            cls.put("data/lists", part, head + "\tlabel", shown[part])

    @classmethod
    def put(cls, folder, part, head, rows):
        with open(os.path.join(cls.folder, folder, part + ".csv"), "w") as file:
            file.write("\n".join([head, *rows]) + "\n")

    def main(self, arguments, code=0):
        return self.recore("rechorus --path data/ --log_file log.txt --model_path m.pt --lr 0.01 --batch_size 64 " + arguments, code)

    @staticmethod
    def result(text, line="Test After Training"):
        found = re.search(r"^" + re.escape(line) + r": \((.*)\)", text, re.M).group(1)
        return {name: float(value) for name, value in (pair.split(":") for pair in found.split(","))}

    def test_learns_in_each_mode(self):
        for model in ("BPRMF", "LightGCN", "NeuMF", "FPMC", "GRU4Rec", "SLRPlus"):
            text = self.main(f"--model_name {model} --dataset planted --epoch 30 --topk 1,5").stdout
            self.assertGreater(self.result(text)["HR@5"], 0.9, model)
            self.assertLess(self.result(text, "Test Before Training")["HR@1"], 0.5, model)
        for mode, metric, flags in (("Impression", "NDCG@2", "--topk 1,2 --main_metric NDCG@2"),
                                    ("CTR", "AUC@All", "--metric AUC,ACC")):
            text = self.main(f"--model_name BPRMF --dataset lists --epoch 40 --model_mode {mode} {flags}").stdout
            self.assertGreater(self.result(text)[metric], 0.9, mode)

    def test_prints_what_scripts_read(self):
        log = self.path("log.txt")
        if os.path.exists(log):
            os.remove(log)
        text = self.main("--model_name BPRMF --dataset planted --epoch 6 --early_stop 2 --topk 5,10 --l2 1e-6").stdout
        self.assertRegex(text, r"(?m)^Epoch 1     loss=\d\.\d{4} \[\d+\.\d s\]\tdev=\(HR@5:\d\.\d{4},NDCG@5:\d\.\d{4}\) \[\d+\.\d s\]")
        self.assertRegex(text, r"(?m)^Best Iter\(dev\)= {4}\d\t dev=\(HR@5:\d\.\d{4},NDCG@5:\d\.\d{4}\) \[\d+\.\d s\] $")
        self.assertEqual(list(self.result(text)), ["HR@5", "NDCG@5", "HR@10", "NDCG@10"])
        self.assertIn("\n l2                 | 1e-06  \n", text)
        said = self.bytes_of("log.txt").decode()
        self.assertTrue(all(line in said for line in text.splitlines() if line and not line.startswith("make dirs")))
        self.assertIn("INFO:root:Device: cpu\n", said)

    def test_files_have_the_usual_names(self):
        subprocess.run([RECORE, "rechorus", "--path", "../data/", "--dataset", "planted", "--epoch", "1", "--l2", "0"],
                       cwd=self.path("src"), check=True, capture_output=True)
        name = "BPRMF/BPRMF__planted__0__lr=0.001__l2=0.0__emb_size=64__batch_size=256"
        for made in (f"model/{name}.pt", f"log/{name}.txt"):
            self.assertTrue(os.path.exists(self.path(made)), made)

    def test_goes_on_from_a_saved_model(self):
        first = self.result(self.main("--dataset planted --epoch 3").stdout)
        self.assertEqual(self.result(self.main("--dataset planted --load 1 --train 0").stdout), first)
        again = self.main("--dataset planted --load 1 --epoch 1").stdout
        self.assertEqual(self.result(again, "Test Before Training"), first)

    def test_its_early_stop(self):
        stopped = self.main("--dataset planted --epoch 50 --early_stop 1").stdout
        self.assertIn("Early stop at 2 based on dev result.", stopped)
        self.assertNotIn("Epoch 3 ", stopped)

    def test_its_experiment_runs_alone(self):
        text = self.main("--dataset planted --epoch 2 --dump_config same.yaml").stdout
        bytes_of_model = self.bytes_of("m.pt")
        self.recore("run same.yaml")
        self.assertEqual(self.bytes_of("m.pt"), bytes_of_model)
        measured = self.events("run same.yaml")[-2]["metrics"]
        self.assertEqual(round(measured["rechorus.hr@5[given]"], 4), self.result(text)["HR@5"])

    def test_without_candidates_all_items_are_ranked(self):
        os.makedirs(self.path("data/bare"), exist_ok=True)
        for part in ("train", "dev", "test"):
            with open(self.path(f"data/planted/{part}.csv")) as file:
                lines = ["\t".join(line.rstrip("\n").split("\t")[:3]) for line in file]
            self.put("data/bare", part, lines[0], lines[1:])
        done = self.main("--dataset bare --epoch 2")
        self.assertIn("has no neg_items", done.stderr)
        self.assertEqual(self.result(done.stdout), self.result(self.main("--dataset planted --epoch 2 --test_all 1").stdout))

    def test_wrong_usage_is_answered(self):
        for arguments, code, words in (
                ("--lr abc", 2, "argument --lr: invalid float value: 'abc'"),
                ("--epoch", 2, "argument --epoch: expected one argument"),
                ("--e 3", 2, "ambiguous option: --e could match"),
                ("--model_name BPRMFF", 1, "did you mean 'BPRMF'"),
                ("--model_mode Top", 1, "must be '', TopK, Impression or CTR"),
                ("--dataset nothing", 1, "data/nothing/train.csv"),
                ("--dataset planted --metric NDCG,RECALL", 1, "there is no metric 'RECALL'"),
                ("--dataset planted --main_metric MRR@5", 1, "'MRR@5' is not one of --metric"),
                ("--dataset planted --optimizer Adadelta", 1, "must be Adam, SGD or Adagrad"),
                ("--dataset planted --topk five", 1, "--topk: must be whole numbers"),
                ("--dataset planted --train 0", 1, "0 needs --load 1"),
                ("--dataset planted --load 1 --model_path none.pt", 1, "there is no file none.pt"),
                ("--dataset lists --model_mode Impression --test_all 1", 1, "has no meaning for impression lists"),
                ("--dataset lists --model_mode CTR", 1, "there is no metric 'HR' in this mode"),
                ("--dataset planted --model_mode Impression", 1, "")):
            self.assertIn(words, self.main(arguments, code).stderr, arguments)
        done = self.main("--dataset planted --epoch 1 --learning_rate 0.1")
        self.assertIn("--learning_rate has no meaning for BPRMF and is left out", done.stderr)


if __name__ == "__main__":
    unittest.main()
