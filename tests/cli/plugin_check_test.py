"""What `plugin check` finds, and from where plugins and the worker may come."""

import json
import os
import signal
import subprocess
import unittest

from cli_test import RECORE, SANITIZED, CliTest

DESTROY = "static void destroy(rec_plugin_model_t* model) {"
COMPUTE = "static rec_status_t compute(rec_call_t* call, rec_plugin_model_t* model, const rec_batch_t* batch, double* out_loss) {"


class PluginCheck(CliTest):
    def checks(self, name, code=6, options=""):
        done = self.recore(f"plugin check ./{name} --json {options}", code)
        events = [json.loads(line) for line in done.stdout.splitlines()]
        return {event["check"]: event for event in events if event["event"] == "check"}

    def broken(self, name, was, now, options=""):
        """The checks that a plugin with this change does not pass, with what was found."""
        self.build_plugin(name, was, now)
        return {check: event["found"] for check, event in self.checks(name, options=options).items() if event["state"] == "broken"}

    def test_a_sound_plugin_passes(self):
        found = self.checks("librecore_mine.so", 0)
        self.assertEqual((len(found), {event["state"] for event in found.values()}), (9, {"ok"}))
        shown = self.recore("plugin check ./librecore_mine.so").stdout
        self.assertEqual(shown.count("ok      "), 9)

    def test_a_forgotten_tensor_is_found(self):
        resumes = "resumes as if it had not been stopped"
        self.assertIn(resumes, self.broken("librecore_forgets.so", "return 3;", "return 2;"))
        self.assertIn(resumes, self.broken(
            "librecore_ignores.so", "memcpy(tensor_at(of(model), i), data, tensor_bytes(of(model), i));", "(void)data;"))

    @unittest.skipIf(SANITIZED, "a sanitizer has its own allocator, and finds leaks itself")
    def test_a_leak_of_one_small_object_is_found(self):
        found = self.broken("librecore_leaks.so", DESTROY, DESTROY + " *(char*)malloc(24) = 1;")
        self.assertEqual(list(found), ["gives memory back"])
        self.assertRegex(found["gives memory back"], "each training leaves about [0-9]+ bytes behind")

    def test_a_plugin_that_crashes_hangs_or_leaves_is_reported(self):
        crash = "__attribute__((constructor)) static void crash(void) { *(volatile int*)8 = 1; }\n"
        found = self.broken("librecore_crashes.so", DESTROY, crash + DESTROY)
        self.assertRegex(found["loads"], "the process (was killed by signal 11|ended with exit status)")
        self.assertIn("trains", self.broken("librecore_exits.so", COMPUTE, COMPUTE + " exit(0);"))
        found = self.broken("librecore_hangs.so", COMPUTE, COMPUTE + " for (;;) {}", "--seconds 5")
        self.assertEqual(found, {"trains": "did not finish within 5 s and was killed"})
        # A list runs no plugin.
        names = [event.get("name") for event in self.events_of("plugins", {"REC_PLUGIN_PATH": self.folder})]
        self.assertIn("crashes", names)

    def test_a_plugin_that_speaks_for_the_checks_is_reported(self):
        for name, event in [("begins", "begin"), ("ends", "done")]:
            text = '"{\\"event\\": \\"%s\\"}\\n"' % event
            write = f" extern long write(int, const void*, unsigned long); if (write(3, {text}, sizeof {text} - 1) < 0) return 1;"
            found = self.broken(f"librecore_{name}.so", COMPUTE, COMPUTE + write)
            self.assertEqual(found, {"trains": "it writes to the checks' own channel, and was killed"})

    @unittest.skipIf(SANITIZED, "sanitizers start slowly")
    def test_a_check_that_is_stopped_leaves_nothing(self):
        place = self.path("tmp")
        os.makedirs(place)
        for name in ("SIGTERM", "SIGHUP", "closed pipe"):
            with subprocess.Popen([RECORE, "plugin", "check", "./librecore_mine.so"], cwd=self.folder, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                  env={**os.environ, "TMPDIR": place}) as check:
                self.assertIn("loads", check.stdout.readline())
                self.assertEqual(len(os.listdir(place)), 1)
                if name == "closed pipe":
                    check.stdout.close()
                else:
                    check.send_signal(getattr(signal, name))
                self.assertEqual(check.wait(60), 5 if name == "closed pipe" else 130)
            self.assertEqual(os.listdir(place), [], name)

    def test_a_plugin_that_prints_is_reported(self):
        printing = ' extern int puts(const char*); if (batch->index == 0) puts("a batch");'
        found = self.broken("librecore_prints.so", COMPUTE, COMPUTE + printing)
        self.assertEqual(found, {"prints nothing": "it writes to stdout or stderr, which belong to the host"})

    def test_a_start_that_differs_between_processes_is_found(self):
        start = "static rec_status_t initialize(rec_call_t* call, rec_plugin_model_t* model, int64_t seed) {"
        of_this_process = " extern int getpid(void); seed += getpid();"
        found = self.broken("librecore_starts.so", start, start + of_this_process)
        self.assertEqual(list(found), ["gives the same model for the same seed, 1, 2, 7 threads and another process"])
        self.assertIn("in another process", list(found.values())[0])

    def test_another_file_name_is_told(self):
        os.rename(self.path("librecore_mine.so"), self.path("librecore_other.so"))
        self.assertIn("must be named librecore_", self.recore("plugin check ./librecore_other.so").stderr)
        os.rename(self.path("librecore_other.so"), self.path("librecore_mine.so"))

    def test_a_missing_file_is_not_found(self):
        self.assertIn("there is no ./missing.so", self.recore("plugin check ./missing.so", 3).stderr)

    def test_code_is_not_taken_from_where_others_may_write(self):
        self.assertIn("REC_PLUGIN_PATH: must have absolute folders, got '.'",
                      self.recore("plugins", 5, {"REC_PLUGIN_PATH": "."}).stderr)
        train = "train --model bprmf --data orchard.inter.gz --set epochs=1 --out there.rec --isolation process"
        for path in ("m.rec", "missing", ""):
            self.assertIn(f"REC_WORKER_PATH: must be the absolute path of the program recore-worker, got '{path}'",
                          self.recore(train, 5, {"REC_WORKER_PATH": path}).stderr)
        self.assertIn(f"recore-worker, got the folder '{self.folder}'",
                      self.recore(train, 2, {"REC_WORKER_PATH": self.folder}).stderr)
        program = os.path.join(self.folder, "worker")
        with open(program, "w") as file:
            file.write("#!/bin/sh\ntouch ran\n")
        os.chmod(program, 0o777)
        refused = self.recore(train, 5, {"REC_WORKER_PATH": program}).stderr
        self.assertIn(f"{program}: refused, since {program} may be written by everybody", refused)
        self.assertFalse(os.path.exists(os.path.join(self.folder, "ran")))

    def events_of(self, command, env):
        return [json.loads(line) for line in self.recore(command + " --json", 0, env).stdout.splitlines()]


if __name__ == "__main__":
    unittest.main()
