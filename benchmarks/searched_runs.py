"""Folders of runs that did not take place, with the learning curves, the stops and the failures of a real search."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from search_spaces import Boolean, Choice, Float, Int, SearchSpace
from trainables import Data, KerasTrainable
from tune_jobs.base.objective import Objective
from tune_jobs.engine.run_folder.create import create_folder
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.results import EpochReported, Event, RunEnded, RunStarted, Status, TrialEnded, TrialStarted
from tune_jobs.results.journal.lines import encode
from tune_jobs.results.layout import JOURNAL_FILE
from tune_jobs.results.run import Run
from tune_jobs.schedulers import ASHA

SPACE = SearchSpace(
    learning_rate=Float(1e-4, 1e-1, log=True),
    layers=Int(1, 3),
    units=Choice(32, 64, 128, 256).per("layers"),
    optimizer=Choice("adam", "sgd", "rmsprop"),
    momentum=Float(0.0, 0.99).when(optimizer="sgd"),
    dropout=Float(0.0, 0.5, step=0.1),
    batch_norm=Boolean(),
)
_SECONDS_PER_EPOCH = 1.5


class NotTrained(KerasTrainable):
    """A trainable that nobody trains."""

    def build_model(self, config: dict[str, object]) -> object:
        """Refuse: there is no model."""
        raise NotImplementedError

    def load_data(self) -> Data:
        """Refuse: there is no data."""
        raise NotImplementedError


def make_searched_run(
    storage: Path,
    name: str = "searched",
    trials: int = 30,
    epochs: int = 27,
    *,
    seed: int = 0,
    workers: int = 4,
    share_failed: float = 0.03,
    is_stopping: bool = True,
    is_ended: bool = True,
) -> Run:
    """Write the folder of a run, and return it.

    Args:
        storage: The folder of all runs.
        name: The name of the run.
        trials: The number of trials.
        epochs: The number of epochs of a trial at most.
        seed: The seed of everything.
        workers: The number of trials side by side, on two nodes.
        share_failed: The share of trials that fail, and of those that diverge.
        is_stopping: Whether ASHA stops trials.
        is_ended: Whether the run has ended.
    """
    experiment = Experiment(
        trainable=NotTrained,
        space=SPACE,
        objective=Objective("val_accuracy", "max"),
        scheduler=ASHA(),
        trials=trials,
        max_epochs=epochs,
        seed=seed,
    )
    folder = create_folder(storage, name, experiment, name)
    events = list(_events(trials, epochs, seed, workers, share_failed, is_stopping=is_stopping))
    begun = RunStarted(time_s=1e9, cpus=workers, gpus=0, max_concurrent_trials=workers)
    ended = [RunEnded(time_s=events[-1].time_s + 0.5, reason="all trials", error=None)] if is_ended else []
    (folder / JOURNAL_FILE).write_bytes(b"".join(encode(event) for event in [begun, *events, *ended]))
    return Run(folder)


def _events(
    trials: int, epochs: int, seed: int, workers: int, share_failed: float, *, is_stopping: bool
) -> Iterator[Event]:
    rng = np.random.default_rng(seed)
    schedule = ASHA().start(epochs, seed)
    free = [1e9 + worker / 10 for worker in range(workers)]
    every: list[Event] = []
    for trial in range(trials):
        worker = int(np.argmin(free))
        now_s = free[worker] + 0.3 * rng.random()
        node, judge = f"node-{worker % 2}", schedule if is_stopping else None
        every += _trial(trial, epochs, now_s, node, rng, judge, share_failed)
        free[worker] = every[-1].time_s
    yield from sorted(every, key=lambda event: event.time_s)


def _trial(trial, epochs, now_s, node, rng, schedule, share_failed) -> list[Event]:  # type: ignore[no-untyped-def]
    config = SPACE.sample(rng)
    events: list[Event] = [TrialStarted(time_s=now_s, trial=trial, config=config, node=node)]
    off = abs(math.log10(config["learning_rate"]) + 2.5)
    top = 0.97 - 0.06 * off**2 - 0.2 * config["dropout"] ** 2 + 0.01 * config["layers"]
    top -= 0.05 * abs(config.get("momentum", 0.9) - 0.9) + 0.01 * rng.standard_normal()
    fate, best = rng.random(), 0.0
    for epoch in range(1, epochs + 1):
        now_s += _SECONDS_PER_EPOCH * (0.7 + 0.6 * rng.random())
        if fate < share_failed and epoch > 2:
            error = "ResourceExhaustedError: OOM when allocating a tensor" if trial % 2 else "ValueError: bad shape"
            failed = Status.OUT_OF_MEMORY if trial % 2 else Status.FAILED
            ended = {"status": failed, "reason": "its code raised", "error": error}
            return [*events, TrialEnded(time_s=now_s, trial=trial, epochs=epoch - 1, **ended)]
        accuracy = float(np.clip(top - 0.5 * math.exp(-epoch / 3) + 0.004 * rng.standard_normal(), 0.05, 0.999))
        metrics = {"loss": 1.2 - accuracy, "accuracy": min(1.0, accuracy + 0.01)}
        metrics |= {"val_loss": 1.25 - accuracy, "val_accuracy": accuracy}
        if share_failed <= fate < 2 * share_failed and epoch > 3:
            metrics["loss"] = math.nan
        best = max(best, accuracy)
        report = {"trial": trial, "epoch": epoch, "metrics": metrics, "seconds": _SECONDS_PER_EPOCH}
        events.append(EpochReported(time_s=now_s, **report))
        if math.isnan(metrics["loss"]):
            ended = {"status": Status.DIVERGED, "reason": "the loss is nan", "error": None}
            return [*events, TrialEnded(time_s=now_s, trial=trial, epochs=epoch, **ended)]
        reason = schedule.report(trial, epoch, -best) if schedule is not None and epoch < epochs else None
        if reason is not None:
            ended = {"status": Status.STOPPED, "reason": reason, "error": None}
            return [*events, TrialEnded(time_s=now_s, trial=trial, epochs=epoch, **ended)]
    ended = {"status": Status.COMPLETED, "reason": f"all {epochs} epochs", "error": None}
    return [*events, TrialEnded(time_s=now_s, trial=trial, epochs=epochs, **ended)]
