"""`recore two-tower`: the scripts of the public two-tower reproduction, and the same under plain names."""
import array
import csv
import math
import json
import os
import random
import re
import shutil
import subprocess
import tempfile
import unittest

from cli_test import RECORE

N_USERS, N_ITEMS, N_GROUPS = 60, 130, 5
NAMES = {"--q_feats_npy": "q_feats.npy", "--q_idmap_csv": "q_idmap.csv", "--i_feats_npy": "i_feats.npy",
         "--i_idmap_csv": "i_idmap.csv", "--inter_csv": "interactions.csv"}
SMALL = "--h1 32 --h2 16 --out_dim 16 --batch_size 64 --cpu --epochs 12 --optimizer adam --lr 0.01 --hard_negatives 0"


def save_npy(path, rows, kind="f"):
    """A matrix of float32 ("f") or int64 ("q"), as NumPy writes it."""
    type_name = {"f": "<f4", "q": "<i8", "O": "|O"}[kind]
    header = f"{{'descr': '{type_name}', 'fortran_order': False, 'shape': ({len(rows)}, {len(rows[0])}), }}\n".encode()
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
        array.array("q" if kind == "O" else kind, [x for row in rows for x in row]).tofile(file)


def load_npy(path, kind="f"):
    with open(path, "rb") as file:
        data = file.read()
    start = 10 + int.from_bytes(data[8:10], "little")
    header = data[10:start].decode()
    n, d = map(int, re.search(r"\((\d+), (\d+)\)", header).groups())
    values = array.array(kind)
    values.frombytes(data[start:])
    return [list(values[i * d:(i + 1) * d]) for i in range(n)], header


def identity(n):
    return [[float(i == j) for j in range(n)] for i in range(n)]


