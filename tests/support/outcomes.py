"""What came of a trial, to be compared to the last bit with what came of another."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trainables import Data, KerasTrainable
from trainables.report import Report
from trainables.storage import checkpoint
from trainables.storage.checkpoint import Snapshot

BeginTrial = Callable[..., KerasTrainable]


@dataclass(frozen=True)
class Outcome:
    """What a trial reported, epoch by epoch, and the state in which it ended."""

    metrics: list[Mapping[str, float]]
    state: Snapshot


def state_of(worker: KerasTrainable) -> Snapshot:
    """Return the state of a worker's trial as a checkpoint has it."""
    with tempfile.TemporaryDirectory() as directory:
        worker.save_checkpoint(directory)
        return checkpoint.read(Path(directory))


def outcome_of(worker: KerasTrainable, epochs: int) -> Outcome:
    """Train a worker's trial for some epochs, each without an error."""
    results = [worker.step() for _ in range(epochs)]
    assert all(result["error"] is None for result in results), results
    return Outcome([result["metrics"] for result in results], state_of(worker))


def reports_of(worker: KerasTrainable) -> list[Report]:
    """Train a worker's trial to its end, and return the report of each step."""
    reports = [worker.step()]
    while not reports[-1]["done"]:
        reports.append(worker.step())
    worker.cleanup()
    return reports


def train_trial(
    begin: BeginTrial,
    trainable: type[KerasTrainable],
    config: dict[str, Any],
    data: Data,
    *,
    epochs: int = 3,
    **settings: Any,
) -> Outcome:
    """Train one trial in a worker of its own; its objective is the validation loss where there is one."""
    objective = {"metric": "val_loss" if data.validation else "loss", "mode": "min"}
    return outcome_of(begin(trainable, config, data, **{**objective, **settings}), epochs)


def assert_same(found: Outcome, expected: Outcome) -> None:
    """Compare two outcomes bit by bit: metrics, the best epoch, and every array of the state."""
    assert found.metrics == expected.metrics
    assert found.state.state["best_epoch"] == expected.state.state["best_epoch"]
    assert found.state.arrays.keys() == expected.state.arrays.keys()
    for name, array in expected.state.arrays.items():
        np.testing.assert_array_equal(found.state.arrays[name], array, name)
