"""KerasTuner's search, RandomSearch or with `--hyperband` Hyperband, in one process that has all cores.

RandomSearch trains every trial for all epochs; as its tutorials do, an EarlyStopping ends those that no longer get
better. Hyperband goes through its brackets again and again, with its own reduction factor of 3.
"""

from __future__ import annotations

import sys
from typing import Any

from benchmarks import work
from benchmarks.goal import Goal
from benchmarks.mlp_space import BATCH_SIZES, DROPOUT, LAYERS, LEARNING_RATE, OPTIMIZERS, UNITS

PATIENCE = 2


def main() -> None:
    """Searches until the goal is reached."""
    asked = work.arguments()
    work.use_threads(asked["cores"])
    import keras
    import keras_tuner

    goal, data = Goal(asked), work.load(asked["data"])

    class Mlp(keras_tuner.HyperModel):  # type: ignore[misc]
        def build(self, hp: Any) -> Any:
            layers = hp.Int("layers", LAYERS[0], LAYERS[-1])
            config = {
                "units": [
                    hp.Int(f"units_{layer}", UNITS[0], UNITS[-1], step=2, sampling="log") for layer in range(layers)
                ],
                "dropout": hp.Choice("dropout", list(DROPOUT)),
                "optimizer": hp.Choice("optimizer", list(OPTIMIZERS)),
                "learning_rate": hp.Float("learning_rate", *LEARNING_RATE, sampling="log"),
            }
            hp.Choice("batch_size", list(BATCH_SIZES))  # what only `fit` asks for, the first trial would not know
            return work.build(config, work.INPUTS[asked["data"]])

        def fit(self, hp: Any, model: Any, *args: Any, **options: Any) -> Any:
            return model.fit(*args, batch_size=hp.get("batch_size"), validation_batch_size=1024, **options)

    class Watch(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            goal.hear((logs or {})["val_accuracy"])
            if goal.reached:
                goal.tell()
                sys.exit()

    common = {"directory": asked["folder"], "project_name": "kerastuner", "seed": asked["seed"]}
    callbacks: list[Any] = [Watch()]
    if "--hyperband" in sys.argv:
        tuner = keras_tuner.Hyperband(
            Mlp(), "val_accuracy", max_epochs=asked["epochs"], hyperband_iterations=1_000, **common
        )
    else:
        tuner = keras_tuner.RandomSearch(Mlp(), "val_accuracy", max_trials=100_000, **common)
        callbacks.append(keras.callbacks.EarlyStopping("val_accuracy", patience=PATIENCE))
    (x, y), validation = data
    tuner.search(x, y, epochs=asked["epochs"], validation_data=validation, callbacks=callbacks, verbose=0)
    goal.tell()  # it has no more to try


if __name__ == "__main__":
    main()
