"""Which trial is next, and with which configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tune_jobs.engine.longest_first import LongestFirst
from tune_jobs.searchers import WAIT, Search, Waiting

_MOST_FORESEEN = 256

Proposal = tuple[int, dict[str, Any]]


class Proposals:
    """Trials that come back go first, then those that a resumed run has left out, then new ones.

    Args:
        search: Proposes configurations.
        planned: How many trials there are to be; None: as many as the search proposes.
        queue: Orders the new ones; None: as the search proposes them.
    """

    def __init__(self, search: Search, planned: int | None, queue: LongestFirst | None = None) -> None:
        self._search = search
        self._planned = planned
        self._queue = queue
        self._proposed = 0
        self._back: list[Proposal] = []
        self._left_out: list[int] = []

    def again(self, started: Mapping[int, dict[str, Any]]) -> dict[int, dict[str, Any]]:
        """What was proposed before the run was interrupted, by trial; only some of it is known to have started.

        Side by side, trials start out of order: one of them may have been proposed, but never started. A search that
        has to hear results before it can say again what that one was is asked when it has.
        """
        known: dict[int, dict[str, Any]] = {}
        for trial in range(max(started, default=-1) + 1):
            config: dict[str, Any] | Waiting | None = started.get(trial)
            if config is not None:
                self._search.remember(trial, started[trial])
            else:
                config = self._search.propose(trial)
            if isinstance(config, dict) and self._queue is not None and trial not in started:
                self._queue.add(trial, config)
            elif isinstance(config, dict):
                known[trial] = config
            elif config is WAIT:
                self._left_out.append(trial)
            self._proposed = trial + 1
        return known

    def comes_back(self, trial: int, config: dict[str, Any]) -> None:
        """A trial has no worker any more, and has not ended."""
        self._back.append((trial, config))

    def next(self, has_room: Callable[[int], bool]) -> Proposal | Waiting | None:
        """The next trial; None when there is none, WAIT when it is too early.

        Args:
            has_room: Whether there is room for a trial now.
        """
        if self._back:
            return self._back.pop(0) if has_room(self._back[0][0]) else WAIT
        if self._queue is not None:
            return self._longest(self._queue, has_room)
        trial = next(iter(self._left_out), self._proposed)
        if self._planned is not None and trial >= self._planned:
            return None  # more, when it is resumed with fewer trials
        if not has_room(trial):
            return WAIT
        config = self._search.propose(trial)
        if config is None or config is WAIT:
            return config
        if self._left_out:
            self._left_out.pop(0)
        else:
            self._proposed += 1
        return trial, config

    def took(self, trial: int, config: dict[str, Any], seconds: float) -> None:
        """An epoch of a trial took so long."""
        if self._queue is not None:
            self._queue.learn(trial, config, seconds)

    def _longest(self, queue: LongestFirst, has_room: Callable[[int], bool]) -> Proposal | Waiting | None:
        while len(queue) < _MOST_FORESEEN and (self._planned is None or self._proposed < self._planned):
            config = self._search.propose(self._proposed)
            if not isinstance(config, dict):
                break
            queue.add(self._proposed, config)
            self._proposed += 1
        if not len(queue):
            return None
        trial = queue.first()
        return (trial, queue.take(trial)) if has_room(trial) else WAIT
