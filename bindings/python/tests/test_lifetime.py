import concurrent.futures
import copy
import gc
import os
import pathlib
import pickle
import re
import subprocess
import sys
import threading

import pytest

import recore
from conftest import ORCHARD, SAMPLES, train_small


def closed_objects(orchard):
    dataset = orchard.split(seed=2)
    trainer = recore.Trainer(orchard, "popularity")
    trainer.run()
    model = trainer.model()
    recommender = model.recommender()
    for handle in (dataset, trainer, recommender, model):
        handle.close()
    return dataset, trainer, model, recommender


def test_use_after_close_is_a_closed_error(orchard, tmp_path):
    dataset, trainer, model, recommender = closed_objects(orchard)
    uses = [dataset.describe, dataset.split, lambda: recore.train(dataset, "popularity"), trainer.run, trainer.model,
            model.describe, lambda: model.save(tmp_path / "x"), lambda: model.item_vectors, model.recommender,
            lambda: model.evaluate(orchard), lambda: orchard.__class__.__enter__(dataset),
            lambda: recommender.recommend(["u0061"]), lambda: recommender.similar(["film-001"]),
            lambda: recommender.score(["u0061"], ["film-001"])]
    for use in uses:
        with pytest.raises(recore.ClosedError) as caught:
            use()
        assert isinstance(caught.value, recore.BadStateError) and caught.value.status == "BAD_STATE"
    for handle in (dataset, trainer, model, recommender):
        handle.close()
        assert handle.closed and repr(handle) == f"<recore.{type(handle).__name__}, closed>"


def test_a_stale_raw_handle_is_a_bad_state_and_no_crash(orchard):
    raw = orchard.split()
    handle = raw._handle
    raw.close()
    with pytest.raises(recore.BadStateError):
        recore._recore.rec_dataset_describe(handle)
    with pytest.raises(TypeError):
        recore._recore.rec_model_describe(orchard._handle)  # SWIG tells the kinds apart
    with pytest.raises(recore.InvalidArgumentError):
        recore._recore.rec_dataset_describe(None)


def test_children_keep_what_they_need(orchard):
    model = train_small(orchard)
    recommender = model.recommender()
    expected = recommender.recommend(["u0061"]).items.tolist()
    dataset = orchard.split(seed=9)
    trainer = recore.Trainer(dataset, "popularity")
    dataset.close()
    assert trainer.run() is True
    del model
    gc.collect()
    assert recommender.recommend(["u0061"]).items.tolist() == expected


def test_a_recommender_outlives_its_model(orchard):
    alive = recore.live_objects()
    model = train_small(orchard)
    recommender = model.recommender(exclude_seen=True)

    def answers():
        items = recommender.recommend(["u0061"], k=5, deny=["film-001"]).items.tolist()
        return items, recommender.similar("film-001").items.tolist(), recommender.titles(["film-001"]).tolist()

    expected = answers()
    model.close()
    assert answers() == expected
    with pytest.raises(recore.ClosedError):
        model.recommender()
    recommender.close()
    with pytest.raises(recore.ClosedError, match="Recommender"):
        recommender.titles(["film-001"])
    assert recore.live_objects() == alive


def test_a_copy_does_not_end_with_the_original(orchard):
    alive = recore.live_objects()
    for copied in (copy.copy, copy.deepcopy):
        model = train_small(orchard)
        other, recommender = copied(model), copied(model.recommender())
        data = copied(orchard.split(seed=4))
        expected = recommender.recommend(["u0061"]).items.tolist()
        model.close()
        assert model.closed and not other.closed and other.n_users == 600
        assert other.recommender().recommend(["u0061"]).items.tolist() == expected
        assert recommender.recommend(["u0061"]).items.tolist() == expected and data.describe()["n_users"] == 600
        for handle in (other, recommender, data):
            handle.close()
        assert recore.live_objects() == alive
    trainer = recore.Trainer(orchard, "popularity")
    other = copy.copy(trainer)
    trainer.close()
    assert other.run() is True
    other.close()
    assert recore.live_objects() == alive


