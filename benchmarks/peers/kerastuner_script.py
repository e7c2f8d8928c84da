"""A script for KerasTuner, with the import that its order names: KerasTuner's own, or this project's."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks import work


def main() -> None:
    """Search with the tuner that the order names, and write when each epoch had which validation accuracy."""
    order = work.read_order()
    sys.path.insert(0, str(Path(order["folder"])))
    kt: Any = import_module(order["module"])
    import keras

    (x, y), validation = work.load(order["data"])
    inputs = x.shape[1]

    def build_model(hp: Any) -> Any:
        model = keras.Sequential([keras.Input((inputs,))])
        for index in range(hp.Int("num_layers", 1, 3)):
            model.add(keras.layers.Dense(hp.Int(f"units_{index}", 32, 256, step=32), activation="relu"))
        model.add(keras.layers.Dense(10, activation="softmax"))
        rate = hp.Float("learning_rate", 1e-4, 1e-2, sampling="log")
        model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    arguments = {"objective": "val_accuracy", "seed": order["seed"], "directory": order["folder"], "project_name": "s"}
    if order["tuner"] == "ASHA":
        arguments |= {"max_epochs": order["epochs"], "max_trials": order["trials"]}
    else:
        arguments |= {"max_trials": order["trials"]}
    tuner = getattr(kt, order["tuner"])(build_model, **arguments)
    clock = _Clock(order["begun_s"]) if order["module"] == "keras_tuner" else None
    callbacks = [] if clock is None else [clock.callback()]
    tuner.search(x, y, epochs=order["epochs"], validation_data=validation, verbose=0, callbacks=callbacks)
    if clock is not None:
        reached = clock.epochs
    else:
        trials = tuner.run.history().trials.values()
        epochs = sorted((one for trial in trials for one in trial.epochs.values()), key=lambda one: one.time_s)
        reached = [(one.time_s - order["begun_s"], one.metrics["val_accuracy"]) for one in epochs]
    scores = [trial.score for trial in tuner.oracle.trials.values() if trial.score is not None]
    work.write_result(scores, epochs=reached)


class _Clock:
    def __init__(self, begun_s: float) -> None:
        self.epochs: list[tuple[float, float]] = []
        self.begun_s = begun_s

    def callback(self) -> Any:
        import time

        import keras

        clock = self

        class Note(keras.callbacks.Callback):  # type: ignore[misc]
            def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
                clock.epochs.append((time.time() - clock.begun_s, float(logs["val_accuracy"])))

            def __deepcopy__(self, memo: Any) -> Any:
                return self

        return Note()


if __name__ == "__main__":
    main()
