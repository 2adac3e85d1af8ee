from __future__ import annotations

import json
import os
from typing import Any, cast

from . import _recore


def plugins() -> list[dict[str, Any]]:
    """Every model found: name, version, path, doc, error (why a file is refused, or "")."""
    return cast("list[dict[str, Any]]", json.loads(_recore.rec_plugin_list()))


def describe_plugin(model: str) -> dict[str, Any]:
    """One model: name, version, doc, paper, capabilities and parameters with type, default, range and owner."""
    return cast("dict[str, Any]", json.loads(_recore.rec_plugin_describe(model)))


def live_objects() -> dict[str, int]:
    """Objects of the library that are not closed yet, by kind, for finding leaks: {"model": 1, "dataset": 0, ...}."""
    kinds = {"error": _recore.REC_OBJECT_ERROR, "text": _recore.REC_OBJECT_TEXT, "cancel": _recore.REC_OBJECT_CANCEL,
             "dataset": _recore.REC_OBJECT_DATASET, "trainer": _recore.REC_OBJECT_TRAINER,
             "model": _recore.REC_OBJECT_MODEL, "report": _recore.REC_OBJECT_REPORT,
             "recommender": _recore.REC_OBJECT_RECOMMENDER, "tuner": _recore.REC_OBJECT_TUNER}
    return {name: _recore.rec_live_objects(kind) for name, kind in kinds.items()}


def load_plugin(path: str | os.PathLike[str]) -> None:
    """Loads one plugin file, or searches a folder before the others. A plugin is never unloaded.

    Raises:
        NotFoundError, DeniedError (world-writable), AbiMismatchError, UnsupportedError, PluginError.
    """
    if os.path.isdir(path):
        _recore.rec_plugin_add_folder(path)
    else:
        _recore.rec_plugin_load(path)
