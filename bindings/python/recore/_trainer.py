from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, Mapping, Optional

import numpy as np

from . import _raw, _recore
from ._dataset import Dataset
from ._errors import CancelledError, InvalidArgumentError, plain_name
from ._handle import ISOLATIONS, Handle, Metrics, choice, names, options, run
from ._ids import id_form
from ._model import Model
from ._report import protocol as make_protocol

if TYPE_CHECKING:
    import threading

_KINDS = {
    _recore.REC_EVENT_START: "start",
    _recore.REC_EVENT_PROGRESS: "progress",
    _recore.REC_EVENT_EPOCH: "epoch",
    _recore.REC_EVENT_CHECKPOINT: "checkpoint",
}
_WHICH = {"best": _recore.REC_MODEL_BEST, "last": _recore.REC_MODEL_LAST, "initial": _recore.REC_MODEL_INITIAL}


@dataclass(frozen=True)
class Event:
    """What training reports. loss is the mean of the epoch so far, NaN for a model without one."""

    kind: str  # start, progress, epoch or checkpoint
    epoch: int  # from 1
    n_epochs: int
    batch: int
    n_batches: int
    loss: float
    train_seconds: float
    eval_seconds: float
    metrics: Mapping[str, float]
    is_best: bool


Listener = Callable[[Event], Any]  # False stops


class Trainer(Handle["_recore.TrainerHandle"]):
    """One model in training over one data set, checked but not started.

    Args:
        model: name of a model, see recore.plugins().
        params: parameters of the model and of the loop, see recore.describe_plugin(model). One that is a keyword of Python
            may end in an underscore: lambda_.
        metrics: evaluated on the valid part after each eval_every epochs, one text or a list; by default those of the
            parameter task.
        main_metric: decides the best epoch and patience; by default the first of metrics.
        protocol: arguments of Model.evaluate for these evaluations, as {"rows": "event"}; rows default to the task's.
        checkpoint: path of a checkpoint, written at most every checkpoint_seconds (0 = 30) and at the end.
        resume: continue from the checkpoint if the file exists.
        isolation: where the plugin runs: "in_process"; "process", a worker process, whose crash is a PluginError;
            or "auto", a worker for a plugin over LibTorch, since this process may load PyTorch.
    Raises:
        NotFoundError (unknown model), InvalidArgumentError (a parameter unknown or out of range; `argument` names it),
        UnsupportedError, InvalidDataError (no training interaction), DeviceError, LimitError, CorruptDataError.
    """

    def __init__(self, dataset: Dataset, model: str, params: Optional[Mapping[str, Any]] = None, *,
                 metrics: Optional[Metrics] = None, main_metric: Optional[str] = None,
                 protocol: Optional[Mapping[str, Any]] = None, checkpoint: str | os.PathLike[str] | None = None,
                 checkpoint_seconds: float = 0, checkpoint_batches: int = 0, resume: bool = False,
                 memory_limit_bytes: int = 0, isolation: str = "auto", ids: str = "str",
                 cancel: Optional[threading.Event] = None) -> None:
        self._ids = id_form(ids)
        rows = make_protocol(**(protocol or {}))  # lives until the call is over
        given = options(
            _raw.rec_trainer_options_t, protocol=rows, resume=int(resume), metrics=names(metrics), main_metric=main_metric,
            checkpoint_path=None if checkpoint is None else os.fspath(checkpoint), checkpoint_seconds=checkpoint_seconds,
            checkpoint_batches=checkpoint_batches, memory_limit_bytes=memory_limit_bytes,
            isolation=choice("isolation", isolation, ISOLATIONS))
        raw = _recore.rec_trainer_create(dataset._handle, model, _to_json(params or {}), given, run(cancel))
        super().__init__(raw, _recore.rec_trainer_destroy)
        self._name = model
        self._params = dict(params or {})

    def warm_start(self, model: Model) -> None:
        """Starts from a saved model of the same users and items, before the first run; may be called for several.

        InvalidArgumentError if it has different users or items, or nothing that this model can start from.
        """
        _recore.rec_trainer_warm_start(self._handle, model._handle)

    def run(self, on_epoch: Optional[Listener] = None, on_event: Optional[Listener] = None,
            cancel: Optional[threading.Event] = None) -> bool:
        """Trains until the last epoch, until patience runs out, or until stopped; may then be called again.

        on_epoch is called after each epoch, on_event for every event but ticks, on the calling thread; they may use anything but
        this trainer. Returning False from either stops training; so does an exception, which is raised here. Ctrl-C stops
        within a batch and raises KeyboardInterrupt; so does cancel, with CancelledError, when another thread sets it.
        model("last") is then the last finished epoch.

        Returns:
            True when training finished, False when a callback stopped it.
        """
        kinds = (1 << _recore.REC_EVENT_EPOCH) if on_epoch is not None else 0
        if on_event is not None:
            kinds = sum(1 << kind for kind in _KINDS)
        callback = _Callback(on_epoch, on_event)
        try:
            _recore.rec_trainer_run(self._handle, run(cancel, callback, kinds))
        except CancelledError:
            if not callback.said_stop:
                raise
        return not callback.said_stop

    def model(self, which: str = "best") -> Model:
        """The model of the "best" or the "last" finished epoch, or the "initial" one, which training starts from.

        Raises:
            BadStateError (no epoch is finished; for "initial", training has begun).
        """
        return Model(_recore.rec_trainer_create_model(self._handle, choice("which", which, _WHICH), run()), self._ids)


    def _text(self) -> str:
        self._handle
        given = ", ".join(f"{name}={value!r}" for name, value in self._params.items())
        return f" {self._name}: {given}" if given else f" {self._name}"


