"""Where the command runs a plugin: the third-party sample, built here to claim that it uses LibTorch."""

import unittest

from cli_test import CliTest


class Isolation(CliTest):
    def test_is_this_process_unless_a_worker_is_asked_for(self):
        self.build_plugin("librecore_fism.so", '"1.0.0", 0, ""', '"1.0.0", 0, "libtorch"')
        plugins = {"REC_PLUGIN_PATH": self.folder}
        train = "train --model fism --data orchard.inter.gz --set epochs=1 --out "
        evaluate = "evaluate --data orchard.inter.gz --model here.rec"
        without_worker = {**plugins, "REC_WORKER_PATH": "/nonexistent"}
        self.recore(train + "here.rec", env=without_worker)
        self.recore(evaluate, env=without_worker)
        for isolation in ("auto", "process"):
            for command in (train + "refused.rec", evaluate):
                refused = self.recore(command + " --isolation " + isolation, code=3, env=without_worker)
                self.assertIn("REC_WORKER_PATH: must be the absolute path of the program recore-worker, there is no '/nonexistent'", refused.stderr)
            self.recore(train + "there.rec --isolation " + isolation, env=plugins)
            self.assertEqual(self.bytes_of("here.rec"), self.bytes_of("there.rec"))


if __name__ == "__main__":
    unittest.main()
