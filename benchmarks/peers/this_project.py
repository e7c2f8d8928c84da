"""This project as its users run it: with a journal, with checkpoints of the best trials, one CPU per trial.

With `--watched` its workers have clocks, for whole_run.py.
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
from tune_jobs.results import Noted

order = work.read_order()


class Mlp(KerasTrainable):
    """The trainable of the common model."""

    def load_data(self) -> Data:
        """Return the common data."""
        return Data(*work.load(order["data"]))

    def build_model(self, config: dict[str, Any]) -> Any:
        """Return the common model."""
        return work.build(config["configuration"], work.INPUTS[order["data"]])


class Batched(Mlp):
    """A trainable that finds configuration and batch size by the configuration's number."""

    def setup(self, config: dict[str, Any], data: Any = None, settings: Any = None) -> None:
        """Begin the first trial of a worker."""
        super().setup(chosen(config), data, settings)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Begin another trial."""
        return super().reset_config(chosen(new_config))


class WatchedBatched(watched.Watched, Batched):
    """The same trainable, with clocks."""

    watched_in = order["folder"]


def chosen(config: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration in place of its number."""
    configuration = order["configurations"][config["configuration"]]
    return {**config, "configuration": configuration, "batch_size": configuration["batch_size"]}


if __name__ == "__main__":
    run = tune_jobs.run(
        Experiment(
            trainable=WatchedBatched if "--watched" in sys.argv else Batched,
            space=SearchSpace(configuration=Choice(*range(len(order["configurations"])))),
            objective=Objective("val_accuracy", "max"),
            searcher=Grid(),
            scheduler=NoScheduler(),
            max_epochs=order["epochs"],
        ),
        storage=order["folder"],
    )
    notes = [event.text for event in run.events() if isinstance(event, Noted)]
    records = {
        "notes": notes,
        "is_warm": any("This run uses the Ray that is kept warm" in note for note in notes),
        "lines": list(watched.lines(order["folder"])),
        "begun_s": order["begun_s"],
        "driver_cpu_s": time.process_time(),
    }
    work.write_result([float(value) for value in run.leaderboard()["val_accuracy"]], **records)
