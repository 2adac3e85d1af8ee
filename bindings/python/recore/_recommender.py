from __future__ import annotations

from copy import copy
from operator import index
from typing import Any, Iterator, Optional, Sequence, Union, overload

import numpy as np
from numpy.typing import NDArray

from . import _recore
from ._columns import Buffer, Times, column, seconds
from ._errors import ClosedError, InvalidArgumentError, UnknownIdError
from ._handle import Handle
from ._id_maps import IdMaps
from ._ids import Id, Ids, as_ids, flatten, from_raw, is_scalar

Candidates = Union[Ids, Sequence[Ids]]


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

    def __init__(self, items: NDArray[Any], scores: NDArray[np.float32], rows: NDArray[np.int64]) -> None:
        self.items, self.scores, self.rows = items, scores, rows

    @property
    def counts(self) -> Any:
        """[n] answers in each row, 0 for an unknown user; a single number for a single user."""
        return (self.rows >= 0).sum(axis=-1)

    def __iter__(self) -> Iterator[NDArray[Any]]:
        return iter((self.items, self.scores))

    def row(self, user: int) -> tuple[NDArray[Any], NDArray[np.float32]]:
        """Items and scores of one of the users, trimmed."""
        n = (self.rows[user] >= 0).sum()
        return self.items[user, :n], self.scores[user, :n]

    def __repr__(self) -> str:
        return f"Recommendations(items={self.items!r}, scores={self.scores!r})"


