"""Columns of numbers on their way to the library."""

from __future__ import annotations

from array import array
from typing import Any, Optional, Sequence, Union

import numpy as np
from numpy.typing import NDArray

from ._errors import InvalidArgumentError, InvalidDataError
from ._ids import SupportsArray, refuse_masked

# Objects with the buffer protocol; typing's own names for it are newer than Python 3.11.
Buffer = Union[NDArray[Any], memoryview, bytearray, "array[Any]"]
Numbers = Union[SupportsArray, Sequence[int], Sequence[float]]
Times = Union[SupportsArray, Sequence[int], Sequence[np.datetime64]]


def column(values: Any, dtype: Any, name: str) -> Optional[NDArray[Any]]:
    """values as a one-dimensional array of dtype; None stays None."""
    if values is None:
        return None
    refuse_masked(values, name)
    try:
        made = np.asarray(values)
        if dtype != np.float32 and made.dtype.kind not in "iub" and made.size:
            raise TypeError(f"must be integers, got {made.dtype}")
        original, made = made, np.ascontiguousarray(made, dtype=dtype)
        if dtype != np.float32 and made.dtype != original.dtype and not np.array_equal(made, original):
            raise ValueError(f"has numbers beyond {np.dtype(dtype)}")
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidArgumentError(f"{name}: {error}", argument=name) from None
    if made.ndim != 1:
        raise InvalidArgumentError(f"{name}: must have one dimension, got shape {made.shape}", argument=name)
    return made


def seconds(times: Any) -> Any:
    """UTC epoch seconds of datetime64; numbers stay as they are."""
    if times is None:
        return None
    refuse_masked(times, "times")
    times = np.asarray(times)
    if times.dtype.kind == "M" and np.isnat(times).any():
        raise InvalidDataError(f"times: row {int(np.isnat(times).argmax())}: is NaT", argument="times")
    return times.astype("datetime64[s]").astype(np.int64) if times.dtype.kind == "M" else times
