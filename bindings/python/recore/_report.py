from __future__ import annotations

from typing import Any, Iterator, Mapping, NamedTuple, Optional, Sequence, ValuesView, overload

import numpy as np
from numpy.typing import NDArray

from . import _raw, _recore
from ._columns import Numbers
from ._errors import InvalidArgumentError
from ._handle import Metrics, choice, names, options
from ._id_maps import IdMaps
from ._ids import Ids, flatten


class RankedList(NamedTuple):
    """What a row of an evaluation ranked, best first."""

    items: NDArray[Any]
    scores: NDArray[np.float32]
    relevant: NDArray[np.bool_]  # whether the row should have had the item


class Report(Mapping[str, float]):
    """Means of an evaluation by metric name, with the value of every row.

    Attributes:
        users: [n_rows] ids of the users of the rows, None for one that the model does not know; of evaluate_lists, the
            numbers of the rows.
        standard_errors: by full name, how much a mean would vary with other users, in one standard deviation; NaN for one
            user, and for auc, rmse and f1_score.
        user_rows: [n_rows] int64, their rows in the model; -1 = unknown to it.
        interactions: [n_rows] int64, the row of the data set that each row is, or begins with.
        lists: [n_rows] what each ranked, with evaluate(keep_lists=...); else empty.
    """

    def __init__(self, raw: _recore.ReportHandle, model: Optional[IdMaps], keeps_lists: bool = False) -> None:
        try:
            n_metrics, n_rows = _recore.rec_report_counts(raw)
            metrics = [_recore.rec_report_get_metric(raw, i) for i in range(n_metrics)]
            self._means: dict[str, float] = dict(metrics)
            self.standard_errors = {name: _recore.rec_report_get_standard_error(raw, i) for i, name in enumerate(self._means)}
            self._values = np.empty((n_metrics, n_rows))
            self.user_rows = np.empty(n_rows, np.int64)
            self.interactions = np.empty(n_rows, np.int64)
            _recore.rec_flat_report_rows(raw, self._values, self.user_rows, self.interactions)
            self.lists = self._kept_lists(raw, model) if model is not None and keeps_lists else []
        finally:
            _recore.rec_report_destroy(raw)
        self.users: NDArray[Any] = self.user_rows if model is None else model.user_ids(self.user_rows)
        if (unknown := self.user_rows < 0).any():
            self.users = self.users.astype(object)
            self.users[unknown] = None

    def _kept_lists(self, raw: _recore.ReportHandle, model: IdMaps) -> list[RankedList]:
        offsets = np.empty(len(self.user_rows) + 1, np.int64)
        _recore.rec_flat_report_offsets(raw, offsets)
        items, scores = np.empty(offsets[-1], np.int64), np.empty(offsets[-1], np.float32)
        relevant = np.empty(offsets[-1], np.int32)
        _recore.rec_flat_report_lists(raw, items, scores, relevant)
        ids, is_relevant = model.item_ids(items), relevant.astype(np.bool_)
        return [RankedList(ids[a:b], scores[a:b], is_relevant[a:b]) for a, b in zip(offsets[:-1], offsets[1:])]

    @overload
    def values(self) -> ValuesView[float]: ...
    @overload
    def values(self, metric: str) -> NDArray[np.float64]: ...

    def values(self, metric: Optional[str] = None) -> Any:
        """[n_rows] float64 of one metric, NaN where it is undefined; without a name, the means as of any mapping."""
        if metric is None:
            return super().values()
        return self._values[list(self._means).index(self._known(metric))]

    def __getitem__(self, metric: str) -> float:
        return self._means[self._known(metric)]

    def _known(self, metric: str) -> str:
        if metric in self._means:
            return metric
        # A protocol adds its name, as in "hit@10[uni99]".
        named = [name for name in self._means if name.split("[")[0] == metric]
        if len(named) == 1:
            return named[0]
        raise KeyError(f"{metric!r} was not measured; there are {', '.join(self._means)}")

    def __iter__(self) -> Iterator[str]:
        return iter(self._means)

    def __len__(self) -> int:
        return len(self._means)

    def __repr__(self) -> str:
        means = ", ".join(f"{name}={mean:.4f}" for name, mean in self._means.items())
        return f"<recore.Report: {means} over {len(self.user_rows)} rows>"


