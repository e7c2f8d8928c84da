"""KerasTuner's search, RandomSearch or with `--hyperband` Hyperband, in one process with all cores.

RandomSearch trains every trial for all epochs. As in its tutorials, an EarlyStopping ends those that no longer get
better. Hyperband repeats its brackets, with its own reduction factor of 3.
"""

from __future__ import annotations

import sys
from typing import Any

from benchmarks import work
from benchmarks.goal import Goal
from benchmarks.mlp_space import BATCH_SIZES, DROPOUT, LAYERS, LEARNING_RATE, OPTIMIZERS, UNITS

PATIENCE = 2


def main() -> None:
    """Search until the goal is reached."""
    order = work.read_order()
    work.use_threads(order["cores"])
    import keras
    import keras_tuner

    goal, data = Goal(order), work.load(order["data"])

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
            hp.Choice(
                "batch_size", list(BATCH_SIZES)
            )  # a parameter that only `fit` reads would be missing in the first trial
            return work.build(config, work.INPUTS[order["data"]])

        def fit(self, hp: Any, model: Any, *args: Any, **options: Any) -> Any:
            return model.fit(*args, batch_size=hp.get("batch_size"), validation_batch_size=1024, **options)

    class Watch(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            goal.record((logs or {})["val_accuracy"])
            if goal.reached:
                goal.write()
                sys.exit()

    common = {"directory": order["folder"], "project_name": "kerastuner", "seed": order["seed"]}
    callbacks: list[Any] = [Watch()]
    if "--hyperband" in sys.argv:
        tuner = keras_tuner.Hyperband(
            Mlp(), "val_accuracy", max_epochs=order["epochs"], hyperband_iterations=1_000, **common
        )
    else:
        tuner = keras_tuner.RandomSearch(Mlp(), "val_accuracy", max_trials=100_000, **common)
        callbacks.append(keras.callbacks.EarlyStopping("val_accuracy", patience=PATIENCE))
    (x, y), validation = data
    tuner.search(x, y, epochs=order["epochs"], validation_data=validation, callbacks=callbacks, verbose=0)
    goal.write()  # the search has nothing left to try


if __name__ == "__main__":
    main()
