"""A search that is asked again when a run is resumed, because it keeps a state of its own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from search_spaces.space import Config
from tune_jobs.base.words import quantity
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.results import Event, TrialStarted
from tune_jobs.searchers import WAIT, Search, Waiting
from tune_jobs.searchers.base import is_of_other_run


class ReaskedSearch(Search):
    """A search whose state is rebuilt by the calls that made it: proposals, reports and ends, in the same order.

    The journal has the reports and the ends in their order. Of each trial it has the number of reports and ends that
    the search had heard when it proposed the trial. A resumed run therefore knows where each proposal belongs.

    Args:
        search: The search of a searcher that has ``REASKED``.
    """

    def __init__(self, search: Search) -> None:
        self._search = search
        self._corrected: list[int] = []
        self._heard = 0
        self._heard_before: dict[int, int] = {}
        self._last_started = -1
        self._is_restored = True
        self._to_ask: list[tuple[int, Config | None]] = []  # None: proposed before the run was cut, but never started
        self._never_started: dict[int, Config] = {}

    def expect(self, trials: Iterable[TrialStarted]) -> None:
        """Expect the trials of earlier sessions: ``remember`` follows for each, and ``propose`` for the gaps."""
        self._heard_before = {event.trial: event.heard or 0 for event in trials}
        self._last_started = max(self._heard_before, default=-1)
        self._is_restored = not self._heard_before

    def heard_before(self, trial: int) -> int | None:
        """Return how many reports and ends the search had heard when it proposed a trial."""
        return self._heard_before.get(trial)

    def propose(self, trial: int) -> Config | Waiting | None:
        """Return the configuration of a trial; WAIT while earlier sessions are being replayed."""
        if not self._is_restored:
            self._to_ask.append((trial, None))
            return WAIT
        if trial in self._never_started:
            return self._never_started.pop(trial)
        config = self._search.propose(trial)
        if isinstance(config, dict):
            self._heard_before[trial] = self._heard
        return config

    def remember(self, trial: int, config: Config) -> None:
        """Keep a trial of an earlier session until its turn; pass on one of another run."""
        if is_of_other_run(trial):
            self._search.remember(trial, config)
            return
        self._to_ask.append((trial, config))
        self._is_restored = self._is_restored or trial == self._last_started

    def report(self, trial: int, epoch: int, loss: float) -> None:
        """Pass on a trial's result."""
        self._hear(trial)
        self._search.report(trial, epoch, loss)

    def report_all(self, trial: int, epoch: int, losses: Sequence[float]) -> None:
        """Pass on a trial's result in several objectives."""
        self._hear(trial)
        self._search.report_all(trial, epoch, losses)

    def pause(self, trial: int) -> None:
        """Pass on that the scheduler paused a trial."""
        self._search.pause(trial)

    def end(self, trial: int, *, failed: bool, trained_out: bool) -> None:
        """Pass on that a trial ended."""
        self._hear(trial)
        self._search.end(trial, failed=failed, trained_out=trained_out)

    def finish_replay(self) -> list[int]:
        """Ask for what was proposed last; return the trials that were proposed otherwise than before."""
        self._catch_up(to_the_end=True)
        return self._corrected

    def _hear(self, trial: int) -> None:
        if not is_of_other_run(trial):
            self._catch_up()
            self._heard += 1

    def _catch_up(self, *, to_the_end: bool = False) -> None:
        """Ask again for the trials that were proposed before as many reports and ends as have been heard."""
        while (index := self._next_started()) is not None:
            trial = self._to_ask[index][0]
            if self._heard_before.get(trial, 0) > self._heard and not to_the_end:
                return
            for number, config in self._to_ask[: index + 1]:
                self._ask_again(number, config)
            del self._to_ask[: index + 1]

    def _next_started(self) -> int | None:
        return next((index for index, (_, config) in enumerate(self._to_ask) if config is not None), None)

    def _ask_again(self, trial: int, trained: Config | None) -> None:
        proposed = self._search.propose(trial)
        if trained is not None:
            if not isinstance(proposed, dict) or json.loads(json.dumps(proposed)) != trained:
                self._corrected.append(trial)
                self._search.remember(trial, trained)
        elif isinstance(proposed, dict):
            self._never_started[trial] = proposed
            self._heard_before[trial] = self._heard


def correction(search: Search, experiment: Experiment) -> str | None:
    """Return what to say if a search, asked again by a replay, proposed otherwise than before; else None.

    Args:
        search: The search, which has heard all events of the replay.
        experiment: The experiment.
    """
    trials = search.finish_replay() if isinstance(search, ReaskedSearch) else []
    if not trials:
        return None
    named = f"{quantity(len(trials), 'trial')} ({', '.join(map(str, trials[:5]))}{', …' if len(trials) > 5 else ''})"
    return (
        f"Asked again for the earlier trials, {type(experiment.searcher).__name__} proposed other configurations for "
        f"{named}. It learns from what was trained, but goes on otherwise than without the interruption: another "
        "version of a package, or a searcher without a seed, may be the reason."
    )


def expect_trials(search: Search, events: Iterable[Event]) -> None:
    """Prepare a search for the replay of a run's events."""
    if isinstance(search, ReaskedSearch):
        search.expect(event for event in events if isinstance(event, TrialStarted))


def heard_before(search: Search, trial: int) -> int | None:
    """Return how many reports and ends preceded a trial's proposal; None if resuming need not know it."""
    return search.heard_before(trial) if isinstance(search, ReaskedSearch) else None