class Recommender(Handle["_recore.RecommenderHandle"]):
    """A model prepared to answer requests, from Model.recommender(); the model may be closed before it.

    Any number of threads may ask at once.
    """

    def __init__(self, raw: _recore.RecommenderHandle, model: IdMaps, strict: bool) -> None:
        super().__init__(raw, _recore.rec_recommender_destroy)
        self._maps: Optional[IdMaps] = copy(model)
        self.strict = strict
        self._n_items = model.n_items

    def close(self) -> None:
        super().close()
        self._maps = None

    def __deepcopy__(self, memo: Any) -> Recommender:
        return copy(self)

    @property
    def _model(self) -> IdMaps:
        """What turns rows into ids, also when the caller's model is closed."""
        maps = self._maps
        if maps is None:
            raise ClosedError("Recommender: used after close()")
        return maps

    def _text(self) -> str:
        self._handle
        return f" of{self._model._text()}"

    def recommend(self, users: Union[Id, Ids, None] = None, k: int = 10, *, histories: Optional[Sequence[Ids]] = None,
                  history_times: Optional[Sequence[Times]] = None, request_times: Optional[Times] = None,
                  candidates: Optional[Candidates] = None, allow: Optional[Candidates] = None,
                  deny: Optional[Candidates] = None) -> Recommendations:
        """The k best items of each user.

        Args:
            users: [n] ids, or a single one; None when histories are given.
            k: 1 .. max_k; a k above the number of items gives all of them.
            histories: n lists of item ids; one that is not empty replaces what the model file knows.
            history_times: n lists with a time for each item of the histories, for models that use times.
            request_times: [n] times of the requests, likewise. Times are UTC epoch seconds or datetime64.
            candidates: rank only these: one list of ids for all users, or n lists.
            allow, deny: item ids that alone may be returned; item ids that may not: one list for all users, or n lists,
                which take a call of the library for each user.
        Returns:
            Recommendations, which unpack to items [n, k'] and scores [n, k'].
        Raises:
            InvalidArgumentError (k < 1, k > max_k), UnknownIdError (strict, and a user is unknown without a history).
        """
        k = index(k)
        single, asking, n = self._who(users, histories)
        wanted = min(k, self._n_items) if k >= 1 else 1
        rows = np.empty((n, wanted), np.int64)
        scores = np.empty((n, wanted), np.float32)
        self._top_k(asking, n, wanted if k >= 1 else k, rows, scores, None, histories, history_times, request_times,
                    candidates, allow, deny)
        return self._answer(rows, scores, single)

    def recommend_into(self, users: Union[Id, Ids, None], k: int, rows: Buffer, scores: Optional[Buffer] = None,
                       status: Optional[Buffer] = None, *, histories: Optional[Sequence[Ids]] = None,
                       history_times: Optional[Sequence[Times]] = None, request_times: Optional[Times] = None,
                       candidates: Optional[Candidates] = None, allow: Optional[Candidates] = None,
                       deny: Optional[Candidates] = None) -> None:
        """recommend() into the caller's memory, the fast path: writable contiguous arrays, or other buffers.

        Args:
            users: as in recommend(); fastest as an int64 array.
            rows: int64 [n, k], item rows of the model, -1 where there are fewer; model.item_ids(rows) gives the ids.
            scores: float32 [n, k], -inf where there are fewer.
            status: int32 [n], 0 or, for an unknown user without a history, NotFoundError's code.
        Raises:
            InvalidArgumentError (k < 1, k > max_k, a buffer that is too short), UnknownIdError (strict), TypeError (a
            buffer of the wrong type), BufferError or ValueError (one that is read-only or not contiguous).
        """
        _, asking, n = self._who(users, histories)
        _check_rows(index(k), rows=rows, scores=scores)
        self._top_k(asking, n, index(k), rows, scores, status, histories, history_times, request_times, candidates, allow,
                    deny)

    def _top_k(self, users: Any, n: int, k: int, rows: Buffer, scores: Optional[Buffer], status: Optional[Buffer],
               histories: Optional[Sequence[Ids]], history_times: Optional[Sequence[Times]],
               request_times: Optional[Times], candidates: Optional[Candidates], allow: Optional[Candidates],
               deny: Optional[Candidates]) -> None:
        if status is None and self.strict:
            status = np.empty(n, np.int32)
        allows, denies = _lists(allow, n, "allow"), _lists(deny, n, "deny")
        if allows is None and denies is None:
            self._rank(users, n, k, rows, scores, status, histories, history_times, request_times, candidates, allow, deny)
        else:  # the library filters all users of a request alike
            each = _lists(candidates, n, "candidates")
            for i in range(n):
                self._rank(
                    _one(users, i), 1, k, _slice(rows, i, k), _slice(scores, i, k), _slice(status, i, 1),
                    None if histories is None else [histories[i]], None if history_times is None else [history_times[i]],
                    None if request_times is None else np.asarray(request_times)[i:i + 1],
                    candidates if each is None else [each[i]], allow if allows is None else allows[i],
                    deny if denies is None else denies[i])
        if status is not None and self.strict:
            _raise_unknown(users, status, n, "users")

    def _rank(self, users: Any, n: int, k: int, rows: Buffer, scores: Optional[Buffer], status: Optional[Buffer],
              histories: Optional[Sequence[Ids]], history_times: Optional[Sequence[Times]],
              request_times: Optional[Times], candidates: Optional[Candidates], allow: Any, deny: Any) -> None:
        if histories is candidates is allow is deny is history_times is request_times is None:
            _recore.rec_flat_recommend(self._handle, k, users, rows, scores, status)
        else:
            _recore.rec_flat_top_k(
                self._handle, k, users, *_histories(histories, history_times, n), _moments(request_times),
                *_candidates(candidates, n), self._bits(allow, "allow"), self._bits(deny, "deny"), rows, scores, status)

    def similar(self, items: Union[Id, Ids], k: int = 10, *, allow: Optional[Ids] = None,
                deny: Optional[Ids] = None) -> Recommendations:
        """The k items most similar to each given one, itself left out; shapes as in recommend().

        Args:
            allow, deny: item ids that alone may be returned; item ids that may not.
        Raises:
            UnsupportedError (a model without item similarities), UnknownIdError (strict).
        """
        return self._neighbours(False, items, k, allow, deny)

    def similar_users(self, users: Union[Id, Ids], k: int = 10, *, allow: Optional[Ids] = None,
                      deny: Optional[Ids] = None) -> Recommendations:
        """The k users most similar to each given one, itself left out: their ids are `items` of the answer, and `rows` are
        user rows of the model.

        Args:
            allow, deny: user ids that alone may be returned; user ids that may not.
        Raises:
            UnsupportedError (a model without user vectors), UnknownIdError (strict).
        """
        return self._neighbours(True, users, k, allow, deny)

    def similar_into(self, items: Union[Id, Ids], k: int, rows: Buffer, scores: Optional[Buffer] = None,
                     status: Optional[Buffer] = None, *, allow: Optional[Ids] = None, deny: Optional[Ids] = None) -> None:
        """similar() into the caller's memory; buffers and errors as in recommend_into()."""
        _check_rows(index(k), rows=rows, scores=scores)
        self._similar(False, _one_or_more(items, "items")[0], index(k), rows, scores, status, allow, deny)

    def _neighbours(self, of_users: bool, ids: Union[Id, Ids], k: int, allow: Optional[Ids],
                    deny: Optional[Ids]) -> Recommendations:
        k = index(k)
        given, single = _one_or_more(ids, "users" if of_users else "items")
        n, wanted = len(given), min(k, self._model.n_users if of_users else self._n_items) if k >= 1 else 1
        rows = np.empty((n, wanted), np.int64)
        scores = np.empty((n, wanted), np.float32)
        self._similar(of_users, given, wanted if k >= 1 else k, rows, scores, None, allow, deny)
        return self._answer(rows, scores, single, of_users)

    def _similar(self, of_users: bool, given: Any, k: int, rows: Buffer, scores: Optional[Buffer],
                 status: Optional[Buffer], allow: Optional[Ids], deny: Optional[Ids]) -> None:
        n = len(given)
        if status is None and self.strict:
            status = np.empty(n, np.int32)
        _recore.rec_flat_similar(self._handle, of_users, given, k, self._bits(allow, "allow", of_users),
                                 self._bits(deny, "deny", of_users), rows, scores, status)
        if status is not None and self.strict:
            _raise_unknown(given, status, n, "users" if of_users else "items")

    # A str is both an id and a sequence of str; it is taken as an id.
    @overload
    def score(self, users: Id, candidates: Candidates, *, histories: Optional[Sequence[Ids]] = None,  # type: ignore[overload-overlap]
              history_times: Optional[Sequence[Times]] = None, request_times: Optional[Times] = None) -> NDArray[np.float32]: ...
    @overload
    def score(self, users: Optional[Ids], candidates: Ids, *, histories: Optional[Sequence[Ids]] = None,  # type: ignore[overload-overlap]
              history_times: Optional[Sequence[Times]] = None, request_times: Optional[Times] = None) -> NDArray[np.float32]: ...
    @overload
    def score(self, users: Optional[Ids], candidates: Sequence[Ids], *, histories: Optional[Sequence[Ids]] = None,
              history_times: Optional[Sequence[Times]] = None, request_times: Optional[Times] = None) -> list[NDArray[np.float32]]: ...

    def score(self, users: Union[Id, Ids, None], candidates: Candidates, *, histories: Optional[Sequence[Ids]] = None,
              history_times: Optional[Sequence[Times]] = None,
              request_times: Optional[Times] = None) -> Union[NDArray[np.float32], list[NDArray[np.float32]]]:
        """Scores of candidates, in the order given; -inf for an unknown item or user.

        Returns:
            float32 [n, n_candidates] for one list of candidates, a list of n arrays for n lists; for a single user, its
            row.
        """
        single, asking, n = self._who(users, histories)
        pool, offsets = _candidates(candidates, n)
        scores = np.empty(n * len(pool) if offsets is None else len(pool), np.float32)
        self._score(asking, n, pool, offsets, scores, None, histories, history_times, request_times)
        if offsets is None:
            return scores if single else scores.reshape(n, len(pool))
        parts = np.split(scores, offsets[1:-1]) if n > 0 else []
        return parts[0] if single else parts

    def score_into(self, users: Union[Id, Ids, None], candidates: Candidates, scores: Buffer,
                   status: Optional[Buffer] = None, *, histories: Optional[Sequence[Ids]] = None,
                   history_times: Optional[Sequence[Times]] = None, request_times: Optional[Times] = None) -> None:
        """score() into the caller's memory: scores is float32, one for each candidate of each user, in the order
        given; status and errors as in recommend_into()."""
        _, asking, n = self._who(users, histories)
        pool, offsets = _candidates(candidates, n)
        self._score(asking, n, pool, offsets, scores, status, histories, history_times, request_times)

    def _score(self, users: Any, n: int, pool: Any, offsets: Optional[NDArray[np.int64]], scores: Buffer,
               status: Optional[Buffer], histories: Optional[Sequence[Ids]], history_times: Optional[Sequence[Times]],
               request_times: Optional[Times]) -> None:
        if status is None and self.strict:
            status = np.empty(n, np.int32)
        _recore.rec_flat_score(self._handle, users, *_histories(histories, history_times, n), _moments(request_times),
                               pool, offsets, scores, status)
        if status is not None and self.strict:
            _raise_unknown(users, status, n, "users")

    def titles(self, items: Ids) -> NDArray[Any]:
        """Titles [n] of items, "" where there is none."""
        return self._model.titles(items)

    def _who(self, users: Union[Id, Ids, None], histories: Optional[Sequence[Ids]]) -> tuple[bool, Any, int]:
        if users is None:
            if histories is None:
                raise TypeError("users: must be given, unless histories are")
            n = len(histories)
            return False, (..., np.full(n, -1, np.int64)), n
        if type(users) is not np.ndarray and is_scalar(users):
            return True, [users], 1
        ids = as_ids(users, "users")
        return False, ids, len(ids)

    def _bits(self, ids: Optional[Ids], name: str, of_users: bool = False) -> Optional[NDArray[np.uint8]]:
        if ids is None:
            return None
        model, given = self._model, as_ids(ids, name)
        marks = np.zeros(model.n_users if of_users else self._n_items, np.bool_)
        rows = model.user_rows(given) if of_users else model.item_rows(given)
        marks[rows[rows >= 0]] = True
        return np.packbits(marks, bitorder="little")

    def _answer(self, rows: NDArray[np.int64], scores: NDArray[np.float32], single: bool,
                of_users: bool = False) -> Recommendations:
        flat = rows.reshape(-1)
        items = self._model.user_ids(flat) if of_users else self._model.item_ids(flat)
        n = flat.size
        if n > 0 and flat.min() < 0:
            there = flat >= 0
            n = int(there.sum())
            items[~there] = -1 if items.dtype == np.int64 else None
        if not single:
            return Recommendations(items.reshape(rows.shape), scores, rows)
        return Recommendations(items[:n], scores[0, :n], flat[:n])


