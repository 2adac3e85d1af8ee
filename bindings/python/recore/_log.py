"""Log lines of the library go to logging.getLogger("recore")."""

from __future__ import annotations

import logging
from typing import Optional

from . import _recore

logger = logging.getLogger("recore")
logger.addHandler(logging.NullHandler())

_LEVELS = {
    _recore.REC_LOG_DEBUG: logging.DEBUG,
    _recore.REC_LOG_INFO: logging.INFO,
    _recore.REC_LOG_WARNING: logging.WARNING,
    _recore.REC_LOG_ERROR: logging.ERROR,
}
_wanted: Optional[int] = None


def handle(level: int, message: str) -> None:
    logger.log(_LEVELS.get(level, logging.ERROR), "%s", message)


def follow_level() -> None:
    """Sets the library's level to the logger's. Long calls begin with it, so a level may be set at any time."""
    global _wanted
    level = logger.getEffectiveLevel()
    wanted = next((rec for rec, python in _LEVELS.items() if python >= level), _recore.REC_LOG_ERROR)
    if wanted != _wanted:
        _recore.rec_py_log_open(wanted)
        _wanted = wanted


def flush_log() -> int:
    """Delivers the lines that are waiting, and returns how many were lost to a full queue."""
    return _recore.rec_py_log_poll()
