"""The origin of a checkpoint: the configuration of its trial, and what all its epochs measured.

The journal has both, too. But a machine that loses its power may lose the journal's last lines and keep a checkpoint
that is newer. Then the checkpoint brings the epochs that the journal lacks, and tells whether it is of this trial at
all: a searcher may propose another configuration for a number whose start the journal has lost.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from trainables.report import Epoch
from trainables.storage.checkpoint import CheckpointError, Snapshot

EPOCHS_KEPT = 20_000
"""Most epochs that a checkpoint lists. They are the last ones; a journal never lacks as many."""


class Origin:
    """The origin of the checkpoints of one trial.

    Args:
        config: The value of each parameter, by its name. What a model's code changes in it later does not count.
        reported: How many epochs the driver knows.

    Attributes:
        reported: How many epochs the driver knows.
    """

    def __init__(self, config: Mapping[str, Any], reported: int) -> None:
        self.reported = reported
        self._config = json.loads(json.dumps(config, default=repr, skipkeys=True))

    def written_into(self, snapshot: Snapshot, epochs: Sequence[Epoch]) -> Snapshot:
        """Return a snapshot that tells its origin.

        Args:
            snapshot: The state of the trial.
            epochs: All epochs that are known, in order.
        """
        history = [epoch.to_json() for epoch in epochs[-EPOCHS_KEPT:]]
        return Snapshot({**snapshot.state, "config": self._config, "history": history}, snapshot.arrays)

    def check(self, snapshot: Snapshot) -> None:
        """Do nothing if the trial may continue from a snapshot.

        Raises:
            CheckpointError: The snapshot is of another configuration, or it is newer than the journal and does not
                tell what its epochs measured.
        """
        name = f"The checkpoint of epoch {_epoch_of(snapshot)}"
        config = snapshot.state.get("config")
        # Names that only one of them has: the trial's code has asked for more than it was given, see ``report.Met``.
        if config is not None and any(config[name] != self._config[name] for name in config.keys() & self._config):
            raise CheckpointError(f"{name} is of another configuration than the trial has.")
        expected = list(range(self.reported + 1, snapshot.epoch))
        if [epoch.number for epoch in self.missing_epochs(snapshot)] != expected:
            raise CheckpointError(
                f"{name} is newer than the journal, which has {self.reported} epochs of the trial, and does not tell "
                "what came between."
            )

    def missing_epochs(self, snapshot: Snapshot) -> list[Epoch]:
        """Return the epochs before a snapshot's last one that the driver does not know, in order."""
        return [epoch for epoch in history_of(snapshot) if self.reported < epoch.number < snapshot.epoch]


def history_of(snapshot: Snapshot) -> list[Epoch]:
    """Return the epochs that a snapshot tells of; if an older version wrote it, this is the last one.

    Raises:
        CheckpointError: The snapshot is damaged.
    """
    last = snapshot.state.get("last")
    try:
        return [_epoch(state) for state in snapshot.state.get("history", [last] if last else [])]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        name = f"The checkpoint of epoch {_epoch_of(snapshot)}"
        raise CheckpointError(f"{name} does not tell what its epochs measured: {error!r}.") from error


def _epoch(state: Mapping[str, Any]) -> Epoch:
    metrics = {str(name): float(value) for name, value in state["metrics"].items()}
    seconds = float(state["seconds"])
    if not 0 <= seconds < math.inf:
        raise ValueError(f"an epoch of {seconds} seconds")
    return Epoch(int(state["epoch"]), metrics, seconds)


def _epoch_of(snapshot: Snapshot) -> int:
    try:
        return snapshot.epoch
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"The checkpoint does not tell its epoch: {error!r}.") from error
