"""Optuna, in one process with all cores, with the configurations in its queue."""

from __future__ import annotations

from typing import Any

from benchmarks import work


def main() -> None:
    """Run the study."""
    order = work.read_order()
    work.use_threads(order["cores"])
    import keras
    import optuna

    configurations, data = order["configurations"], work.load(order["data"])
    optuna.logging.set_verbosity(optuna.logging.WARNING)

    def objective(trial: Any) -> float:
        keras.backend.clear_session(free_memory=False)
        config = configurations[trial.suggest_int("configuration", 0, len(configurations) - 1)]
        return work.fit(work.build(config, data[0][0].shape[1]), config, data, order["epochs"])

    study = optuna.create_study(direction="maximize")
    for index in range(len(configurations)):
        study.enqueue_trial({"configuration": index})
    study.optimize(objective, n_trials=len(configurations))
    work.write_result([trial.value for trial in study.trials])


if __name__ == "__main__":
    main()
