"""`recore run`, --dump-config and `recore rechorus`: one engine behind several commands."""
import json
import os
import random
import re
import shutil
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
        self.write("wrong.yaml", CONFIG.replace("epochs: 3", "epochs: 3, epochs: 4"))
        self.assertIn("parameters.epochs: is there twice", self.recore("run wrong.yaml", 2).stderr)
        self.write("wrong.yaml", CONFIG.replace("emb_size: 8", "emb_size: &a [*a]"))
        self.assertIn("wrong.yaml:2:", self.recore("run wrong.yaml", 2).stderr)
        for old, new, words in (("model: bprmf", "model: [bprmf, ease]", "model: must be a single value"),
                                ("model: run.rec", 'model: "run.rec\\0x"', "output.model: has a NUL in it"),
                                ("model: bprmf", "model: bprmf\n---\nmodel: ease", "a second document begins")):
            self.write("wrong.yaml", CONFIG.replace(old, new))
            self.assertIn(words, self.recore("run wrong.yaml", 2).stderr)
        for setting, words in (("evaluation.metrics=foo@5", "'foo@5' is not a metric"), ("model.x=5", "sets nothing"),
                               ("output.report=orchard.inter.gz", "orchard.inter.gz is a file that is read"),
                               ("training={enabled: false}\0output.model=m.rec\0output.report=m.rec", "m.rec is a file that is read"),
                               ("output.model=orchard.inter.gz", "orchard.inter.gz is a file that is read")):
            settings = [word for text in setting.split("\0") for word in ("--set", text)]
            self.assertIn(words, self.recore(["run", "first.yaml", *settings, "--set", "parameters.epochs=1"], 2).stderr)
        self.assertIn("early_stop: rechorus", self.recore("run first.yaml --resume --set training.early_stop=rechorus", 2).stderr)

    def test_measures_files_of_their_own_as_a_whole(self):
        self.recore("data split orchard.inter.gz --by user --ratio 8:1:1 --seed 5 --out parts")
        shutil.copy(self.path("parts/parts.test.inter"), self.path("rows.inter"))
        events = self.events("run first.yaml --set evaluation.files=[rows.inter,rows.inter] --set evaluation.mask=none")
        measured = [event for event in events if event["event"] == "metrics"]
        self.assertEqual([event["part"] for event in measured], ["valid", "test"] + 2 * ["rows.inter"])
        self.assertEqual(measured[2]["metrics"], measured[3]["metrics"])
        self.assertAlmostEqual(measured[2]["metrics"]["recall@10"], measured[1]["metrics"]["recall@10"], 12)  # other order
        self.assertEqual([event["split"] is None for event in measured], [False, False, True, True])
        self.write("alone.yaml", "model: bprmf\ntraining: {enabled: false}\nevaluation: {metrics: recall@10, mask: none, files: rows.inter}\n"
                                 "output: {model: run.rec}\n")
        alone = self.events("run alone.yaml")[1]
        self.assertEqual(alone["metrics"]["recall@10"], measured[2]["metrics"]["recall@10"])
        for setting, code, words in (("evaluation.files=none.csv", 3, "there is no file none.csv"),
                                     ("evaluation.metrics=''", 2, "are given without metrics"),
                                     ("output.report=page.html", 2, "report: needs data.path"),
                                     ("output.model=rows.inter", 4, "not a model"),
                                     ("training.enabled=true", 2, "data.path: is not given")):
            self.assertIn(words, self.recore(["run", "alone.yaml", "--set", setting], code).stderr)
        self.assertIn("is a file that is read",
                      self.recore("run first.yaml --set evaluation.files=rows.inter --set output.model=rows.inter", 2).stderr)

    def test_any_text_survives_a_dump(self):
        shutil.copy(self.path("orchard.inter.gz"), self.path('a${b} #x "q".inter.gz'))
        self.recore(["train", "--model", "popularity", "--data", 'a${b} #x "q".inter.gz', "--out", "odd.rec", "--memory-limit", "2G",
                     "--checkpoint-seconds", "inf", "--split", "interaction", "--ratio", "7:1:2", "--dump-config", "odd.yaml"])
        whole = self.bytes_of("odd.rec")
        done = self.events("run odd.yaml")[-1]
        self.assertEqual(self.bytes_of("odd.rec"), whole)
        self.assertEqual(done["split"], {"by": "interaction", "ratio": "7:1:2", "seed": 1})
        self.recore(["run", "odd.yaml", "--set", "data.memory_limit=1000"], 7)


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

    def test_writes_its_predictions(self):
        folder = self.path("log")
        shutil.rmtree(folder, ignore_errors=True)
        text = self.main("--dataset planted --epoch 2 --topk 5").stdout
        self.assertIn("make dirs: log\nSaving top-100 recommendation results to: log/rec-BPRMF-dev.csv\n"
                      "dev Prediction results saved!\nSaving top-100", text)
        rows = self.predictions("rec-BPRMF-test.csv", ["user_id", "rec_items", "rec_predictions"])
        self.assertEqual([row[0] for row in rows], [str(user) for user in range(1, 61)])
        with open(self.path("data/planted/test.csv")) as file:
            hits = sum(int(line.split("\t")[1]) in row[1][:5] for line, row in zip(file.read().splitlines()[1:], rows))
        self.assertEqual(round(hits / 60, 4), self.result(text)["HR@5"])
        for row in rows:
            self.assertEqual((len(row[1]), len(set(row[1])), row[2]), (16, 16, sorted(row[2], reverse=True)))
        self.main("--dataset lists --model_mode Impression --epoch 2 --topk 1 --main_metric NDCG@1")
        rows = self.predictions("rec-BPRMFImpression-test.csv",
                                ["user_id", "pos_items", "pos_predictions", "neg_items", "neg_predictions"])
        for row in rows:
            self.assertEqual((len(row[1]), len(row[2])), (1, 1))
            self.assertIn((len(row[3]), len(row[4])), ((1, 1), (2, 2)))
            self.assertTrue(all((item - int(row[0])) % 2 == 0 for item in row[1]))
        self.main("--dataset lists --model_mode CTR --metric AUC --epoch 2 --sep \\t")
        with open(self.path("log/rec-BPRMFCTR-test.csv")) as file:
            head, *lines = file.read().splitlines()
        self.assertEqual((head, len(lines)), ("user_id\titem_id\tpCTR\tlabel", 180))
        self.assertTrue(all(0 < float(line.split("\t")[2]) < 1 for line in lines))
        self.assertEqual(sum(line.endswith("\t1") for line in lines), 60)
        shutil.rmtree(folder)
        self.main("--dataset planted --epoch 1 --save_final_results 0")
        self.assertFalse(os.path.exists(folder))

    def predictions(self, name, head):
        with open(self.path("log/" + name)) as file:
            first, *lines = file.read().splitlines()
        self.assertEqual(first.split("\t"), head)
        return [[cells[0], *map(json.loads, cells[1:])] for cells in (line.split("\t") for line in lines)]

    def test_goes_on_from_a_saved_model(self):
        begun = self.main("--dataset planted --epoch 3").stdout
        self.assertEqual(self.result(self.main("--dataset planted --load 1 --train 0").stdout), self.result(begun))
        again = self.main("--dataset planted --load 1 --epoch 1").stdout
        before = "Test Before Training"
        self.assertEqual(self.result(again, before), self.result(begun, before))
        self.assertEqual(again.count("Load model from m.pt"), 2)
        self.assertLess(again.index(before), again.index("Load model from"))
        self.assertNotEqual(re.search(r"loss=\S+", again).group(), re.search(r"loss=\S+", begun).group())
        for arguments, words in (("--model_name LightGCN", "is a model of bprmf, expected lightgcn"),
                                 ("--dataset small", "is a model of 60 users, expected 59")):
            if "small" in arguments:
                self.small()
            error = self.main("--dataset planted --load 1 --train 0 " + arguments, 1).stderr
            self.assertIn(words, error)

    def small(self):
        os.makedirs(self.path("data/small"), exist_ok=True)
        for part in ("train", "dev", "test"):
            with open(self.path(f"data/planted/{part}.csv")) as file:
                head, *rows = file.read().splitlines()
            self.put("data/small", part, head, [row for row in rows if not row.startswith("60\t")])

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

    def test_a_row_without_candidates_is_an_error(self):
        os.makedirs(self.path("data/odd"), exist_ok=True)
        for part in ("train", "dev", "test"):
            with open(self.path(f"data/planted/{part}.csv")) as file:
                head, *rows = file.read().splitlines()
            if part == "test":
                rows[5] = "\t".join([*rows[5].split("\t")[:3], "[]"])
            self.put("data/odd", part, head, rows)
        self.assertIn("1 rows have an empty list of neg_items", self.main("--dataset odd --epoch 1").stderr)
        for part in ("dev", "test"):
            shutil.copy(self.path(f"data/planted/{part}.csv"), self.path("data/odd"))
        with open(self.path("data/planted/test.csv")) as file:
            lines = ["\t".join(line.rstrip("\n").split("\t")[:3]) for line in file]
        self.put("data/odd", "test", lines[0], lines[1:])
        self.recore("train --model popularity --data data/odd --format rechorus --out odd.rec")
        self.assertIn("no row of its test part has candidates beside its own item",
                      self.recore("evaluate --model odd.rec --data data/odd --format rechorus --protocol given", 4).stderr)

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
                ("--dataset planted --topk ,", 1, "--topk: has no number"),
                ("--dataset planted --metric ,", 1, "--metric: has no name"),
                ("--dataset planted --main_metric NDCG", 1, "with its k, such as NDCG@5, got 'NDCG'"),
                ("--dataset planted --lr inf", 1, "--lr: must be finite, got 'inf'"),
                ("--dataset planted --epoch 0", 1, "--epoch: must be between"),
                ("--dataset planted --log_file same --model_path same", 1, "are the same file"),
                ("--dataset lists --model_mode Impression --test_max_pos_item 0", 1, "--test_max_pos_item: must be at least 1"),
                ("--model_m Impression --model_n POP --dataset nothing", 1, "data/nothing/train.csv"),
                ("--dataset planted --load 1 --model_path none.pt", 1, "there is no file none.pt"),
                ("--dataset lists --model_mode Impression --test_all 1", 1, "has no meaning for impression lists"),
                ("--dataset lists --model_mode CTR", 1, "there is no metric 'HR' in this mode"),
                ("--dataset planted --model_mode Impression", 1, "")):
            self.assertIn(words, self.main(arguments, code).stderr, arguments)
        done = self.main("--dataset planted --epoch 1 --learning_rate 0.1")
        self.assertIn("--learning_rate has no meaning for BPRMF and is left out", done.stderr)


