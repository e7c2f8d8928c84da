"""Optuna, in one process that has all cores, with the configurations put into its queue."""

from __future__ import annotations

from typing import Any

from benchmarks import work


def main() -> None:
    """Runs the study."""
    asked = work.arguments()
    work.use_threads(asked["cores"])
    import keras
    import optuna

    configurations, data = asked["configurations"], work.load(asked["data"])
    optuna.logging.set_verbosity(optuna.logging.WARNING)

    def objective(trial: Any) -> float:
        keras.backend.clear_session(free_memory=False)
        config = configurations[trial.suggest_int("configuration", 0, len(configurations) - 1)]
        return work.fit(work.build(config, data[0][0].shape[1]), config, data, asked["epochs"])

    study = optuna.create_study(direction="maximize")
    for place in range(len(configurations)):
        study.enqueue_trial({"configuration": place})
    study.optimize(objective, n_trials=len(configurations))
    work.done([trial.value for trial in study.trials])


if __name__ == "__main__":
    main()