_ROWS = {
    "user": _recore.REC_ROWS_USER,
    "event": _recore.REC_ROWS_EVENT,
    "list": _recore.REC_ROWS_LIST,
    "label": _recore.REC_ROWS_LABEL,
}
_CANDIDATES = {
    "full": _recore.REC_CANDIDATES_FULL,
    "given": _recore.REC_CANDIDATES_GIVEN,
    "uniform": _recore.REC_CANDIDATES_UNIFORM,
    "popular": _recore.REC_CANDIDATES_POPULAR,
}
_MASKS = {"known": _recore.REC_MASK_KNOWN, "none": _recore.REC_MASK_NONE, "train": _recore.REC_MASK_TRAIN}
_TIES = {"lower_row": _recore.REC_TIES_LOWER_ROW, "against_target": _recore.REC_TIES_AGAINST_TARGET}
_HISTORIES = {
    "default": _recore.REC_HISTORY_DEFAULT,
    "training": _recore.REC_HISTORY_TRAINING,
    "before": _recore.REC_HISTORY_BEFORE,
}
_PARTS = {"valid": _recore.REC_PART_VALID, "test": _recore.REC_PART_TEST}


def protocol(part: str = "test", rows: str = "user", candidates: str = "full", mask: str = "known",
             ties: str = "lower_row", n_candidates: int = 0, seed: int = 0, max_pos: int = 0,
             max_neg: int = 0, history: str = "default", skip_first: bool = False, n_users: int = 0,
             keep_lists: int = 0) -> _raw.rec_protocol_t:
    """The protocol of an evaluation in the raw layer's form; see Model.evaluate."""
    return options(
        _raw.rec_protocol_t, part=choice("part", part, _PARTS), rows=choice("rows", rows, _ROWS),
        candidates=choice("candidates", candidates, _CANDIDATES), mask=choice("mask", mask, _MASKS),
        ties=choice("ties", ties, _TIES), n_candidates=n_candidates, seed=seed, max_pos=max_pos,
        max_neg=max_neg, history=choice("history", history, _HISTORIES), skip_first=int(skip_first), n_users=n_users,
        keep_lists=keep_lists)


def evaluate_lists(ranked: Sequence[Ids], truth: Sequence[Ids], metrics: Metrics = "recall@20,ndcg@20", *,
                   gains: Optional[Sequence[Numbers]] = None) -> Report:
    """Measures ranked lists from anywhere, without a model.

    Args:
        ranked: a list of item ids for each row, best first, no id twice. The padding of recommend()'s short rows is cut off.
        truth: the relevant items of each row. Ids are only compared with each other; a number and its text are the same id.
        metrics: recall, precision, ndcg, map, mrr, hit, f1, rbp and spark.* at k; in one text with commas, or as a list.
        gains: for each row, how relevant each item of truth is, for ndcg: the gain itself is discounted, so give
            2**relevance - 1 where that is wanted. An item of gain 0 is not relevant.
    Raises:
        InvalidArgumentError (lengths that differ, a metric that lists do not give), InvalidDataError (no rows, an item twice
        in a list, a gain below 0).
    """
    ranked_ids, ranked_offsets = flatten([_without_padding(row) for row in ranked], len(ranked), "ranked")
    truth_ids, truth_offsets = flatten(truth, len(truth), "truth")
    flat_gains = None
    if gains is not None:
        rows = [np.asarray(row, dtype=np.float32) for row in gains]
        if [len(row) for row in rows] != np.diff(truth_offsets).tolist():
            raise InvalidArgumentError("gains: must be one for each item of truth, row by row", argument="gains")
        flat_gains = np.concatenate(rows) if rows else np.empty(0, np.float32)
    return Report(_recore.rec_flat_lists_evaluate(ranked_ids, ranked_offsets, truth_ids, truth_offsets, flat_gains,
                                                  names(metrics) or ""), None)


def _without_padding(row: Any) -> Any:
    """A row of recommend() ends in None, or in -1 where ids are int64; an id twice would be an error in any case."""
    if not isinstance(row, np.ndarray) or row.ndim != 1:
        return row
    padded = row == -1 if row.dtype.kind == "i" else np.array([id is None for id in row], np.bool_)
    n = len(row) - int(np.argmin(padded[::-1])) if not padded.all() else 0
    return row[:n] if len(row) - n != 1 or row.dtype.kind != "i" else row
