from __future__ import annotations

import json
import os
import pathlib
import tempfile
from copy import copy
from typing import TYPE_CHECKING, Any, Optional, cast

import numpy as np
from numpy.typing import NDArray

from . import _raw, _recore
from ._dataset import Dataset
from ._errors import InvalidArgumentError
from ._handle import ISOLATIONS, Metrics, choice, names, options, run
from ._id_maps import IdMaps
from ._recommender import Recommender
from ._report import Report, protocol

if TYPE_CHECKING:
    import threading


class Model(IdMaps):
    """A trained model. Any number of threads may use it at once.

    copy.copy() and copy.deepcopy() share the model, which does not change. pickle carries the bytes of its file.

    Attributes:
        ids: how ids that are byte strings come back: "str" (default; UTF-8, other bytes as surrogate escapes, so that
            every id round-trips) or "bytes". int64 ids are int64 either way. A recommender keeps what was set when it was
            made.
    """

    def save(self, path: str | os.PathLike[str], *, user_data: bool = True,
             cancel: Optional[threading.Event] = None) -> None:
        """Writes one file; an older one stays intact until the new one is complete.

        user_data=False leaves out seen items and histories. cancel ends the call with CancelledError when another thread
        sets it.
        """
        given = options(_raw.rec_save_options_t, no_user_data=int(not user_data))
        _recore.rec_model_save(self._handle, path, given, run(cancel))

    def describe(self) -> dict[str, Any]:
        """Model, parameters, counts, metrics, sections and tensors."""
        return cast("dict[str, Any]", json.loads(_recore.rec_model_describe(self._handle)))

    def evaluate(self, dataset: Dataset, metrics: Metrics = "recall@20,ndcg@20", *, part: str = "test",
                 rows: str = "user", candidates: str = "full", mask: str = "known", ties: str = "lower_row",
                 n_candidates: int = 0, seed: int = 0, max_pos: int = 0, max_neg: int = 0, history: str = "default",
                 skip_first: bool = False, n_users: int = 0, keep_lists: int = 0, threads: int = 0,
                 isolation: str = "auto", cancel: Optional[threading.Event] = None) -> Report:
        """Ranks items for the rows of a part and measures.

        Args:
            metrics: recall, precision, ndcg, map, mrr, hit, f1 at k; gauc; others by prefix, such as "rechorus.hr@10"; in
                one text with commas, or as a list.
            part: "test" or "valid".
            rows: "user"; "event" for one row for each interaction; "list" for impression lists (rechorus.hr, .ndcg and
                .map at k); "label" for labelled rows (auc, logloss, mae, rmse, mse, rechorus.acc, ...).
            candidates: "full", "given", or n_candidates (0 = 99) drawn "uniform" or "popular" with the seed.
            mask: items left out, unless they are positives of the row: "known" before the part, those of "train" only, or "none".
            ties: "lower_row", or "against_target".
            max_pos, max_neg: clicked and shown items of a list that count; 0 = 20.
            history: what the model may know about the user of a row: "training", the train part, the default for users;
                or "before", what happened before the row, the default for other rows. A choice other than the default is
                part of a metric's name: "recall@20[before]".
            skip_first: with rows="event", as in the GRU4Rec authors' evaluation of sessions: events of items that the model
                does not know are left out, and a user's first event is no row.
            n_users: > 0: so many of the users with rows are measured, drawn by the seed, the same in each evaluation; the
                metric's name says so: "recall@20[users1000]".
            keep_lists: > 0: the report's lists have the first so many items that each row ranked.
            threads: 0 = as many as the machine has.
            isolation: where a model's plugin runs, as for Trainer; most models are served by tables and need none.
            cancel: ends the call with CancelledError when another thread sets it.
        Raises:
            InvalidArgumentError (an unknown metric), InvalidDataError (an empty part), PluginError, CancelledError.
        """
        given = protocol(part, rows, candidates, mask, ties, n_candidates, seed, max_pos, max_neg, history, skip_first,
                         n_users, keep_lists)
        how = run(cancel, threads=threads, isolation=choice("isolation", isolation, ISOLATIONS))
        return Report(_recore.rec_model_evaluate(self._handle, dataset._handle, names(metrics) or "", given, how), self,
                      keep_lists > 0)

    def recommender(self, *, exclude_seen: bool = False, strict: bool = False, max_k: int = 0,
                    n_callers: int = 0) -> Recommender:
        """The model prepared to answer requests; the model may then be closed.

        Args:
            exclude_seen: leave out what the user had in train, valid and test.
            strict: a user who cannot be answered, or an unknown item or user of similar(), raises UnknownIdError; otherwise
                its row is empty. Unknown items of histories, candidates, allow and deny are left out in either case.
            max_k: 0 = 1000.
            n_callers: threads that may ask at once without waiting; 0 = 64.
        """
        given = options(_raw.rec_recommender_options_t, exclude_seen=int(exclude_seen), max_k=max_k, n_callers=n_callers)
        return Recommender(_recore.rec_recommender_create(self._handle, given), self, strict)

    @property
    def item_vectors(self) -> NDArray[np.float32]:
        """[n_items, d] float32, read-only, the model's own memory; outlives close(). UnsupportedError without vectors."""
        return Vectors(self, "items").numpy()

    @property
    def user_vectors(self) -> NDArray[np.float32]:
        """[n_users, d] float32 like item_vectors, or [1, d] when one vector serves every user."""
        return Vectors(self, "users").numpy()

    def vectors(self, which: str = "items") -> Vectors:
        """Vectors of "items" or "users" for any consumer of DLPack: torch.from_dlpack(model.vectors())."""
        return Vectors(self, which)

    def __deepcopy__(self, memo: Any) -> Model:
        return copy(self)

    def to_bytes(self) -> bytes:
        """The bytes of the model's file, which load() opens; they pass through a temporary file."""
        with tempfile.TemporaryDirectory(prefix="recore-") as folder:
            path = pathlib.Path(folder, "model.rec")
            self.save(path)
            return path.read_bytes()

    def __reduce__(self) -> Any:
        return _from_bytes, (self.to_bytes(), self.ids)

    def _text(self) -> str:
        return f" {self.describe().get('model', '')}: {self.n_users} users, {self.n_items} items"


