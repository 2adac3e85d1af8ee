import concurrent.futures
import pickle
import re
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

import recore
from conftest import SAMPLES, train_small


def test_seen_items_are_left_out_and_rows_are_best_first(orchard, model):
    users = model.user_ids()[:50]
    items, scores = model.recommender(exclude_seen=True).recommend(users, k=10)
    assert items.shape == scores.shape == (50, 10) and scores.dtype == np.float32
    assert (np.diff(scores, axis=1) <= 0).all()
    everything, _ = model.recommender().recommend(users, k=400)
    assert everything.shape == (50, 400)
    left = model.recommender(exclude_seen=True).recommend(users, k=400)
    assert (left.counts < 400).all()
    for i, user in enumerate(users):
        assert set(items[i]) <= set(left.row(i)[0]) and None not in left.row(i)[0]
        assert left.items[i, left.counts[i]:].tolist() == [None] * (400 - left.counts[i])
        assert np.isneginf(left.scores[i, left.counts[i]:]).all()


def test_a_single_user_gives_trimmed_rows_of_one_dimension(model):
    recommender = model.recommender(exclude_seen=True)
    batch, one = recommender.recommend(["u0061"], k=400), recommender.recommend("u0061", k=400)
    assert one.items.ndim == 1 and len(one.items) == one.counts == batch.counts[0]
    assert one.items.tolist() == batch.row(0)[0].tolist()


def test_unknown_users_have_empty_rows_or_raise_when_strict(model):
    answer = model.recommender().recommend(["u0061", "nobody"], k=3)
    assert answer.counts.tolist() == [3, 0] and answer.row(1)[0].size == 0
    strict = model.recommender(strict=True)
    with pytest.raises(recore.UnknownIdError, match="'nobody'") as caught:
        strict.recommend(["u0061", "nobody"])
    assert isinstance(caught.value, KeyError) and caught.value.status == "NOT_FOUND"
    with pytest.raises(recore.UnknownIdError):
        strict.similar(["film-001", "film-x"])


def test_histories_stand_in_for_users(orchard):
    model = recore.train(orchard, "itemknn")
    recommender = model.recommender(exclude_seen=True)
    histories = [["film-001", "film-002"], ["film-003", "no such film"], []]
    anonymous = recommender.recommend(histories=histories, k=5)
    named = recommender.recommend(["new 1", "new 2", "new 3"], k=5, histories=histories)
    assert anonymous.counts.tolist()[:2] == [5, 5]
    assert anonymous.items.tolist() == named.items.tolist()
    assert not {"film-001", "film-002"} & set(anonymous.items[0])
    with pytest.raises(recore.InvalidArgumentError):
        recommender.recommend(["a"], histories=histories)
    with pytest.raises(TypeError):
        recommender.recommend(k=3)


def test_times_of_a_request_are_seconds(orchard):
    with train_small(orchard, "slrc_plus", batch_size=512) as model, model.recommender() as recommender:
        asked = dict(histories=[["film-001"]], k=3)
        with pytest.raises(recore.InvalidArgumentError, match="request_times: must be seconds since 1970; element 0 is 1511544070000"):
            recommender.recommend(["u0061"], history_times=[[1511544070]], request_times=[1511544070000], **asked)
        with pytest.raises(recore.InvalidArgumentError, match="history_times: must be seconds"):
            recommender.recommend(["u0061"], history_times=[[1511544070000]], **asked)


