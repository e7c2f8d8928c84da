"""A small experiment whose trials fail in the way that their configuration says."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np

from search_spaces import Choice, SearchSpace
from trainables import Data, KerasTrainable
from tune_jobs import Experiment, Grid, NoScheduler, Objective


class Behaving(KerasTrainable):
    """A network of a few weights. Its parameter ``behaviour`` says what goes wrong with it."""

    batch_size = 64

    def load_data(self) -> Data:
        rng = np.random.default_rng(0)
        x = rng.normal(size=(256, 4)).astype(np.float32)
        y = (x.sum(axis=1) > 0).astype(np.int32)
        return Data(train=(x[:192], y[:192]), validation=(x[192:], y[192:]))

    def build_model(self, config: dict[str, Any]) -> Any:
        import keras

        behaviour = config["behaviour"]
        if behaviour == "raises":
            raise ValueError("this configuration\nnever works")
        if behaviour == "out of memory":
            raise MemoryError("Unable to allocate 7.28 TiB")
        rate = float("nan") if behaviour == "diverges" else 0.05
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, activation="softmax")])
        model.compile(keras.optimizers.SGD(rate), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    def fit_options(self, config: dict[str, Any]) -> Any:
        from trainables import FitOptions

        if config["behaviour"] == "dies once":
            return FitOptions(callbacks=[_die_once_at_the_third_epoch(Path(config["marker"]))])
        if config["behaviour"] in ("hangs", "loses its objective", "eats memory"):
            return FitOptions(callbacks=[_at_the_second_epoch(config["behaviour"])])
        if config["behaviour"] == "ends itself":
            import keras

            return FitOptions(callbacks=[keras.callbacks.EarlyStopping("val_loss", patience=1, min_delta=10.0)])
        return FitOptions()

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        marker = Path(f"{new_config['marker']}-in-reset")
        if new_config["behaviour"] == "dies in reset" and not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().reset_config(new_config)


def _at_the_second_epoch(behaviour: str) -> Any:
    import keras

    class Misbehave(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if epoch == 1 and behaviour == "hangs":
                # The interpreter's lock is held meanwhile, so no thread of the process could end it.
                ctypes.PyDLL(None).sleep(600)
            elif epoch == 1 and behaviour == "eats memory":
                eaten = []
                for _ in range(60):  # 6 GiB in 18 s
                    eaten.append(np.ones(100 * 2**20, np.uint8))
                    time.sleep(0.3)
            elif epoch == 1:
                del logs["val_loss"]

    return Misbehave()


def _die_once_at_the_third_epoch(marker: Path) -> Any:
    """Return a callback that writes down every epoch that begins, and kills the worker in the third, once."""
    import keras

    class DieOnce(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            begun = marker.read_text() if marker.exists() else ""
            marker.write_text(f"{begun}{epoch + 1} ")
            if epoch == 2 and "3" not in begun:
                os.kill(os.getpid(), signal.SIGKILL)

    return DieOnce()


def experiment(marker: Path, *behaviours: str, **fields: Any) -> Experiment:
    space = SearchSpace(
        behaviour=Choice(*behaviours),
        marker=Choice(str(marker)),
    )
    defaults: dict[str, Any] = {
        "trainable": Behaving,
        "space": space,
        "objective": Objective("val_loss", "min"),
        "searcher": Grid(),
        "scheduler": NoScheduler(),
        "max_epochs": 4,
        "max_concurrent_trials": 1,
        "checkpoint_every_s": 0.001,
    }
    return Experiment(**{**defaults, **fields})