class _Callback:
    def __init__(self, on_epoch: Optional[Listener], on_event: Optional[Listener]) -> None:
        self._on_epoch, self._on_event = on_epoch, on_event
        self.said_stop = False

    def __call__(self, kind: int, epoch: int, n_epochs: int, batch: int, n_batches: int, loss: float,
                 train_seconds: float, eval_seconds: float, metrics: dict[str, float], is_best: int) -> bool:
        event = Event(_KINDS.get(kind, "other"), epoch, n_epochs, batch, n_batches, loss, train_seconds, eval_seconds,
                      metrics, bool(is_best))
        answers = [] if self._on_event is None else [self._on_event(event)]
        if self._on_epoch is not None and event.kind == "epoch":
            answers.append(self._on_epoch(event))
        self.said_stop = any(isinstance(answer, (bool, np.bool_)) and not answer for answer in answers)
        return not self.said_stop


def train(dataset: Dataset, model: str, *, on_epoch: Optional[Listener] = None,
          on_event: Optional[Listener] = None, cancel: Optional[threading.Event] = None, metrics: Optional[Metrics] = None,
          main_metric: Optional[str] = None, protocol: Optional[Mapping[str, Any]] = None,
          checkpoint: str | os.PathLike[str] | None = None, resume: bool = False, memory_limit_bytes: int = 0,
          isolation: str = "auto", ids: str = "str", **params: Any) -> Model:
    """Trains a model and returns its best epoch. Further keywords are parameters: epochs=50, emb_size=64, lambda_=250.

    on_epoch may return False to stop early. Use a Trainer to keep what was trained when a callback raises, Ctrl-C is
    pressed or cancel is set. Raises what Trainer and Trainer.run raise.
    """
    with Trainer(dataset, model, params, metrics=metrics, main_metric=main_metric, protocol=protocol,
                 checkpoint=checkpoint, resume=resume, memory_limit_bytes=memory_limit_bytes, isolation=isolation,
                 ids=ids, cancel=cancel) as trainer:
        trainer.run(on_epoch, on_event, cancel)
        return trainer.model()


def _to_json(params: Mapping[str, Any]) -> str:
    def plain(value: Any) -> Any:
        if isinstance(value, np.generic):
            return value.item()
        raise TypeError(type(value).__name__)

    given: dict[str, Any] = {}
    for name, value in params.items():
        own = plain_name(name)
        if own in given:
            raise InvalidArgumentError(f"{name}: is given twice", argument=name)
        given[own] = value
        try:
            json.dumps(value, allow_nan=False, default=plain)
        except (TypeError, ValueError):
            raise InvalidArgumentError(f"{name}: must be a number, a text, a bool or a short list of them, got {value!r}",
                                       argument=name) from None
    return json.dumps(given, allow_nan=False, default=plain)


def check_training(model: str, *, metrics: Optional[Metrics] = None, main_metric: Optional[str] = None, **params: Any) -> None:
    """Raises what train() would raise for these arguments, without data: an unknown model, parameter or metric."""
    given = options(_raw.rec_trainer_options_t, metrics=names(metrics), main_metric=main_metric)
    _recore.rec_trainer_check(model, _to_json(params), given)
