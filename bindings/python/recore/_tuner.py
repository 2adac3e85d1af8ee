from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any, Mapping, Optional, cast

from . import _raw, _recore
from ._errors import InvalidArgumentError
from ._handle import Handle, choice, options

_SAMPLERS = {"tpe": _recore.REC_SAMPLER_TPE, "random": _recore.REC_SAMPLER_RANDOM, "grid": _recore.REC_SAMPLER_GRID}
_PRUNERS = {"none": _recore.REC_PRUNER_NONE, "median": _recore.REC_PRUNER_MEDIAN, "halving": _recore.REC_PRUNER_HALVING}
_STATES = {"complete": _recore.REC_TRIAL_COMPLETE, "pruned": _recore.REC_TRIAL_PRUNED, "failed": _recore.REC_TRIAL_FAILED}


@dataclass(frozen=True)
class Trial:
    """What Tuner.ask gives: the number of a trial and its parameters by name."""

    number: int
    parameters: Mapping[str, Any]


class Tuner(Handle["_recore.TunerHandle"]):
    """A search for good parameters. It proposes trials; the caller runs each and tells how it went.

        tuner = recore.Tuner({"lr": {"low": 1e-4, "high": 0.1, "log": True}, "emb_size": [16, 32, 64]}, n_trials=20)
        while (trial := tuner.ask()) is not None:
            with recore.Trainer(data, "bprmf", trial.parameters) as trainer:
                ...

    Trial i is in round i // parallel. What a trial gets, and whether it is pruned, depends on the seed and on the results of
    earlier rounds only. Any thread may call.

    Args:
        space: of each parameter a list of choices, or {"low": a, "high": b}, both in it, with "log": True where its logarithm is
            to be drawn evenly; whole numbers as ends give whole numbers.
        sampler: "tpe", "random", or "grid", which tries every combination in order.
        pruner: "none", "median" or "halving".
        n_trials: 0 = 50; of a grid, all combinations.
        parallel: how many trials run at a time, the size of a round.
        min_epochs: no trial is pruned before this epoch; 0 = 1.
        minimize: less is better.
        journal: a file to which all that happens is appended; if it is there already, the search goes on where it stopped.
    Raises:
        InvalidArgumentError (the space or an option; a journal of another search, with what differs), UnsupportedError (a grid
        over floats), BusyError (the journal is open elsewhere), CorruptDataError (the journal).
    """

    def __init__(self, space: Mapping[str, Any], *, sampler: str = "tpe", pruner: str = "none", n_trials: int = 0,
                 parallel: int = 1, min_epochs: int = 0, minimize: bool = False, seed: int = 0,
                 journal: str | os.PathLike[str] | None = None) -> None:
        try:
            text = json.dumps(space, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise InvalidArgumentError(f"space: {error}", argument="space") from None
        given = options(
            _raw.rec_tuner_options_t, sampler=choice("sampler", sampler, _SAMPLERS), pruner=choice("pruner", pruner, _PRUNERS),
            n_trials=n_trials, parallel=parallel, min_epochs=min_epochs, minimize=int(minimize), seed=seed,
            journal_path=None if journal is None else os.fspath(journal))
        super().__init__(_recore.rec_tuner_create(text, given), _recore.rec_tuner_destroy)

    def ask(self) -> Optional[Trial]:
        """The next trial, None when there are no more.

        Raises:
            BadStateError (the next one is of the next round, and not all trials of this one have ended).
        """
        number, parameters = _recore.rec_tuner_ask(self._handle)
        return None if number < 0 else Trial(number, json.loads(parameters))

    def report(self, trial: Trial | int, epoch: int, value: float) -> bool:
        """The value of a running trial after an epoch, from 1. True when it should end, and be told as "pruned"."""
        return bool(_recore.rec_tuner_report(self._handle, _number(trial), epoch, value))

    def tell(self, trial: Trial | int, value: Optional[float] = None, state: str = "complete", message: str = "") -> None:
        """The end of a running trial: its value; or the state "pruned" or "failed", with the reason as message."""
        number = choice("state", state, _STATES)
        if value is None and state == "complete":
            raise InvalidArgumentError("value: is not given, of a complete trial", argument="value")
        _recore.rec_tuner_tell(self._handle, _number(trial), number, 0 if value is None else value, message)

    def describe(self) -> dict[str, Any]:
        """The table: space, options, best (a number or None), and trials with parameters, state, value, values, message."""
        return cast("dict[str, Any]", json.loads(_recore.rec_tuner_describe(self._handle)))

    @property
    def best(self) -> Optional[dict[str, Any]]:
        """The best complete trial as in describe(), None without one."""
        table = self.describe()
        return None if table["best"] is None else cast("dict[str, Any]", table["trials"][table["best"]])

    def _text(self) -> str:
        table = self.describe()
        return f" {table['sampler']}, {len(table['trials'])} of {table['n_trials']} trials"


def _number(trial: Trial | int) -> int:
    return trial.number if isinstance(trial, Trial) else trial
