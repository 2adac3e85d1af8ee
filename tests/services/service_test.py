"""samples/go-service and samples/java-service as a client sees them: answers, refusals, metrics, models swapped under load,
overload and draining.

service_test.py RECORE DATA_FOLDER COMMAND...: the command that starts the service, to which options are added.
"""
import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse

RECORE, DATA, *COMMAND = sys.argv[1:]
K = 10


def bits(score):
    return struct.pack("<f", score)


class Service:
    """A running service; its model is the file model.rec in its folder."""

    def __init__(self, folder, *options):
        self.model = folder / "model.rec"
        self.log = open(folder / "log", "w+")
        self.process = subprocess.Popen([*COMMAND, "--model", self.model, "--port", "0", *options],
                                        stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.port = json.loads(self.process.stdout.readline())["port"]

    def install(self, path):
        """Replaces the model as rec_model_save does: under another name, then by rename."""
        shutil.copyfile(path, f"{self.model}.new")
        os.rename(f"{self.model}.new", self.model)

    def get(self, path, method="GET"):
        with contextlib.closing(self.connect()) as connection:
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()

    def json(self, path, status=200):
        found, headers, text = self.get(path)
        assert found == status, f"{path}: {found} {text}"
        assert headers["Content-Type"] == "application/json"
        return json.loads(text)

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)

    def metrics(self):
        """The value of each series."""
        _, headers, text = self.get("/metrics")
        assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
        lines = [line for line in text.splitlines() if not line.startswith("#")]
        for line in lines:
            assert re.fullmatch(r'[a-z_]+(\{\w+="[^"]*"(,\w+="[^"]*")*\})? [0-9.eE+-]+', line), line
        return {series: float(value) for series, value in (line.rsplit(" ", 1) for line in lines)}

    def wait_for(self, series, value):
        end = time.monotonic() + 10
        while self.metrics().get(series) != value:
            assert time.monotonic() < end, f"{series} did not become {value}, it is {self.metrics().get(series)}"
            time.sleep(0.05)

    def log_text(self):
        self.log.seek(0)
        return self.log.read()

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.log.close()


class Client(threading.Thread):
    """Asks for one path after another over one connection until told to stop; records when each was sent and the answer."""

    def __init__(self, service, paths):
        super().__init__()
        self.service, self.paths = service, paths
        self.answers = []  # (path, when sent, status, text); an exception as text where there was no answer
        self.stopping = False
        self.start()

    def run(self):
        connection, i = self.service.connect(), 0
        while not self.stopping:
            path = self.paths[i % len(self.paths)]
            i += 1
            sent = time.monotonic()
            try:
                connection.request("GET", path)
                answer = connection.getresponse()
                self.answers.append((path, sent, answer.status, answer.read().decode()))
            except (OSError, http.client.HTTPException) as e:
                self.answers.append((path, sent, 0, repr(e)))
                connection.close()
                time.sleep(0.01)
        connection.close()


def traffic(service, paths, n, during):
    """What n clients got while during() ran."""
    clients = [Client(service, paths[i:] + paths[:i]) for i in range(n)]
    try:
        during()
    finally:
        for client in clients:
            client.stopping = True
        for client in clients:
            client.join()
    return [answer for client in clients for answer in client.answers]


