"""This project as its users run it: journal, checkpoints of the best trials, one CPU a trial.

With `--watched`, clocks run in its workers, for whole_run.py.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import tune_jobs
from benchmarks import watched, work
from search_spaces import Choice, SearchSpace
from trainables import Data, KerasTrainable
from tune_jobs import Experiment, Grid, NoScheduler, Objective

asked = work.arguments()


class Mlp(KerasTrainable):
    """The common model; the batch size is the configuration's."""

    def load_data(self) -> Data:
        """The common data."""
        return Data(*work.load(asked["data"]))

    def build_model(self, config: dict[str, Any]) -> Any:
        """The common model."""
        return work.build(config["configuration"], work.INPUTS[asked["data"]])


class Batched(Mlp):
    """Knows the batch size of a configuration, which is chosen by its number."""

    def setup(self, config: dict[str, Any], data: Any = None, settings: Any = None) -> None:
        """Begins the first trial of a worker."""
        super().setup(chosen(config), data, settings)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Begins another one."""
        return super().reset_config(chosen(new_config))


class WatchedBatched(watched.Watched, Batched):
    """The same, with clocks."""

    watched_in = asked["folder"]


def chosen(config: dict[str, Any]) -> dict[str, Any]:
    """A configuration in place of its number."""
    configuration = asked["configurations"][config["configuration"]]
    return {**config, "configuration": configuration, "batch_size": configuration["batch_size"]}


if __name__ == "__main__":
    run = tune_jobs.run(
        Experiment(
            trainable=WatchedBatched if "--watched" in sys.argv else Batched,
            space=SearchSpace(configuration=Choice(*range(len(asked["configurations"])))),
            objective=Objective("val_accuracy", "max"),
            searcher=Grid(),
            scheduler=NoScheduler(),
            max_epochs=asked["epochs"],
        ),
        storage=asked["folder"],
    )
    told = {
        "lines": list(watched.lines(asked["folder"])),
        "begun_s": asked["begun_s"],
        "driver_cpu_s": time.process_time(),
    }
    work.done([float(value) for value in run.leaderboard()["val_accuracy"]], **told)