def _one_or_more(ids: Union[Id, Ids], name: str) -> tuple[Any, bool]:
    return ([ids], True) if is_scalar(ids) else (as_ids(ids, name), False)


def _histories(histories: Optional[Sequence[Ids]], times: Optional[Sequence[Times]], n: int) -> tuple[Any, Any, Any]:
    """Items, offsets and times of n histories, all in one list."""
    if histories is None:
        if times is not None:
            raise InvalidArgumentError("history_times: must come with histories", argument="history_times")
        return None, None, None
    items, offsets = flatten(histories, n, "histories")
    if times is None:
        return items, offsets, None
    given: list[Any] = [seconds(row) for row in times]
    if [len(row) for row in given] != np.diff(offsets).tolist():
        raise InvalidArgumentError("history_times: must have a time for each item of each history", argument="history_times")
    flat = np.concatenate([row for row in given if len(row)] or [np.empty(0, np.int64)])
    return items, offsets, column(flat, np.int64, "history_times")


def _moments(times: Optional[Times]) -> Optional[NDArray[Any]]:
    return column(seconds(times), np.int64, "request_times")


def _candidates(candidates: Optional[Candidates], n: int) -> tuple[Any, Optional[NDArray[np.int64]]]:
    lists = _lists(candidates, n, "candidates")
    if lists is not None:
        return flatten(lists, n, "candidates")
    return None if candidates is None else as_ids(candidates, "candidates"), None