def test_a_model_is_pickled_as_the_bytes_of_its_file(model, orchard, tmp_path):
    model.save(tmp_path / "m.rec")
    for protocol in range(3, pickle.HIGHEST_PROTOCOL + 1):
        pickled = pickle.dumps(model, protocol)
        assert (tmp_path / "m.rec").read_bytes() in pickled
        with pickle.loads(pickled) as again:
            answer = again.recommender(exclude_seen=True).recommend(model.user_ids(), k=20)
            expected = model.recommender(exclude_seen=True).recommend(model.user_ids(), k=20)
            assert answer.scores.tobytes() == expected.scores.tobytes() and (answer.items == expected.items).all()
    assert model.to_bytes() == (tmp_path / "m.rec").read_bytes()
    with recore.load(model.to_bytes()) as again:
        assert again.to_bytes() == model.to_bytes()
    with recore.load(tmp_path / "m.rec", ids="bytes") as other:
        assert pickle.loads(pickle.dumps(other)).ids == "bytes"
    with pytest.raises(recore.ClosedError):
        pickle.dumps(other)
    for handle in (orchard, model.recommender(), recore.Trainer(orchard, "popularity")):
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(handle)


def test_objects_print_their_names_and_sizes(orchard, model):
    report = model.evaluate(orchard, "ndcg@5")
    trainer = recore.Trainer(orchard, "ease", {"lambda_": 5.0})
    printed = {
        orchard: "<recore.Dataset: 600 users, 400 items, 25000 interactions>",
        model: "<recore.Model bprmf: 600 users, 400 items>",
        model.recommender(): "<recore.Recommender of bprmf: 600 users, 400 items>",
        trainer: "<recore.Trainer ease: lambda_=5.0>",
        recore.Trainer(orchard, "popularity"): "<recore.Trainer popularity>",
    }
    for handle, text in printed.items():
        assert repr(handle) == str(handle) == text
    assert repr(report) == f"<recore.Report: ndcg@5={report['ndcg@5']:.4f} over {len(report.users)} rows>"
    trainer.close()
    assert repr(trainer) == "<recore.Trainer, closed>"
    with pytest.raises(recore.InvalidArgumentError) as caught:
        model.recommender().recommend(["u0061"], k=0)
    assert repr(caught.value) == f"InvalidArgumentError({str(caught.value)!r})" and str(caught.value).startswith("k: ")


LONG = os.environ.get("REC_LONG_LIFETIMES") == "1"  # make test-lifetimes


def rss():
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path("/proc/self/status").read_text())[1])


@pytest.fixture
def objects(grid, tmp_path):
    """A function that makes the objects of round i, one of each kind that is closed by hand, and uses them; one call
    fails, since errors have a lifetime too. Every 20th round has a trainer, which takes longer than the others."""
    path = tmp_path / "small.rec"
    train_small(recore.Dataset.from_columns(*grid)).save(path)
    file = bytearray(path.read_bytes())
    users, items = [str(i) for i in grid[0]], grid[1]

    def use(i):
        dataset = recore.Dataset.from_columns(users, items)
        model = recore.load(file)
        recommender = model.recommender()
        recommender.recommend([1, 2], k=5)
        model.item_vectors
        try:
            recommender.recommend([1], k=0)
        except recore.InvalidArgumentError:
            pass
        return [dataset, model, recommender] + ([recore.Trainer(dataset, "popularity")] if i % 20 == 0 else [])

    return use


def closed(made):
    for handle in made * 2:
        handle.close()


def left_to_the_count(made):
    pass


def left_to_the_collector(made):
    made.append(made)


ENDINGS = [(closed, 4000, 1_000_000), (left_to_the_count, 2000, 100_000), (left_to_the_collector, 2000, 100_000)]


@pytest.mark.timeout(3600 if LONG else 60)
@pytest.mark.parametrize("end, usual, longer", ENDINGS, ids=[row[0].__name__ for row in ENDINGS])
def test_objects_do_not_grow_the_process(end, usual, longer, objects):
    for i in range(1000):
        end(objects(i))
    gc.collect()
    before = rss()
    for i in range(longer if LONG else usual):
        end(objects(i))
    gc.collect()
    assert rss() - before < 4000  # KiB; a round holds some 40


