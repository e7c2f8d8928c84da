"""KerasTuner: its grid over the configurations, in one process with all cores, without checkpoints."""

from __future__ import annotations

from typing import Any

from benchmarks import work


def main() -> None:
    """Search the grid."""
    order = work.read_order()
    work.use_threads(order["cores"])
    import keras_tuner

    configurations, data = order["configurations"], work.load(order["data"])
    inputs = data[0][0].shape[1]

    class Mlp(keras_tuner.HyperModel):  # type: ignore[misc]
        def build(self, hp: Any) -> Any:
            return work.build(configurations[hp.Choice("configuration", list(range(len(configurations))))], inputs)

        def fit(self, hp: Any, model: Any, *args: Any, **options: Any) -> Any:
            batch_size = configurations[hp.get("configuration")]["batch_size"]
            return model.fit(*args, batch_size=batch_size, validation_batch_size=1024, **options)

    tuner = keras_tuner.GridSearch(
        Mlp(), "val_accuracy", max_trials=len(configurations), directory=order["folder"], project_name="kerastuner"
    )
    (x, y), validation = data
    tuner.search(x, y, epochs=order["epochs"], validation_data=validation, verbose=0)
    trials = tuner.oracle.get_best_trials(len(configurations))
    work.write_result([trial.score for trial in trials])


if __name__ == "__main__":
    main()