def _lists(ids: Any, n: int, name: str) -> Optional[list[Any]]:
    """The lists of ids, one for each of n users; None for a single list, which serves all of them."""
    if ids is None or isinstance(ids, (str, bytes)):  # one id where a list is expected: refused later
        return None
    if isinstance(ids, np.ndarray) and ids.ndim != 2 and ids.dtype != object:
        return None
    lists = list(ids)
    if not lists or is_scalar(lists[0]):
        return None
    if len(lists) != n:
        raise InvalidArgumentError(f"{name}: must be as many lists as users, {n}, got {len(lists)}", argument=name)
    return lists


def _check_rows(k: int, **buffers: Optional[Buffer]) -> None:
    """Arrays of rows must have rows of k: the library writes one row behind the other."""
    for name, buffer in buffers.items():
        shape: tuple[int, ...] = getattr(buffer, "shape", ())
        if len(shape) > 1 and shape[-1] > k >= 1:
            raise InvalidArgumentError(f"{name}: must have rows of k, {k}, got an array of shape {tuple(shape)}", argument=name)


def _one(users: Any, i: int) -> Any:
    """User i of what _who() gave."""
    return (..., users[1][i:i + 1]) if isinstance(users, tuple) else users[i:i + 1]


def _slice(buffer: Any, i: int, k: int) -> Any:
    """Row i of a buffer of rows of k."""
    if buffer is None:
        return None
    view = memoryview(buffer)
    if view.ndim > 1:
        view = view.cast("B").cast(view.format)  # type: ignore[call-overload]
    return view[i * k:(i + 1) * k]


def _raise_unknown(ids: Any, status: Any, n: int, name: str) -> None:
    unknown = np.flatnonzero(np.frombuffer(status, np.int32)[:n])
    if not unknown.size:
        return
    row = int(unknown[0])
    who = "it" if isinstance(ids, tuple) else repr(ids[row])
    raise UnknownIdError(f"{name}: row {row}: {who} is unknown to the model", argument=name)
