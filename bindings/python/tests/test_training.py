import contextlib
import gc
import logging
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest

import recore
from conftest import ORCHARD, train_small


def test_events_come_in_order_on_the_calling_thread(orchard):
    events, threads = [], set()

    def on_event(event):
        events.append(event)
        threads.add(threading.get_ident())

    trainer = recore.Trainer(orchard, "bprmf", {"epochs": 3, "emb_size": 8}, metrics="ndcg@5")
    assert trainer.run(on_event=on_event) is True
    kinds = [event.kind for event in events if event.kind != "progress"]
    assert kinds == ["start", "epoch", "epoch", "epoch"]
    epochs = [event for event in events if event.kind == "epoch"]
    assert [event.epoch for event in epochs] == [1, 2, 3]
    assert all(list(event.metrics) == ["ndcg@5"] and 0 <= event.metrics["ndcg@5"] <= 1 for event in epochs)
    assert threads == {threading.get_ident()}


def test_false_stops_and_the_model_is_kept(orchard):
    seen = []

    def on_epoch(event):
        seen.append(event.epoch)
        return event.epoch < 3

    trainer = recore.Trainer(orchard, "bprmf", {"epochs": 100_000, "patience": 0, "emb_size": 8})
    assert trainer.run(on_epoch=on_epoch) is False
    assert seen == [1, 2, 3]
    assert trainer.model("last").describe()["epoch"] >= 3
    assert recore.train(orchard, "bprmf", epochs=100_000, patience=0, emb_size=8,
                        on_epoch=lambda e: e.epoch < 2).n_users == 600


def test_an_exception_of_a_callback_stops_and_comes_back_as_it_is(orchard):
    class Mine(Exception):
        pass

    raised = Mine("as it is")

    def on_epoch(event):
        raise raised

    trainer = recore.Trainer(orchard, "bprmf", {"epochs": 100_000, "patience": 0})
    with pytest.raises(Mine) as caught:
        trainer.run(on_epoch=on_epoch)
    assert caught.value is raised
    with pytest.raises(recore.BadStateError, match="training has begun"):
        trainer.model("initial")
    assert trainer.model("last").n_items == 400
    trainer.run(on_epoch=lambda event: False)  # it may go on


def test_a_callback_may_use_the_library_but_not_its_own_trainer(orchard):
    seen = []
    trainer = recore.Trainer(orchard, "popularity")

    def on_epoch(event):
        seen.append(orchard.describe()["n_users"])
        with pytest.raises(recore.BusyError):
            trainer.model()
        with pytest.raises(recore.BusyError):
            trainer.run()

    trainer.run(on_epoch=on_epoch)
    assert seen and set(seen) == {600}


CTRL_C = """
    import signal, sys, time, recore
    trainer = recore.Trainer(recore.Dataset.load({data!r}).split(seed=1), "bprmf",
                             {{"epochs": 1000000, "patience": 0, "emb_size": 8, "eval_every": 1000000}})
    trainer.run(on_epoch=lambda event: event.epoch < 2)
    print("ready", flush=True)
    try:
        trainer.run({arguments})
    except KeyboardInterrupt:
        model = trainer.model("last")
        items, _ = model.recommender().recommend("u0061", k=3)
        print("interrupted", model.describe()["epoch"], len(items), flush=True)
"""


@pytest.mark.parametrize("arguments", ["", "on_epoch=lambda event: None"], ids=["no callback", "callback"])
def test_ctrl_c_is_heard_and_the_last_epoch_is_kept(arguments):
    code = textwrap.dedent(CTRL_C.format(data=str(ORCHARD), arguments=arguments))
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout.readline() == "ready\n"
        time.sleep(0.3)
        start = time.monotonic()
        child.send_signal(signal.SIGINT)
        word, epoch, n_items = child.stdout.readline().split()
        assert time.monotonic() - start < 1
        assert (word, n_items) == ("interrupted", "3") and int(epoch) >= 2
        assert child.wait(10) == 0
    finally:
        child.kill()


