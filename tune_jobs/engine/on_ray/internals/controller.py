"""Keeps Ray's controller from remembering, and doing, more with every trial.

It remembers all trials for its own reports, snapshots and restoring, none of which is used here: the journal has it
all. What is forgotten has no public names (ray 2.60: tune_controller.py); without them, all is only slower.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

# What Ray itself reads in a result after the callbacks: where the trial is, and whether it is over.
_KEPT = frozenset({"trial_id", "done", "training_iteration", "node_ip", "pid"})
_COLLECTIONS = ("_live_trials", "_stopped_trials", "_failed_trials", "_trials_to_cache")


class ControllerPatches:
    """What is to be done beside the trials of one run."""

    def __init__(self) -> None:
        self._resources: dict[Any, Any] = {}
        self._ended: list[tuple[Any, Any]] = []

    def added(self, trial: Any) -> None:
        """A trial was made: those with equal resources share one object.

        Ray looks them up in dictionaries; objects that are equal, but not the same, it compares field by field, dozens
        of times a trial.
        """
        own = trial.placement_group_factory
        trial.placement_group_factory = self._resources.setdefault(own, own)

    def ends(self, controller: Any, trial: Any) -> None:
        """A trial is about to end."""
        write = getattr(controller, "checkpoint", None)
        if write is not None and not isinstance(write, Snapshots):
            controller.checkpoint = Snapshots(write)
        self._ended.append((controller, trial))

    def forget_ended(self) -> None:
        """Lets go of the trials that have ended; ask between two of Ray's events."""
        waiting = [(controller, trial) for controller, trial in self._ended if not _forgotten(controller, trial)]
        self._ended = waiting


class Snapshots:
    """Ray's snapshots of all trials, of which only the last is written; it is read when Ray's work is done.

    Ray works out where one would lie at every event, before it finds that none is due. That was a tenth of its work.

    Args:
        write: Writes one where one is due.
    """

    def __init__(self, write: Callable[..., None]) -> None:
        self._write = write

    def __call__(self, force: bool = False, wait: bool = False) -> None:
        """Ray thinks of a snapshot."""
        if force:
            self._write(force=force, wait=wait)

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: what the controller knows, this among it, goes into the snapshot."""
        return {}


def lighten(result: dict[str, Any]) -> None:
    """Leaves of a result what Ray still reads, when all that it told is known: Ray keeps statistics of every number."""
    for name in result.keys() - _KEPT:
        del result[name]


def _forgotten(controller: Any, trial: Any) -> bool:
    """Lets go of a trial that has ended and has no worker; says whether it has."""
    if not trial.is_finished() or trial in getattr(controller, "_trial_to_actor", ()):
        return False
    for name in _COLLECTIONS:
        getattr(controller, name, set()).discard(trial)
    getattr(controller, "_trial_metadata", {}).pop(trial.trial_id, None)
    trials = controller.get_trials()
    if trial in trials:
        trials.remove(trial)
    return True
