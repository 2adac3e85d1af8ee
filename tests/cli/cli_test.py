"""The recore command as a user sees it: every command, its JSON, exit codes, suggestions, resume and Ctrl-C."""

import html.parser
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

RECORE = os.environ["RECORE"]
SAMPLES = os.path.join(os.environ["REC_SAMPLES_FOLDER"], "data")
SOURCE = os.path.dirname(os.environ["REC_SAMPLES_FOLDER"])
COMMANDS = ["train", "run", "tune", "evaluate", "recommend", "similar", "info", "data describe", "data split", "plugins", "doctor"]
# A sanitizer keeps freed memory, which `plugin check` takes for a leak.
SANITIZED = bool(os.environ.get("REC_SANITIZE"))
if not SANITIZED:
    COMMANDS.append("plugin check")


class CliTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="recore-cli-")
        for name in ("orchard.inter.gz", "orchard.item.gz"):
            shutil.copy(os.path.join(SAMPLES, name), cls.folder)
        cls.recore("train --model bprmf --data orchard.inter.gz --set epochs=3 --out m.rec")
        cls.write("first.yaml", "model: bprmf\nparameters: {epochs: 1}\ndata: {path: orchard.inter.gz}\noutput: {model: m.rec}\n")
        cls.build_plugin("librecore_mine.so")

    @classmethod
    def build_plugin(cls, name, was="", now=""):
        """The third-party sample, with one text of its source replaced."""
        with open(os.path.join(SOURCE, "samples/third_party_plugin/fism.c")) as file:
            text = file.read()
        assert was in text
        with open(os.path.join(cls.folder, "mine.c"), "w") as file:
            file.write(text.replace(was, now) if was else text)
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-I" + os.path.join(SOURCE, "include"), "-o",
                        os.path.join(cls.folder, name), os.path.join(cls.folder, "mine.c"), "-lm"], check=True)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    @classmethod
    def recore(cls, arguments, code=0, env=None):
        words = arguments.split() if isinstance(arguments, str) else arguments
        done = subprocess.run([RECORE] + words, cwd=cls.folder, capture_output=True, text=True, timeout=120,
                              errors="surrogateescape",
                              env={**os.environ, **(env or {})})
        if done.returncode != code:
            raise AssertionError(f"recore {arguments}: exit code {done.returncode}, not {code}\n{done.stdout}{done.stderr}")
        return done

    @classmethod
    def write(cls, name, text):
        with open(os.path.join(cls.folder, name), "wb") as file:
            file.write(text.encode("utf-8", "surrogateescape"))

    @classmethod
    def events(cls, arguments, code=0):
        words = arguments.split() if isinstance(arguments, str) else arguments
        return [json.loads(line) for line in cls.recore(words + ["--json"], code).stdout.splitlines()]

    def path(self, name):
        return os.path.join(self.folder, name)

    def bytes_of(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()


class Train(CliTest):
    def test_tells_every_epoch_and_the_end_as_json(self):
        events = self.events("train --model lightgcn --data orchard.inter.gz --set n_layers=2 --set epochs=4 --out t.rec")
        self.assertEqual([event["event"] for event in events], ["epoch"] * 4 + ["done"])
        for i, event in enumerate(events[:-1]):
            self.assertEqual(set(event), {"event", "epoch", "loss", "train_seconds", "eval_seconds", "metrics", "is_best"})
            self.assertEqual(event["epoch"], i + 1)
            self.assertEqual(set(event["metrics"]), {"ndcg@20", "recall@20"})
        best = max(events[:-1], key=lambda event: event["metrics"]["ndcg@20"])
        self.assertEqual(events[-1]["epoch"], best["epoch"])
        self.assertEqual(events[-1]["split"], {"by": "user", "ratio": "8:1:1", "seed": 1})
        self.assertFalse([name for name in os.listdir(self.folder) if name.startswith("t.rec.")], "checkpoints are removed")

    def test_saves_the_best_epoch_unless_the_last_is_asked_for(self):
        arguments = "train --model bprmf --data orchard.inter.gz --set epochs=6 --set lr=0.5 --metrics ndcg@20 --out b.rec"
        epochs = self.events(arguments)
        metrics = [event["metrics"]["ndcg@20"] for event in epochs[:-1]]
        self.assertEqual(epochs[-1]["epoch"], 1 + metrics.index(max(metrics)))
        self.assertEqual(self.events(arguments + " --last")[-1]["epoch"], len(metrics))

    def test_writes_equal_files_for_equal_seeds_and_others_for_others(self):
        for name, seed in (("s1.rec", 5), ("s2.rec", 5), ("s3.rec", 6)):
            self.recore(f"train --model bprmf --data orchard.inter.gz --set epochs=2 --seed {seed} --out {name}")
        self.assertEqual(self.bytes_of("s1.rec"), self.bytes_of("s2.rec"))
        self.assertNotEqual(self.bytes_of("s1.rec"), self.bytes_of("s3.rec"))

    def test_main_metric_decides(self):
        error = self.events("train --model bprmf --data orchard.inter.gz --metrics ndcg@20 --main-metric map@20 --out x.rec", 2)[-1]
        self.assertEqual(error["argument"], "main_metric")

    def test_quiet_says_nothing_of_epochs(self):
        done = self.recore("train --model bprmf --data orchard.inter.gz --set epochs=2 --out q.rec --quiet")
        self.assertEqual((done.stdout.strip(), done.stderr), ("saved q.rec, epoch 2", ""))

    def test_no_progress_bar_without_a_terminal(self):
        done = self.recore("train --model bprmf --data orchard.inter.gz --set epochs=2 --out q.rec")
        self.assertNotIn("\r", done.stderr)

    def test_refuses_an_output_that_cannot_be_before_it_trains(self):
        self.recore("train --model bprmf --data orchard.inter.gz --out no-such-folder/x.rec", 3)
        self.recore("train --model bprmf --data orchard.inter.gz --out /dev/full", 2)

    def test_memory_limit_is_kept(self):
        self.assertEqual(self.events("train --model bprmf --data orchard.inter.gz --out x.rec --memory-limit 64K", 7)[-1]["status"], "LIMIT")


class Resume(CliTest):
    ARGUMENTS = "train --model lightgcn --data orchard.inter.gz --set epochs=12 --set emb_size=256 --checkpoint-batches 3 --json"

    def test_goes_on_after_sigkill_to_the_same_bytes(self):
        self.recore(self.ARGUMENTS + " --out whole.rec")
        killed = subprocess.Popen([RECORE] + self.ARGUMENTS.split() + ["--out", "killed.rec"], cwd=self.folder,
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for line in killed.stdout:
            if json.loads(line)["epoch"] == 4:
                break
        killed.kill()
        killed.communicate()
        self.assertFalse(os.path.exists(self.path("killed.rec")))
        self.assertTrue(os.path.exists(self.path("killed.rec.ckpt")))
        events = self.events(self.ARGUMENTS + " --out killed.rec --resume")
        self.assertGreater(events[0]["epoch"], 1)
        self.assertEqual(self.bytes_of("whole.rec"), self.bytes_of("killed.rec"))

    def test_without_a_checkpoint_starts_anew_and_says_so(self):
        done = self.recore("train --model bprmf --data orchard.inter.gz --set epochs=1 --out fresh.rec --resume")
        self.assertIn("no checkpoint", done.stderr)

    def test_refuses_what_is_no_checkpoint(self):
        shutil.copy(self.path("m.rec"), self.path("other.ckpt"))
        done = self.recore("train --model bprmf --data orchard.inter.gz --out x.rec --resume --checkpoint other.ckpt", 2)
        self.assertIn("other.ckpt: is a model, not a checkpoint", done.stderr)


class Cancel(CliTest):
    def interrupt(self, number, out):
        words = ["train", "--model", "lightgcn", "--data", "orchard.inter.gz", "--set", "epochs=100000", "--set", "patience=0",
                 "--out", out, "--json"]
        process = subprocess.Popen([RECORE] + words, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        epochs = 0
        while epochs < 3:
            epochs += json.loads(process.stdout.readline())["event"] == "epoch"
        start = time.monotonic()
        process.send_signal(number)
        output, _ = process.communicate(timeout=60)
        return process.returncode, time.monotonic() - start, [json.loads(line) for line in output.splitlines()]

    def test_stops_within_200_ms_with_the_last_epoch_saved(self):
        # The quickest of three runs, because other programs share the machine.
        seconds = []
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGINT):
            code, took, events = self.interrupt(number, "c.rec")
            seconds.append(took)
            self.assertEqual((code, events[-1]["event"], events[-1]["status"]), (130, "error", "CANCELLED"))
            self.assertIn("saved at c.rec", events[-1]["message"])
            epochs = [event["epoch"] for event in events if event["event"] == "epoch"]
            card = self.events("info c.rec")[0]
            self.assertEqual(card["epoch"], max(epochs + [3]))
        print(f"stopped after {', '.join(f'{1000 * s:.0f} ms' for s in seconds)}")
        self.assertLess(min(seconds), 0.2)

    def test_can_be_resumed(self):
        self.interrupt(signal.SIGINT, "r.rec")
        done = self.recore("train --model lightgcn --data orchard.inter.gz --set epochs=5000 --set patience=1 --out r.rec --resume")
        self.assertIn("resumed at epoch", done.stderr)

    def test_leaves_a_checkpoint_that_another_run_is_refused(self):
        self.interrupt(signal.SIGINT, "a.rec")
        done = self.recore("train --model lightgcn --data orchard.inter.gz --set lr=0.5 --out a.rec --resume", 2)
        self.assertRegex(done.stderr, r"from a different run; parameters\.lr is [0-9.]+ there, 0\.5 in this run")


class Evaluate(CliTest):
    def test_splits_as_train_did_and_says_so(self):
        done = self.recore("evaluate --model m.rec --data orchard.inter.gz --metrics recall@20,ndcg@20,map@20,precision@20")
        self.assertIn("split 8:1:1 by user with seed 1", done.stderr)
        self.assertEqual([line.split()[0] for line in done.stdout.splitlines()],
                         ["metric", "recall@20", "ndcg@20", "map@20", "precision@20"])

    def test_agrees_with_training_on_valid(self):
        card = self.events("info m.rec")[0]
        metrics = self.events("evaluate --model m.rec --data orchard.inter.gz --part valid --metrics ndcg@20,recall@20")[0]
        self.assertEqual(metrics["event"], "metrics")
        self.assertEqual(metrics["metrics"], card["valid_metrics"])

    def test_names_carry_the_protocol(self):
        hits = {mask: self.events("evaluate --model m.rec --data orchard.inter.gz --metrics hit@10 --mask " + mask)[0]["metrics"]["hit@10"]
                for mask in ("known", "train", "none")}
        self.assertTrue(hits["known"] > hits["train"] > hits["none"], hits)
        event = self.events("evaluate --model m.rec --data orchard.inter.gz --metrics hit@10 --protocol uni50 --rows event --ties against-target")[0]
        self.assertEqual(list(event["metrics"]), ["hit@10[uni50]"])
        self.assertEqual((event["rows"], event["mask"], event["split"]["seed"]), ("event", "known", 1))
        for options, history, name in (("", "training", "hit@10"), (" --history training", "training", "hit@10"),
                                       (" --history before", "before", "hit@10[before]"),
                                       (" --rows event", "before", "hit@10"),
                                       (" --rows event --history training", "training", "hit@10[training]")):
            event = self.events("evaluate --model m.rec --data orchard.inter.gz --metrics hit@10" + options)[0]
            self.assertEqual((event["history"], list(event["metrics"])), (history, [name]), options)

    def test_measures_some_users_and_tells_the_error(self):
        whole = self.events("evaluate --model m.rec --data orchard.inter.gz --metrics recall@20")[0]
        some = self.events("evaluate --model m.rec --data orchard.inter.gz --metrics recall@20 --eval-users 50")[0]
        self.assertEqual((some["n_rows"], list(some["metrics"])), (50, ["recall@20[users50]"]))
        self.assertTrue(0 < whole["standard_errors"]["recall@20"] < some["standard_errors"]["recall@20[users50]"])
        events = self.events("evaluate --model m.rec --data orchard.inter.gz --metrics recall@20 --rows event --skip-first")[0]
        self.assertEqual(list(events["metrics"]), ["recall@20[skip_first]"])
        self.assertIn("skip_first", self.recore("evaluate --model m.rec --data orchard.inter.gz --skip-first", 2).stderr)

    def test_keeps_the_parts_of_split_files(self):
        self.recore("data split orchard.inter.gz --by user --ratio 8:1:1 --seed 1 --out parts")
        ours = self.events("evaluate --model m.rec --data orchard.inter.gz --metrics ndcg@20")[0]
        theirs = self.events("evaluate --model m.rec --data parts --metrics ndcg@20")[0]
        self.assertIsNone(theirs["split"])
        self.assertEqual(ours["metrics"], theirs["metrics"])

    def test_warns_of_another_seed(self):
        self.assertIn("may hold rows that it was trained on",
                      self.recore("evaluate --model m.rec --data orchard.inter.gz --seed 9").stderr)

    def test_measures_a_test_file_whole(self):
        self.write("train.csv", "user,item\n" + "".join(f"{u},{i}\n" for u in range(6) for i in range(u, u + 4)))
        self.write("test.csv", "user,item\n" + "".join(f"{u},{i}\n" for u in range(6) for i in (u + 4, u + 5)))
        done = self.recore("train --model itemknn --data train.csv --all --out all.rec")
        self.assertNotIn("split", done.stderr)
        self.assertEqual(self.events("info all.rec")[0]["n_train"], 24)
        event = self.events("evaluate --model all.rec --data test.csv --all --rows event --metrics recall@3")[0]
        self.assertEqual((event["n_rows"], event["split"]), (12, None))
        done = self.recore("train --model itemknn --data train.csv --test test.csv --out parts.rec")
        self.assertNotIn("split", done.stderr)
        with open(os.path.join(self.folder, "all.rec"), "rb") as one, open(os.path.join(self.folder, "parts.rec"), "rb") as other:
            self.assertNotEqual(one.read(), other.read())  # the second knows what was held out
        event = self.events("evaluate --model parts.rec --data train.csv --test test.csv --rows event --metrics recall@3")[0]
        self.assertEqual((event["n_rows"], event["split"]), (12, None))


class Serve(CliTest):
    def test_recommends_without_data_and_leaves_out_what_was_seen(self):
        everything = self.events("recommend --model m.rec --user u0061 -k 400")
        unseen = self.events("recommend --model m.rec --user u0061 -k 400 --exclude-seen")
        ranked = [event for event in everything if event["event"] == "recommendation"]
        self.assertEqual(set(ranked[0]), {"event", "user", "rank", "item", "title", "score"})
        self.assertEqual(len(ranked), 400)
        self.assertLess(len(unseen), len(everything))
        scores = [event["score"] for event in ranked]
        self.assertEqual(scores, sorted(scores, reverse=True))
        kept = {event["item"] for event in unseen[:-1]}
        self.assertEqual([event["item"] for event in unseen[:-1]], [event["item"] for event in ranked if event["item"] in kept])

    def test_answers_the_users_it_knows_and_fails_for_the_others(self):
        events = self.events("recommend --model m.rec --user nobody --user u0061 -k 3", 3)
        self.assertEqual([event["event"] for event in events], ["error"] + ["recommendation"] * 3)
        self.assertEqual((events[0]["status"], events[0]["user"]), ("NOT_FOUND", "nobody"))

    def test_shows_no_control_characters(self):
        self.write("odd.csv", "user,item\n1,a\u009b2J\n1,b\udc9bc\n1,d\u202ee\n1,caf\u00e9\n")
        self.recore("train --model popularity --data odd.csv --all --out odd.rec")
        shown = self.recore("recommend --model odd.rec --user 1 -k 9").stdout
        self.assertEqual(sorted(line.split()[1] for line in shown.splitlines()[1:]), ["a?2J", "b?c", "caf\u00e9", "d?e"])

    def test_takes_a_tab_by_its_name(self):
        self.write("tabs.csv", "user,name\titem\nann,1\t10\nbob,2\t20\n")
        described = self.events(["data", "describe", "tabs.csv", "--separator", "tab", "--user-column", "user,name"])
        self.assertEqual(described[0]["read_as"]["separator"], "tab")

    def test_leaves_out_what_was_held_out(self):
        self.write("buys.csv", "user,item\n" + "".join(f"{u},{i}\n" for u in range(20) for i in range(10)) + "0,99\n2,99\n3,99\n")
        self.recore("train --model popularity --data buys.csv --out buys.rec")
        self.assertGreater(self.events("data split buys.csv --out buys")[0]["n_test"], 0)
        items = [event["item"] for event in self.events("recommend --model buys.rec --user 1 -k 20 --exclude-seen")[:-1]]
        self.assertEqual(items, [99])

    def test_knows_ids_of_any_text(self):
        self.write("names.csv", 'user,item\n1,"Earth, Wind"\n1,"say ""so"""\n2,caf\udce9\n2,caf\udce8\n3,\ufdd0\ufde0\n')
        self.recore("train --model popularity --data names.csv --all --out names.rec")
        items = {event["item"] for event in self.events("recommend --model names.rec --user 1 -k 9")[:-1]}
        self.assertEqual(items, {"Earth, Wind", 'say "so"', "caf\udce9", "caf\udce8", "\udcef\udcb7\udc90\udcef\udcb7\udca0"})
        known = self.recore(["recommend", "--model", "names.rec", "--history", '"Earth, Wind","say ""so""",caf\udce9', "-k", "3"])
        self.assertNotIn("does not know", known.stderr)
        self.assertIn("never closed", self.recore(["recommend", "--model", "names.rec", "--history", '"Earth'], 2).stderr)

    def test_recommends_to_a_history(self):
        known = self.events("recommend --model m.rec --user nobody --history film-039,film-231 -k 3")
        anonymous = self.events("recommend --model m.rec --history film-039,film-231 -k 3")
        self.assertEqual([event.get("item") for event in known], [event.get("item") for event in anonymous])
        self.assertIsNone(anonymous[0]["user"])
        spaced = self.recore(["recommend", "--model", "m.rec", "--history", " film-039 , film-231, ", "-k", "3", "--json"])
        self.assertEqual([json.loads(line).get("item") for line in spaced.stdout.splitlines()],
                         [event.get("item") for event in anonymous])
        for arguments, words in (("--history no-such", "cannot answer from this history"),
                                 ("--user nobody --history no-such", "'nobody', and cannot answer from this history"),
                                 ("--user nobody", "give what they had with --history")):
            self.assertIn(words, self.recore("recommend --model m.rec " + arguments, 3).stderr, arguments)

    def test_warns_of_rows_that_it_was_trained_on(self):
        self.write("rows.csv", "user,item\n1,10\n1,11\n2,10\n2,12\n3,11\n")
        self.recore("train --model popularity --data rows.csv --all --out rows.rec")
        self.assertIn("these are as many", self.recore("evaluate --model rows.rec --data rows.csv --all").stderr)

    def test_tells_of_users_without_a_row_in_training(self):
        self.write("train.csv", "user,item\n1,10\n1,11\n2,10\n2,12\n")
        self.write("test.csv", "user,item\n1,12\n3,11\n3,10\n")
        self.recore("train --model popularity --data train.csv --test test.csv --out new.rec")
        self.assertIn("2 of the 3 rows of the test part are of users without a row in training",
                      self.recore("evaluate --model new.rec --data train.csv --test test.csv").stderr)

    def test_finds_similar_items(self):
        events = self.events("similar --model m.rec --item film-039 -k 3")
        self.assertEqual([event["event"] for event in events], ["recommendation"] * 3 + ["done"])
        self.assertEqual({event["similar_to"] for event in events[:-1]}, {"film-039"})
        self.assertNotIn("film-039", [event["item"] for event in events[:-1]])
        self.assertEqual(self.events("similar --model m.rec --item no-such", 3)[0]["status"], "NOT_FOUND")
        self.recore("train --model popularity --data orchard.inter.gz --out popular.rec")
        self.assertIn("one number for each item", self.recore("similar --model popular.rec --item film-039", 6).stderr)
        events = self.events("similar --model m.rec --user u0061 -k 3")
        self.assertEqual([(event["similar_to"], event["rank"], event["user"] == "u0061") for event in events[:-1]],
                         [("u0061", rank, False) for rank in (1, 2, 3)])
        self.assertEqual(self.events("similar --model m.rec --user no-such", 3)[0]["status"], "NOT_FOUND")
        for arguments in ("", " --item film-039 --user u0061"):
            self.assertIn("item: or --user is required, and not both", self.recore("similar --model m.rec" + arguments, 2).stderr)
        self.recore("train --model neumf --data orchard.inter.gz --set epochs=1 --out neumf.rec")
        self.assertIn("film-", self.recore("similar --model neumf.rec --item film-039 -k 3").stdout)
        self.assertIn("cannot answer from this history",
                      self.recore("recommend --model neumf.rec --user nobody --history film-039", 3).stderr)

    def test_prints_titles(self):
        head, first = self.recore("recommend --model m.rec --user u0061 -k 1").stdout.splitlines()
        self.assertEqual(head.split(), ["rank", "item", "title", "score"])
        self.assertRegex(first, r"^ +1  film-\d+  \w")

    def test_reads_ids_as_the_model_has_them(self):
        with open(self.path("numbers.csv"), "w") as file:
            file.write("user_id,item_id\n" + "".join(f"{u - 20},{(u * i) % 37 - 9}\n" for u in range(40) for i in range(1, 12)))
        self.recore("train --model bprmf --data numbers.csv --set epochs=2 --out n.rec")
        self.assertEqual(self.events("recommend --model n.rec --user -5 -k 2")[0]["user"], -5)
        self.assertIsInstance(self.events("recommend --model n.rec --user=7 -k 2")[0]["item"], int)
        self.assertIn("int64, got 'seven'", self.events("recommend --model n.rec --user seven", 2)[0]["message"])

    def test_info_lists_what_the_file_holds(self):
        card = self.events("info m.rec")[0]
        self.assertEqual((card["event"], card["model"], card["n_users"], card["n_items"]), ("model", "bprmf", 600, 400))
        self.assertRegex(self.recore("info m.rec").stdout, r"sections +seen, history, held_out, item_title")

    def forge(self, name, change):
        """m.rec as an attacker would change its manifest: under a right checksum."""
        with open(self.path("checksum.c"), "w") as file:
            file.write("#define XXH_INLINE_ALL\n#include <stdio.h>\n#include <xxhash.h>\nstatic char bytes[1 << 24];\n"
                       "int main(void) { printf(\"%016llx\", (unsigned long long)XXH3_64bits(bytes, fread(bytes, 1, "
                       "sizeof bytes, stdin))); }\n")
        subprocess.run(["cc", self.path("checksum.c"), "-o", self.path("checksum")], check=True)
        whole = self.bytes_of("m.rec")
        end = 8 + int.from_bytes(whole[:8], "little")
        header = json.loads(whole[8:end])
        manifest = json.loads(header["__metadata__"]["recore.manifest"])
        change(manifest)
        header["__metadata__"] = {"recore.manifest": json.dumps(manifest), "recore.header_xxh3": "0" * 16}
        text = json.dumps(header, separators=(",", ":")).encode()
        text += b" " * (-(8 + len(text)) % 64)
        head = len(text).to_bytes(8, "little") + text
        checksum = subprocess.run([self.path("checksum")], input=head, capture_output=True, check=True).stdout
        key = b'"recore.header_xxh3":"'
        with open(self.path(name), "wb") as file:
            file.write(head.replace(key + b"0" * 16, key + checksum) + whole[end:])

    def test_info_shows_a_terminal_nothing_of_a_forged_file_but_text(self):
        def change(manifest):
            manifest["info"]["parameters"]["\x1b[2Jcleared"] = "\x1b]0;title\x07"
            manifest["info"]["valid_metrics"]["two\nlines"] = 0.5
            manifest["info"]["plugin_version"] = "1.0\x7f"
        self.forge("forged.rec", change)
        done = self.recore("info forged.rec")
        for shown in ("?[2Jcleared", "?]0;title?", "two?lines", "1.0?"):
            self.assertIn(shown, done.stdout)
        self.assertNotRegex(done.stdout, "[\x00-\x09\x0b-\x1f\x7f]")


class Data(CliTest):
    def test_describes(self):
        about = self.events("data describe orchard.inter.gz")[0]
        self.assertEqual((about["event"], about["n_users"], about["n_items"], about["n_interactions"]), ("dataset", 600, 400, 25000))
        self.assertIn("25,000", self.recore("data describe orchard.inter.gz").stdout)

    def test_splits_by_the_ratio(self):
        about = self.events("data split orchard.inter.gz --by interaction --ratio 6:2:2 --seed 3 --out six")[0]
        self.assertEqual([about["n_train"], about["n_valid"], about["n_test"]], [15000, 5000, 5000])
        again = self.events("data describe six")[0]
        self.assertEqual([again["n_train"], again["n_valid"], again["n_test"]], [15000, 5000, 5000])

    def test_shows_how_a_file_was_read(self):
        self.write("plain.csv", "1 10 4 1433221332117\n2 20 5 1433221332118\nNA 20 5 1433221332118\n")
        about = self.events("data describe plain.csv")[0]
        self.assertEqual(about["read_as"], {"separator": "blanks", "header": "no", "quotes": "as in CSV", "user": "column 1",
                                            "item": "column 2", "time": "column 4", "weight": "column 3", "times": "milliseconds"})
        self.assertEqual((about["n_interactions"], about["n_missing"], about["has_parts"]), (2, 1, False))
        done = self.recore("data describe plain.csv")
        self.assertIn("header: no", done.stdout)
        self.assertIn("1 rows were left out", done.stderr)
        for option, given in (("--header", "maybe"), ("--quotes", "x"), ("--time-unit", "h"), ("--time-format", "%Q"),
                              ("--max-bad-rows", "-1")):
            self.recore(f"data describe plain.csv {option} {given}", 2)
        about = self.events(["data", "describe", "plain.csv", "--time-unit", "us", "--missing", "2"])[0]
        self.assertEqual((about["n_users"], about["time"]["first"], about["read_as"]["times"]), (2, 1433221, "microseconds"))

    def test_reads_named_columns(self):
        with open(self.path("odd.txt"), "w") as file:
            file.write("who;what;stars\n1;a;5\n1;b;1\nx;c\n2;a;4\n")
        arguments = "data describe odd.txt --format csv --separator ; --user-column who --item-column what --weight-column stars"
        error = self.events(arguments, 4)[0]
        self.assertEqual((error["status"], error["file"], error["line"]), ("INVALID_DATA", "odd.txt", 4))
        about = self.events(arguments + " --bad-rows skip --min-weight 2 --user-id-type bytes")[0]
        self.assertEqual((about["n_interactions"], about["n_skipped"], about["user_id_type"]), (2, 1, "bytes"))


class Help(CliTest):
    def test_the_example_of_every_command_runs(self):
        shutil.copy(self.path("m.rec"), self.path("kept.rec"))
        for command in COMMANDS:
            with self.subTest(command):
                text = self.recore(command + " --help").stdout
                for option in ("--seed", "--threads", "--quiet", "--json"):
                    self.assertIn(option, text)
                example = re.search(r"Example:\n  recore (.+)", text).group(1)
                self.assertTrue(example.startswith(command), example)
                self.recore(example)
        shutil.copy(self.path("kept.rec"), self.path("m.rec"))

    def test_plugins_lists_models_and_parameters(self):
        names = [event.get("name") for event in self.events("plugins")]
        for model in ("bprmf", "ease", "itemknn", "lightgcn", "popularity"):
            self.assertIn(model, names)
        parameters = {param["name"]: param for param in self.events("plugins lightgcn")[0]["parameters"]}
        self.assertEqual((parameters["n_layers"]["default"], parameters["epochs"]["owner"]), (3, "core"))

    def test_doctor_is_content_with_what_is_shipped(self):
        states = {event["check"]: event["state"] for event in self.events("doctor") if event["event"] == "check"}
        self.assertEqual((states["library"], states["plugin lightgcn"]), ("ok", "ok"))

    def test_doctor_notes_a_foreign_plugin_that_does_not_load(self):
        os.makedirs(self.path("foreign"), exist_ok=True)
        with open(self.path("foreign/librecore_broken.so"), "w") as file:
            file.write("no shared object")
        done = self.recore("doctor", env={"REC_PLUGIN_PATH": self.path("foreign")})
        self.assertRegex(done.stdout, r"plugin broken +note")

    def test_doctor_shows_what_is_wrong_with_a_relative_folder(self):
        done = self.recore("doctor", 6, env={"REC_PLUGIN_PATH": "plugins"})
        self.assertRegex(done.stdout, r"plugin folder +broken +plugins \(REC_PLUGIN_PATH\); the path is not absolute")
        self.assertRegex(done.stdout, r"plugins +broken +REC_PLUGIN_PATH: must have absolute folders, got 'plugins'")
        self.assertRegex(done.stdout, r"cores +ok")


class Mistakes(CliTest):
    def test_names_the_nearest_and_exits_accordingly(self):
        train = "train --data orchard.inter.gz --out x.rec --model "
        rows = [
            # arguments,                                              code, in the message
            ("trian",                                                  2, "'train'"),
            ("data splt",                                              2, "'split'"),
            ("train --modle x",                                        2, "'--model'"),
            ("evaluate --metric ndcg@20",                              2, "'--metrics'"),
            ("recommend -n 3",                                         2, "-n"),
            (train + "lightgnc",                                       3, "'lightgcn'"),
            (train + "lightgcn --set n_layer=2",                       2, "'n_layers'"),
            (train + "lightgcn --set n_layers=99",                     2, "between 1 and 8"),
            (train + "lightgcn --set n_layers=x",                      2, "n_layers: must be an int, got 'x'"),
            (train + "lightgcn --set lr=x",                            2, "lr: must be a float, got 'x'"),
            (train + "lightgcn --set n_layers",                        2, "NAME=VALUE"),
            (train + "lightgcn --set seed=1 --seed 2",                 2, "given twice"),
            (train + "lightgcn --metrics ndgc@20",                     2, "'ndcg@20'"),
            (train + "lightgcn --format recbol",                       2, "'recbole'"),
            (train + "lightgcn --bad-rows skp",                        2, "'skip'"),
            (train + "lightgcn --max-bad-rows 3",                      2, "--max-bad-rows: is only for bad rows that are skipped, with --bad-rows = skip"),
            (train + "lightgcn --test orchard.inter.gz",               2, "is the file that the training rows are in"),
            ("recommend --model m.rec --history ,",                    2, "has no item"),
            ("train --model lightgcn --data no-such --out x.rec",      3, "no-such"),
            ("evaluate --model m.rec --data orchard.inter.gz --part tset", 2, "'test'"),
            ("evaluate --model m.rec --data orchard.inter.gz --metrics auc", 2, "use rows = label"),
            ("evaluate --model m.rec --data orchard.inter.gz --ties against-target", 2, "against-target needs one target"),
            ("evaluate --model m.rec --data orchard.inter.gz --protocol unif", 2, "uni99"),
            ("data describe orchard.item.gz --format csv --separator tab", 4, "name it with --user-column"),
            ("recommend --model m.rec",                                2, "--history"),
            ("recommend --model m.rec --user u0061 -k 0",              2, "k"),
            ("data split orchard.inter.gz --ratio 8:2 --out y",        2, "8:1:1"),
            ("data split orchard.inter.gz --by usr --out y",           2, "'user'"),
            ("info no-such.rec",                                       3, "no-such.rec"),
            ("info orchard.item.gz",                                   4, "orchard.item.gz"),
            ("plugins lightgc",                                        3, "'lightgcn'"),
            ("",                                                       2, "train"),
        ]
        for arguments, code, part in rows:
            with self.subTest(arguments):
                done = self.recore(arguments, code)
                self.assertTrue(done.stderr.splitlines()[-1].startswith("recore: "), done.stderr)
                self.assertIn(part, done.stderr)
                if arguments:
                    error = self.events(arguments, code)[-1]
                    self.assertEqual(error["event"], "error")
                    self.assertTrue({"status", "message", "argument", "file", "line"} <= set(error))


class LostOutput(CliTest):
    def test_is_an_io_failure(self):
        for arguments in ("recommend --model m.rec --user u0061", "recommend --model m.rec --user u0061 --json", "--version"):
            with self.subTest(arguments), open("/dev/full", "w") as full:
                done = subprocess.run([RECORE] + arguments.split(), cwd=self.folder, stdout=full, stderr=subprocess.PIPE,
                                      text=True)
                self.assertEqual((done.returncode, done.stderr), (5, "recore: the output could not be written\n"))


class Page(html.parser.HTMLParser):
    """Counts tags, and fails on anything that would be fetched or is left open."""

    def __init__(self):
        super().__init__()
        self.tags, self.text = {}, ""

    def handle_starttag(self, tag, attributes):
        self.tags[tag] = self.tags.get(tag, 0) + 1
        assert tag not in ("script", "link", "img", "iframe"), tag
        assert not {"src", "href"} & {name for name, _ in attributes}, attributes

    def handle_endtag(self, tag):
        self.tags["/" + tag] = self.tags.get("/" + tag, 0) + 1

    def handle_data(self, data):
        self.text += data


class ReportPage(CliTest):
    def page(self, arguments):
        events = self.events(arguments + " --report page.html")
        page = Page()
        page.feed(self.bytes_of("page.html").decode())
        return events, page

    def test_is_one_page_with_curves_metrics_and_test(self):
        events, page = self.page("train --model lightgcn --data orchard.inter.gz --set epochs=5 --out p.rec")
        self.assertEqual([event["event"] for event in events], ["epoch"] * 5 + ["metrics", "done"])
        self.assertEqual(page.tags["svg"], 5)  # loss, two metrics, popularity, time
        for tag in ("svg", "figure", "table", "tr", "div", "path", "circle", "g"):
            self.assertEqual(page.tags[tag], page.tags["/" + tag], tag)
        self.assertIn(f"{events[-2]['metrics']['ndcg@20']:.4f}", page.text)
        for word in ("n_layers", "20,532", "8:1:1 by user, seed 1"):
            self.assertIn(word, page.text)

    def test_escapes_what_comes_from_outside(self):
        name = "<script>&\".inter.gz"
        shutil.copy(self.path("orchard.inter.gz"), self.path(name))
        self.events(["train", "--model", "popularity", "--data", name, "--out", "p.rec", "--report", "page.html"])
        page = Page()
        page.feed(self.bytes_of("page.html").decode())
        self.assertIn(name, page.text)


if __name__ == "__main__":
    unittest.main()
