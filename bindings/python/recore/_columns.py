"""Columns of numbers on their way to the library."""

from __future__ import annotations

import datetime
from array import array
from typing import Any, Optional, Sequence, Union

import numpy as np
from numpy.typing import NDArray

from . import _recore
from ._errors import InvalidArgumentError, InvalidDataError
from ._handle import choice
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


TIME_UNITS = {"auto": _recore.REC_TIME_AUTO, "s": _recore.REC_TIME_SECONDS, "ms": _recore.REC_TIME_MILLISECONDS,
              "us": _recore.REC_TIME_MICROSECONDS, "ns": _recore.REC_TIME_NANOSECONDS}


def _naive(time: datetime.date) -> datetime.date:
    """The time in UTC without saying so, which is how datetime64 has it."""
    if isinstance(time, datetime.datetime) and time.tzinfo is not None:
        return time.astimezone(datetime.timezone.utc).replace(tzinfo=None)
    return time


def _checked_times(times: Any) -> NDArray[Any]:
    refuse_masked(times, "times")
    made: NDArray[Any] = np.asarray(times)
    if made.dtype == object and all(isinstance(time, (datetime.datetime, datetime.date)) for time in made.flat):
        made = np.array([_naive(time) for time in made.flat], dtype="datetime64[us]").reshape(made.shape)
    if made.dtype.kind not in "iufbM":
        raise InvalidArgumentError(f"times: must be numbers, datetime64 or datetime, got {made.dtype}", argument="times")
    if made.dtype.kind == "M" and np.isnat(made).any():
        raise InvalidDataError(f"times: row {int(np.isnat(made).argmax())}: is NaT", argument="times")
    return made


def moments(times: Any, unit: str) -> tuple[Any, int]:
    """times as integers, and their unit: of datetime64 their own, of numbers the given one."""
    number = choice("time_unit", unit, TIME_UNITS)
    if times is None:
        return None, number
    times = _checked_times(times)
    if times.dtype.kind == "M":
        own = "ns" if np.datetime_data(times.dtype)[0] in ("ns", "ps", "fs", "as") else "us"
        return times.astype(f"datetime64[{own}]").astype(np.int64), TIME_UNITS[own]
    if times.dtype in (np.float16, np.float32) and times.size and np.abs(times).max() > 2 / np.finfo(times.dtype).eps:
        raise InvalidDataError(f"times: {times.dtype} does not tell seconds apart; give float64 or integers", argument="times")
    if times.dtype.kind == "f" and times.size:
        if not np.isfinite(times).all():
            row = int((~np.isfinite(times)).argmax())
            raise InvalidDataError(f"times: row {row}: {times[row]} is not finite", argument="times")
        has_fractions, largest = (times != np.floor(times)).any(), np.abs(times).max()
        if has_fractions and largest < 9e9 and unit in ("auto", "s"):
            return np.round(times.astype(np.float64) * 1e9).astype(np.int64), TIME_UNITS["ns"]
        if largest < 2.0**63:
            return np.floor(times).astype(np.int64), number
    return times, number


def seconds(times: Any) -> Any:
    """UTC epoch seconds of datetime64; numbers stay as they are."""
    if times is None:
        return None
    times = _checked_times(times)
    return times.astype("datetime64[s]").astype(np.int64) if times.dtype.kind == "M" else times