def rows_of(n):
    rng = np.random.default_rng(7)
    return rng.integers(0, n // 20, n), rng.integers(0, n // 50, n), rng.integers(0, 10**9, n)


class Alarm(Exception):
    pass


@contextlib.contextmanager
def alarm(seconds):
    """After `seconds` a signal handler raises Alarm."""
    def on_alarm(number, frame):
        raise Alarm

    before = signal.signal(signal.SIGALRM, on_alarm)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("name", ["from_columns", "split", "save", "trainer"])
def test_a_signal_ends_any_long_call(tmp_path, name):
    users, items, times = rows_of(2_000_000)
    data = None if name == "from_columns" else recore.Dataset.from_columns(users, items, times)
    calls = {
        "from_columns": lambda: recore.Dataset.from_columns(users, items, times),
        "split": lambda: data.split("leave_one_out"),
        "save": lambda: data.save(tmp_path / "out"),
        "trainer": lambda: recore.Trainer(data, "bprmf", {"emb_size": 256}),
    }
    gc.collect()  # what earlier tests left in cycles
    alive = recore.live_objects()
    with pytest.raises(Alarm), alarm(0.05):
        calls[name]()
    assert recore.live_objects() == alive
    assert not list(tmp_path.glob("out/*"))


def test_any_signal_handler_may_end_a_call(orchard):
    start = time.monotonic()
    with pytest.raises(Alarm), alarm(0.2):
        train_small(orchard, epochs=1_000_000, patience=0)
    assert time.monotonic() - start < 1


ENDLESS = dict(epochs=1_000_000, patience=0, emb_size=8, eval_every=1_000_000)


def test_an_event_of_threading_stops_and_the_last_epoch_is_kept(orchard):
    cancel = threading.Event()
    trainer = recore.Trainer(orchard, "bprmf", ENDLESS)
    trainer.run(on_epoch=lambda event: False)
    timer = threading.Timer(0.1, cancel.set)
    timer.start()
    start = time.monotonic()
    with pytest.raises(recore.CancelledError):
        trainer.run(cancel=cancel)
    assert time.monotonic() - start < 1
    assert trainer.model("last").n_users == 600
    seen = []
    for begins_nothing in (lambda: trainer.run(on_event=seen.append, cancel=cancel),
                           lambda: recore.train(orchard, "bprmf", on_event=seen.append, cancel=cancel),
                           lambda: trainer.model("last").evaluate(orchard, cancel=cancel),
                           lambda: recore.Dataset.load(ORCHARD, cancel=cancel)):
        with pytest.raises(recore.CancelledError):
            begins_nothing()
    assert seen == []
    cancel.clear()
    assert recore.Dataset.load(ORCHARD, cancel=cancel).describe()["n_users"] == 600


def test_what_is_set_raises_ends_the_call(orchard):
    class Broken:
        n = 0

        def is_set(self):
            self.n += 1
            if self.n == 3:
                raise ZeroDivisionError
            return False

    with pytest.raises(ZeroDivisionError):
        recore.train(orchard, "bprmf", cancel=Broken(), **ENDLESS)
    with pytest.raises(AttributeError):
        recore.train(orchard, "bprmf", cancel=7, **ENDLESS)


def test_a_process_may_end_under_a_training_daemon_thread():
    code = f"""
import threading, time, recore
ds = recore.Dataset.load({str(ORCHARD)!r}).split(seed=1)
def train():
    recore.train(ds, "bprmf", epochs=1000000, patience=0, on_epoch=lambda event: None)
threading.Thread(target=train, daemon=True).start()
time.sleep(0.3)
"""
    for _ in range(3):
        assert subprocess.run([sys.executable, "-c", code], timeout=20).returncode == 0


def test_training_is_resumed_from_a_checkpoint(orchard, tmp_path):
    path = tmp_path / "run.ckpt"
    params = dict(emb_size=8, batch_size=512, epochs=4, patience=0)
    whole = recore.train(orchard, "bprmf", **params)
    trainer = recore.Trainer(orchard, "bprmf", params, checkpoint=path, checkpoint_batches=5)
    trainer.run(on_epoch=lambda event: event.epoch < 2)
    assert path.exists()
    resumed = recore.train(orchard, "bprmf", checkpoint=path, resume=True, **params)
    assert (resumed.item_vectors == whole.item_vectors).all()


PARAMETERS = [
    ("unknown name", {"emb_sise": 8}, recore.InvalidArgumentError, "emb_sise"),
    ("out of range", {"emb_size": 0}, recore.InvalidArgumentError, "emb_size"),
    ("wrong type", {"emb_size": "many"}, recore.InvalidArgumentError, "emb_size"),
    ("not for JSON", {"lr": object()}, recore.InvalidArgumentError, "lr"),
    ("nan", {"lr": float("nan")}, recore.InvalidArgumentError, "lr"),
    ("no such device", {"device": "cuda"}, recore.DeviceError, "device"),
]


@pytest.mark.parametrize("name, params, error, argument", PARAMETERS, ids=[row[0] for row in PARAMETERS])
def test_a_bad_parameter_is_named(orchard, name, params, error, argument):
    with pytest.raises(error) as caught:
        recore.train(orchard, "bprmf", **params)
    assert caught.value.argument == argument


def test_an_unknown_model_or_metric_is_refused_with_the_nearest(orchard):
    with pytest.raises(recore.NotFoundError, match="bprmf"):
        recore.Trainer(orchard, "bprfm")
    with pytest.raises(recore.InvalidArgumentError, match="ndcg"):
        recore.Trainer(orchard, "bprmf", metrics="ndgc@20")
    with pytest.raises(recore.BadStateError):
        recore.Trainer(orchard, "bprmf").model()
    with pytest.raises(recore.InvalidArgumentError):
        recore.Trainer(orchard, "bprmf", protocol={"rows": "users"})


def test_tasks_are_trained_and_judged_by_their_rows():
    rows = [(u, i, int(u % 2 == i % 2), page, part) for page, part in enumerate(["train"] * 8 + ["valid", "test"])
            for u in range(12) for i in range(10) if (u + i + page) % 3]
    users, items, labels, pages, parts = map(list, zip(*rows))
    dataset = recore.Dataset.from_columns(users, items, parts=parts, labels=labels, impressions=pages)
    events = []
    lists = train_small(dataset, task="impression", lr=0.05, epochs=15, on_epoch=events.append)
    assert list(events[0].metrics) == ["rechorus.ndcg@5[list]", "rechorus.hr@5[list]", "rechorus.map@5[list]"]
    report = lists.evaluate(dataset, "rechorus.ndcg@5,rechorus.map@5", rows="list", max_pos=3)
    assert len(report.users) == 12 and report["rechorus.ndcg@5"] > 0.9 and list(report)[0] == "rechorus.ndcg@5[list3+20]"
    ctr = train_small(dataset, task="ctr", label_loss="mse", lr=0.05, epochs=25)
    report = ctr.evaluate(dataset, "auc,mae", rows="label")
    n_test = sum(part == "test" for part in parts)
    assert report["auc"] > 0.9 and report.values("mae").shape == (n_test,) and np.isnan(report.values("auc")).all()
    assert report["mae"] == pytest.approx(report.values("mae").mean(), abs=1e-12)
    with pytest.raises(recore.InvalidArgumentError, match='"label"'):
        ctr.evaluate(dataset, "auc")
    with pytest.raises(recore.UnsupportedError, match="cannot be trained for task=ctr"):
        recore.Trainer(dataset, "popularity", {"task": "ctr"})


def test_metrics_are_one_text_or_a_list(orchard, model):
    names = ["recall@5", "ndcg@5"]
    for given in (names, tuple(names), ",".join(names)):
        assert list(model.evaluate(orchard, given)) == names
        events = []
        train_small(orchard, metrics=given, on_epoch=events.append)
        assert list(events[0].metrics) == names
        recore.check_training("bprmf", metrics=given)
    with pytest.raises(recore.InvalidArgumentError, match="ndgc@5"):
        recore.check_training("bprmf", metrics=["ndgc@5"])
    with pytest.raises(TypeError, match="metrics: must be a str or a list of str"):
        model.evaluate(orchard, [5])


def test_a_parameter_that_is_a_keyword_ends_in_an_underscore(orchard):
    model = recore.train(orchard, "ease", lambda_=7.5)
    assert model.describe()["parameters"]["lambda"] == 7.5
    assert recore.Trainer(orchard, "ease", {"lambda": 7.5}).run() is True
    wrong = [
        (dict(lambda_=0), "lambda_", "lambda_: must be"),
        (dict(lambd=1), "lambd", "did you mean 'lambda_'?"),
        (dict(lambda_=1, **{"lambda": 2}), "lambda", "lambda: is given twice"),
        (dict(emb_size_=1), "emb_size_", "emb_size_: "),
    ]
    for params, argument, text in wrong:
        with pytest.raises(recore.InvalidArgumentError) as caught:
            recore.check_training("ease", **params)
        assert caught.value.argument == argument and text in str(caught.value)


def test_messages_use_the_words_of_python(orchard, model, tmp_path):
    (tmp_path / "a.csv").write_text("who,what\n1,2\n")
    wrong = [
        (lambda: recore.Dataset.load(tmp_path / "a.csv", user="nobody", item="what"), "user"),
        (lambda: recore.Dataset.load(tmp_path / "a.csv", user="who", item="thing"), "item"),
        (lambda: recore.Dataset.load(tmp_path / "a.csv", user="who", item="what", time="when"), "time"),
        (lambda: recore.Trainer(orchard, "bprmf", checkpoint=tmp_path / "none" / "x.ckpt"), "checkpoint"),
        (lambda: model.evaluate(orchard, "auc"), "metrics"),
        (lambda: model.evaluate(orchard, "ndcg@5", candidates="given", rows="user"), "candidates"),
    ]
    for call, argument in wrong:
        with pytest.raises(recore.Error) as caught:
            call()
        assert not re.search(r"_column|REC_|checkpoint_path", str(caught.value)), str(caught.value)
        assert caught.value.argument == argument and f"{argument}: " in str(caught.value)


def test_numpy_scalars_are_parameters(orchard):
    model = train_small(orchard.split(seed=np.int64(3)), emb_size=np.int32(4), lr=np.float32(0.5),
                        on_epoch=lambda event: np.bool_(False))
    assert model.describe()["parameters"]["emb_size"] == 4
    assert model.recommender(max_k=np.int32(9)).recommend(["u0061"], k=np.int64(3)).counts.tolist() == [3]


def test_plugins_are_listed_and_described():
    names = {plugin["name"] for plugin in recore.plugins()}
    assert {"bprmf", "lightgcn", "popularity", "itemknn", "ease"} <= names
    parameters = {p["name"]: p for p in recore.describe_plugin("bprmf")["parameters"]}
    assert parameters["epochs"]["owner"] == "core" and parameters["emb_size"]["min"] == 1
    with pytest.raises(recore.NotFoundError):
        recore.load_plugin("/nowhere/librecore_x.so")
    path = next(plugin["path"] for plugin in recore.plugins() if plugin["name"] == "bprmf")
    recore.load_plugin(path)
    recore.load_plugin(os.path.dirname(path))


def test_log_lines_come_through_logging(orchard, tmp_path, caplog):
    path = tmp_path / "run.ckpt"
    with caplog.at_level(logging.DEBUG, logger="recore"):
        recore.Trainer(orchard, "bprmf", {"epochs": 2}, checkpoint=path, checkpoint_batches=1).run()
        assert recore.flush_log() == 0
    records = [record for record in caplog.records if record.getMessage().startswith("checkpoint path=")]
    assert records and all(r.levelname == "DEBUG" and r.threadName == "MainThread" for r in records)
    caplog.clear()
    with caplog.at_level(logging.WARNING, logger="recore"):
        recore.Trainer(orchard, "bprmf", {"epochs": 2}, checkpoint=path, checkpoint_batches=1).run()
    assert caplog.records == []


def test_log_lines_are_delivered_or_counted_as_lost(caplog):
    recore.load_plugin(pathlib.Path(os.environ["REC_BUILD_FOLDER"]) / "lib/recore/evil/librecore_evil_chatty.so")
    recore.flush_log()
    with caplog.at_level(logging.WARNING, logger="recore"):
        recore.Trainer(recore.Dataset.from_columns([1, 1], [5, 6]), "evil_chatty")
        n_lost = recore.flush_log()
    assert [record.getMessage() for record in caplog.records].count("evil n=1") + n_lost == 20000


def test_what_a_log_handler_raises_ends_the_call(orchard, tmp_path):
    class Mine(BaseException):
        pass

    class Handler(logging.Handler):
        def emit(self, record):
            raise Mine

    logger, handler = logging.getLogger("recore"), Handler()
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        with pytest.raises(Mine):
            recore.Trainer(orchard, "bprmf", {"epochs": 2}, checkpoint=tmp_path / "r.ckpt", checkpoint_batches=1).run()
    finally:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)


