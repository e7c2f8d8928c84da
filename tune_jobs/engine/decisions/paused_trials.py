"""The paused trials of a run: they have not ended, have no worker, and wait for the scheduler to promote them."""

from __future__ import annotations

import math
from collections.abc import Callable

from tune_jobs.engine.decisions.advisers import Advisers
from tune_jobs.engine.decisions.running_trials import RunningTrials
from tune_jobs.results import Event, Status, TrialPaused, TrialPromoted


class PausedTrials:
    """The paused trials of one run.

    A promotion is nothing new to a worker: it gets the trial like one whose worker died, and continues it from its
    checkpoint.

    Args:
        trials: The trials that have not ended.
        advisers: The searcher and the scheduler.
        log: Logs an event.
        end: Ends a trial with a status and a reason.
        clock: Returns the time, in Unix time.
    """

    def __init__(
        self,
        trials: RunningTrials,
        advisers: Advisers,
        log: Callable[[Event], None],
        end: Callable[[int, Status, str], None],
        clock: Callable[[], float],
    ) -> None:
        self._trials = trials
        self._advisers = advisers
        self._log = log
        self._end = end
        self._clock = clock

    @property
    def reasons(self) -> dict[int, str]:
        """The paused trials with the reasons, ascending."""
        return {trial: it.pause for trial, it in sorted(self._trials.by_number.items()) if it.pause is not None}

    @property
    def are_all(self) -> bool:
        """True if there are trials that have not ended, and all of them are paused."""
        trials = self._trials.by_number
        return bool(trials) and all(trial.pause is not None for trial in trials.values())

    def pause(self, trial: int, reason: str) -> None:
        """Pause a trial, which leaves its worker.

        Args:
            trial: The number of the trial.
            reason: The scheduler's reason.
        """
        epochs = self._trials.by_number[trial].epoch
        self._log(TrialPaused(time_s=self._clock(), trial=trial, reason=reason, epochs=epochs))
        self._wait(trial, reason)

    def promote(self, *, last: bool) -> bool:
        """Queue the paused trial that goes on next, unless another trial waits for a worker.

        Args:
            last: True if nothing else is left to do.

        Returns:
            Whether one was queued.
        """
        if self._trials.has_returned or (promotion := self._advisers.next_promotion(last=last)) is None:
            return False
        event = TrialPromoted(time_s=self._clock(), **vars(promotion))
        self._log(event)
        self._go_on(event)
        self._trials.put_back(promotion.trial)
        return True

    def end_all(self) -> None:
        """Stop all paused trials where they are."""
        for trial, reason in self.reasons.items():
            self._end(trial, Status.STOPPED, f"{reason}, not promoted")

    def replay(self, event: TrialPaused | TrialPromoted) -> None:
        """Take in a pause or a promotion of an earlier session. A promoted trial is not queued yet."""
        if isinstance(event, TrialPaused):
            self._wait(event.trial, event.reason)
        else:
            self._go_on(event)

    def _wait(self, trial: int, reason: str) -> None:
        self._trials.pause(trial, reason)
        self._advisers.pause(trial)

    def _go_on(self, event: TrialPromoted) -> None:
        trial = self._trials.by_number[event.trial]
        trial.pause = None
        if event.donor is not None:
            trial.config, trial.donor = dict(event.config), (event.donor, trial.epoch)
            trial.best_loss = math.inf  # it is judged by what it reaches with the new configuration
        self._advisers.promote(event.trial, trial)
