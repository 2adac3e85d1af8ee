"""Searches for the parameters of BPR-MF with Optuna: optuna_tune.py DATA [TRIALS]

Optuna is no part of Recore: python3 -m pip install optuna
"""

import sys

import optuna  # type: ignore[import-not-found, unused-ignore]

import recore


def main(data: str, n_trials: int) -> None:
    dataset = recore.Dataset.load(data).split(seed=1)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=1),
                                pruner=optuna.pruners.MedianPruner())
    for _ in range(n_trials):
        trial = study.ask()
        params = {"lr": trial.suggest_float("lr", 1e-3, 0.1, log=True), "emb_size": trial.suggest_categorical("emb_size", [16, 32]),
                  "epochs": 10, "batch_size": 512}
        best = float("-inf")

        def on_epoch(event: recore.Event) -> bool:
            nonlocal best
            best = max(best, event.metrics["ndcg@20"])
            trial.report(event.metrics["ndcg@20"], event.epoch)
            return not trial.should_prune()  # False stops

        with recore.Trainer(dataset, "bprmf", params) as trainer:
            if trainer.run(on_epoch):
                study.tell(trial, best)
            else:
                study.tell(trial, state=optuna.trial.TrialState.PRUNED)
    print(study.best_params, round(study.best_value, 4))


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) == 3 else 20)
