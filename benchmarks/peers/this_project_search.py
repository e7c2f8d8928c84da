"""This project's search as its users run it: HyperOpt and ASHA with their defaults, one CPU a trial."""

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

asked = work.arguments()


class Mlp(KerasTrainable):
    """The common model."""

    def load_data(self) -> Data:
        """The common data."""
        return Data(*work.load(asked["data"]))

    def build_model(self, config: dict[str, Any]) -> Any:
        """The common model."""
        return work.build(config, work.INPUTS[asked["data"]])


class Watch:
    """Ends the run as Ctrl-C does when the journal has what was wanted."""

    def __init__(self, goal: Goal) -> None:
        self._goal = goal

    def begin(self, plan: Any) -> None:
        """Nothing is known yet."""

    def event(self, event: Any) -> None:
        """Listens to epochs."""
        if event.EVENT == "epoch" and not self._goal.reached:
            self._goal.hear(event.metrics["val_accuracy"])
            if self._goal.reached:
                os.kill(os.getpid(), signal.SIGINT)

    def end(self) -> None:
        """Nothing is left to do."""


if __name__ == "__main__":
    goal = Goal(asked)
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
            max_epochs=asked["epochs"],
            time_budget_s=asked["limit_s"],
            seed=asked["seed"],
        ),
        storage=asked["folder"],
        reporter=Watch(goal),
    )
    goal.tell()
