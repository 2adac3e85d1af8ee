from __future__ import annotations

from operator import index
from typing import TYPE_CHECKING, Any, Iterator, Optional, Sequence

import numpy as np

from . import _recore
from ._errors import InvalidArgumentError, UnknownIdError
from ._handle import Handle
from ._ids import Ids, as_ids, flatten, from_raw, is_scalar

if TYPE_CHECKING:
    from ._model import Model


class Recommendations:
    """Items and scores, best first: `items, scores = answer`.

    For n users the arrays are [n, k'] with k' = min(k, n_items). A row with fewer answers is padded: its score is -inf
    there (the sign to look for), its item None, or -1 where ids are int64. `answer.row(i)` is trimmed. For a single
    user both arrays have one dimension and are trimmed.

    Attributes:
        items: ids, int64 or an object array of str or bytes.
        scores: float32, comparable within one row only.
        rows: item rows of the model, -1 = padding.
    """

    __slots__ = ("items", "scores", "rows")

    def __init__(self, items: np.ndarray, scores: np.ndarray, rows: np.ndarray):
        self.items, self.scores, self.rows = items, scores, rows

    @property
    def counts(self) -> Any:
        """[n] answers in each row; 0 for an unknown user."""
        return (self.rows >= 0).sum(axis=-1)

    def __iter__(self) -> Iterator[np.ndarray]:
        return iter((self.items, self.scores))

    def row(self, user: int) -> tuple[np.ndarray, np.ndarray]:
        """Items and scores of one of the users, trimmed."""
        n = (self.rows[user] >= 0).sum()
        return self.items[user, :n], self.scores[user, :n]

    def __repr__(self) -> str:
        return f"Recommendations(items={self.items!r}, scores={self.scores!r})"


