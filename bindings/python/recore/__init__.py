"""Recore trains, evaluates and serves recommenders.

    ds = recore.Dataset.load("orchard.inter.gz").split(seed=1)
    model = recore.train(ds, "bprmf", epochs=30)
    items, scores = model.recommender(exclude_seen=True).recommend(["u0061"], k=10)
"""

import atexit

from . import _errors, _log, _recore, _torch

_recore.rec_py_setup(_errors.make_error, _log.handle)
atexit.register(_recore.rec_py_end)
_torch.guard()

from ._dataset import Dataset
from ._errors import (AbiMismatchError, BadStateError, BusyError, CancelledError, ClosedError, CorruptDataError,
                      DeniedError, DeviceError, Error, InternalError, InvalidArgumentError, InvalidDataError, IoError,
                      LimitError, MissingFileError, NotFoundError, NumericError, OutOfMemoryError, PluginError,
                      UnknownIdError, UnsupportedError)
from ._log import flush_log
from ._model import Model, Vectors, load
from ._plugins import describe_plugin, live_objects, load_plugin, plugins
from ._recommender import Recommendations, Recommender
from ._report import Report, evaluate_lists
from ._trainer import Event, Trainer, check_training, train
from ._tuner import Trial, Tuner

version: str = _recore.rec_version_string()
__version__ = version

__all__ = [
    "AbiMismatchError", "BadStateError", "BusyError", "CancelledError", "ClosedError", "CorruptDataError", "Dataset",
    "DeniedError", "DeviceError", "Error", "Event", "InternalError", "InvalidArgumentError", "InvalidDataError",
    "IoError", "LimitError", "MissingFileError", "Model", "NotFoundError", "NumericError", "OutOfMemoryError",
    "PluginError", "Recommendations", "Recommender", "Report", "Trainer", "Trial", "Tuner", "UnknownIdError", "UnsupportedError",
    "Vectors", "check_training", "describe_plugin", "evaluate_lists", "flush_log", "live_objects", "load", "load_plugin", "plugins", "train", "version",
]
