"""How train's options work together: files, seeds, metrics, what it starts from, and the text of its page."""

import json
import os
import subprocess
import unittest

from cli_test import RECORE, CliTest

TRAIN = "train --model bprmf --data orchard.inter.gz --set epochs=2 --set emb_size=8 "


class Files(CliTest):
    def test_none_is_that_of_another_option(self):
        before = self.bytes_of("m.rec")
        os.symlink("m.rec", self.path("link.rec"))
        os.makedirs(self.path("sub"))
        for options, first, second in (("--out m.rec --checkpoint m.rec", "--checkpoint", "--out"),
                                       ("--out m.rec --checkpoint ./sub/../m.rec", "--checkpoint", "--out"),
                                       ("--out m.rec --checkpoint link.rec", "--checkpoint", "--out"),
                                       ("--out new.prev --checkpoint new", "--checkpoint", "--out"),
                                       ("--out m.rec --report m.rec", "--report", "--out"),
                                       ("--out m.rec --report m.rec.ckpt", "--report", "--checkpoint"),
                                       ("--out m.rec --report m.rec.ckpt.prev", "--report", "--checkpoint")):
            with self.subTest(options):
                error = self.events(TRAIN + options, 2)[-1]
                self.assertEqual(error["argument"], first[2:])
                self.assertIn(first, error["message"])
                self.assertIn(second, error["message"])
        self.assertEqual(self.bytes_of("m.rec"), before)
        self.assertFalse(os.path.exists(self.path("new.prev")))


class Seed(CliTest):
    def test_is_read_as_the_library_reads_it(self):
        for text in ("7", "7.0", "7e0", "007"):
            done = self.events(TRAIN + f"--out s{text}.rec --set seed={text}")[-1]
            self.assertEqual(done["split"]["seed"], 7, text)
            self.assertEqual(self.bytes_of(f"s{text}.rec"), self.bytes_of("s7.rec"), text)
        for text in ("7.5", "seven", "", "nan", "1e300"):
            self.assertEqual(self.events(TRAIN + "--out x.rec --set seed=" + text, 2)[-1]["argument"], "seed", text)

    def test_draws_candidates_as_evaluate_does(self):
        for protocol in ("uni9", "pop9"):
            given = f" --metrics hit@1 --protocol {protocol}"
            events = self.events(TRAIN + "--seed 5 --out d.rec --report d.html" + given)
            for part, metrics in (("valid", events[-1]["valid_metrics"]), ("test", events[-2]["metrics"])):
                again = self.events(f"evaluate --model d.rec --data orchard.inter.gz --part {part}" + given)[0]
                self.assertEqual((again["seed"], again["metrics"]), (5, metrics), part)


class WarmStart(CliTest):
    def test_is_left_out_of_a_training_that_has_begun(self):
        self.recore(TRAIN + "--out first.rec")
        arguments = ("train --model bprmf --data orchard.inter.gz --set epochs=12 --set emb_size=8 --warm-start first.rec"
                     " --checkpoint-batches 1 --json --resume --out ")
        self.recore(arguments + "whole.rec")
        self.recore(arguments.replace("--warm-start first.rec", "") + "cold.rec")
        killed = subprocess.Popen([RECORE] + (arguments + "killed.rec").split(), cwd=self.folder, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, text=True)
        for line in killed.stdout:
            if json.loads(line)["epoch"] == 3:
                break
        killed.kill()
        killed.communicate()
        done = self.recore(arguments + "killed.rec")
        self.assertIn("--warm-start is left out", done.stderr)
        self.assertIn("resumed at epoch", done.stderr)
        self.assertEqual(self.bytes_of("killed.rec"), self.bytes_of("whole.rec"))
        self.assertNotEqual(self.bytes_of("cold.rec"), self.bytes_of("whole.rec"))


class Metrics(CliTest):
    def test_empty_ones_are_those_of_the_task(self):
        words = (TRAIN + "--out e.rec --report e.html --metrics").split()
        events = self.events(words + ["", "--main-metric", ""])
        for event in events[0], events[-2]:
            self.assertEqual(list(event["metrics"]), ["ndcg@20", "recall@20"])
        self.assertIn("ndcg@20 on test", self.bytes_of("e.html").decode())

    def test_undefined_ones_are_dashes(self):
        os.mkdir(self.path("all"))
        for part, items in (("train", (1, 2)), ("dev", (3, 4)), ("test", (3, 4))):  # nothing is left to rank below
            with open(self.path(f"all/{part}.csv"), "w") as file:
                file.write("user_id\titem_id\ttime\n" + "".join(f"{user}\t{item}\t1\n" for user in (1, 2) for item in items))
        train = "train --model bprmf --data all --set epochs=1 --metrics gauc --out u.rec --report u.html"
        self.assertEqual([event["metrics"] for event in self.events(train)[:-1]], [{"gauc": None}] * 2)
        self.assertRegex(self.recore("info u.rec").stdout, r"gauc +-\n")
        self.assertIn("<td>gauc</td><td class=number>-</td><td class=number>-</td>", self.bytes_of("u.html").decode())
        self.assertIn("<b>-</b><span>gauc on valid", self.bytes_of("u.html").decode())


class Words(CliTest):
    def page(self, arguments):
        events = self.events(arguments + " --out w.rec --report w.html")
        return events[-2], self.bytes_of("w.html").decode()

    def test_say_how_items_were_ranked(self):
        for options, words in (("", "Full ranking over all items for each user; what the user had before the part is left out;"
                                    " ties go to the lower item row"),
                               ("", "; of a user the model knows the training part;"),
                               (" --history before", "; of a user the model knows what happened before the row;"),
                               (" --mask none", "; nothing is left out"),
                               (" --mask train", "; what the user had in training is left out"),
                               (" --rows event --ties against-target", "for each event; what the user had before the part is"
                                                                       " left out; ties count against the target"),
                               (" --protocol uni9 --seed 4", "among 9 items drawn for each positive, uniformly, with seed 4"),
                               (" --protocol pop9", "by their training count, with seed 1")):
            with self.subTest(options):
                event, page = self.page(TRAIN + "--metrics hit@5" + options)
                self.assertIn(words, page)
                self.assertIn(f"the test part has {event['n_rows']:,} {event['rows']}s.", page)
                self.assertIn("<span>" + list(event["metrics"])[0] + " on test", page)

    def test_say_what_lists_and_rows_were(self):
        os.mkdir(self.path("shown"))
        for part in ("train", "dev", "test"):
            with open(self.path(f"shown/{part}.csv"), "w") as file:
                file.write("user_id\titem_id\ttime\tlabel\n")
                file.writelines(f"{user}\t{item}\t1\t{(user + item) % 2}\n" for user in range(6) for item in range(8))
        train = "train --model lightgcn --data shown --set epochs=1 --set task="
        for options, rows, words in (("impression", "list", "its first 20 clicked and 20 shown items"),
                                     ("impression --rows list --max-pos 3 --max-neg 2 --metrics rechorus.hr@2", "list",
                                      "its first 3 clicked and 2 shown items"),
                                     ("impression --metrics ndcg@5", "user", "Full ranking over all items for each user"),
                                     ("ctr", "label", "compared with its label; of a user the model knows what happened before the row; the test part has 48 labelled rows."),
                                     ("ctr --metrics ndcg@5", "user", "Full ranking over all items for each user")):
            with self.subTest(options):
                event, page = self.page(train + options)
                self.assertEqual(event["rows"], rows)
                self.assertIn(words, page)
                self.assertIn("<span>" + list(event["metrics"])[0] + " on test", page)


if __name__ == "__main__":
    unittest.main()
