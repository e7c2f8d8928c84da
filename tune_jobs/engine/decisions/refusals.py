"""The refusals of a run: trials that break a constraint before they are trained, and when there are too many."""

from __future__ import annotations

from collections.abc import Callable

from trainables.constraints.constraint import broken_words
from tune_jobs.base.constraints import configuration_values
from tune_jobs.base.words import quantity
from tune_jobs.engine.decisions.advisers import exhaustion
from tune_jobs.engine.decisions.running_trials import RunningTrials
from tune_jobs.engine.decisions.trial_queue import Proposal
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.results import Status
from tune_jobs.searchers import Waiting

MOST_IN_A_ROW = 500
"""The number of trials that are refused one after another until no more are proposed."""


class Refusals:
    """The trials of a run that are not trained, because their configuration or their model breaks a constraint.

    A refused trial has a number and a row on the leaderboard. It does not count in the budget of trials, and it is no
    failure. The searcher hears of it as of a failure, so that it looks elsewhere.

    Args:
        experiment: The experiment.
        trials: The trials that have not ended.
        start: Logs the start of a trial on a node.
        end: Ends a trial with a status and a reason.
    """

    def __init__(
        self,
        experiment: Experiment,
        trials: RunningTrials,
        start: Callable[[int, str], None],
        end: Callable[[int, Status, str], None],
    ) -> None:
        self._experiment = experiment
        self._constraints = experiment.config_constraints
        self._trials = trials
        self._start = start
        self._end = end
        self._count = 0
        self._in_a_row = 0
        self._last = ""

    def propose(self) -> Proposal | Waiting | None:
        """Return the next trial whose configuration keeps the constraints; those before it are refused."""
        while self._in_a_row < MOST_IN_A_ROW or self._trials.has_returned:
            proposal = self._trials.propose()
            if not isinstance(proposal, tuple) or not (broken := self._broken(*proposal)):
                return proposal
            self._start(proposal[0], "")
            self.refuse(proposal[0], broken)
        return None

    def refuse(self, trial: int, broken: str) -> bool:
        """End a trial because of the constraints that it breaks; return that it ends.

        Args:
            trial: The number of the trial.
            broken: What it breaks, in words.
        """
        self._last = broken
        self._end(trial, Status.REFUSED, f"refused: {broken}")
        return True

    def record_end(self, status: Status) -> None:
        """Take in the end of a trial."""
        if status is Status.REFUSED:
            self._count += 1
            self._in_a_row += 1
            self._trials.uncount()

    def record_epoch(self, epoch: int) -> None:
        """Take in that a trial was trained for so many epochs."""
        if epoch == 1:  # the later epochs of a long trial do not show that any other one is accepted
            self._in_a_row = 0

    def exhaustion(self) -> str | None:
        """Return why a run that nothing else ended has ended before its budget was used up; None if it has not."""
        if self._in_a_row >= MOST_IN_A_ROW:
            return f"{self._in_a_row} configurations in a row were refused{self._because}: the run tried no more."
        told = exhaustion(self._experiment, self._trials.begun)
        refused = f" Beside them, {quantity(self._count, 'configuration')} broke a constraint." if self._count else ""
        return told and told + refused

    def failure(self, epochs: int) -> str | None:
        """Return why a run has failed that came to its end without training anything; None if nothing was refused.

        Args:
            epochs: The number of epochs of all trials.
        """
        if epochs or not self._count:
            return None
        return (
            f"Nothing was trained: all {self._count} configurations that were proposed broke a constraint"
            f"{self._because}. Loosen the constraints or narrow the space, and begin another run."
        )

    @property
    def _because(self) -> str:
        return f", the last of them: {self._last}" if self._last else ""

    def _broken(self, trial: int, config: dict[str, object]) -> str:
        if not self._constraints or self._trials.by_number[trial].epoch:
            return ""
        return broken_words(self._constraints, configuration_values(config))
