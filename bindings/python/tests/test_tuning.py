import json

import pytest

import recore

SPACE = {"lr": {"low": 1e-3, "high": 0.1, "log": True}, "emb_size": [4, 8], "n": {"low": 1, "high": 3}}


def search(tuner):
    while (trial := tuner.ask()) is not None:
        if trial.number == 3:
            tuner.tell(trial, state="failed", message="it failed")
            continue
        assert tuner.report(trial, 1, trial.parameters["lr"]) is False
        tuner.tell(trial, trial.parameters["lr"] + trial.parameters["n"])
    return tuner.describe()


def test_a_search_gives_a_table_and_its_best_trial():
    with recore.Tuner(SPACE, n_trials=12, seed=2) as tuner:
        table = search(tuner)
        values = {t["trial"]: t["value"] for t in table["trials"] if t["state"] == "complete"}
        assert len(table["trials"]) == 12 and table["best"] == max(values, key=values.get)
        assert tuner.best["parameters"] == table["trials"][table["best"]]["parameters"]
        assert (table["trials"][3]["state"], table["trials"][3]["message"]) == ("failed", "it failed")
        assert all(isinstance(t["parameters"]["n"], int) for t in table["trials"])
        assert repr(tuner) == "<recore.Tuner tpe, 12 of 12 trials>"
    with recore.Tuner(SPACE, n_trials=12, seed=2) as again:
        assert search(again) == table


def test_a_journal_is_gone_on_with(tmp_path):
    given = {"n_trials": 4, "parallel": 2, "sampler": "random", "journal": tmp_path / "j"}
    with recore.Tuner(SPACE, **given) as tuner:
        whole = search_by_rounds(tuner)
    lines = (tmp_path / "j").read_text().splitlines()
    assert [list(json.loads(line))[0] for line in lines[:3]] == ["recore_tuner", "ask", "ask"]
    (tmp_path / "j").write_text("\n".join(lines[:4]) + "\n" + lines[4][:9])
    with recore.Tuner(SPACE, **given) as tuner:
        with pytest.raises(recore.BusyError):
            recore.Tuner(SPACE, **given)
        assert search_by_rounds(tuner) == whole
    with pytest.raises(recore.InvalidArgumentError, match="seed: is 5, and the journal"):
        recore.Tuner(SPACE, **given, seed=5)


def search_by_rounds(tuner):
    while True:
        trials = []
        try:
            while (trial := tuner.ask()) is not None:
                trials.append(trial)
        except recore.BadStateError as error:
            assert "is of the next round" in str(error)
        if not trials:
            return tuner.describe()
        for trial in reversed(trials):
            tuner.report(trial, 1, 0.5)
            tuner.tell(trial, trial.parameters["lr"])


def test_a_pruner_says_when_to_stop(orchard):
    with recore.Tuner({"lr": [0.02, 1e-5]}, sampler="grid", pruner="halving") as tuner:
        epochs = []
        while (trial := tuner.ask()) is not None:
            def on_epoch(event):
                epochs.append((trial.number, event.epoch))
                return not tuner.report(trial, event.epoch, event.metrics["ndcg@10"])

            with recore.Trainer(orchard, "bprmf", {"epochs": 3, "seed": 1, **trial.parameters}, metrics="ndcg@10") as trainer:
                tuner.tell(trial, 1.0) if trainer.run(on_epoch) else tuner.tell(trial, state="pruned")
        assert epochs == [(0, 1), (0, 2), (0, 3), (1, 1)]
        assert [trial["state"] for trial in tuner.describe()["trials"]] == ["complete", "pruned"]


def test_mistakes_are_named():
    for space, given, words in (({}, {}, "space: must have 1 to 256 parameters"), ({"a": 1}, {}, "space: a: must be a list"),
                                ({"a": [1]}, {"sampler": "x"}, "sampler: must be one of tpe, random, grid, got 'x'"),
                                ({"a": [object()]}, {}, "space: "), ({"a": [1]}, {"parallel": -1}, "parallel: must be between")):
        with pytest.raises(recore.InvalidArgumentError, match=words):
            recore.Tuner(space, **given)
    tuner = recore.Tuner({"a": [1]}, sampler="grid")
    trial = tuner.ask()
    with pytest.raises(recore.InvalidArgumentError, match="value: is not given"):
        tuner.tell(trial)
    with pytest.raises(recore.InvalidArgumentError, match="value: must be finite, got nan"):
        tuner.report(trial, 1, float("nan"))
    tuner.tell(trial.number, 1)
    with pytest.raises(recore.BadStateError, match="trial: 0 is complete"):
        tuner.tell(trial, 1)
    tuner.close()
    with pytest.raises(recore.ClosedError):
        tuner.ask()
