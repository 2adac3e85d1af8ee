"""The types of the package as its users see them. mypy --strict reads this; nothing runs it."""

import copy
import threading
from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray

import recore


def data(frame: Any, table: Any) -> None:
    with recore.Dataset.load("x.csv", user="u", min_weight=3, cancel=threading.Event()) as dataset:
        assert_type(dataset, recore.Dataset)
        assert_type(dataset.closed, bool)
    assert_type(recore.Dataset.from_columns([1, 2], ["a", "b"], times=[1, 2], parts=["train", "test"]), recore.Dataset)
    assert_type(recore.Dataset.from_columns(np.arange(2), [b"a", b"b"], weights=np.ones(2), titles={"a": "A"}), recore.Dataset)
    assert_type(recore.Dataset.from_pandas(frame, user="u", item="i"), recore.Dataset)
    assert_type(recore.Dataset.from_arrow(table, user="u", item="i"), recore.Dataset)
    assert_type(dataset.split("leave_one_out", ratio=(0.8, 0.1, 0.1), seed=3), recore.Dataset)
    assert_type(dataset.describe(), dict[str, Any])


def training(dataset: recore.Dataset) -> recore.Model:
    def on_epoch(event: recore.Event) -> bool:
        assert_type(event.metrics["ndcg@20"], float)
        return event.epoch < 3

    events: list[recore.Event] = []
    with recore.Trainer(dataset, "bprmf", {"epochs": 3}, protocol={"rows": "event"}) as trainer:
        assert_type(trainer.run(on_epoch, events.append, threading.Event()), bool)
        assert_type(trainer.model("last"), recore.Model)
    assert_type(recore.flush_log(), int)
    assert_type(recore.plugins()[0], dict[str, Any])
    return recore.train(dataset, "bprmf", on_epoch=lambda event: event.epoch < 3, epochs=3, emb_size=8)


def models(model: recore.Model, dataset: recore.Dataset) -> None:
    assert_type(recore.load("m.rec", ids="bytes"), recore.Model)
    assert_type(recore.load(bytearray()), recore.Model)
    assert_type(model.n_users, int)
    assert_type(model.item_ids(), NDArray[Any])
    assert_type(model.user_rows(["a"]), NDArray[np.int64])
    assert_type(model.item_vectors, NDArray[np.float32])
    report = model.evaluate(dataset, "ndcg@20", rows="event", threads=2, isolation="process", cancel=threading.Event())
    assert_type(report["ndcg@20"], float)
    assert_type(report.values("ndcg@20"), NDArray[np.float64])
    assert_type(report.users, NDArray[Any])
    model.evaluate(dataset, ["ndcg@20", "auc"])
    assert_type(copy.copy(model), recore.Model)


def serving(model: recore.Model) -> None:
    with model.recommender(exclude_seen=True) as recommender:
        assert_type(recommender, recore.Recommender)
    answer = recommender.recommend(["a", "b"], k=3, histories=[["x"], []], request_times=[1, 2], deny=np.arange(3))
    assert_type(answer, recore.Recommendations)
    assert_type(answer.scores, NDArray[np.float32])
    assert_type(answer.row(0), tuple[NDArray[Any], NDArray[np.float32]])
    recommender.recommend(["a", "b"], allow=[["x"], ["y", "z"]], deny=[["x"], []])
    rows, scores, status = np.empty((2, 3), np.int64), np.empty((2, 3), np.float32), np.empty(2, np.int32)
    recommender.recommend_into(np.array([1, 2]), 3, rows, scores, status)
    recommender.recommend_into(None, 3, memoryview(bytearray(48)).cast("q"), histories=[[1], [2]])
    recommender.similar_into("a", 3, rows)
    recommender.score_into([1, 2], [3, 4, 5], scores)
    assert_type(recommender.similar("a"), recore.Recommendations)
    assert_type(recommender.score("a", ["x", "y"]), NDArray[np.float32])
    assert_type(recommender.score(["a", "b"], ["x", "y"]), NDArray[np.float32])
    assert_type(recommender.score(["a", "b"], [["x"], ["y", "z"]]), list[NDArray[np.float32]])
    assert_type(recommender.titles(["x"]), NDArray[Any])


def failures() -> None:
    try:
        recore.load("m.rec")
    except recore.MissingFileError as error:
        assert_type(error.line, int | None)
        assert_type(error.status, str)