def test_nothing_is_printed(orchard, capfd):
    train_small(orchard)
    assert capfd.readouterr() == ("", "")


def test_a_model_starts_from_another(orchard):
    first = train_small(orchard, epochs=2)
    users = first.user_ids()[:3]
    trainer = recore.Trainer(orchard, "bprmf", {"emb_size": 8, "epochs": 1, "lr": 1e-8})
    trainer.warm_start(first)
    trainer.run()
    before, after = (model.recommender().recommend(users, k=3) for model in (first, trainer.model()))
    assert before.items.tolist() == after.items.tolist()
    other = recore.Dataset.from_columns([1, 1, 2, 2], [1, 2, 1, 2])
    with pytest.raises(recore.InvalidArgumentError, match="users"):
        recore.Trainer(other, "bprmf", {"emb_size": 8}).warm_start(first)


def test_a_stop_hides_no_checkpoint_that_could_not_be_written(orchard, tmp_path):
    folder = tmp_path / "gone"
    folder.mkdir()
    trainer = recore.Trainer(orchard, "bprmf", {"epochs": 3}, checkpoint=folder / "m.ckpt")

    def stop(event):
        shutil.rmtree(folder)
        return False

    with pytest.raises(recore.Error, match="gone"):
        trainer.run(on_epoch=stop)