class RecBole(CliTest):
    CONFIG = """USER_ID_FIELD: user_id
embedding_size: 8
epochs: 3
train_batch_size: 512
train_neg_sample_args: {distribution: uniform, sample_num: 2}
stopping_step: 2
eval_args: {split: {RS: [0.7, 0.1, 0.2]}, group_by: user, order: RO, mode: full}
metrics: [Recall, NDCG]
topk: [5, 10]
valid_metric: NDCG@10
user_inter_num_interval: "[5,inf)"
use_gpu: False
"""

    def setUp(self):
        self.write("x.yaml", self.CONFIG)
        os.makedirs(self.path("dataset/shop"), exist_ok=True)
        shutil.copy(self.path("orchard.inter.gz"), self.path("dataset/shop/shop.inter.gz"))

    def test_a_configuration_is_an_experiment(self):
        done = self.recore(["recbole", "--model=BPR", "--dataset=shop", "--config_files=x.yaml", "--learning_rate=0.01",
                            "--dump_config=same.yaml"])
        for line in (r"INFO  epoch 2 training \[time: \d+\.\d\ds, train loss: \d\.\d{4}\]",
                     r"INFO  epoch 2 evaluating \[time: \d+\.\d\ds, valid_score: 0\.\d{6}\]",
                     r"INFO  best valid : OrderedDict\(\[\('recall@5', 0\.\d{4}\), \('ndcg@5', ",
                     r"INFO  test result: OrderedDict\(\[\('recall@5', 0\.\d{4}\), ",
                     r"left out: user_inter_num_interval: there is no such setting here",
                     r"left out: use_gpu: the device is the parameter"):
            self.assertRegex(done.stderr, line)
        whole = self.bytes_of("saved/BPR-shop.rec")
        events = self.events("run same.yaml")
        self.assertEqual(self.bytes_of("saved/BPR-shop.rec"), whole)
        parameters = self.events("info saved/BPR-shop.rec")[0]["parameters"]
        self.assertEqual([parameters[name] for name in ("loss", "init", "emb_size", "batch_size", "num_neg", "patience", "lr", "seed")],
                         ["bpr_log", "xavier_normal", 8, 256, 2, 3, 0.01, 2020])
        self.assertEqual(events[-1]["split"], {"by": "user", "ratio": "0.7:0.1:0.2", "seed": 2020})
        first = float(re.search(r"test result: OrderedDict\(\[\('recall@5', (\S+)\)", done.stderr).group(1))
        self.assertEqual(round(events[-2]["metrics"]["recall@5"], 4), first)

    def test_values_are_found_as_there(self):
        self.write("y.yaml", "epochs: 7\nlearning_rate: ~\n")
        text = self.recore(["recbole", "--model", "GRU4Rec", "--dataset=shop", "--config_files=x.yaml y.yaml", "--topk=[3]",
                            "--eval_args={split: {LS: valid_and_test}, order: TO, mode: uni50}", "--dry_run=True"]).stdout
        for line in ('model: "gru4rec"', "epochs: 7", 'layers: "[128]"', "dropout_embed: 0.3", 'split: "leave-one-out"',
                     'rows: "event"', 'mask: "none"', 'protocol: "uni50"', "lr: 0.001", "batch_size: 512",
                     'metrics: "ndcg@10,recall@3,ndcg@3"'):
            self.assertIn(line, text)

    def test_what_cannot_be_had_is_an_error(self):
        for word, words in (("--model=BRP", "did you mean 'BPR'"), ("--metrics=[AUC]", "there is no 'AUC' here"),
                            ("--learner=rmsprop", "must be adam, sgd or adagrad"), ("--epochs=many", "epochs: must be an int"),
                            ("--val_interval={rating: '(3,5]'}", "only [x,inf) is offered"), ("--dataset=nothing", "nothing"),
                            ("--eval_args={split: {LS: test_only}}", "of LS only valid_and_test"),
                            ("--eval_args={split: {RS: [8, 1, 1]}, order: TO}", "order TO with group_by user"),
                            ("--train_batch_size=x", "train_batch_size: must be a number"), ("--eval_step=0", "eval_step: must be at least 1")):
            done = self.recore(["recbole", "--model=BPR", "--dataset=shop", "--config_files=x.yaml", word], 1)
            self.assertIn(words, done.stderr)
        self.write("z.yaml", "epochs: 3\nembedding_size: [8, 16]\n")
        error = self.recore("recbole --model=BPR --dataset=shop --config_files=z.yaml", 1).stderr
        self.assertIn("z.yaml:2: embedding_size: must be a single value", error)


if __name__ == "__main__":
    unittest.main()
