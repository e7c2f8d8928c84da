"""How far back must a forecast look, and with which network?

SERIES names a CSV file whose last column is a series; without it, a series with a day, a week and noise is made. All
trials share the series. `prepare` cuts it into windows as long as the configuration says. The splits follow one another
in time, and no window reaches into the split before it.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from search_spaces import Choice, Float, SearchSpace
from trainables import Data, KerasTrainable, TrainingView
from tune_jobs.base.objective import Objective
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.schedulers import ASHA
from tune_jobs.searchers import HyperOpt

SPACE = SearchSpace(
    window=Choice(6, 12, 24, 48),
    network=Choice("dense", "convolution", "gru"),
    units=Choice(8, 16, 32),
    learning_rate=Float(1e-3, 3e-2, log=True),
)


class TimeSeries(KerasTrainable):
    """The next value of a series from those before it."""

    batch_size = 64

    def load_data(self) -> Data:
        """Return the series in three parts; x and y are the same values until a trial cuts them into windows."""
        path = os.environ.get("SERIES")
        series = made_series() if path is None else last_column(path)
        first, second = int(0.6 * len(series)), int(0.8 * len(series))
        parts = [series[:first], series[first:second], series[second:]]
        train, validation, test = ((part, part) for part in parts)
        return Data(train, validation, test)

    def prepare(self, data: Data, config: dict[str, Any]) -> Data:
        """Return windows, shape (windows, window, 1), and the value that follows each."""
        cut: dict[str, Any] = {
            name: windows(split[0], config["window"]) for name, split in data.splits.items() if split is not None
        }
        return replace(data, **cut)

    def build_model(self, config: dict[str, Any], data: TrainingView) -> keras.Model:  # type: ignore[override]
        """Return a network on scaled windows, which forecasts in the units of the series."""
        x, y = data.train
        scale = data.adapt(keras.layers.Normalization(axis=None), x)
        unscale = data.adapt(keras.layers.Normalization(axis=None, invert=True), y[:, None])
        layers = {
            "dense": [keras.layers.Flatten(), keras.layers.Dense(config["units"], "relu")],
            "convolution": [
                keras.layers.Conv1D(config["units"], 3, activation="relu", padding="causal"),
                keras.layers.Flatten(),
            ],
            "gru": [keras.layers.GRU(config["units"])],
        }[config["network"]]
        model = keras.Sequential([keras.Input(data.x_spec.shape), scale, *layers, keras.layers.Dense(1), unscale])
        model.compile(keras.optimizers.Adam(config["learning_rate"]), "mse", metrics=["mae"])
        return model


def windows(series: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Return each window of a series, and the value that follows it. The windows are one view of the series."""
    return np.lib.stride_tricks.sliding_window_view(series[:-1], length)[..., None], series[length:]


def last_column(path: str) -> np.ndarray:
    """Return the last column of a CSV file with a header."""
    column: np.ndarray = np.loadtxt(path, delimiter=",", skiprows=1, dtype=np.float32, ndmin=2)[:, -1]
    return column


def made_series(hours: int = 3000) -> np.ndarray:
    """Return a series with a day, a week and noise that lasts for some hours."""
    time = np.arange(hours)
    noise = np.convolve(np.random.default_rng(0).normal(size=hours + 5), np.ones(6) / 6, mode="valid")
    series = 20 + 5 * np.sin(2 * np.pi * time / 24) + 3 * (time // 24 % 7 >= 5) + noise
    return np.asarray(series, np.float32)


EXPERIMENT = Experiment(
    trainable=TimeSeries,
    space=SPACE,
    objective=Objective("val_mae", "min"),
    searcher=HyperOpt(),
    scheduler=ASHA(grace_period=1, reduction_factor=3),
    max_epochs=9,
    trials=20,
    seed=0,
)
