"""What came of a run in a few numbers, and of the repeats of one in their quartiles."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from tune_jobs.results.history import History, Objective, fold
from tune_jobs.results.ranking import ranking
from tune_jobs.results.repeats import repeat_of
from tune_jobs.results.run import Run
from tune_jobs.results.trajectory import Step, Trajectory, reach, trajectory


class Spread(NamedTuple):
    """The quartiles of some values."""

    low: float
    median: float
    high: float


def spread(values: Sequence[float]) -> Spread:
    """The quartiles of some values, interpolated linearly between them."""
    import numpy as np

    return Spread(*map(float, np.quantile(values, (0.25, 0.5, 0.75))))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one run.

    Attributes:
        run: The run.
        history: Its trials.
        best: The objective of its best trial.
        trial: That trial's number.
        config: That trial's configuration.
        test: That trial's test score, None where it was not evaluated.
        trajectory: How the run got there.
    """

    run: Run
    history: History
    best: float
    trial: int
    config: Mapping[str, Any]
    test: float | None
    trajectory: Trajectory

    def reached(self, target: float) -> Step:
        """When it was at least as good as a target that is no better than its own best."""
        step = reach(self.trajectory.steps, target, self.run.objective.mode)
        if step is None:
            raise ValueError(f"The run {self.run.name} never reached {target}.")
        return step


def outcome(run: Run) -> Outcome | None:
    """What came of a run; None before any of its trials has a finite objective.

    Raises:
        JournalError: The journal is damaged other than by a crash.
    """
    events = run.events()
    history = fold(events)
    objective = run.objective
    best = next((place for place in ranking(history, objective) if place.best is not None), None)
    if best is None or best.best is None:
        return None
    return Outcome(
        run=run,
        history=history,
        best=best.best.metrics[objective.metric],
        trial=best.trial.trial,
        config=best.trial.config,
        test=_test_score(run, best.trial.trial),
        trajectory=trajectory(events, objective),
    )


def metric_on_test(objective: Objective) -> str:
    """The leaderboard's column with the test score that belongs to an objective."""
    return f"test_{objective.metric.removeprefix('val_')}"


def _test_score(run: Run, trial: int) -> float | None:
    import pandas as pd

    board = run.leaderboard()
    column = metric_on_test(run.objective)
    if column not in board:
        return None
    value = board.loc[board["trial"] == trial, column].iloc[0]
    return None if pd.isna(value) else float(value)


@dataclass(frozen=True, slots=True)
class Strategy:
    """One way of searching: a run, or the repeats of one, which tell how much of it was luck.

    Attributes:
        name: The name of the run, or of the group of repeats.
        outcomes: What came of each run; at least one.
    """

    name: str
    outcomes: tuple[Outcome, ...]

    @property
    def asked(self) -> Mapping[str, Any]:
        """What its first run was asked for: experiment.json."""
        return self.outcomes[0].run.experiment

    @property
    def best(self) -> Outcome:
        """The run with the best objective, the first of equals."""
        pick = max if self.outcomes[0].run.objective.mode == "max" else min
        return pick(self.outcomes, key=lambda outcome: outcome.best)

    @property
    def tests(self) -> tuple[float, ...] | None:
        """The test scores of all its runs; None unless each has one."""
        scores = tuple(outcome.test for outcome in self.outcomes if outcome.test is not None)
        return scores if len(scores) == len(self.outcomes) else None

    def spread(self, value: Callable[[Outcome], float]) -> Spread:
        """The quartiles of something over its runs."""
        return spread([value(outcome) for outcome in self.outcomes])


def strategy_name(runs: Sequence[Run]) -> str:
    """What runs that belong together are called: by their group, where they are all repeats of it."""
    groups = {repeat.of if (repeat := repeat_of(run)) else None for run in runs}
    group = groups.pop() if len(groups) == 1 and len(runs) > 1 else None
    return group or ", ".join(run.name for run in runs)
