"""The queue of a run's trials: it says which trial is next, and with which configuration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tune_jobs.engine.decisions.longest_first import LongestFirst
from tune_jobs.engine.decisions.reasked_search import expect_trials, heard_before
from tune_jobs.engine.decisions.replay import started_trials
from tune_jobs.results import Event
from tune_jobs.searchers import WAIT, Search, Waiting

_LAST = 16
"""The order is chosen among so many trials only, so that a run that is ended early has tried trials as they came."""

Proposal = tuple[int, dict[str, Any]]


class TrialQueue:
    """The trials without a worker: first those that come back, then those a resumed run has left out, then new ones.

    Args:
        search: The searcher, which proposes configurations.
        planned: The number of trials of the run; None: as many as the searcher proposes.
        order: Chooses among the last trials, which are then proposed early; None: trials start as they are proposed.
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

    def restore(self, events: Sequence[Event]) -> dict[int, dict[str, Any]]:
        """Take the trials that had started before the run was interrupted; return their configurations by number.

        Trials start out of order, so others may have been proposed, but never started: they wait. If the searcher needs
        results before it can repeat such a proposal, it is asked again later.

        Args:
            events: All events of the run so far.
        """
        started = started_trials(events)
        expect_trials(self._search, events)
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
        return started

    @property
    def begun(self) -> int:
        """The number of trials that have begun, without those that were refused."""
        return self._begun

    def uncount(self) -> None:
        """Count one trial less as begun."""
        self._begun -= 1

    @property
    def left(self) -> int | None:
        """The number of trials that have not begun; None: as many as the searcher proposes."""
        return None if self._planned is None else max(0, self._planned - self._begun)

    def take_back_proposals(self) -> list[int]:
        """Return the trials that were proposed and have not begun: the searcher is asked for them again, in order."""
        unused = list(self._waiting)
        self._left_out = sorted([*self._left_out, *unused])
        self._waiting.clear()
        self._order = None  # it knows the former space only
        return unused

    def plan(self, trials: int | None) -> None:
        """Set the number of trials of the run; None: as many as the searcher proposes."""
        self._planned = trials

    def heard_before(self, trial: int) -> int | None:
        """Return how many reports and ends preceded a trial's proposal; None if resuming need not know it."""
        return heard_before(self._search, trial)

    @property
    def has_returned(self) -> bool:
        """True if a trial that was put back waits for a worker."""
        return bool(self._back)

    def put_back(self, trial: int, config: dict[str, Any]) -> None:
        """Queue a trial that has not ended, and has no worker any more."""
        self._back.append((trial, config))

    def next(self, has_room: Callable[[int], bool]) -> Proposal | Waiting | None:
        """Return the next trial's number and configuration; WAIT if it is too early; None if there is none.

        Args:
            has_room: Returns whether there is room for a trial now, by its number.
        """
        if self._back:
            return self._back.pop(0) if has_room(self._back[0][0]) else WAIT
        if self._planned is not None and self._begun >= self._planned:
            return None  # resumed with fewer trials, a run may have proposed more
        if self._order is not None:
            self._propose_last()
        if self._waiting:
            trial = self._order.choose(self._waiting) if self._order is not None else next(iter(self._waiting))
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

    def _propose_last(self) -> None:
        """Ask the searcher for the last trials, once no others are left to propose."""
        while self._planned is not None and self._planned - _LAST <= self._proposed < self._planned:
            config = self._search.propose(self._proposed)
            if not isinstance(config, dict):
                return
            self._waiting[self._proposed] = config
            self._proposed += 1
