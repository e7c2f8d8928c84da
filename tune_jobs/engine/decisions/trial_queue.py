"""Which trial is next, and with which configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tune_jobs.engine.decisions.longest_first import LongestFirst
from tune_jobs.searchers import WAIT, Search, Waiting

_LAST = 16
"""The order is chosen among so many only: a run that is ended early has tried what came, not what takes longest."""

Proposal = tuple[int, dict[str, Any]]


class TrialQueue:
    """Trials that come back go first, then those that a resumed run has left out, then new ones.

    Args:
        search: Proposes configurations.
        planned: How many trials there are to be; None: as many as the search proposes.
        order: Chooses among the last trials, which are then known beforehand; None: they start as they are proposed.
    """

    def __init__(self, search: Search, planned: int | None, order: LongestFirst | None = None) -> None:
        self._search = search
        self._planned = planned
        self._order = order
        self._proposed = 0
        self._begun = 0
        self._back: list[Proposal] = []
        self._left_out: list[int] = []
        self._waiting: dict[int, dict[str, Any]] = {}

    def again(self, started: Mapping[int, dict[str, Any]]) -> None:
        """Learns which trials had started before the run was interrupted.

        Trials start out of order: others may have been proposed, but never started, and wait. A search that has to
        hear results before it can say again what one of those was is asked when it has.
        """
        self._begun = len(started)
        for trial in range(max(started, default=-1) + 1):
            self._proposed = trial + 1
            if trial in started:
                self._search.remember(trial, started[trial])
                continue
            config = self._search.propose(trial)
            if isinstance(config, dict):
                self._waiting[trial] = config
            elif config is WAIT:
                self._left_out.append(trial)

    def comes_back(self, trial: int, config: dict[str, Any]) -> None:
        """A trial has no worker any more, and has not ended."""
        self._back.append((trial, config))

    def took(self, trial: int, config: dict[str, Any], seconds: float) -> None:
        """An epoch of a trial took so long."""
        if self._order is not None:
            self._order.learn(trial, config, seconds)

    def next(self, has_room: Callable[[int], bool]) -> Proposal | Waiting | None:
        """The next trial; None when there is none, WAIT when it is too early.

        Args:
            has_room: Whether there is room for a trial now.
        """
        if self._back:
            return self._back.pop(0) if has_room(self._back[0][0]) else WAIT
        if self._planned is not None and self._begun >= self._planned:
            return None  # more had been proposed, when it is resumed with fewer trials
        if self._order is not None:
            self._foresee()
        if self._waiting:
            trial = self._order.first(self._waiting) if self._order is not None else next(iter(self._waiting))
            return self._begin(trial, self._waiting.pop(trial)) if has_room(trial) else WAIT
        trial = next(iter(self._left_out), self._proposed)
        if not has_room(trial):
            return WAIT
        config = self._search.propose(trial)
        if not isinstance(config, dict):
            return config
        if self._left_out:
            self._left_out.pop(0)
        else:
            self._proposed += 1
        return self._begin(trial, config)

    def _begin(self, trial: int, config: dict[str, Any]) -> Proposal:
        self._begun += 1
        return trial, config

    def _foresee(self) -> None:
        """Asks for the last trials when they are all that is left to propose."""
        while self._planned is not None and self._planned - _LAST <= self._proposed < self._planned:
            config = self._search.propose(self._proposed)
            if not isinstance(config, dict):
                return
            self._waiting[self._proposed] = config
            self._proposed += 1