class Recommender(Handle):
    """A model made ready to answer, from Model.recommender(), for as long as that is open.

    Any number of threads may ask at once.
    """

    def __init__(self, raw: Any, model: Model, strict: bool):
        super().__init__(raw, _recore.rec_recommender_destroy)
        self.model = model
        self.strict = strict
        self._n_items = model.n_items

    def recommend(self, users: Any = None, k: int = 10, *, histories: Optional[Sequence[Ids]] = None,
                  candidates: Any = None, allow: Optional[Ids] = None, deny: Optional[Ids] = None) -> Recommendations:
        """The k best items of each user.

        Args:
            users: [n] ids, or a single one; None when histories are given.
            k: 1 .. max_k; more than there are items gives all of them.
            histories: n lists of item ids, instead of what the model file knows.
            candidates: rank only these: a list of ids for everybody, or n lists.
            allow, deny: item ids that alone may, or that may not, be returned.
        Returns:
            Recommendations, which unpack to items [n, k'] and scores [n, k'].
        Raises:
            InvalidArgumentError (k < 1, k > max_k), UnknownIdError (strict, and a user is unknown without a history).
        """
        k = index(k)
        single, users, n = self._who(users, histories)
        wanted = min(k, self._n_items) if k >= 1 else 1
        rows = np.empty((n, wanted), np.int64)
        scores = np.empty((n, wanted), np.float32)
        self._top_k(users, n, wanted if k >= 1 else k, rows, scores, None, histories, candidates, allow, deny)
        return self._answer(rows, scores, single)

    def recommend_into(self, users: Any, k: int, rows: Any, scores: Any = None, status: Any = None, *,
                       histories: Optional[Sequence[Ids]] = None, candidates: Any = None, allow: Optional[Ids] = None,
                       deny: Optional[Ids] = None) -> None:
        """recommend() into memory of the caller's, which is the fast path: writable contiguous arrays, or other buffers.

        Args:
            users: as in recommend(); fastest as an int64 array.
            rows: int64 [n, k], item rows of the model, -1 where there are fewer; model.item_ids(rows) gives the ids.
            scores: float32 [n, k], -inf where there are fewer.
            status: int32 [n], 0 or, for an unknown user without a history, NotFoundError's code.
        Raises:
            InvalidArgumentError (k < 1, k > max_k, a buffer that is too short), UnknownIdError (strict), TypeError (a
            buffer of another type), BufferError or ValueError (one that is read-only or not contiguous).
        """
        _, users, n = self._who(users, histories)
        self._top_k(users, n, index(k), rows, scores, status, histories, candidates, allow, deny)

    def _top_k(self, users: Any, n: int, k: int, rows: Any, scores: Any, status: Any,
               histories: Optional[Sequence[Ids]], candidates: Any, allow: Optional[Ids], deny: Optional[Ids]) -> None:
        if status is None and self.strict:
            status = np.empty(n, np.int32)
        try:
            if histories is None and candidates is None and allow is None and deny is None:
                _recore.rec_flat_recommend(self._handle, k, users, rows, scores, status)
            else:
                history, history_offsets = flatten(histories, n, "histories") if histories is not None else (None, None)
                pool, pool_offsets = _candidates(candidates, n)
                _recore.rec_flat_top_k(
                    self._handle, k, users, history, history_offsets, None, None, pool, pool_offsets,
                    self._bits(allow), self._bits(deny), rows, scores, status)
        except InvalidArgumentError:
            _check_room(rows=(rows, n * k), scores=(scores, n * k), status=(status, n))
            raise
        if self.strict:
            _raise_unknown(users, status, "users")

    def similar(self, items: Any, k: int = 10) -> Recommendations:
        """The k items most like each given one, itself left out; shapes as in recommend().

        Raises:
            UnsupportedError (a model that cannot tell), UnknownIdError (strict).
        """
        k = index(k)
        single = is_scalar(items)
        items = [items] if single else as_ids(items, "items")
        n, wanted = len(items), min(k, self._n_items) if k >= 1 else 1
        rows = np.empty((n, wanted), np.int64)
        scores = np.empty((n, wanted), np.float32)
        self._similar(items, wanted if k >= 1 else k, rows, scores, None)
        return self._answer(rows, scores, single)

    def similar_into(self, items: Any, k: int, rows: Any, scores: Any = None, status: Any = None) -> None:
        """similar() into memory of the caller's; buffers and errors as in recommend_into()."""
        self._similar([items] if is_scalar(items) else as_ids(items, "items"), index(k), rows, scores, status)

    def _similar(self, items: Any, k: int, rows: Any, scores: Any, status: Any) -> None:
        n = len(items)
        if status is None and self.strict:
            status = np.empty(n, np.int32)
        try:
            _recore.rec_flat_similar_items(self._handle, items, k, rows, scores, status)
        except InvalidArgumentError:
            _check_room(rows=(rows, n * k), scores=(scores, n * k), status=(status, n))
            raise
        if self.strict:
            _raise_unknown(items, status, "items")

    def score(self, users: Any, candidates: Any, *, histories: Optional[Sequence[Ids]] = None) -> Any:
        """Scores of candidates, in the order given; -inf for an unknown item or user.

        Returns:
            float32 [n, n_candidates] for one list of candidates, a list of n arrays for n lists; for a single user, its
            row.
        """
        single, users, n = self._who(users, histories)
        pool, pool_offsets = _candidates(candidates, n)
        scores = np.empty(n * len(pool) if pool_offsets is None else len(pool), np.float32)
        self._score(users, n, pool, pool_offsets, scores, None, histories)
        if pool_offsets is None:
            return scores if single else scores.reshape(n, len(pool))
        parts = np.split(scores, pool_offsets[1:-1]) if n > 0 else []
        return parts[0] if single else parts

    def score_into(self, users: Any, candidates: Any, scores: Any, status: Any = None, *,
                   histories: Optional[Sequence[Ids]] = None) -> None:
        """score() into memory of the caller's: scores is float32, one for each candidate of each user, in the order
        given; status and errors as in recommend_into()."""
        _, users, n = self._who(users, histories)
        pool, pool_offsets = _candidates(candidates, n)
        self._score(users, n, pool, pool_offsets, scores, status, histories)

    def _score(self, users: Any, n: int, pool: Any, pool_offsets: Any, scores: Any, status: Any,
               histories: Optional[Sequence[Ids]]) -> None:
        if status is None and self.strict:
            status = np.empty(n, np.int32)
        history, history_offsets = flatten(histories, n, "histories") if histories is not None else (None, None)
        try:
            _recore.rec_flat_score(self._handle, users, history, history_offsets, None, None, pool, pool_offsets, scores,
                                   status)
        except InvalidArgumentError:
            _check_room(scores=(scores, len(pool) * (n if pool_offsets is None else 1)), status=(status, n))
            raise
        if self.strict:
            _raise_unknown(users, status, "users")

    def titles(self, items: Ids) -> np.ndarray:
        """Titles [n] of items, "" where there is none."""
        return self.model.titles(items)

    def _who(self, users: Any, histories: Optional[Sequence[Ids]]) -> tuple[bool, Any, int]:
        if users is None:
            if histories is None:
                raise TypeError("users: must be given, unless histories are")
            n = len(histories)
            return False, (..., np.full(n, -1, np.int64)), n
        if type(users) is not np.ndarray and is_scalar(users):
            return True, [users], 1
        users = as_ids(users, "users")
        return False, users, len(users)

    def _bits(self, items: Optional[Ids]) -> Optional[np.ndarray]:
        if items is None:
            return None
        marks = np.zeros(self._n_items, np.bool_)
        rows = self.model.item_rows(items)
        marks[rows[rows >= 0]] = True
        return np.packbits(marks, bitorder="little")

    def _answer(self, rows: np.ndarray, scores: np.ndarray, single: bool) -> Recommendations:
        model = self.model
        flat = rows.reshape(-1)
        items = from_raw(_recore.rec_model_item_ids(model._handle, flat, model._as_text))
        n = flat.size
        if n > 0 and flat.min() < 0:
            there = flat >= 0
            n = int(there.sum())
            items[~there] = -1 if items.dtype == np.int64 else None
        if not single:
            return Recommendations(items.reshape(rows.shape), scores, rows)
        return Recommendations(items[:n], scores[0, :n], flat[:n])


def _candidates(candidates: Any, n: int) -> tuple[Any, Optional[np.ndarray]]:
    if candidates is None:
        return None, None
    if not isinstance(candidates, np.ndarray) or candidates.ndim == 2 or candidates.dtype == object:
        candidates = list(candidates)
        if candidates and not is_scalar(candidates[0]):
            return flatten(candidates, n, "candidates")
    return as_ids(candidates, "candidates"), None


def _check_room(**buffers: tuple[Any, int]) -> None:
    for name, (buffer, wanted) in buffers.items():
        if buffer is not None and (room := memoryview(buffer).nbytes // memoryview(buffer).itemsize) < wanted:
            raise InvalidArgumentError(f"{name}: must have room for {wanted}, has {room}", argument=name)


def _raise_unknown(ids: Any, status: Any, name: str) -> None:
    unknown = np.flatnonzero(np.frombuffer(status, np.int32))
    if not unknown.size:
        return
    row = int(unknown[0])
    who = "it" if isinstance(ids, tuple) else repr(ids[row])
    raise UnknownIdError(f"{name}: row {row}: {who} is unknown to the model", argument=name)