class Vectors:
    """A read-only float32 matrix on the CPU, shared through DLPack 1.x without a copy."""

    def __init__(self, model: Model, which: str) -> None:
        functions = {"items": _recore.rec_model_item_vectors, "users": _recore.rec_model_user_vectors}
        if which not in functions:
            raise InvalidArgumentError(f"which: must be 'items' or 'users', got {which!r}", argument="which")
        self._model, self._share = model, functions[which]
        self._capsule = self._share(model._handle)  # keeps the memory; consumers get capsules of their own

    def __dlpack_device__(self) -> tuple[int, int]:
        return (1, 0)  # kDLCPU

    def __dlpack__(self, *, stream: Any = None, max_version: Optional[tuple[int, int]] = None,
                   dl_device: Optional[tuple[int, int]] = None, copy: Optional[bool] = None) -> Any:
        if max_version is None or max_version[0] < 1:
            raise BufferError("read-only memory needs a consumer of DLPack 1.0")
        if dl_device is not None and tuple(dl_device) != (1, 0):
            raise BufferError(f"the vectors are on the CPU, not on device {dl_device}")
        if copy:
            raise BufferError("the vectors are shared, not copied")
        return self._share(self._model._handle)

    @property
    def __array_interface__(self) -> dict[str, Any]:
        address, rows, columns = _recore.rec_py_tensor_info(self._capsule)
        return {"version": 3, "typestr": "<f4", "shape": (rows, columns), "data": (address, True)}

    def numpy(self) -> NDArray[np.float32]:
        """The matrix as a read-only numpy array that keeps the memory alive."""
        if np.lib.NumpyVersion(np.__version__) >= "2.1.0":
            return cast("NDArray[np.float32]", np.from_dlpack(self))
        return np.asarray(self)


def load(path: str | os.PathLike[str] | bytes | bytearray | memoryview, *, ids: str = "str",
         memory_limit_bytes: int = 0, cancel: Optional[threading.Event] = None) -> Model:
    """Opens a model file, or its bytes when given bytes, a bytearray or a memoryview.

    Args:
        memory_limit_bytes: LimitError rather than more; 0 = 256 MiB plus 8 times the size of the file.

    Raises:
        NotFoundError, IoError, CorruptDataError (with byte_offset), UnsupportedError (another version), LimitError,
        CancelledError (another thread set cancel).
    """
    given = options(_raw.rec_load_options_t, memory_limit_bytes=memory_limit_bytes)
    if isinstance(path, bytes):
        path = memoryview(path)
    if isinstance(path, (bytearray, memoryview)):
        return Model(_recore.rec_model_load_bytes(path, given, run(cancel)), ids)
    return Model(_recore.rec_model_load(path, given, run(cancel)), ids)


def _from_bytes(data: bytes, ids: str) -> Model:
    """What a pickled model is made from."""
    return load(data, ids=ids)
