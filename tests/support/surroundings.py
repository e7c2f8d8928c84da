"""A program with surroundings of its own, with runs in the middle: it prints what they changed, as JSON."""

from __future__ import annotations

import faulthandler
import gc
import json
import logging
import os
import random
import signal
import sys
import threading
import time
import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

import tune_jobs
from search_spaces import Choice, SearchSpace
from tests.support.tiny_lab import Behaving
from trainables import Data
from tune_jobs import Experiment, Grid, NoScheduler, Objective


class Console:
    """What GUIs and log collectors put in place of stdout: it has ``write``, and nothing else."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def write(self, text: str) -> int:
        self.texts.append(text)
        return len(text)


class Untidy(Behaving):
    """A trainable whose ``load_data`` changes everything that is global."""

    def load_data(self) -> Data:
        os.environ["LEFT_BY_LOAD_DATA"] = "1"
        os.chdir("/")
        random.seed(1)
        np.random.seed(1)  # noqa: NPY002
        keras.utils.set_random_seed(1)
        keras.config.set_dtype_policy("mixed_bfloat16")
        keras.config.set_floatx("float64")
        keras.config.disable_traceback_filtering()
        warnings.simplefilter("error")
        logging.getLogger("own").setLevel(logging.CRITICAL)
        logging.getLogger("own").addHandler(logging.StreamHandler())
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        sys.excepthook = print
        real = time.time
        time.time = lambda: real() + 86_400.0  # the clock is set forward
        data = super().load_data()
        keras.config.set_floatx("float32")
        return data


class Interrupted(Untidy):
    """A trainable during whose loading Ctrl-C comes."""

    def load_data(self) -> Data:
        data = super().load_data()
        os.kill(os.getpid(), signal.SIGINT)
        threading.Event().wait(60)
        return data


def experiment(trainable: type[Untidy], behaviour: str) -> Experiment:
    space = SearchSpace(behaviour=Choice(behaviour), marker=Choice("none"))
    objective = Objective("val_loss", "min")
    fields = {"max_epochs": 1, "max_concurrent_trials": 1, "time_budget_s": 3600.0}
    return Experiment(trainable, space, objective, Grid(), NoScheduler(), **fields)


def surroundings() -> dict[str, Any]:
    """Return what a program relies on. Values compare equal if nothing has changed."""
    names = ["", "own", "ray", "tensorflow"]
    loggers = {name: logging.getLogger(name) for name in names}
    handlers = {
        name: [(id(one), one.level, id(getattr(one, "stream", None))) for one in loggers[name].handlers]
        for name in names
    }
    numpy_state = np.random.get_state()  # noqa: NPY002
    return {
        "streams": [id(getattr(sys, name)) for name in ("stdin", "stdout", "stderr")],
        "descriptors": [os.fstat(number)[:3] for number in (0, 1, 2)],
        "environment": dict(os.environ),
        "folder": str(Path.cwd()),
        "signals": {str(number): repr(signal.getsignal(number)) for number in signal.valid_signals()},
        "hooks": [repr(hook) for hook in (sys.excepthook, sys.unraisablehook, threading.excepthook)],
        "fault handler": faulthandler.is_enabled(),
        "warnings": [repr(one) for one in warnings.filters],
        "levels": {name: (one.level, one.propagate, one.disabled) for name, one in loggers.items()},
        "handlers": handlers,
        "generators": [hash(random.getstate()), hash((numpy_state[1].tobytes(), numpy_state[2]))],
        "keras": [
            keras.config.dtype_policy().name,
            keras.config.floatx(),
            keras.config.is_traceback_filtering_enabled(),
            keras.utils.get_random_seed() if hasattr(keras.utils, "get_random_seed") else None,
        ],
        "frozen": gc.get_freeze_count(),
    }


def global_draws() -> list[Any]:
    """Return numbers of the global generators of Keras and TensorFlow, which cannot be compared otherwise."""
    return [np.array(keras.random.normal((2,))).tolist(), tf.random.normal((2,)).numpy().tolist()]


def main(folder: str) -> None:
    console, answer = Console(), sys.stdout
    logging.basicConfig(level=logging.WARNING, handlers=[logging.StreamHandler(console)])
    logging.getLogger("own").addHandler(logging.StreamHandler(sys.stderr))
    sys.stdout = console
    outcomes = {"ended": (Untidy, "good"), "RunFailed": (Untidy, "raises"), "KeyboardInterrupt": (Interrupted, "good")}
    changed: dict[str, Any] = {}
    reason: str | None = None
    for number, (outcome, (trainable, behaviour)) in enumerate(outcomes.items()):
        keras.utils.set_random_seed(7)
        expected = global_draws()
        keras.utils.set_random_seed(7)
        before, how, real = surroundings(), "ended", time.time
        try:
            run = tune_jobs.run(experiment(trainable, behaviour), storage=folder, name=f"run{number}")
            reason = run.history().reason
        except (tune_jobs.RunFailed, KeyboardInterrupt) as error:
            how = type(error).__name__
        time.time = real
        after = surroundings()
        after["draws"], before["draws"] = global_draws(), expected
        logging.warning("said after %s", outcome)
        changed[outcome] = [how, {name: [before[name], after[name]] for name in before if before[name] != after[name]}]
    sys.stdout = answer
    print(json.dumps({"changed": changed, "reason": reason, "said": "".join(console.texts)}, default=repr))  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1])
