"""What came of a run in a few numbers, and of the repeats of one in their quartiles."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tune_jobs.analysis.comparison.statistics import Spread, spread
from tune_jobs.analysis.comparison.trajectory import Step, Trajectory, reach, trajectory
from tune_jobs.results.evaluations import on_test_set
from tune_jobs.results.history import History, fold
from tune_jobs.results.ranking import ranking
from tune_jobs.results.run import Run


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
        step = reach(self.trajectory.steps, target, self.run.objective)
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
        test=_test_score(run, history, best.trial.trial),
        trajectory=trajectory(events, objective),
    )


def _test_score(run: Run, history: History, trial: int) -> float | None:
    tested, _ = run.test_scores(history)
    metrics = tested[trial].metrics if trial in tested else {}
    value = {on_test_set(name): value for name, value in metrics.items()}.get(on_test_set(run.objective.metric))
    return None if value is None or math.isnan(value) else value


def best_of(outcomes: Sequence[Outcome]) -> Outcome:
    """The run with the best objective, the first of equals."""
    objective = outcomes[0].run.objective
    return min(outcomes, key=lambda outcome: objective.loss(outcome.best))


@dataclass(frozen=True, slots=True)
class Strategy:
    """One way of searching: a run, or the repeats of one, which tell how much of it was luck.

    Attributes:
        name: The name of the run, or of the group of repeats.
        outcomes: What came of each run; at least one.
        planned: How many runs there are to be.
    """

    name: str
    outcomes: tuple[Outcome, ...]
    planned: int

    @property
    def best(self) -> Outcome:
        """The run with the best objective, the first of equals."""
        return best_of(self.outcomes)

    @property
    def tests(self) -> tuple[float, ...] | None:
        """The test scores of all its runs; None unless each has one."""
        scores = tuple(outcome.test for outcome in self.outcomes if outcome.test is not None)
        return scores if len(scores) == len(self.outcomes) else None

    def spread(self, value: Callable[[Outcome], float]) -> Spread:
        """The quartiles of something over its runs."""
        return spread([value(outcome) for outcome in self.outcomes])
