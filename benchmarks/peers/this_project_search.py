"""This project's search as its users run it: HyperOpt and ASHA with their defaults, one CPU per trial."""

from __future__ import annotations

import os
import signal
from typing import Any

import tune_jobs
from benchmarks import work
from benchmarks.goal import Goal
from benchmarks.mlp_space import BATCH_SIZES, DROPOUT, LAYERS, LEARNING_RATE, OPTIMIZERS, UNITS
from search_spaces import Choice, Float, Int, SearchSpace
from trainables import Data, KerasTrainable
from tune_jobs import ASHA, Experiment, HyperOpt, Objective

order = work.read_order()


class Mlp(KerasTrainable):
    """The trainable of the common model."""

    def load_data(self) -> Data:
        """Return the common data."""
        return Data(*work.load(order["data"]))

    def build_model(self, config: dict[str, Any]) -> Any:
        """Return the common model."""
        return work.build(config, work.INPUTS[order["data"]])


class Watch:
    """A reporter that ends the run, as Ctrl-C does, once the goal is reached."""

    def __init__(self, goal: Goal) -> None:
        self._goal = goal

    def begin(self, plan: Any) -> None:
        """Do nothing."""

    def event(self, event: Any) -> None:
        """Record an epoch."""
        if event.EVENT == "epoch" and not self._goal.reached:
            self._goal.record(event.metrics["val_accuracy"])
            if self._goal.reached:
                os.kill(os.getpid(), signal.SIGINT)

    def end(self) -> None:
        """Do nothing."""


if __name__ == "__main__":
    goal = Goal(order)
    tune_jobs.run(
        Experiment(
            trainable=Mlp,
            space=SearchSpace(
                layers=Int(LAYERS[0], LAYERS[-1]),
                units=Int(UNITS[0], UNITS[-1], step=2, log=True).per("layers"),
                dropout=Choice(*DROPOUT),
                optimizer=Choice(*OPTIMIZERS),
                learning_rate=Float(*LEARNING_RATE, log=True),
                batch_size=Choice(*BATCH_SIZES),
            ),
            objective=Objective("val_accuracy", "max"),
            searcher=HyperOpt(),
            scheduler=ASHA(),
            max_epochs=order["epochs"],
            time_budget_s=order["limit_s"],
            seed=order["seed"],
        ),
        storage=order["folder"],
        reporter=Watch(goal),
    )
    goal.write()