def test_times_reach_models_that_look_at_them(orchard):
    with train_small(orchard, "slrc_plus", batch_size=512) as model, model.recommender() as recommender:
        history = ["film-001", "film-002", "film-003"]
        asked = dict(histories=[history], history_times=[[1000, 2000, 3000]])
        early = recommender.score(["u0061"], history, request_times=[4000], **asked)
        late = recommender.score(["u0061"], history, request_times=np.array([90_000_000], "datetime64[s]"), **asked)
        assert early.tolist() != late.tolist()
        answer = recommender.recommend(["u0061"], k=3, candidates=history, request_times=[90_000_000], **asked)
        assert dict(zip(answer.items[0], answer.scores[0])) == dict(zip(history, late[0]))
        out, scores = np.empty(3, np.int64), np.empty(3, np.float32)
        recommender.recommend_into(["u0061"], 3, out, candidates=history, request_times=[90_000_000], **asked)
        recommender.score_into(["u0061"], history, scores, request_times=[90_000_000], **asked)
        assert out.tolist() == answer.rows[0].tolist() and scores.tolist() == late[0].tolist()
        two = recommender.recommend(["u0061", "u0511"], histories=[[], history], history_times=[[], [1, 2, 3]], request_times=[4, 4])
        assert two.counts.tolist() == [10, 10]
        for name, change in (("history_times", dict(history_times=[[1]])), ("history_times", dict(histories=None)),
                             ("history_times", dict(history_times=[[0.5, 1, 2]])), ("request_times", dict(request_times=[1, 2])),
                             ("history_times", dict(history_times=None))):
            with pytest.raises(recore.InvalidArgumentError) as caught:
                recommender.recommend(["u0061"], **{"request_times": [9], **asked, **change})
            assert caught.value.argument == name


def test_candidates_and_filters_choose_among_items(model):
    recommender = model.recommender()
    pool = ["film-009", "film-001", "film-005", "unknown"]
    one, _ = recommender.recommend("u0061", k=10, candidates=pool)
    assert set(one) == set(pool) - {"unknown"}
    allowed, _ = recommender.recommend("u0061", k=10, allow=pool)
    assert allowed.tolist() == one.tolist()
    each = recommender.recommend(["u0061", "u0511"], k=10, candidates=[pool[:1], pool[1:3]])
    assert each.counts.tolist() == [1, 2]
    denied, _ = recommender.recommend("u0061", k=400, deny=pool)
    assert not set(pool) & set(denied) and len(denied) == 397


def test_each_user_may_have_its_own_filters(model):
    recommender = model.recommender(exclude_seen=True)
    users, pools = ["u0061", "u0511", "nobody"], [["film-009", "film-001", "film-005", "unknown"], [], ["film-002"]]
    for name in ("allow", "deny"):
        together = recommender.recommend(users, k=7, **{name: pools})
        rows, scores, status = buffers(3, 7)
        recommender.recommend_into(users, 7, rows, scores, status, **{name: pools})
        assert rows.tolist() == together.rows.tolist() and scores.tobytes() == together.scores.tobytes()
        assert status.tolist() == [0, 0, recore.NotFoundError("").code]
        for i, user in enumerate(users):
            alone = recommender.recommend(user, k=7, **{name: pools[i]})
            assert together.row(i)[0].tolist() == alone.items.tolist(), (name, user)
    assert recommender.recommend(users, k=7, allow=pools).counts.tolist() == [3, 0, 0]
    assert recommender.recommend("u0061", k=7, allow=[["film-001"]]).items.tolist() == ["film-001"]

    histories, every = [["film-001"], ["film-002", "film-003"]], pools[0]
    asked = dict(histories=histories, candidates=[every, every], deny=[[], ["film-009"]])
    answer = recommender.recommend(k=7, **asked)
    assert "film-009" in answer.items[0] and "film-009" not in answer.items[1]
    flat = bytearray(2 * 7 * 8)
    recommender.recommend_into(None, 7, memoryview(flat).cast("q"), **asked)
    assert np.frombuffer(flat, np.int64)[:3].tolist() == answer.rows[0, :3].tolist()
    both = recommender.recommend(users[:2], k=7, allow=np.array([every, every]), deny=["film-001"])
    assert both.counts.tolist() == [2, 2]
    with pytest.raises(recore.InvalidArgumentError, match="as many lists as users, 3, got 2") as caught:
        recommender.recommend(users, allow=pools[:2])
    assert caught.value.argument == "allow"
    with pytest.raises(recore.UnknownIdError, match="row 2: 'nobody'"):
        model.recommender(strict=True).recommend(users, deny=pools)