@pytest.mark.timeout(3600 if LONG else 60)
def test_closing_while_others_ask_is_an_answer_or_a_closed_error(objects):
    answers = 0

    def ask(calls):
        n = 0
        while calls:
            for call in list(calls):
                try:
                    call()
                    n += 1
                except recore.ClosedError:
                    calls.remove(call)
                except (recore.BadStateError, recore.BusyError):
                    pass  # nothing is trained yet, or it has just been closed
        return n

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        for i in range(100_000 if LONG else 500):
            dataset, model, recommender, *trainer = made = objects(i)
            calls = [lambda: recommender.recommend([1, 2], k=3), lambda: model.n_items, dataset.describe]
            calls += [one.model for one in trainer]
            asking = [pool.submit(ask, list(calls)) for _ in range(2)]
            closing = pool.submit(closed, made)
            closed(made)
            closing.result()
            answers += sum(one.result() for one in asking)
    assert answers > 0


def test_a_trainer_may_be_closed_while_it_runs(orchard):
    trainer = recore.Trainer(orchard, "bprmf", {"epochs": 3, "emb_size": 8, "batch_size": 512})
    timer = threading.Timer(0.01, trainer.close)
    timer.start()
    try:
        assert trainer.run() is True
    except recore.ClosedError:
        pass  # it had not begun
    timer.join()
    own = recore.Trainer(orchard, "bprmf", {"epochs": 3, "emb_size": 8, "batch_size": 512})
    seen = []
    assert own.run(on_epoch=lambda event: (own.close(), seen.append(event.epoch))) is True
    assert seen == [1, 2, 3]


def test_a_forked_child_gets_bad_state(model):
    recommender = model.recommender()
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        word = b"nothing"
        try:
            recommender.recommend(["u0061"])
        except recore.BadStateError:
            try:
                recore.Dataset.load(ORCHARD)
            except recore.BadStateError:
                word = b"bad state"
        finally:
            os.write(write, word)
            os._exit(0)
    os.close(write)
    assert os.read(read, 100) == b"bad state"
    os.close(read)
    assert os.waitpid(pid, 0)[1] == 0
    assert recommender.recommend(["u0061"]).counts[0] == 10


def test_the_sample_runs(tmp_path):
    command = [sys.executable, str(SAMPLES / "python" / "quickstart.py"), str(ORCHARD), str(tmp_path / "q.rec")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "film-" in done.stdout


def test_every_status_has_an_exception():
    header = (SAMPLES.parent / "include" / "rec_c_api.h").read_text()
    statuses = header.split("#define REC_OK 0")[1].split("rec_status_name")[0]
    for name, code in re.findall(r"#define REC_(\w+) (\d+)", statuses):
        error = recore._errors.make_error(int(code), "text", "", "", -1, -1)
        assert error.code == int(code) and error.status == name and type(error) is not recore.Error
    assert type(recore._errors.make_error(999, "text", "", "", -1, -1)) is recore.InternalError


def test_a_parent_that_only_imported_may_fork(tmp_path):
    program = f"""
import multiprocessing
import recore
def work(path):
    return recore.Dataset.load(path).describe()["n_items"]
if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool(2) as pool:
        print(pool.map(work, [{str(ORCHARD)!r}] * 2))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    first, second = eval(done.stdout)
    assert first == second > 0


def test_a_forked_child_ends_while_its_parent_trains(tmp_path):
    program = f"""
import os, sys, threading
import recore
data = recore.Dataset.load({str(ORCHARD)!r})
stop = threading.Event()
def train():
    try:
        recore.train(data, "bprmf", epochs=1000000, patience=0, on_epoch=lambda event: True, cancel=stop)
    except recore.CancelledError:
        pass
thread = threading.Thread(target=train)
thread.start()
codes = []
for _ in range(20):
    pid = os.fork()
    if pid == 0:
        sys.exit(0)
    codes.append(os.waitpid(pid, 0)[1])
stop.set()
thread.join()
print(codes == [0] * 20)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.stdout == "True\n", done.stderr
