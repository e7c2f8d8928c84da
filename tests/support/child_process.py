"""The command line in a child process, and a small experiment for it outside the repository."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil

HANGS_S = 600.0
"""A limit in seconds that is reached only by what hangs, however busy the machine is."""

COMMAND = str(Path(sys.executable).with_name("tune-jobs"))
LAB = '''
"""Which network tells the sign of a sum?"""

from search_spaces import Choice, Float, SearchSpace
from trainables import KerasTrainable
from tune_jobs import Experiment, Objective
from parts import data, network


class Signs(KerasTrainable):
    def load_data(self):
        return data()

    def build_model(self, config):
        return network(config, compiled=COMPILED)


COMPILED = True
SPACE = SearchSpace(units=Choice(2, 4), rate=Float(1e-3, 1e-1, log=True))
EXPERIMENT = Experiment(Signs, SPACE, Objective("val_accuracy", "max"), trials=3, max_epochs=4)
'''
PARTS = """
import numpy as np
from trainables import Data


def data():
    x = np.random.default_rng(0).normal(size=(256, 4)).astype("float32")
    y = (x.sum(axis=1) > 0).astype("int32")
    return Data(train=(x[:192], y[:192]), validation=(x[192:], y[192:]))


def network(config, compiled):
    import keras

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(config["units"]), keras.layers.Dense(2)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    if compiled:
        model.compile(keras.optimizers.Adam(config["rate"]), loss, metrics=["accuracy"])
    return model
"""


def tune_jobs(
    folder: Path, *arguments: str, timeout_s: float = HANGS_S, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the command line in a folder, with further environment variables."""
    return subprocess.run(
        [COMMAND, *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


def processes_in(folder: Path) -> list[psutil.Process]:
    """Return the processes that have the folder's path in their command line."""
    processes = []
    for process in psutil.process_iter():
        try:
            if str(folder) in " ".join(process.cmdline()):
                processes.append(process)
        except psutil.Error:
            continue
    return processes


def wait_until_gone(folder: Path, timeout_s: float = 120.0) -> list[psutil.Process]:
    """Wait until no process has the folder's path in its command line, and return those that are left."""
    deadline_s = time.monotonic() + timeout_s
    while (left := processes_in(folder)) and time.monotonic() < deadline_s:
        psutil.wait_procs(left, timeout=0.5)
    return left
