"""Keeps Ray's controller from remembering, and doing, more with every trial.

It remembers all trials for its own reports, snapshots and restoring, none of which is used here: the journal has it
all. What is forgotten has no public names (ray 2.60: tune_controller.py); without them, all is only slower.
"""

from __future__ import annotations

from typing import Any

# What Ray itself reads in a result after the callbacks: where the trial is, and whether it is over.
_KEPT = frozenset({"trial_id", "done", "training_iteration", "node_ip", "pid"})
_COLLECTIONS = ("_live_trials", "_stopped_trials", "_failed_trials", "_trials_to_cache")


class Upkeep:
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
        self._ended.append((controller, trial))

    def forget_ended(self) -> None:
        """Lets go of the trials that have ended; ask between two of Ray's events."""
        waiting = [(controller, trial) for controller, trial in self._ended if not _forgotten(controller, trial)]
        self._ended = waiting


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