class TwoTower(unittest.TestCase):
    """Users of five groups, who take the items of their group, the first of each the most often."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="recore-two-tower-test-")
        os.mkdir(cls.path("tmp"))
        cls.make("data")
        done = cls.script(f"train_real {cls.files('data')} {SMALL} --save_path bias{{}}.pt --dump_config same.yaml")
        cls.trained, cls.notes = done.stdout, done.stderr
        cls.script(f"train_real {cls.files('data')} {SMALL} --save_path plain.rec --no_bias_correction")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    @classmethod
    def make(cls, name):
        os.mkdir(cls.path(name))
        generator = random.Random(7)
        save_npy(cls.path(f"{name}/q_feats.npy"), identity(N_USERS))
        save_npy(cls.path(f"{name}/i_feats.npy"), identity(N_ITEMS))
        for side, letter, n in (("q", "u", N_USERS), ("i", "it,em ", N_ITEMS)):
            with open(cls.path(f"{name}/{side}_idmap.csv"), "w", newline="") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(["id", "row_idx"])
                writer.writerows([f"{letter}{row}", row] for row in range(n))
        per_group = N_ITEMS // N_GROUPS
        with open(cls.path(f"{name}/interactions.csv"), "w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["query_id", "item_id"])
            for user in range(N_USERS):
                taken = set()
                while len(taken) < 12:
                    taken.add(int(per_group * generator.random() ** 2))
                writer.writerows([f"u{user}", f"it,em {user % N_GROUPS + N_GROUPS * place}"] for place in sorted(taken))

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder, name)

    @staticmethod
    def files(folder, **others):
        return " ".join(f"{flag} {others.get(flag[2:], folder + '/' + name)}" for flag, name in NAMES.items())

    @classmethod
    def script(cls, arguments, code=0):
        return cls.recore(["two-tower", *(arguments.split() if isinstance(arguments, str) else arguments)], code)

    @classmethod
    def recore(cls, words, code=0):
        done = subprocess.run([RECORE, *words], cwd=cls.folder, capture_output=True, text=True, timeout=120,
                              env={**os.environ, "TMPDIR": cls.path("tmp")})
        if done.returncode != code:
            raise AssertionError(f"{words}: exit code {done.returncode}, not {code}\n{done.stdout}{done.stderr}")
        if os.listdir(cls.path("tmp")):
            raise AssertionError(f"{words} leaves {os.listdir(cls.path('tmp'))}")
        return done

    def bytes_of(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def listing(self):
        return sorted(os.path.join(place, name) for place, _, names in os.walk(self.folder) for name in names)

    def one_line(self, arguments, code=1):
        """The error of a run that fails, which leaves no file; after notes."""
        before = self.listing()
        done = self.script(arguments, code)
        self.assertEqual(self.listing(), before, arguments)
        errors = [text for text in done.stderr.splitlines() if not text.startswith(("recore: unlike", "recore: the data are not"))]
        self.assertEqual(len(errors), 1, done.stderr)
        return errors[0]

    def test_training_prints_the_lines_of_the_original(self):
        self.assertRegex(self.trained, "^" + "\n".join((
            r"✅ RealTwoTowerDataset\[train\] 样本数: 576", r"✅ RealTwoTowerDataset\[valid\] 样本数: 72",
            *(rf"\[epoch {n}\] valid recall@10\(uni99\) = 0\.\d{{4}}" for n in range(1, 13)),
            r"Saved to bias\{\}\.pt")) + "\n$")
        self.assertEqual(self.notes.count("recore: unlike the original, "), 1)
        recall = [float(x) for x in re.findall(r"= (0\.\d+)", self.trained)]
        self.assertGreater(recall[-1], 0.5, self.trained)
        self.assertEqual(self.recore(["info", "bias{}.pt"]).stdout.split()[2], "two_tower")

    def test_its_experiment_gives_the_same_bytes(self):
        self.script(f"-m scripts.train_real {self.files('data')} {SMALL} --save_p=again.rec")
        self.assertEqual(self.bytes_of("again.rec"), self.bytes_of("bias{}.pt"))
        self.recore(["run", "same.yaml", "--set", "output.model=run.rec"])
        self.assertEqual(self.bytes_of("run.rec"), self.bytes_of("bias{}.pt"))
        words = SMALL.replace("_", "-").replace(" --cpu", "")
        self.script(f"train --data data {words} --out ours.rec")
        self.assertEqual(self.bytes_of("ours.rec"), self.bytes_of("bias{}.pt"))
        self.script(f"train --data data {words} --out other.rec --seed 2")
        self.assertNotEqual(self.bytes_of("other.rec"), self.bytes_of("bias{}.pt"))

    def test_files_may_have_any_name(self):
        os.mkdir(self.path("named"))
        for name in NAMES.values():
            shutil.copy(self.path(f"data/{name}"), self.path(f"named/my_{name}"))
        files = " ".join(f"{flag} named/my_{name}" for flag, name in NAMES.items())
        self.script(f"train_real {files} {SMALL} --save_path named.rec")
        self.assertEqual(self.bytes_of("named.rec"), self.bytes_of("bias{}.pt"))
        self.assertIn("--dump_config: needs the files in one folder",
                      self.one_line(f"train_real {files} --save_path n.rec --dump_config n.yaml"))
        with open(self.path("named/my_i_idmap.csv"), "a") as file:
            file.write("more,1000\n")
        self.assertIn(f"named/my_i_idmap.csv:{N_ITEMS + 2}: ", self.one_line(f"train_real {files} --save_path n.rec"))

    def test_the_towers_are_as_asked_for(self):
        shutil.copytree(self.path("data"), self.path("sided"))
        save_npy(self.path("sided/q_side_cat.npy"), [[u % 2, u % 7] for u in range(N_USERS)], "q")
        per_group = [[float(i % N_GROUPS == j % N_GROUPS) for j in range(N_ITEMS)] for i in range(N_ITEMS)]
        save_npy(self.path("sided/item_adj.npy"), per_group)
        self.script("train --data data --h1 32 --epochs 1 --out t.rec --dump-config t.yaml")
        with open(self.path("t.yaml")) as file:
            self.assertIn("num_hard_negatives: 0\n", file.read())
        for flags, lines in (("", ("user_features: dense", "user_id: false", "item_tower: mlp", "num_hard_negatives: 20", "alpha: 0.01")),
                             ("--q_side_cat_npy sided/q_side_cat.npy", ("user_features: true", "user_id: false")),
                             ("--q_side_cat_npy sided/q_side_cat.npy --user_embed", ("user_features: true", "user_id: true")),
                             ("--use_dcn_query --use_dcn_item --cross_l 2 --no_bias", ("query_tower: dcn", "item_tower: dcn", "cross_layers: 2", "correction: false")),
                             ("--use_gcn --gcn_h 32 --item_adj_npy sided/item_adj.npy --freq_alpha 0.05", ("item_tower: gcn", "alpha: 0.05")),
                             ("--lr 0.1", ("optimizer: adagrad", "lr: 0.1")), ("--optimizer sgd", ("optimizer: sgd",))):
            self.script(f"train_real {self.files('sided')} --h1 32 --epochs 1 --save_path t.rec --dump_config t.yaml {flags}")
            with open(self.path("t.yaml")) as file:
                text = file.read().replace('"', "")
            for line in lines:
                self.assertIn(f"  {line}\n", text, flags)
        # Categories that are not asked for change nothing.
        self.script(f"train_real {self.files('sided')} {SMALL} --save_path t.rec")
        query = "--query u1 u2 --k 20"
        self.assertEqual(self.script("retrieve --model t.rec " + query).stdout, self.script("retrieve --model bias{}.pt " + query).stdout)

    def test_comparison_prints_the_lines_of_the_original(self):
        done = self.script(f"retrieval_bias_compare --dcn_bias_ckpt bias{{}}.pt --dcn_nobias_ckpt plain.rec {self.files('data')} "
                           "--q_side_cat_npy= --batch_size 512 --cpu")
        names = [f"{name}@{k}" for name in ("Recall", "NDCG") for k in (5, 10, 50)] + ["AUC"]
        rows = ["✅ RealTwoTowerDataset\\[valid\\] 样本数: 72"] * 2
        self.assertRegex(done.stdout, "^" + "\n".join((
            r"== Evaluate DCN \(Bias Correction\) Version ==", *rows, *(rf"{name}: [01]\.\d{{4}}" for name in names), "",
            r"== Evaluate DCN \(No Bias Correction\) Version ==", *rows, *(rf"{name}: [01]\.\d{{4}}" for name in names), "",
            r"== Δ \(DCN with Bias Correction - DCN without Bias Correction\) ==", *(rf"{name}: [+-]0\.\d{{4}}" for name in names))) + "\n$")
        values = [float(x) for x in re.findall(r": ([+-]?\d\.\d{4})$", done.stdout, re.M)]
        for a, b, difference in zip(values[:7], values[7:14], values[14:]):
            self.assertAlmostEqual(a - b, difference, delta=1.01e-4)
        # Of training, the last line is the same number.
        self.assertIn(f"valid recall@10(uni99) = {values[1]:.4f}\nSaved", self.trained)
        self.assertGreater(values[6], 0.8)

    def test_buckets_of_popularity_make_up_the_whole(self):
        text = self.script("compare --data data --models bias{}.pt plain.rec --by popularity").stdout
        found = re.findall(r"^(head|middle|tail): items of (\d+) (?:and more|to (\d+)) pairs in training, (\d+) pairs$", text, re.M)
        self.assertEqual([name for name, *_ in found], ["head", "middle", "tail"])
        numbers = [[int(number or 0) for number in row[1:]] for row in found]
        self.assertTrue(numbers[0][0] > numbers[1][1] >= numbers[1][0] > numbers[2][1] >= numbers[2][0], numbers)
        self.assertEqual(sum(row[2] for row in numbers), 72)
        section = text.split("== Evaluate plain.rec ==")[0]
        for k in (5, 10, 50):
            whole = float(re.search(rf"^Recall@{k}: (\S+)$", section, re.M)[1])
            parts = [float(re.search(rf"^Recall@{k} {name}: (\S+)$", section, re.M)[1]) for name, *_ in found]
            self.assertAlmostEqual(whole, sum(part * row[2] for part, row in zip(parts, numbers)) / 72, delta=1e-4)
        self.assertRegex(text, r"== Δ \(bias\{\}\.pt - plain\.rec\) ==\nRecall@5: [+-]0")

    def test_any_model_is_measured_by_pairs(self):
        self.recore("train --model popularity --data data --format two_tower --split interaction --out p.rec".split())
        text = self.script("compare --data data --models plain.rec p.rec --by popularity").stdout
        told = self.recore("evaluate --model p.rec --data data --format two_tower --split interaction --part valid --rows event "
                           "--protocol uni99 --mask none --metrics recall@10 --json".split()).stdout
        asked = json.loads(told.splitlines()[0])["metrics"]["recall@10[uni99]"]
        section = text.split("== Evaluate p.rec ==")[1]
        self.assertEqual(re.search(r"^Recall@10: (\S+)$", section, re.M)[1], f"{asked:.4f}")

    def test_an_index_needs_vectors(self):
        self.recore("train --model itemknn --data data --format two_tower --split interaction --out k.rec".split())
        self.assertIn("no item vectors", self.one_line("export --model k.rec --out none"))
        self.assertFalse(os.path.exists(self.path("none.part")) or os.path.exists(self.path("none")))

    def test_three_models_and_any_model_are_compared(self):
        self.recore("train --model popularity --data data --format two_tower --split interaction --out pop.rec".split())
        for script, third, name in (("retrieval_three", "--gcn_ckpt", "GCN"), ("scripts.retrieval_three_dcn", "--dcn_ckpt", "DCN")):
            text = self.script(f"{script} {self.files('data')} --baseline_ckpt pop.rec --userembed_ckpt plain.rec {third} bias{{}}.pt").stdout
            self.assertEqual(re.findall("^== (.*) ==$", text, re.M), [
                "Evaluate Baseline Version", "Evaluate User Embedding Version", f"Evaluate {name} Version",
                "Δ (User Embedding - Baseline)", f"Δ ({name} - Baseline)"])

    def test_export_and_retrieve_use_the_weights(self):
        done = self.script(f"export_index_real --ckpt_path bias{{}}.pt {self.files('data')} --use_faiss 1 --force_gcn --out index")
        self.assertIn("recore: --use_faiss has no effect: ", done.stderr)
        shown = re.fullmatch(r"✅ RealTwoTowerDataset\[train\] 样本数: 576\nBuilt BruteForce index\.\nTop-10 ids for first query:\n \[(.*)\]\n", done.stdout)
        ids = re.findall(r"'(it,em \d+)'", shown[1])
        self.assertEqual(len(ids), 10)
        self.assertGreater(sum(int(name.split()[1]) % N_GROUPS == 0 for name in ids), 7)  # those of the first query's group
        self.assertEqual(self.script("retrieve --model bias{}.pt --query u0 u1 --k 10").stdout.splitlines()[0], f"u0: [{shown[1]}]")
        vectors, header = load_npy(self.path("index/items.npy"))
        self.assertIn("'descr': '<f4', 'fortran_order': False", header)
        self.assertEqual((len(vectors), len(vectors[0])), (N_ITEMS, 16))
        self.assertEqual((10 + len(header)) % 64, 0)
        for vector in vectors:
            self.assertAlmostEqual(math.fsum(x * x for x in vector), 1, places=5)
        with open(self.path("index/ids.csv"), newline="") as file:
            self.assertEqual(list(csv.reader(file)), [["id", "row_idx"]] + [[f"it,em {i}", str(i)] for i in range(N_ITEMS)])
        self.assertEqual(self.bytes_of("index/model.rec"), self.bytes_of("bias{}.pt"))
        # The nearest item of these files is the one that the library says.
        best = max((i for i in range(N_ITEMS) if i != 3), key=lambda i: sum(a * b for a, b in zip(vectors[i], vectors[3])))
        self.assertIn(f"it,em {best} ", self.recore(["similar", "--model", "bias{}.pt", "--item", "it,em 3", "-k", "1"]).stdout)

    def test_prepare_writes_what_the_original_prepares(self):
        os.mkdir(self.path("ml"))
        with open(self.path("ml/u.data"), "w") as file:
            file.write("10\t7\t3\t1\n2\t7\t5\t1\n2\t30\t2\t1\n10\t9\t4\t1\n9\t30\t3\t1\n")
        with open(self.path("ml/u.user"), "w") as file:
            file.write("2|17|F|writer|1\n9|25|M|artist|1\n10|65|M|none|1\n11|30|M|lawyer|1\n")
        with open(self.path("ml/u.item"), "w", encoding="latin-1") as file:
            for item, year in ((7, 1990), (8, 1950), (9, 2000), (30, 1995)):
                file.write(f"{item}|Amélie|01-Jan-{year}||http|" + "|".join(str(int(g == item % 19)) for g in range(19)) + "\n")
        self.script("prepare --from movielens-100k ml --out made/")
        self.assertEqual(sorted(os.listdir(self.path("made"))),
                         ["i_feats.npy", "i_idmap.csv", "interactions.csv", "item_adj.npy", "q_feats.npy", "q_idmap.csv", "q_side_cat.npy"])
        self.assertEqual(self.bytes_of("made/interactions.csv"), b"query_id,item_id\n10,7\n2,7\n10,9\n9,30\n")
        self.assertEqual(self.bytes_of("made/q_idmap.csv"), b"id,row_idx\n2,0\n9,1\n10,2\n")
        self.assertEqual(self.bytes_of("made/i_idmap.csv"), b"id,row_idx\n7,0\n9,1\n30,2\n")
        self.assertEqual(load_npy(self.path("made/q_feats.npy"))[0], identity(3))
        self.assertEqual(load_npy(self.path("made/i_feats.npy"))[0], identity(3))
        self.assertEqual(load_npy(self.path("made/q_side_cat.npy"), "q")[0], [[1, 0, 3], [0, 2, 0], [0, 6, 2]])
        self.assertEqual(load_npy(self.path("made/item_adj.npy"))[0], [[0.5, 0.5, 0], [0.5, 0.5, 0], [0, 0, 1]])
        self.script("prepare --from movielens-100k ml --out rich --features rich")
        items = load_npy(self.path("rich/i_feats.npy"))[0]
        self.assertEqual([row[19] for row in items], [0, 1, 0.5])
        self.assertEqual([row.index(1) for row in items], [7, 9, 11])
        self.assertEqual(load_npy(self.path("rich/q_feats.npy"))[0][1][1:], [0, 1, 0, 0, 0])
        self.assertEqual(self.recore(["data", "describe", "made", "--format", "two_tower"]).returncode, 0)
        with open(self.path("ml/u.data"), "a") as file:
            file.write("2\t9\tfive\t1\n")
        for arguments, words in (("ml --out none", "ml/u.data:6: expected USER, ITEM, RATING and TIME"),
                                 ("nothing --out none", "FOLDER: there is no file nothing/u.data"),
                                 ("ml --out made", "--out: made is there already; expected a new or empty folder"),
                                 ("ml --out no/where", "--out: there is no folder no")):
            self.assertIn(words, self.one_line("prepare --from movielens-100k " + arguments))

    def test_help_and_wrong_usage_are_argparses(self):
        text = self.script("train_real --help").stdout
        self.assertTrue(text.startswith("usage: recore two-tower train_real [-h] --q_feats_npy Q_FEATS_NPY"), text)
        for flag in ("--hard_negatives", "--freq_H", "--no_bias_correction", "[0.05]"):
            self.assertIn(flag, text)
        files = self.files("data")
        for arguments, words in (
                ("", "the following arguments are required: SCRIPT"),
                ("train_rael", "there is no 'train_rael', did you mean 'train_real'?"),
                ("train_real", "the following arguments are required: --q_feats_npy, --q_idmap_csv, --i_feats_npy, --i_idmap_csv, --inter_csv"),
                (f"train_real {files} --epoch 1 --learning_rate 3", "unrecognized arguments: --learning_rate 3"),
                (f"train_real {files} --lr fast", "argument --lr: invalid float value: 'fast'"),
                (f"train_real {files} --epochs 1.5", "argument --epochs: invalid int value: '1.5'"),
                (f"train_real {files} --hard", "argument --hard_negatives: expected one argument"),
                (f"train_real {files} --use_dcn", "ambiguous option: --use_dcn could match --use_dcn_query, --use_dcn_item"),
                (f"train_real {files} --optim adam", "unrecognized arguments: --optim adam"),
                (f"train_real {files} --optimizer lamb", "argument --optimizer: invalid choice: 'lamb' (choose from 'adagrad', 'adam', 'lazy_adam', 'sgd')"),
                (f"retrieval_three {files} --baseline_ckpt a", "the following arguments are required: --userembed_ckpt, --gcn_ckpt"),
                ("train --data data --save_path x", "the following arguments are required: --out")):
            done = self.script(arguments, 2)
            self.assertTrue(done.stderr.startswith("usage: recore two-tower"), done.stderr)
            self.assertTrue(done.stderr.endswith(f"error: {words}\n"), f"{arguments}: {done.stderr}")

    def test_what_is_not_sound_is_one_clear_line(self):
        def spoilt(name, text=None, rows=None, kind="f"):
            path = f"data/bad_{name}"
            if rows is not None:
                save_npy(self.path(path), rows, kind)
            else:
                with open(self.path(path), "w") as file:
                    file.write(text)
            return path

        objects = spoilt("objects.npy", rows=[[1]] * N_USERS, kind="O")
        short = spoilt("short.npy", rows=[[1.0]] * (N_USERS - 1))
        nan = spoilt("nan.npy", rows=[[1.0]] * 3 + [[math.nan]] * (N_USERS - 3))
        text = spoilt("text.npy", "not numbers")
        sides = spoilt("sides.npy", rows=[[1]] * (N_USERS + 1), kind="q")
        graph = spoilt("graph.npy", rows=[[1.0]] * N_ITEMS)
        strangers = spoilt("strangers.csv", "query_id,item_id\nu0,nothing\nnobody,it 1\n")
        twice = spoilt("twice.csv", "id,row_idx\nu0,0\nu0,1\n")
        with open(self.path("torch.pt"), "wb") as file:
            file.write(b"PK\3\4 archive/data.pkl")
        self.script("train --data data --out seed2.rec --seed 2 --epochs 1 --h1 8")
        train = f"train_real --save_path none.rec {SMALL} "
        files = self.files("data")
        compare = f"retrieval_bias_compare {files} --dcn_bias_ckpt bias{{}}.pt --dcn_nobias_ckpt "
        for arguments, words in (
                (train + self.files("data", q_feats_npy=objects), f"{objects}: expected numbers of type <f4, <f8, <i4 or <i8, got '|O'"),
                (train + self.files("data", q_feats_npy=text), f"{text}: expected a .npy file"),
                (train + self.files("data", q_feats_npy=nan), f"{nan}: row 3, column 0: expected a finite float, got nan"),
                (train + self.files("data", q_feats_npy=short), f"data/q_idmap.csv:{N_USERS + 1}: row_idx: must be a row within 0 .. {N_USERS - 2}, got '{N_USERS - 1}'"),
                (train + self.files("data", q_idmap_csv=twice), f"{twice}:3: id 'u0' occurs twice"),
                (train + files + f" --q_side_cat_npy {sides}", f"{sides}: expected {N_USERS} rows as in q_feats.npy, got {N_USERS + 1}"),
                (train + files + f" --use_gcn --gcn_h 32 --item_adj_npy {graph}", f"{graph}: expected {N_ITEMS} rows as in i_feats.npy, and as many columns, got 1"),
                (train + self.files("data", inter_csv=strangers), f"{strangers}"),
                (train + self.files("data", q_feats_npy="nothing.npy"), "--q_feats_npy: there is no file nothing.npy"),
                (train + self.files("data", inter_csv="data"), "--inter_csv: data is a folder"),
                (train + files + " --use_gcn", "--use_gcn: needs --item_adj_npy"),
                (train + files + " --use_gcn --item_adj_npy data/i_feats.npy", "--gcn_h: must be --h1 (32)"),
                (train + files + " --hard_negatives -1", "--hard_negatives: must be between 0 and"),
                (train + files + " --freq_alpha 2", "--freq_alpha: must be between"),
                (train + files + " --temperature 0", "--temperature: must be between"),
                (train + files + " --epochs 0", "--epochs: must be between"),
                (f"train_real {files} --save_path none/m.rec", "--save_path: there is no folder none"),
                (f"train_real {files} --save_path data/q_feats.npy", "--save_path: data/q_feats.npy is a file that is read"),
                ("train --data nothing --out none.rec", "nothing"),
                ("train --data data --hard-negatives -1 --out none.rec", "--hard-negatives: must be between"),
                (f"export_index_real {files} --ckpt_path torch.pt", "--ckpt_path: torch.pt is a checkpoint of PyTorch, which is code; expected a model file of Recore"),
                (f"export_index_real {files} --ckpt_path nothing.pt", "--ckpt_path: there is no file nothing.pt"),
                (f"export_index_real {files} --ckpt_path data/i_idmap.csv", "data/i_idmap.csv"),
                (f"export_index_real {files} --ckpt_path bias{{}}.pt --out data", "--out: data is there already"),
                (compare + "torch.pt", "--dcn_nobias_ckpt: torch.pt is a checkpoint of PyTorch"),
                (compare + "seed2.rec", "--dcn_nobias_ckpt: seed2.rec was trained with seed 2, expected 1 as bias{}.pt"),
                ("retrieve --model bias{}.pt --query nobody", "--query: the model does not know 'nobody'")):
            error = self.one_line(arguments)
            self.assertTrue(error.startswith("recore: "), error)
            self.assertIn(words, error, arguments)

    def test_pairs_of_unknown_ids_are_left_out_and_counted(self):
        shutil.copytree(self.path("data"), self.path("more"))
        with open(self.path("more/interactions.csv"), "a") as file:
            file.write("nobody,\"it,em 1\"\nu1,nothing\n")
        done = self.script(f"train_real {self.files('more')} {SMALL} --save_path more.rec")
        self.assertIn("recore: 2 bad rows were skipped\n", done.stderr)
        self.assertEqual(self.bytes_of("more.rec"), self.bytes_of("bias{}.pt"))


if __name__ == "__main__":
    unittest.main()