def recore(*arguments):
    done = subprocess.run([RECORE, *arguments, "--quiet", "--json"], capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def setUpModule():
    global folder
    temporary = tempfile.TemporaryDirectory()
    unittest.addModuleCleanup(temporary.cleanup)
    folder = pathlib.Path(temporary.name)
    for seed in (1, 2):
        recore("train", "--model", "bprmf", "--data", f"{DATA}/orchard.inter.gz", "--set", "epochs=3", "--set", f"seed={seed}",
               "--out", folder / f"{seed}.rec")
    damaged = bytearray((folder / "1.rec").read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (folder / "damaged.rec").write_bytes(damaged)


class ServiceTest(unittest.TestCase):
    def start(self, *options, model="1.rec"):
        work = pathlib.Path(tempfile.mkdtemp(dir=folder))
        if model:
            shutil.copy(folder / model, work / "model.rec")
        service = Service(work, *options)
        self.addCleanup(service.end)
        if model:
            service.wait_for("recore_model_generation", 1)
        return service

    def answers_of(self, model, command, *arguments):
        return [(e["item"], bits(e["score"]), e["title"]) for e in
                recore(command, "--model", folder / model, "-k", str(K), *arguments)
                if e["event"] == "recommendation"]


def items(answer):
    return [(item["item"], bits(item["score"]), item.get("title")) for item in answer["items"]]


class Answers(ServiceTest):
    def test_are_those_of_the_command(self):
        service = self.start("--exclude-seen")
        for user in ("u0061", "u0511"):
            answer = service.json(f"/recommend?user={user}&k={K}")
            self.assertEqual((answer["user"], answer["generation"]), (user, 1))
            self.assertEqual(items(answer), self.answers_of("1.rec", "recommend", "--user", user, "--exclude-seen"))
        history = "film-001,film-002"
        expected = self.answers_of("1.rec", "recommend", "--history", history, "--exclude-seen")
        answer = service.json(f"/recommend?history={history}")
        self.assertIsNone(answer["user"])
        self.assertEqual(items(answer), expected)
        stranger = "mal\u00f3ry \"1\"\\\u0001\U0001f3ac"
        answer = service.json(f"/recommend?k=10&history={history}&user={urllib.parse.quote(stranger)}")
        self.assertEqual(answer["user"], stranger)
        self.assertEqual(items(answer), expected)
        answer = service.json("/similar?item=film-039&k=10")
        self.assertEqual(answer["similar_to"], "film-039")
        self.assertEqual(items(answer), self.answers_of("1.rec", "similar", "--item", "film-039"))
        self.assertEqual(len(service.json("/recommend?user=u0061&k=1")["items"]), 1)
        everything = service.json("/recommend?user=u0061&k=1000")["items"]
        self.assertTrue(300 < len(everything) < 400, "all but those seen, and no padding")

        for path, status, error in [
                ("/recommend",                      400, "user: must be given, or a history"),
                ("/recommend?user=u0061&k=0",       400, "k: must be a number between 1 and 1000, got '0'"),
                ("/recommend?user=u0061&k=1001",    400, "k: must be a number between 1 and 1000, got '1001'"),
                ("/recommend?user=u0061&k=ten",     400, "k: must be a number between 1 and 1000, got 'ten'"),
                ("/recommend?user=nobody",          404, "user: the model does not know 'nobody'; give what they had as "
                                                         "history=ITEM,ITEM"),
                ("/recommend?user=",                404, "user: the model does not know ''; give what they had as "
                                                         "history=ITEM,ITEM"),
                ("/recommend?user=a;b",             404, "user: the model does not know 'a;b'; give what they had as "
                                                         "history=ITEM,ITEM"),
                ("/recommend?history=nothing",      404, "history: the model knows none of it"),
                ("/similar",                        400, "item: must be given"),
                ("/similar?item=nothing",           404, "item: the model does not know 'nothing'"),
                ("/nowhere",                        404, "there is /recommend, /similar, /healthz and /metrics"),
        ]:
            with self.subTest(path):
                self.assertEqual(service.json(path, status), {"error": error})
        self.assertEqual(service.get("/recommend?user=%zz")[0], 400)
        status, headers, text = service.get("/recommend?user=u0061", "POST")
        self.assertEqual((status, headers["Allow"]), (405, "GET, HEAD"))
        self.assertEqual(service.get("/healthz", "HEAD")[0], 200)
        self.assertEqual(service.json("/healthz"), {"status": "ok", "generation": 1})

        for path, status, n in [("/recommend", 200, 6), ("/recommend", 404, 4), ("/similar", 200, 1), ("/similar", 400, 1),
                                ("/recommend", 405, 1), ("other", 404, 1), ("/healthz", 200, 2)]:
            service.wait_for(f'recore_requests_total{{path="{path}",status="{status}"}}', n)
        metrics = service.metrics()
        of_similar = {series: n for series, n in metrics.items() if series.startswith("recore_request_seconds") and "similar" in series}
        self.assertEqual(of_similar['recore_request_seconds_count{path="/similar"}'], 3)
        self.assertEqual(of_similar['recore_request_seconds_bucket{path="/similar",le="+Inf"}'], 3)
        self.assertTrue(0 < of_similar['recore_request_seconds_sum{path="/similar"}'] < 3)
        service.wait_for("recore_requests_in_flight", 1)  # the one that asks

    def test_do_not_wait_for_slow_connections(self):
        service = self.start("--workers", "2", "--max-waiting", "2")
        head = b"GET /recommend?user=u0061 HTTP/1.1\r\nHost: x\r\n"
        begun = [b"", head, head + b"Content-Length: 1000\r\n\r\n"]
        with contextlib.ExitStack() as stack:
            slow = [(i % 3, stack.enter_context(socket.create_connection(("127.0.0.1", service.port), 20))) for i in range(12)]
            for kind, connection in slow:
                connection.sendall(begun[kind])
            time.sleep(0.5)  # until all of them are held
            start = time.monotonic()
            while slow:
                asked = time.monotonic()
                self.assertLess(asked - start, 30, f"{len(slow)} slow connections are still open")
                self.assertEqual(service.get("/recommend?user=u0061")[0], 200)
                self.assertLess(time.monotonic() - asked, 2)
                slow = [(kind, connection) for kind, connection in slow if not self.ended(kind, connection)]
                time.sleep(1)

    def ended(self, kind, connection):
        """Sends one byte more, unless it is the connection that sends none."""
        try:
            if kind:
                connection.sendall(b"x")
            connection.setblocking(False)
            while connection.recv(4096):
                pass
            return True
        except BlockingIOError:
            return False
        except ConnectionError:
            return True
        finally:
            connection.settimeout(20)

    def test_to_integer_ids_are_integers(self):
        lines = ["user,item"] + [f"{u},{-i * 10**15}" for u in range(8) for i in range(12) if (u + i) % 3]
        (folder / "numbers.csv").write_text("\n".join(lines) + "\n")
        recore("train", "--model", "itemknn", "--data", folder / "numbers.csv", "--out", folder / "numbers.rec")
        service = self.start("--exclude-seen", model="numbers.rec")
        answer = service.json("/recommend?user=3")
        self.assertEqual(answer["user"], 3)
        self.assertEqual(items(answer), self.answers_of("numbers.rec", "recommend", "--user", "3", "--exclude-seen"))
        self.assertEqual(service.json("/recommend?user=three", 400), {"error": "user: this model's ids are int64, got 'three'"})
        self.assertEqual(service.json("/recommend?history=1,x", 400), {"error": "history: this model's ids are int64, got 'x'"})

    def test_of_the_library_reach_the_client_as_they_are(self):
        recore("train", "--model", "popularity", "--data", f"{DATA}/orchard.inter.gz", "--out", folder / "pop.rec")
        service = self.start(model="pop.rec")
        failed = subprocess.run([RECORE, "similar", "--model", folder / "pop.rec", "--item", "film-001", "--json"],
                                capture_output=True, text=True)
        error = json.loads(failed.stdout.splitlines()[-1])
        self.assertEqual(error["status"], "UNSUPPORTED")
        self.assertEqual(service.json("/similar?item=film-001", 501), {"error": error["message"]})


class Swaps(ServiceTest):
    def test_fail_no_request(self):
        service = self.start()
        paths = ["/recommend?user=u0061", "/recommend?user=u0511", "/similar?item=film-039"]
        arguments = [("recommend", "--user", "u0061"), ("recommend", "--user", "u0511"), ("similar", "--item", "film-039")]
        expected = {path: [self.answers_of(f"{seed}.rec", *a) for seed in (1, 2)] for path, a in zip(paths, arguments)}

        def swap():
            for generation in range(2, 5):
                service.install(folder / f"{2 - generation % 2}.rec")
                service.wait_for("recore_model_generation", generation)
            time.sleep(0.3)

        answers = traffic(service, paths, 6, swap)
        self.assertGreater(len(answers), 200)
        self.assertEqual([a for a in answers if a[2] != 200], [])
        for path, _, _, text in answers:
            answer = json.loads(text)
            self.assertEqual(items(answer), expected[path][1 - answer["generation"] % 2], "a model is never mixed with another")
        self.assertEqual({json.loads(text)["generation"] for *_, text in answers}, {1, 2, 3, 4})
        metrics = service.metrics()
        self.assertEqual((metrics["recore_model_swaps_total"], metrics["recore_models_open"]), (3, 1))

        def break_and_mend():
            service.install(folder / "damaged.rec")
            service.wait_for("recore_model_load_failures_total", 1)
            self.assertEqual(service.json("/healthz")["generation"], 4)
            service.install(folder / "1.rec")
            service.wait_for("recore_model_generation", 5)

        answers = traffic(service, paths, 2, break_and_mend)
        self.assertEqual([a for a in answers if a[2] != 200], [])
        self.assertEqual(service.metrics()["recore_models_open"], 1)
        self.assertEqual(service.log_text().count("model.refused"), 1)
        self.assertEqual(service.log_text().count("model.loaded"), 5)

    def test_begin_with_the_first_model(self):
        service = self.start("--workers", "1", "--max-waiting", "0", model=None)
        self.assertEqual(service.json("/healthz", 503), {"error": "no model is loaded yet"})
        self.assertEqual(service.get("/recommend?user=u0061")[0], 503)
        service.install(folder / "1.rec")
        service.wait_for("recore_model_generation", 1)
        self.assertEqual(service.json("/healthz")["status"], "ok")

        answers = traffic(service, ["/recommend?user=u0061&k=400"], 8, lambda: time.sleep(1))
        self.assertEqual({status for _, _, status, _ in answers}, {200, 503}, "one worker cannot answer all, and says so")
        end = time.monotonic() + 5
        while service.get("/recommend?user=u0061")[0] != 200:
            self.assertLess(time.monotonic(), end, "it does not recover")


class Drain(ServiceTest):
    def test_answers_what_was_asked_and_ends(self):
        service = self.start("--linger", "2")
        half = socket.create_connection(("127.0.0.1", service.port), 10)
        half.sendall(b"GET /recommend?user=u0061 HTTP/1.1\r\nHost: x\r\n")

        def stop():
            time.sleep(0.5)
            service.process.send_signal(signal.SIGTERM)
            stop.at = time.monotonic()
            time.sleep(0.3)
            self.assertEqual(service.json("/healthz", 503), {"error": "draining"})
            half.sendall(b"\r\n")
            with half, half.makefile("rb") as file:
                self.assertRegex(file.read(), rb"(?is)^HTTP/1.1 200 OK\r\n(.*\r\n)?connection: close\r\n")
            self.assertEqual(service.process.wait(10), 0)
            stop.took = time.monotonic() - stop.at

        answers = traffic(service, ["/recommend?user=u0061"], 4, stop)
        early = [a for a in answers if a[1] < stop.at + 0.3]
        self.assertGreater(len(early), 50)
        self.assertEqual([a for a in early if a[2] != 200], [], "asked in time, and not answered")
        self.assertLess(stop.took, 12, service.log_text())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
