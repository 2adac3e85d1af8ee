"""Ids between Python and the library.

An id is an int64 or a byte string; a str is its UTF-8. Bytes come back as str by default ("str"), decoded with surrogate
escapes as file names are, so that any id round-trips; "bytes" returns them unchanged.
"""

from __future__ import annotations

from typing import Any, Iterable, Protocol, Sequence, Union

import numpy as np
from numpy.typing import NDArray

from ._errors import InvalidArgumentError, InvalidDataError


class SupportsArray(Protocol):
    """Arrays and columns of numpy, pandas, pyarrow and polars."""

    def __array__(self) -> Any: ...


Id = Union[int, str, bytes, np.integer[Any]]
Ids = Union[SupportsArray, Sequence[int], Sequence[str], Sequence[bytes]]
ID_FORMS = ("str", "bytes")


def id_form(form: str) -> str:
    if form not in ID_FORMS:
        raise InvalidArgumentError(f"ids: must be 'str' or 'bytes', got {form!r}", argument="ids")
    return form
_INT64 = np.dtype(np.int64)  # numpy has a single instance of it


def is_scalar(ids: Any) -> bool:
    return isinstance(ids, (str, bytes, int, np.integer))


def refuse_masked(values: Any, name: str) -> None:
    """A masked value is a null, which numpy.asarray would replace by the number below the mask."""
    if isinstance(values, np.ma.MaskedArray) and values.mask.any():
        row = int(values.mask.argmax())
        raise InvalidDataError(f"{name}: row {row}: is null", argument=name)


def as_ids(ids: Any, name: str) -> Any:
    """ids in a form the raw layer takes: an int64 array unchanged, or a list of int, str or bytes."""
    if type(ids) is np.ndarray and ids.dtype is _INT64 and ids.ndim == 1 or type(ids) is list:
        return ids
    if is_scalar(ids):
        raise TypeError(f"{name}: must be a list or an array of ids, got a single {type(ids).__name__}")
    if not isinstance(ids, np.ndarray):
        if hasattr(ids, "__array__"):  # pandas, pyarrow, polars
            ids = np.asarray(ids)
        elif isinstance(ids, Iterable):
            return list(ids)
        else:
            raise TypeError(f"{name}: must be a list or an array of ids, got a single {type(ids).__name__}")
    refuse_masked(ids, name)
    if ids.ndim != 1:
        raise InvalidArgumentError(f"{name}: must have one dimension, got shape {ids.shape}", argument=name)
    if ids.dtype.kind == "i" or (ids.dtype.kind == "u" and ids.dtype.itemsize < 8):
        return np.ascontiguousarray(ids, dtype=np.int64)
    if ids.dtype.kind == "u" and (ids > np.iinfo(np.int64).max).any():
        row = int((ids > np.iinfo(np.int64).max).argmax())
        raise InvalidArgumentError(f"{name}: row {row}: {ids[row]} does not fit an int64; give such ids as text", argument=name)
    if ids.dtype.kind == "f":
        raise TypeError(f"{name}: ids must be int, str or bytes, got {ids.dtype}")
    return ids.tolist()


def from_raw(raw: Any) -> NDArray[Any]:
    """Ids from the raw layer's result: a bytearray of int64, or a list of str or bytes."""
    if isinstance(raw, bytearray):
        return np.frombuffer(raw, dtype=np.int64)
    ids = np.empty(len(raw), dtype=object)
    ids[:] = raw
    return ids


def flatten(lists: Iterable[Any], n: int, name: str) -> tuple[Any, NDArray[np.int64]]:
    """Lists of ids, one for each of n users, as one list and its offsets [n + 1]."""
    lists = [as_ids(ids, name) for ids in lists]
    if len(lists) != n:
        raise InvalidArgumentError(f"{name}: must be as many lists as users, {n}, got {len(lists)}", argument=name)
    offsets = np.zeros(n + 1, dtype=np.int64)
    np.cumsum([len(ids) for ids in lists], out=offsets[1:])
    if lists and all(isinstance(ids, np.ndarray) for ids in lists):
        return np.concatenate(lists), offsets
    return [id for ids in lists for id in ids], offsets