def test_scores_are_those_of_the_ranking(model):
    recommender = model.recommender()
    items, scores = recommender.recommend(["u0061", "u0511"], k=7)
    same = recommender.score(["u0061", "u0511"], [items[0], items[1]])
    assert [row.tolist() for row in same] == scores.tolist()
    shared = recommender.score(["u0061", "u0511"], items[0].tolist() + ["unknown"])
    assert shared.shape == (2, 8) and shared[0, :7].tolist() == scores[0].tolist() and np.isneginf(shared[:, 7]).all()
    assert recommender.score("u0061", items[0]).tolist() == scores[0].tolist()


def test_similar_users_are_near_by_cosine(model):
    recommender = model.recommender()
    vectors, ids = np.asarray(model.user_vectors), model.user_ids()
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = unit @ unit[3]
    order = [row for row in np.argsort(-cosines, kind="stable") if row != 3][:5]
    answer = recommender.similar_users(ids[3], k=5)
    assert answer.rows.tolist() == order and answer.items.tolist() == ids[order].tolist()
    np.testing.assert_allclose(answer.scores, cosines[order], atol=1e-6)
    assert recommender.similar_users([ids[3], "nobody"], k=5).counts.tolist() == [5, 0]
    assert recommender.similar_users(ids[3], k=4, deny=[answer.items[1]]).items.tolist() == ids[order].tolist()[:1] + ids[order].tolist()[2:]
    assert recommender.similar_users(ids[3], allow=answer.items[:2]).items.tolist() == answer.items[:2].tolist()
    assert recommender.similar_users(ids[3], k=10**6 if model.n_users > 1000 else 1000).counts == model.n_users - 1


def test_models_that_score_pairs_compare_vectors_too(orchard):
    for name in ("neumf", "slrc_plus"):
        recommender = recore.train(orchard, name, epochs=1, emb_size=8).recommender()
        for similar, ids in ((recommender.similar, ["film-001", "film-002"]), (recommender.similar_users, ["u0061", "u0511"])):
            first, second = (dict(zip(*similar(one, k=1000))) for one in ids)
            assert first[ids[1]] == pytest.approx(second[ids[0]], abs=1e-6) and ids[0] not in first, name
            assert all(-1 <= score <= 1 for score in first.values())


def test_similar_items_leave_out_the_item_itself(model):
    items, scores = model.recommender().similar(["film-001", "film-002"], k=5)
    assert items.shape == (2, 5) and "film-001" not in items[0] and "film-002" not in items[1]
    one, _ = model.recommender().similar("film-001", k=5)
    assert one.tolist() == items[0].tolist()
    left, _ = model.recommender().similar("film-001", k=4, deny=[one[1]])
    assert left.tolist() == [one[0], *one[2:]]
    assert model.recommender().similar("film-001", allow=one[:2]).items.tolist() == one[:2].tolist()
    assert model.recommender().titles(one).tolist() == model.titles(one).tolist()


def buffers(n, k):
    return np.full((n, k), -9, np.int64), np.full((n, k), 9, np.float32), np.full(n, 9, np.int32)


def test_into_fills_what_the_caller_owns(model):
    recommender = model.recommender(exclude_seen=True)
    users = ["u0061", "nobody", "u0511"]
    answer = recommender.recommend(users, k=7)
    rows, scores, status = buffers(3, 7)
    asked = {
        "ids": dict(users=users), "histories": dict(users=["x", "y", "z"], histories=[["film-001"], [], ["film-002"]]),
        "anonymous": dict(users=None, histories=[["film-001"], [], ["film-002"]]),
        "candidates": dict(users=users, candidates=["film-001", "film-009"]), "deny": dict(users=users, deny=["film-001"]),
    }
    for name, who in asked.items():
        assert recommender.recommend_into(k=7, rows=rows, scores=scores, status=status, **who) is None, name
        padded = recommender.recommend(k=7, **who)
        assert rows.tolist() == padded.rows.tolist() and scores.tobytes() == padded.scores.tobytes(), name
    recommender.recommend_into(users, 7, rows, scores, status)
    assert status.tolist() == [0, recore.NotFoundError("").code, 0]
    assert (model.item_ids(rows[0]) == answer.items[0]).all() and rows[1].tolist() == [-1] * 7
    one, flat = np.empty(7, np.int64), bytearray(3 * 7 * 8)
    recommender.recommend_into("u0511", 7, one)
    recommender.recommend_into(users, 7, memoryview(flat).cast("q"))
    assert one.tolist() == rows[2].tolist() and np.frombuffer(flat, np.int64).tolist() == rows.reshape(-1).tolist()

    items = ["film-001", "no film"]
    recommender.similar_into(items, 7, rows, scores, status)
    assert rows[:2].tolist() == recommender.similar(items, 7).rows.tolist() and status[1] != 0
    out = np.empty((3, 2), np.float32)
    recommender.score_into(users, items, out)
    assert out.tolist() == recommender.score(users, items).tolist()
    recommender.score_into(users, [["film-001"], [], ["film-002"]], out, status)
    assert out.reshape(-1)[:2].tolist() == [s for part in recommender.score(users, [["film-001"], [], ["film-002"]]) for s in part]


