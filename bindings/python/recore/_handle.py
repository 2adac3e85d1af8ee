"""What every object of the library has in common."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, Callable, Generic, Optional, Sequence, TypeVar, Union

import numpy as np

from . import _log, _recore
from ._errors import BadStateError, ClosedError, InvalidArgumentError

if TYPE_CHECKING:
    import threading

    from typing_extensions import Self

Raw = TypeVar("Raw")
Options = TypeVar("Options")


class _Owned(Generic[Raw]):
    """One object of the library, which ends with the last reference to this."""

    def __init__(self, raw: Raw, destroy: Callable[[Raw], None]) -> None:
        self.raw = raw
        weakref.finalize(self, destroy, raw).atexit = False  # the end of the process frees everything


class Handle(Generic[Raw]):
    """A context manager over one object of the library. close() may be called more than once.

    A copy shares the object, which ends when all are closed.
    """

    def __init__(self, raw: Raw, destroy: Callable[[Raw], None]) -> None:
        self._owned: Optional[_Owned[Raw]] = _Owned(raw, destroy)

    @property
    def _handle(self) -> Raw:
        owned = self._owned
        if owned is None:
            raise ClosedError(f"{type(self).__name__}: used after close()")
        return owned.raw

    @property
    def closed(self) -> bool:
        return self._owned is None

    def close(self) -> None:
        """Ends the object. A call in flight on another thread finishes first."""
        self._owned = None

    def __enter__(self) -> Self:
        self._handle
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __copy__(self) -> Self:
        made = object.__new__(type(self))
        made.__dict__.update(self.__dict__)
        return made

    def __reduce__(self) -> Any:
        raise TypeError(f"a {type(self).__name__} cannot be pickled; save it, or what it was made from")

    def __repr__(self) -> str:
        kind = f"recore.{type(self).__name__}"
        try:
            return f"<{kind}{self._text()}>"
        except BadStateError:
            return f"<{kind}, closed>"

    def _text(self) -> str:
        """What repr() says after the kind of an open object: its name and sizes."""
        self._handle
        return ""


def options(kind: type[Options], /, **fields: Any) -> Options:
    """An option struct with these fields; None leaves the default."""
    struct = kind()
    for name, value in fields.items():
        if value is not None:
            setattr(struct, name, value.item() if isinstance(value, np.generic) else value)
    return struct


# How a long call runs: (cancel, on_event, kinds, threads, isolation), as bridge.h says.
Run = tuple[Any, Any, int, int, int]


def run(cancel: Optional[threading.Event] = None, on_event: Optional[Callable[..., bool]] = None, kinds: int = 0, *,
        threads: int = 0, isolation: int = _recore.REC_ISOLATION_AUTO) -> Run:
    """What a long call uses while it runs: cancel, and on_event for events whose bit 1 << kind is in kinds."""
    _log.follow_level()
    return cancel, on_event, kinds, threads, isolation


# Where a plugin runs.
ISOLATIONS = {
    "auto": _recore.REC_ISOLATION_AUTO,
    "in_process": _recore.REC_ISOLATION_IN_PROCESS,
    "process": _recore.REC_ISOLATION_PROCESS,
}


Metrics = Union[str, Sequence[str]]


def names(metrics: Optional[Metrics]) -> Optional[str]:
    """Names of metrics as the library takes them, from one text or a list of them."""
    if metrics is None or isinstance(metrics, str):
        return metrics
    given = list(metrics)
    if not all(isinstance(name, str) for name in given):
        raise TypeError(f"metrics: must be a str or a list of str, got {metrics!r}")
    return ",".join(given)


def choice(name: str, value: Any, known: dict[str, int]) -> int:
    """The number of a named choice."""
    try:
        return known[value]
    except (KeyError, TypeError):
        raise InvalidArgumentError(f"{name}: must be one of {', '.join(known)}, got {value!r}", argument=name) from None