def test_a_bad_form_of_ids_is_refused_before_training(orchard):
    with pytest.raises(recore.InvalidArgumentError, match="ids"):
        recore.Trainer(orchard, "bprmf", {"epochs": 1}, ids="byte")


def test_times_and_parts_that_do_not_fit_are_refused():
    with pytest.raises(recore.InvalidDataError, match="NaT"):
        recore.Dataset.from_columns(["a"], ["x"], times=np.array(["NaT"], "datetime64[s]"))
    with pytest.raises(recore.InvalidArgumentError, match="parts"):
        recore.Dataset.from_columns(["a"], ["x"], parts=np.array([2**32]))


def test_an_evaluation_keeps_what_each_row_ranked():
    orchard = recore.Dataset.load(ORCHARD).split(seed=1)
    model = recore.train(orchard, "itemknn")
    report = model.evaluate(orchard, "recall@5", keep_lists=5)
    recommended = model.recommender().recommend(report.users, k=400)
    rows = orchard.to_arrow().to_pandas()
    for i, ranked in enumerate(report.lists):
        assert rows["user_id"][report.interactions[i]] == report.users[i]
        truth = set(rows["item_id"][(rows["user_id"] == report.users[i]) & (rows["part"] == "test")])
        known = set(rows["item_id"][(rows["user_id"] == report.users[i]) & (rows["part"] != "test")]) - truth
        want = [item for item in recommended.row(i)[0] if item not in known][:5]
        assert ranked.items.tolist() == want[:len(ranked.items)] and len(ranked.items) == min(5, len(want))
        assert ranked.relevant.tolist() == [item in truth for item in ranked.items]
        assert report.values("recall@5")[i] == pytest.approx(ranked.relevant.sum() / len(truth))
    elsewhere = model.evaluate(orchard, "recall@5", keep_lists=5, isolation="process")
    assert [list(row.items) for row in elsewhere.lists] == [list(row.items) for row in report.lists]
    assert model.evaluate(orchard, "recall@5").lists == []
    with pytest.raises(recore.InvalidArgumentError, match="keep_lists: must be >= 0"):
        model.evaluate(orchard, "recall@5", keep_lists=-1)


