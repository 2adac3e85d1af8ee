"""`recore gru4rec`: the command line of the GRU4Rec authors' run.py."""
import os
import random
import re
import shutil
import subprocess
import tempfile
import unittest

from cli_test import RECORE

PARAMETERS = "layers=24,loss=cross-entropy,n_epochs=3,batch_size=16,n_sample=16,learning_rate=0.1,logq=1.0"
FILE = """# The best of ten.
from collections import OrderedDict
gru4rec_params = OrderedDict([
('layers', [24]), ("loss", 'cross-entropy'),  # of the paper
('n_epochs', 3), ('batch_size', 16), ('n_sample', 16), ('learning_rate', 0.1),
('logq', 1.0),
])
"""


class GRU4Rec(unittest.TestCase):
    """Sessions that walk a ring of 30 items, mostly one step forward each time."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="recore-gru4rec-")
        generator = random.Random(3)
        cls.sessions("train.txt", [cls.walk(generator) for _ in range(200)], 1)
        cls.tests = [cls.walk(generator) for _ in range(40)]
        cls.sessions("test.txt", cls.tests, 1001)
        with open(cls.path("params.py"), "w") as file:
            file.write(FILE)
        done = cls.main(f"train.txt -ps {PARAMETERS} -s m.rec -t test.txt -m 1 5")
        cls.trained, cls.notes = done.stdout, done.stderr
        with open(cls.path("m.rec"), "rb") as file:
            cls.bytes = file.read()

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    @staticmethod
    def walk(generator):
        places = [generator.randrange(30)]
        while len(places) < 2 or generator.random() < 0.8:
            places.append((places[-1] + generator.choice((1, 1, 1, 1, 7))) % 30)
        return [f"i{place}" for place in places]

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder, name)

    @classmethod
    def sessions(cls, name, sessions, first, head="SessionId\tItemId\tTime"):
        with open(cls.path(name), "w") as file:
            print(head, file=file)
            for number, items in enumerate(sessions):
                for place, item in enumerate(items):
                    print(first + number, item, 1600000000 + 100 * number + place, sep="\t", file=file)

    @classmethod
    def main(cls, arguments, code=0):
        words = arguments.split(" ") if isinstance(arguments, str) else arguments
        return cls.recore(["gru4rec", *words], code)

    @classmethod
    def recore(cls, words, code=0):
        done = subprocess.run([RECORE, *words], cwd=cls.folder, capture_output=True, text=True, timeout=120)
        if done.returncode != code:
            raise AssertionError(f"{words}: exit code {done.returncode}, not {code}\n{done.stdout}{done.stderr}")
        return done

    @staticmethod
    def measured(text):
        return re.findall(r"^(Recall@\d+: \d\.\d{6} MRR@\d+: \d\.\d{6})$", text, re.M)

    def test_prints_what_scripts_read(self):
        self.assertRegex(self.trained, "^" + "\n".join((
            r'Creating GRU4Rec model on device "cpu"',
            r"SET   layers          TO   \[24\]            \(type: <class 'list'>\)",
            r"SET   loss            TO   cross-entropy   \(type: <class 'str'>\)",
            r"SET   n_epochs        TO   3               \(type: <class 'int'>\)",
            r"SET   batch_size      TO   16              \(type: <class 'int'>\)",
            r"SET   n_sample        TO   16              \(type: <class 'int'>\)",
            r"SET   learning_rate   TO   0\.1             \(type: <class 'float'>\)",
            r"SET   logq            TO   1\.0             \(type: <class 'float'>\)",
            r"Loading training data\.\.\.",
            r"Loading data from TAB separated file: train\.txt",
            r"Started training",
            *(rf"Epoch{n} --> loss: \d\.\d{{6}} \t\(\d+\.\d\ds\) \t\[\d+\.\d\d mb/s \| \d+ e/s\]" for n in (1, 2, 3)),
            r"Total training time: \d+\.\d\ds",
            r"Saving trained model to: m\.rec",
            r"Loading test data\.\.\.",
            r"Loading data from TAB separated file: test\.txt",
            r"Starting evaluation \(cut-off=\[1, 5\], using standard mode for tiebreaking\)",
            r"Evaluation took \d+\.\d\ds",
            r"Recall@1: \d\.\d{6} MRR@1: \d\.\d{6}",
            r"Recall@5: \d\.\d{6} MRR@5: \d\.\d{6}")) + "\n$")
        self.assertEqual(self.notes, "")
        recall, first, _, at_5 = (float(x) for x in re.findall(r": (\d\.\d{6})", "".join(self.measured(self.trained))))
        self.assertEqual(recall, first)
        self.assertTrue(0.5 < recall < at_5, self.trained)

    def test_a_parameter_file_is_read_and_never_run(self):
        text = self.main("train.txt -pf params.py -s file.rec").stdout
        self.assertIn(f"Loaded parameters from file: {os.path.realpath(self.path('params.py'))}\nCreating", text)
        self.assertIn("SET   layers          TO   [24]            (type: <class 'list'>)", text)
        self.same("file.rec")
        for old, new, line in (("16)", "open('made', 'w'))", 5), ("from collections import OrderedDict", "import os", 2),
                               ("])\n", "])\nopen('made', 'w')\n", 8), ("OrderedDict([", "dict([", 3), ("0.1", "1 / 10", 5),
                               ("[24]", "[24", 4), ('"loss"', 'f"loss"', 4), ("24", "x", 4), ("24", "nan", 4)):
            with open(self.path("code.py"), "w") as file:
                file.write(FILE.replace(old, new, 1))
            error = self.one_line("train.txt -pf code.py -s none.rec")
            self.assertTrue(error.startswith(f"recore: code.py:{line}: "), f"{new}: {error}")
            self.assertIn("the file is never run", error)
        with open(self.path("code.py"), "w") as file:
            file.write(FILE.replace("'n_epochs', 3", "'n_epochs', 2.5"))
        self.assertIn("code.py:5: n_epochs: must be a whole number, got '2.5'", self.one_line("train.txt -pf code.py"))

    def same(self, name):
        with open(self.path(name), "rb") as file:
            self.assertTrue(file.read() == self.bytes, name)

    def one_line(self, arguments, code=1):
        """The error of a run that fails, which leaves no file."""
        before = sorted(os.listdir(self.folder))
        done = self.main(arguments, code)
        self.assertEqual(sorted(os.listdir(self.folder)), before, arguments)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        return done.stderr

    def test_its_experiment_gives_the_same_bytes(self):
        self.main(f"train.txt -ps {PARAMETERS} -s again.rec -t test.txt -m 1 5 --dump_config same.yaml")
        os.remove(self.path("again.rec"))
        text = self.recore(["run", "same.yaml"]).stdout
        self.same("again.rec")
        for name, value in re.findall(r"(Recall|MRR)@5: (\S+)", self.trained):
            self.assertRegex(text, rf"gru4rec\.{name.lower()}@5\[skip_first\] +{float(value):.4f}")

    def test_a_saved_model_is_measured_again(self):
        done = self.main("m.rec -l -t test.txt test.txt -m 1 5 --eval_t=standard -s other.rec --dump_config load.yaml")
        self.assertIn('Loading trained model from file: m.rec (to device "cpu")\nLoading test data...\n', done.stdout)
        self.assertEqual(self.measured(done.stdout), 2 * self.measured(self.trained))
        self.assertNotIn("Epoch", done.stdout)
        self.assertIn("--save_model has no effect", done.stderr)
        self.assertFalse(os.path.exists(self.path("other.rec")))
        self.assertIn("gru4rec.mrr@5", self.recore(["run", "load.yaml"]).stdout)
        self.same("m.rec")

    def test_without_save_and_test_it_only_trains(self):
        before = sorted(os.listdir(self.folder))
        text = self.main(f"train.txt -ps {PARAMETERS}").stdout
        self.assertRegex(text, r"Epoch3 -.*\nTotal training time: \d+\.\d\ds\n$")
        self.assertEqual(sorted(os.listdir(self.folder)), before)

    def test_unknown_items_leave_the_sessions_before_they_are_measured(self):
        self.sessions("odd.txt", [["new", items[0], "new", *items[1:]] for items in self.tests], 1001)
        self.assertEqual(self.measured(self.main("m.rec -l -t odd.txt -m 1 5").stdout), self.measured(self.trained))

    def test_equal_scores_and_the_primary_metric_are_as_asked_for(self):
        for kind, suffix in (("standard", ""), ("conservative", "[conservative]"), ("median", "[median]")):
            for metric in ("recall", "mrr"):
                text = self.main(f"m.rec -l -t test.txt -m 3 5 -e {kind} -pm {metric} -lpm --dump_config e.yaml").stdout
                self.assertIn(f"(cut-off=[3, 5], using {kind} mode for tiebreaking)", text)
                value = float(re.search(r"^PRIMARY METRIC: (\d\.\d+)$", text, re.M).group(1))
                self.assertIn(f"{'MRR' if metric == 'mrr' else 'Recall'}@3: {value:.6f}", text)
                with open(self.path("e.yaml")) as file:
                    self.assertIn(f'"gru4rec.recall@3{suffix},gru4rec.mrr@3{suffix},gru4rec.recall@5{suffix},', file.read())

    def test_columns_may_have_other_names(self):
        for name in ("train", "test"):
            with open(self.path(f"{name}.txt")) as file, open(self.path(f"{name}.named"), "w") as named:
                named.write(file.read().replace("SessionId\tItemId\tTime", "sid\tproduct\twhen", 1))
        text = self.main(f"train.named -t test.named -m 1 5 -ps {PARAMETERS} -s named.rec -ik product -sk=sid -tk when").stdout
        self.assertEqual(self.measured(text), self.measured(self.trained))

    def test_the_input_table_is_chosen_as_there(self):
        for more, expected in (("", "constrained"), (",constrained_embedding=False", "onehot"),
                               (",constrained_embedding=0,embedding=layersize", "separate")):
            self.main(["train.txt", "-ps", "layers=8/8,n_epochs=1,batch_size=16" + more, "-s", "e.rec", "--dump_config", "e.yaml"])
            with open(self.path("e.yaml")) as file:
                text = file.read()
            self.assertIn(f"input: {expected}\n", text)
            self.assertEqual("emb_size: 8\n" in text, expected == "separate")
        # One-hot: the authors drop the output of the first layer by dropout_p_embed.
        self.main("train.txt -ps constrained_embedding=False,n_epochs=1,dropout_p_embed=0.25 --dump_config e.yaml")
        with open(self.path("e.yaml")) as file:
            self.assertIn("dropout_embed: 0.25\n", file.read())

    def test_what_has_no_effect_is_told(self):
        done = self.main(f"train.txt -ps {PARAMETERS} -ss 1000 --sample_store_on_cpu -d cuda:0 -g gru4rec_pytorch")
        for flag in ("--sample_store_size", "--sample_store_on_cpu", "--device"):
            self.assertIn(f"recore: {flag} has no effect: ", done.stderr)

    def test_help_is_the_usage(self):
        text = self.main("--he").stdout
        self.assertTrue(text.startswith("usage: recore gru4rec [-h]") and text.endswith("\n"))
        for flag in ("-ps, --parameter_string", "-lpm, --log_primary_metric", "--dump_config"):
            self.assertIn(flag, text)

    def test_wrong_usage_ends_as_argparse_does(self):
        for arguments, words in (
                ("", "the following arguments are required: PATH"),
                ("-t train.txt", "the following arguments are required: PATH"),
                ("train.txt -ps loss=bpr-max --epochs 3", "unrecognized arguments: --epochs 3"),
                ("train.txt other.txt -l", "unrecognized arguments: other.txt"),
                ("train.txt -l -m", "argument -m/--measure: expected at least one argument"),
                ("train.txt -l -m 5 ten", "argument -m/--measure: invalid int value: 'ten'"),
                ("train.txt -l -e mean", "argument -e/--eval_type: invalid choice: 'mean' (choose from 'standard', 'conservative', 'median')"),
                ("train.txt -l --s x", "ambiguous option: --s could match --save_model, --sample_store_size, --session_key"),
                ("train.txt -p loss=bpr-max", "ambiguous option: -p could match -ps, -pf, -pm"),
                ("train.txt --load_model=1", "argument -l/--load_model: ignored explicit argument '1'"),
                ("train.txt -l --dump x", "unrecognized arguments: --dump x")):
            done = self.main(arguments.split(), 2)
            self.assertTrue(done.stderr.startswith("usage: recore gru4rec"), done.stderr)
            self.assertTrue(done.stderr.endswith(f"\nrecore gru4rec: error: {words}\n"), f"{arguments}: {done.stderr}")

    def test_what_cannot_be_had_is_one_clear_line(self):
        self.sessions("plain.txt", [["a", "b"]], 1, head="SessionId\tItem\tTime")
        with open(self.path("torch.pt"), "wb") as file:
            file.write(b"PK\3\4 archive/data.pkl")
        self.recore(["train", "--model", "popularity", "--format", "gru4rec", "--data", "train.txt", "--all", "--out", "pop.rec"])
        for arguments, words in (
                ("train.txt", "exactly one of --parameter_string, --parameter_file and --load_model"),
                ("train.txt -l -ps loss=bpr-max", "exactly one of"),
                ("train.txt -ps layerz=10", "layerz: there is no such parameter, did you mean 'layers'?"),
                ("train.txt -ps layers=ten", "layers: must be whole numbers with / between, got 'ten'"),
                ("train.txt -ps loss=top1", "loss: must be cross-entropy or bpr-max, got 'top1'"),
                ("train.txt -ps n_epochs=1.5", "n_epochs: must be a whole number, got '1.5'"),
                ("train.txt -ps n_epochs=0 -s none.rec", "n_epochs: must be between"),
                ("train.txt -ps learning_rate=0", "learning_rate: must be above 0"),
                ("train.txt -ps momentum=1", "momentum: must be between"),
                ("train.txt -ps constrained_embedding=yes", "constrained_embedding: must be True or False, got 'yes'"),
                ("train.txt -ps embedding=8", "embedding: must be 0 with constrained_embedding=True"),
                ("train.txt -ps loss", "must be NAME=VALUE by comma, got 'loss'"),
                ("train.txt -pf nothing.py", "--parameter_file: there is no file nothing.py"),
                ("nothing.txt -ps logq=1 -s none.rec", "there is no file nothing.txt"),
                ("train.txt -ps logq=1 -s none.rec -t nothing.txt", "--test: there is no file nothing.txt"),
                ("train.txt -ps logq=1 -s none.rec -t plain.txt", "plain.txt:1: has no column 'ItemId' (--item_key)"),
                ("plain.txt -ps logq=1 -s none.rec", "plain.txt:1: has no column 'ItemId' (--item_key)"),
                ("train.pickle -ps logq=1", "train.pickle is a pickle"),
                ("train.txt -ps logq=1 -s train.txt", "--save_model: train.txt is a file that is read"),
                ("train.txt -ps logq=1 -s test.txt -t test.txt", "--save_model: test.txt is a file that is read"),
                ("train.txt -ps logq=1 -s one --dump_config one", "--dump_config: the experiment and --out are the same file"),
                ("train.txt -ps logq=1 --dump_config train.txt", "--dump_config: train.txt is a file that is read"),
                ("train.txt -ps logq=1 -s none/m.rec", "--save_model: there is no folder none"),
                ("train.txt -ps logq=1 -m 0", "--measure: must be at least 1, got 0"),
                ("train.txt -ps logq=1 -g gru4rec_mine", "--gru4rec_model: must be gru4rec_pytorch"),
                ("torch.pt -l -t test.txt", "--load_model: torch.pt is a file of PyTorch"),
                ("nothing.rec -l -t test.txt", "--load_model: there is no file nothing.rec"),
                ("pop.rec -l -t test.txt", "--load_model: pop.rec is a model of popularity, expected gru4rec"),
                ("train.txt -l -t test.txt", "train.txt")):
            error = self.one_line(arguments)
            self.assertTrue(error.startswith("recore: "), error)
            self.assertIn(words, error, arguments)


if __name__ == "__main__":
    unittest.main()