def test_the_fast_path_of_the_docs_names_no_wrong_item(tmp_path):
    page = (SAMPLES.parent / "docs" / "python.md").read_text()
    block, = [text for text in re.findall(r"^```python\n(.*?)^```", page, re.S | re.M) if "recommend_into" in text]
    done = subprocess.run([sys.executable, "-c", block], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    first, second, third = done.stdout.splitlines()
    assert first.startswith("8 [101 102] [") and second.startswith("7 [102] [") and third == "5 is unknown"


def test_into_refuses_arrays_of_longer_rows(model):
    recommender = model.recommender()
    for name, shapes in (("rows", ((2, 4), (2, 3))), ("scores", ((2, 3), (2, 4)))):
        rows, scores = np.empty(shapes[0], np.int64), np.empty(shapes[1], np.float32)
        with pytest.raises(recore.InvalidArgumentError, match=f"{name}: must have rows of k, 3, got an array of shape"):
            recommender.recommend_into(["u0061", "u0511"], 3, rows, scores)
        with pytest.raises(recore.InvalidArgumentError, match=name):
            recommender.similar_into(["film-001", "film-002"], 3, rows, scores)


def test_a_user_without_rows_is_unknown_to_a_model_of_histories():
    dataset = recore.Dataset.from_columns([1, 1, 2, 2, 3, 3], [10, 11, 10, 12, 11, 12], parts=["train"] * 4 + ["test"] * 2)
    for name in ("itemknn", "ease"):
        model = recore.train(dataset, name)
        assert model.recommender().recommend([1, 3], 3).counts.tolist() == [3, 0], name
        with pytest.raises(recore.UnknownIdError):
            model.recommender(strict=True).recommend([3], 3)
        assert model.recommender().recommend([3], 3, histories=[[10]]).counts.tolist() == [3]


def test_into_by_a_strict_recommender_raises(model):
    strict = model.recommender(strict=True)
    rows, scores, status = buffers(2, 3)
    for given in (None, status):
        with pytest.raises(recore.UnknownIdError, match="'nobody'"):
            strict.recommend_into(["u0061", "nobody"], 3, rows, scores, given)
        with pytest.raises(recore.UnknownIdError):
            strict.similar_into(["no film"], 3, rows, status=given)
        with pytest.raises(recore.UnknownIdError):
            strict.score_into(["nobody"], ["film-001"], scores, given)


READ_ONLY = np.empty((2, 3), np.int64)
READ_ONLY.flags.writeable = False
SMALL, WRONG, STRIDED = np.empty(5, np.int64), np.empty((2, 3), np.int32), np.empty((2, 6), np.int64)[:, ::2]
BAD_BUFFERS = [
    ("rows too short", dict(rows=SMALL), recore.InvalidArgumentError, "rows"),
    ("scores too short", dict(scores=np.empty(5, np.float32)), recore.InvalidArgumentError, "scores"),
    ("status too short", dict(status=np.empty(1, np.int32)), recore.InvalidArgumentError, "status"),
    ("k of 0", dict(k=0), recore.InvalidArgumentError, "k"),
    ("k beyond memory", dict(k=2**62), recore.InvalidArgumentError, "k"),
    ("k of float", dict(k=1.5), TypeError, None),
    ("rows of int32", dict(rows=WRONG), TypeError, None),
    ("scores of float64", dict(scores=np.empty((2, 3))), TypeError, None),
    ("rows read-only", dict(rows=READ_ONLY), (ValueError, BufferError), None),
    ("rows strided", dict(rows=STRIDED), (ValueError, BufferError), None),
    ("rows no buffer", dict(rows=[0] * 6), TypeError, None),
    ("rows not given", dict(rows=None), recore.InvalidArgumentError, "rows"),
]


@pytest.mark.parametrize("name, change, error, argument", BAD_BUFFERS, ids=[row[0] for row in BAD_BUFFERS])
def test_a_buffer_that_does_not_fit_is_refused(model, name, change, error, argument):
    good = dict(zip(("rows", "scores", "status"), buffers(2, 3)))
    with pytest.raises(error) as caught:
        model.recommender().recommend_into(["u0061", "u0511"], **{"k": 3, **good, **change})
    if argument is not None:
        assert caught.value.argument == argument


BAD_K = [(0, recore.InvalidArgumentError), (-1, recore.InvalidArgumentError), (2**40, None), ("3", TypeError),
         (1.5, TypeError)]


@pytest.mark.parametrize("k, error", BAD_K, ids=[str(row[0]) for row in BAD_K])
def test_k_is_checked(model, k, error):
    if error is None:  # a k above the number of items gives all of them
        assert model.recommender().recommend(["u0061"], k=k).items.shape == (1, 400)
        return
    with pytest.raises(error) as caught:
        model.recommender().recommend(["u0061"], k=k)
    if error is recore.InvalidArgumentError:
        assert caught.value.argument == "k" and isinstance(caught.value, ValueError)
    with pytest.raises(recore.InvalidArgumentError):
        model.recommender(max_k=5).recommend(["u0061"], k=6)


def test_no_users_give_an_empty_answer(model):
    for users in ([], np.array([], dtype=np.int64)):
        items, scores = model.recommender().recommend(users, k=3)
        assert items.shape == scores.shape == (0, 3)


def test_int64_ids_come_back_as_int64(grid):
    shift = np.int64(-(2**62))  # negative ids are legal
    model = train_small(recore.Dataset.from_columns(grid[0] + shift, grid[1] - shift))
    items, _ = model.recommender(exclude_seen=True).recommend(model.user_ids(), k=10)
    assert items.dtype == np.int64 and (items == -1).any()
    assert set(items[items != -1]) <= set(grid[1] - shift)
    assert model.item_rows(model.item_ids()).tolist() == list(range(10))


HOSTILE = ["", "a\0b", "a\0c", "a\0", "a", "\0", "42", "user😀", "é", "e\u0301", "\u202eabc", " x ", "\n", "x" * 65536,
           "'\"\\", "\U0010ffff"]


def test_hostile_ids_round_trip(tmp_path):
    other = [b"\xff\xfe", b"\x80", bytes(range(256))]
    ids = [i.encode() for i in HOSTILE] + other
    for given in (HOSTILE + other, ids):
        model = recore.train(recore.Dataset.from_columns(given, given[::-1]), "popularity")
        model.save(tmp_path / "hostile.rec")
        with recore.load(tmp_path / "hostile.rec", ids="bytes") as again:
            assert again.user_ids().tolist() == ids
            assert again.item_ids().tolist() == ids[::-1]
            assert again.user_rows(given).tolist() == list(range(len(ids)))
            items, _ = again.recommender().recommend(given, k=len(ids))
            assert all(sorted(row) == sorted(ids) for row in items.tolist())
            again.ids = "str"
            texts = again.user_ids().tolist()
            assert texts[: len(HOSTILE)] == HOSTILE and all(isinstance(text, str) for text in texts)
            assert again.user_rows(texts).tolist() == list(range(len(ids)))  # surrogate escapes are the same bytes
    with pytest.raises(UnicodeEncodeError):
        model.user_rows(["\ud800"])


def test_hostile_ids_come_in_from_columns_of_any_kind(tmp_path):
    ids = [i.encode() for i in HOSTILE] + [b"\xff\xfe", b"\x80"]
    pairs = [(user, item) for user in ids for item in ids if user != item]  # all but the item with the user's own name
    users, items = map(list, zip(*pairs))
    objects = [np.array(column + [None], object)[:-1] for column in (users, items)]
    arrow = pa.table({"user": pa.array(users, pa.binary()), "item": pa.array(items, pa.large_binary())})
    for dataset in (recore.Dataset.from_columns(users, items), recore.Dataset.from_columns(*objects),
                    recore.Dataset.from_arrow(arrow)):
        recore.train(dataset, "popularity").save(tmp_path / "hostile.rec")
        model = recore.load(tmp_path / "hostile.rec", ids="bytes")
        recommender = model.recommender(exclude_seen=True)
        row, rows = np.empty(2, np.int64), model.item_rows(ids)
        for i, id in enumerate(ids):
            assert recommender.recommend(id, k=3).items.tolist() == [id]
            recommender.recommend_into(id, 2, row)
            assert row.tolist() == [rows[i], -1]
        assert model.user_rows([b"nobody", b"a\0\0", b"\xff"]).tolist() == [-1, -1, -1]


def test_ids_are_given_as_text_or_as_bytes(model):
    with pytest.raises(recore.InvalidArgumentError):
        model.ids = "utf-8"


def test_a_loaded_model_gives_the_same_bits(model, tmp_path):
    path = tmp_path / "m.rec"
    model.save(path)
    users = model.user_ids()
    expected = model.recommender(exclude_seen=True).recommend(users, k=20)
    for loaded in (recore.load(path), recore.load(str(path)), recore.load(bytearray(path.read_bytes()))):
        answer = loaded.recommender(exclude_seen=True).recommend(users, k=20)
        assert answer.scores.tobytes() == expected.scores.tobytes()
        assert (answer.items == expected.items).all()
    model.save(path, user_data=False)
    with pytest.raises(recore.UnsupportedError):
        recore.load(path).recommender(exclude_seen=True)


def test_damaged_and_missing_files_are_told_apart(model, tmp_path):
    path = tmp_path / "m.rec"
    with pytest.raises(recore.NotFoundError) as caught:
        recore.load(path)
    assert isinstance(caught.value, LookupError) and isinstance(caught.value, FileNotFoundError)
    assert caught.value.file == str(path)
    model.save(path)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(recore.CorruptDataError) as caught:
        recore.load(path)
    assert caught.value.byte_offset is not None and caught.value.status == "CORRUPT_DATA"
    again = pickle.loads(pickle.dumps(caught.value))
    assert vars(again) == vars(caught.value) and str(again) == str(caught.value)
    with pytest.raises(recore.InvalidArgumentError, match="it is a folder"):
        model.save(tmp_path)
    assert issubclass(recore.IoError, OSError)
    with pytest.raises(ValueError):
        recore.load("a\0b")


def test_vectors_are_the_models_own_memory(model):
    vectors, again = model.item_vectors, model.item_vectors
    assert vectors.shape == (400, 64) and vectors.dtype == np.float32 and not vectors.flags.writeable
    assert vectors.ctypes.data == again.ctypes.data
    assert np.asarray(model.vectors()).ctypes.data == vectors.ctypes.data  # for numpy before 2.1
    scores = model.recommender().score("u0061", model.item_ids())
    np.testing.assert_allclose(vectors @ model.user_vectors[model.user_rows(["u0061"])[0]], scores, rtol=1e-4, atol=1e-6)
    with pytest.raises(BufferError):
        model.vectors().__dlpack__()
    with pytest.raises(BufferError):
        model.vectors().__dlpack__(max_version=(1, 0), dl_device=(2, 0))


def test_vectors_outlive_their_model(orchard):
    model = train_small(orchard)
    vectors, view, shared = model.item_vectors, np.asarray(model.vectors()), model.vectors("users")
    expected = vectors.copy()
    model.close()
    del model
    assert (vectors == expected).all() and (view == expected).all()
    assert np.asarray(shared).shape == (600, 8)


def test_models_without_vectors_say_so(orchard):
    with pytest.raises(recore.UnsupportedError):
        recore.train(orchard, "ease").item_vectors


def test_an_evaluation_has_means_and_rows(orchard, model):
    report = model.evaluate(orchard, "recall@20,ndcg@20")
    assert list(report) == ["recall@20", "ndcg@20"] and len(report.users) == len(report.values("ndcg@20"))
    assert report["ndcg@20"] == pytest.approx(np.nanmean(report.values("ndcg@20")))
    assert (model.user_rows(report.users) == report.user_rows).all()
    assert dict(report) == {"recall@20": report["recall@20"], "ndcg@20": report["ndcg@20"]}
    sampled = model.evaluate(orchard, "hit@10", rows="event", candidates="uniform", seed=5)
    assert list(sampled) == ["hit@10[uni99]"] and sampled["hit@10"] == sampled["hit@10[uni99]"]
    assert list(model.evaluate(orchard, "hit@10", history="before")) == ["hit@10[before]"]
    assert len(sampled.users) > len(report.users)
    assert dict(model.evaluate(orchard, "recall@20,ndcg@20", threads=1)) == dict(report)
    with pytest.raises(KeyError, match="recall@20"):
        report["recall@5"]
    with pytest.raises(recore.InvalidArgumentError):
        model.evaluate(orchard, "recal@20")
    with pytest.raises(recore.InvalidArgumentError):
        model.evaluate(orchard, part="train")


def test_eight_threads_get_the_single_threaded_answer(model):
    recommender = model.recommender(exclude_seen=True, n_callers=4)
    users = model.user_ids()
    chunks = [users[i::8] for i in range(8)]
    expected = [recommender.recommend(chunk, k=20) for chunk in chunks]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for _ in range(20):
            for answer, alone in zip(pool.map(lambda chunk: recommender.recommend(chunk, k=20), chunks), expected):
                assert answer.scores.tobytes() == alone.scores.tobytes() and (answer.items == alone.items).all()


def test_given_histories_are_seen_among_candidates_too(model):
    history, candidates = ["film-001", "film-002"], ["film-001", "film-002", "film-003"]
    recommender = model.recommender(exclude_seen=True)
    items, _ = recommender.recommend(None, k=3, histories=[history], candidates=candidates)
    assert [item for item in items[0] if item] == ["film-003"]


def test_the_model_of_one_user_answers_no_stranger():
    data = recore.Dataset.from_columns([7] * 6, range(6))
    for name, params in (("bprmf", {"emb_size": 2}), ("itemknn", {}), ("popularity", {})):
        model = recore.train(data, name, epochs=1, patience=0, **params)
        with pytest.raises(recore.NotFoundError):
            model.recommender(strict=True).recommend([12345], k=2)


def test_each_row_of_a_large_request_is_ranked_at_its_own_time(orchard):
    model = train_small(orchard, "slrc_plus", batch_size=512)
    early, late = 4_000, 90_000_000
    recommender = model.recommender(max_k=model.n_items)
    history = ["film-001", "film-002"]
    asked = dict(histories=[history] * 70, history_times=[[3_000, 3_500]] * 70)
    _, scores = recommender.recommend(["u0061"] * 70, k=model.n_items, request_times=[early] * 64 + [late] * 6, **asked)
    one = dict(histories=[history], history_times=[[3_000, 3_500]])
    expected = {time: recommender.recommend(["u0061"], k=model.n_items, request_times=[time], **one).scores[0] for time in (early, late)}
    assert expected[early].tolist() != expected[late].tolist()
    for row, time in ((0, early), (63, early), (64, late), (69, late)):
        assert scores[row].tolist() == expected[time].tolist(), row


def test_a_status_buffer_may_be_longer_than_the_request(model):
    recommender = model.recommender(strict=True)
    status = np.full(4, 5, np.int32)
    rows = np.empty((2, 3), np.int64)
    recommender.recommend_into(["u0061", "u0511"], 3, rows, None, status)
    assert status.tolist() == [0, 0, 5, 5]


def test_one_id_where_a_list_is_due_is_refused_by_name(model):
    recommender = model.recommender()
    for ask in (dict(candidates="film-001"), dict(allow="film-001"), dict(deny="film-001")):
        with pytest.raises(TypeError, match=next(iter(ask))):
            recommender.recommend(["u0061"], k=1, **ask)
    with pytest.raises(recore.InvalidArgumentError, match="rows"):
        model.item_ids([1.7])