def test_items_that_training_had_no_row_of_are_not_recommended():
    rng = np.random.default_rng(1)
    users, items = np.repeat(np.arange(100), 8), rng.integers(0, 30, 800)
    parts = np.where(np.arange(800) % 8 == 7, "test", "train")
    items[parts == "test"] = np.where(rng.random(100) < 0.2, 50, items[parts == "test"])  # item 50: test only
    data = recore.Dataset.from_columns(users, items, parts=parts, more_items=[60])
    for name, params in (("bprmf", {"epochs": 2}), ("gru4rec", {"epochs": 2, "layers": [8]}), ("itemknn", {})):
        model = recore.train(data, name, **params)
        recommender = model.recommender()
        answers = recommender.recommend(np.arange(100), k=32)
        assert not {50, 60} & set(answers.items.ravel()), name
        assert not {50, 60} & set(recommender.similar(np.arange(30), k=32).items.ravel()), name
        assert recommender.similar([50], k=5).counts.tolist() == [0]
        assert model.describe()["n_untrained_items"] == 2
        loaded = recore.load(model.to_bytes())
        assert loaded.recommender().recommend(np.arange(100), k=32).items.tolist() == answers.items.tolist()
        assert np.isfinite(recommender.score([3], [50])).all() or name == "itemknn"
        if name != "itemknn":  # what was trained elsewhere is known
            trainer = recore.Trainer(data, name, params)
            trainer.warm_start(model)
            trainer.run()
            assert "n_untrained_items" not in trainer.model().describe()


def test_an_evaluation_measures_a_sample_and_tells_its_error():
    orchard = recore.Dataset.load(ORCHARD).split(seed=1)
    model = recore.train(orchard, "popularity")
    whole, some = model.evaluate(orchard, "recall@20"), model.evaluate(orchard, "recall@20", n_users=50)
    assert len(some.user_rows) == 50 and set(some.user_rows) < set(whole.user_rows)
    values = whole.values("recall@20")
    assert whole.standard_errors["recall@20"] == pytest.approx(values.std(ddof=1) / len(values) ** 0.5)
    assert list(model.evaluate(orchard, "recall@20", rows="event", skip_first=True)) == ["recall@20[skip_first]"]
