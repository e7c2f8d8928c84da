"""Whose weights are kept, so that a thousand trials do not fill the disk."""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Callable, Sequence
from pathlib import Path

from trainables.storage.checkpoint import DiskCheckpoints
from trainables.storage.layout import trial_name
from tune_jobs.base.objective import Objective
from tune_jobs.experiment.experiment import Keep
from tune_jobs.results import EpochReported, Event, TrialEnded, TrialStarted
from tune_jobs.results.history import TrialHistory
from tune_jobs.results.ranking import sort_key


class RetentionPolicy:
    """Decides whose weights go: those of trials that have ended and are not, or no longer, among the best.

    A trial that runs, or was interrupted, needs them to go on. One that never had a finite objective has none that
    are worth keeping. What has fallen out of the best never returns: that only better ones come keeps the order.

    Args:
        keep: "all", "none", or how many trials keep theirs.
        objective: What tells the best, as on the leaderboard.
        lag: How many further trials must have ended before a trial's weights go: the worker that was told to end it
            may still be writing them.
    """

    def __init__(self, keep: Keep, objective: Objective, lag: int) -> None:
        self._most = {"all": math.inf, "none": 0}[keep] if isinstance(keep, str) else keep
        self._objective = objective
        self._lag = lag
        self._running: dict[int, TrialHistory] = {}
        self._best: list[tuple[float, int, int]] = []
        self._losers: set[int] = set()
        self._fresh: dict[int, int] = {}  # trials that ended lately, by how many more have to end
        self._waiting: set[int] = set()

    def after(self, event: Event) -> list[int]:
        """The trials whose weights go, now that this has happened."""
        if self._most == math.inf:
            return []
        match event:
            case TrialStarted(trial=trial) if trial not in self._running:
                self._running[trial] = TrialHistory(trial, event.config, event.node, event.time_s)
                self._forget(trial)
            case EpochReported(trial=trial) if trial in self._running:
                self._running[trial].epochs[event.epoch] = event
            case TrialEnded(trial=trial) if trial in self._running:
                return self._ended(self._running.pop(trial))
        return []

    def losers(self) -> list[int]:
        """All trials whose weights are not kept, when no worker is left that could write."""
        return sorted(self._losers)

    def _ended(self, trial: TrialHistory) -> list[int]:
        self._fresh = {number: left - 1 for number, left in self._fresh.items() if left > 1}
        if self._lag:
            self._fresh[trial.trial] = self._lag
        best = trial.best(self._objective)
        if best is None:
            self._lose(trial.trial)
        else:
            insort(self._best, sort_key(best, self._objective))
            if len(self._best) > self._most:
                self._lose(self._best.pop()[-1])
        now = sorted(self._waiting - self._fresh.keys())
        self._waiting.intersection_update(self._fresh)
        return now

    def _lose(self, trial: int) -> None:
        self._losers.add(trial)
        self._waiting.add(trial)

    def _forget(self, trial: int) -> None:
        """It had ended, and runs again."""
        self._best = [place for place in self._best if place[-1] != trial]
        self._losers.discard(trial)
        self._waiting.discard(trial)


class CheckpointPruner:
    """Deletes the weights of those that ``RetentionPolicy`` names.

    Args:
        keeping: Decides.
        folder: The folder of all trials.
        elsewhere: Deletes the weights of trials that lie elsewhere than in the folder; None: they lie there.
    """

    def __init__(
        self, keeping: RetentionPolicy, folder: Path, elsewhere: Callable[[Sequence[int]], object] | None = None
    ) -> None:
        self._keeping = keeping
        self._folder = folder
        self._elsewhere = elsewhere

    def event(self, event: Event) -> None:
        """Something happened; the journal has it already."""
        self._remove(self._keeping.after(event))

    def end(self) -> None:
        """No worker is left: what one wrote after its trial's weights had gone, goes too."""
        self._remove(self._keeping.losers())

    def _remove(self, trials: list[int]) -> None:
        if self._elsewhere is not None:
            self._elsewhere(trials)
            return
        for trial in trials:
            DiskCheckpoints(self._folder / trial_name(trial)).remove()
