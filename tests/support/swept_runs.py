"""Runs of a sweep on disk, as the engine leaves them, whose trials train by a formula."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from search_spaces import Choice, SearchSpace
from tests.support import runs
from tests.support.fakes import experiment
from trainables.report import Report
from tune_jobs.engine.decisions.coordinator import Coordinator
from tune_jobs.engine.decisions.retention import RetentionPolicy
from tune_jobs.engine.run_folder.recorder import CheckpointPruner, Recorder
from tune_jobs.results.layout import TRIALS_FOLDER
from tune_jobs.results.run import Run
from tune_jobs.schedulers import NoScheduler
from tune_jobs.searchers import Sweep

SPACE = SearchSpace(
    layers=Choice(1, 2),
    units=Choice(8, 16),
    optimizer=Choice("adam", "sgd"),
    momentum=Choice(0.0, 0.9).when(optimizer="sgd"),
    rate=Choice(0.1, 0.01, 0.001),
)
STEPS = (("layers", "units"), "momentum", "optimizer", "rate")
Curve = Callable[[dict[str, Any], int], dict[str, float]]


def curve(config: dict[str, Any], epoch: int) -> dict[str, float]:
    """Return metrics that are better with more layers and worse with sgd; a rate of 0.1 fails."""
    if config["rate"] == 0.1:
        raise ValueError("too fast")
    good = 0.5 + 0.1 * config["layers"] + 0.01 * config["units"] - 0.2 * (config["optimizer"] == "sgd")
    good += 0.1 * (config["rate"] == 0.001)
    return {"accuracy": good * (1 - 0.5**epoch) + 0.02, "val_accuracy": good * (1 - 0.5**epoch), "loss": 1 / epoch}


def make_swept_run(
    storage: Path,
    name: str = "swept",
    space: SearchSpace = SPACE,
    steps: Any = STEPS,
    learns: Curve = curve,
    stop_after: int | None = None,
    **fields: Any,
) -> Run:
    """Run a sweep in this process.

    Args:
        storage: The folder of all runs.
        name: The name of the run.
        space: The search space.
        steps: The steps of the sweep.
        learns: Returns the metrics of a configuration at an epoch.
        stop_after: The number of trials after which the run is killed; None: it ends by itself.
        fields: Other fields of the experiment.
    """
    searcher = fields.pop("searcher", None) or Sweep(steps, {"rate": 0.01} if "rate" in space.parameters else {})
    fields = {"trials": None, "max_epochs": 4, "scheduler": NoScheduler(), **fields}
    declared = experiment(space=space, searcher=searcher, **fields)
    folder = runs.make_run(storage, name, experiment=declared).folder
    recorder = Recorder(
        folder, None, CheckpointPruner(RetentionPolicy("all", declared.objective, lag=1), folder / TRIALS_FOLDER)
    )
    coordinator = Coordinator(declared, recorder, clock=lambda: 1.0)
    coordinator.begin(cpus=1, gpus=0, max_concurrent_trials=1)
    while isinstance(proposal := coordinator.propose(), tuple):
        trial, config = proposal
        if stop_after is not None and trial >= stop_after:
            coordinator.start(trial, "here")
            recorder.close()
            return Run(folder)
        coordinator.start(trial, "here")
        epoch = 1
        while not coordinator.report(trial, _result(learns, config, epoch, declared.max_epochs)):
            epoch += 1
    coordinator.finish()
    recorder.close()
    return Run(folder)


def _result(learns: Curve, config: dict[str, Any], epoch: int, last: int) -> Report:
    try:
        metrics = learns(config, epoch)
    except ValueError as error:
        return {"done": True, "error": f"ValueError: {error}", "traceback": "…"}
    return {"epoch": epoch, "metrics": metrics, "seconds": 1.0, "done": epoch == last}
