"""Exceptions: one class for each status of the library that a caller may treat differently."""

from __future__ import annotations

import keyword
import re
from typing import Optional

from . import _recore


class Error(Exception):
    """A failed call.

    Attributes:
        code: status, one of the library's REC_ numbers; `status` is its name, "INVALID_ARGUMENT".
        argument: name of the argument, parameter or column at fault, or "".
        file: file at fault, or "".
        line: line in that file, from 1, or None.
        byte_offset: byte offset in that file, or None.
    """

    default_code = _recore.REC_INTERNAL

    def __init__(self, message: str, *, code: Optional[int] = None, argument: str = "", file: str = "",
                 line: Optional[int] = None, byte_offset: Optional[int] = None) -> None:
        super().__init__(message)
        self.code = self.default_code if code is None else code
        self.argument = argument
        self.file = file
        self.line = line
        self.byte_offset = byte_offset

    def __str__(self) -> str:  # KeyError's would add quotes
        return str(self.args[0]) if self.args else ""

    @property
    def status(self) -> str:
        return _NAMES.get(self.code, "UNKNOWN")


class InvalidArgumentError(Error, ValueError):
    """An argument or parameter is unknown, out of range, or does not fit the others."""

    default_code = _recore.REC_INVALID_ARGUMENT


class NotFoundError(Error, LookupError):
    """A file, model name, plugin or id that does not exist."""

    default_code = _recore.REC_NOT_FOUND


class MissingFileError(NotFoundError, FileNotFoundError):
    """A file or folder that does not exist."""


class UnknownIdError(NotFoundError, KeyError):
    """A user or item that the model does not know, where the caller asked to be strict."""


class UnsupportedError(Error, NotImplementedError):
    """Understood, but not offered: by this model, this build or this file version."""

    default_code = _recore.REC_UNSUPPORTED


class BadStateError(Error, RuntimeError):
    """Calls in the wrong order, or a process forked from one that uses the library."""

    default_code = _recore.REC_BAD_STATE


class ClosedError(BadStateError):
    """Use after close()."""


class IoError(Error, OSError):
    """The operating system failed to read or write."""

    default_code = _recore.REC_IO


class CorruptDataError(Error, ValueError):
    """A damaged model file or checkpoint."""

    default_code = _recore.REC_CORRUPT_DATA


class InvalidDataError(Error, ValueError):
    """A bad row or cell of the data, with file and line where they are known."""

    default_code = _recore.REC_INVALID_DATA


class OutOfMemoryError(Error, MemoryError):
    default_code = _recore.REC_OUT_OF_MEMORY


class LimitError(Error, MemoryError):
    """A stated limit, such as memory_limit_bytes, would be exceeded."""

    default_code = _recore.REC_LIMIT


class NumericError(Error, ArithmeticError):
    """NaN or infinity where a finite number is needed."""

    default_code = _recore.REC_NUMERIC


class DeviceError(Error, RuntimeError):
    """No such device, or it failed."""

    default_code = _recore.REC_DEVICE


class BusyError(Error, RuntimeError):
    """Another call on the same object is running."""

    default_code = _recore.REC_BUSY


class DeniedError(Error, PermissionError):
    """Refused for safety, or by the operating system's permissions."""

    default_code = _recore.REC_DENIED


class PluginError(Error, RuntimeError):
    """A plugin broke its contract or reported a failure."""

    default_code = _recore.REC_PLUGIN_FAILED


class AbiMismatchError(PluginError, ImportError):
    """A plugin for another ABI or architecture."""

    default_code = _recore.REC_ABI_MISMATCH


class CancelledError(Error, RuntimeError):
    default_code = _recore.REC_CANCELLED


class InternalError(Error, RuntimeError):
    """A defect of the library."""


_CLASSES = {
    kind.default_code: kind
    for kind in (InvalidArgumentError, NotFoundError, UnsupportedError, BadStateError, IoError, CorruptDataError,
                 InvalidDataError, OutOfMemoryError, LimitError, NumericError, DeviceError, BusyError, DeniedError,
                 PluginError, AbiMismatchError, CancelledError, InternalError)
}
_NAMES = {code: _recore.rec_status_name(code) for code in range(_recore.REC_OK, _recore.REC_INTERNAL + 1)}


# Names of the library that this package spells otherwise.
_SPELLINGS = {
    "user_column": "user", "item_column": "item", "time_column": "time", "weight_column": "weight", "label_column": "label",
    "user_id_type": "user_ids", "item_id_type": "item_ids", "train_ratio": "ratio", "checkpoint_path": "checkpoint",
    "params_json": "params", "valid_path": "valid", "test_path": "test",
}
_SPELT = re.compile(r"(?<!['\w/.-])(?:" + "|".join(_SPELLINGS) + r")(?!['\w/.-])")  # in a sentence; not a column or a file
_CONSTANT = re.compile(r"\bREC_(?:ROWS|CANDIDATES|TIES|HISTORY|MODEL|BAD_ROW)_([A-Z_]+)")


def plain_name(name: str) -> str:
    """A parameter's name in the library: lambda_, as a keyword of Python is written, is lambda."""
    return name[:-1] if name.endswith("_") and keyword.iskeyword(name[:-1]) else name


def _spelling(name: str) -> str:
    return name + "_" if keyword.iskeyword(name) else _SPELLINGS.get(name, name)


def _in_words_of_python(message: str, argument: str) -> str:
    """A message of the library begins with the argument, after the file, quotes what was likely meant, and may name others."""
    message = _SPELT.sub(lambda found: _SPELLINGS[found[0]], message)
    if keyword.iskeyword(argument):
        message = re.sub(rf"(^|: ){argument}(?=: )", lambda found: found[1] + _spelling(argument), message, count=1)
    message = re.sub(r"(?<=did you mean ')\w+(?='\?)", lambda found: _spelling(found[0]), message)
    return _CONSTANT.sub(lambda found: f'"{found[1].lower()}"', message)


def make_error(code: int, message: str, argument: str, file: str, line: int, byte_offset: int) -> Error:
    """The exception for a status; an unknown code is an InternalError."""
    kind = _CLASSES.get(code, InternalError)
    if kind is NotFoundError and file:
        kind = MissingFileError
    return kind(
        _in_words_of_python(message, argument), code=code, argument=_spelling(argument), file=file, line=None if line < 0 else line,
        byte_offset=None if byte_offset < 0 else byte_offset)
