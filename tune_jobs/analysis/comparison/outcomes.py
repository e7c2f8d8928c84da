"""Outcomes of runs: the result of a run in a few numbers, and the results of the repeats of a strategy."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tune_jobs.analysis.comparison.statistics import Spread, spread
from tune_jobs.analysis.comparison.trajectory import Improvement, Trajectory, measure_trajectory, reach
from tune_jobs.results.coherence import coherent
from tune_jobs.results.evaluations import on_test_set
from tune_jobs.results.history import History, fold
from tune_jobs.results.ranking import ranking
from tune_jobs.results.run import Run


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one run.

    Attributes:
        run: The run.
        history: The trials of the run.
        best: The objective of the best trial.
        trial: The number of the best trial.
        config: The configuration of the best trial.
        test: The test score of the best trial; None if it was not evaluated.
        trajectory: The way to the best trial.
    """

    run: Run
    history: History
    best: float
    trial: int
    config: Mapping[str, Any]
    test: float | None
    trajectory: Trajectory

    def reached(self, target: float) -> Improvement:
        """Return the first improvement that is at least as good as a target.

        Args:
            target: A value of the objective that is no better than the run's own best.

        Raises:
            ValueError: The run never reached the target.
        """
        improvement = reach(self.trajectory.improvements, target, self.run.objective)
        if improvement is None:
            raise ValueError(f"The run {self.run.name} never reached {target}.")
        return improvement


def summarize_run(run: Run) -> Outcome | None:
    """Return the outcome of a run; None if no trial has a finite objective yet, or none keeps the constraints.

    Args:
        run: The run.

    Raises:
        JournalError: The journal is damaged other than by a crash.
    """
    events = list(coherent(run.events()))
    history = fold(events)
    objective = run.objective
    best = next((ranked for ranked in ranking(history, objective) if ranked.best is not None), None)
    if best is None or best.best is None or objective.violation(best.best.metrics):
        return None
    return Outcome(
        run=run,
        history=history,
        best=best.best.metrics[objective.metric],
        trial=best.trial.trial,
        config=best.trial.config,
        test=_test_score(run, history, best.trial.trial),
        trajectory=measure_trajectory(events, objective),
    )


def _test_score(run: Run, history: History, trial: int) -> float | None:
    scores, _ = run.test_scores(history)
    metrics = scores[trial].metrics if trial in scores else {}
    value = {on_test_set(name): value for name, value in metrics.items()}.get(on_test_set(run.objective.metric))
    return None if value is None or math.isnan(value) else value


def best_outcome(outcomes: Sequence[Outcome]) -> Outcome:
    """Return the outcome with the best objective, the first of equals.

    Args:
        outcomes: The outcomes of runs with one objective; at least one.
    """
    objective = outcomes[0].run.objective
    return min(outcomes, key=lambda outcome: objective.loss(outcome.best))


@dataclass(frozen=True, slots=True)
class Strategy:
    """One way of searching: a run, or the repeats of one, which tell how much of the result was luck.

    Attributes:
        name: The name of the run, or of the group of repeats.
        outcomes: The outcome of each run; at least one.
        planned: The number of runs that were planned.
    """

    name: str
    outcomes: tuple[Outcome, ...]
    planned: int

    @property
    def best(self) -> Outcome:
        """The outcome with the best objective, the first of equals."""
        return best_outcome(self.outcomes)

    @property
    def tests(self) -> tuple[float, ...] | None:
        """The test scores of all runs; None unless each run has one."""
        scores = tuple(outcome.test for outcome in self.outcomes if outcome.test is not None)
        return scores if len(scores) == len(self.outcomes) else None

    def spread(self, value: Callable[[Outcome], float]) -> Spread:
        """Return the quartiles of a value over the runs.

        Args:
            value: Returns the value of an outcome.
        """
        return spread([value(outcome) for outcome in self.outcomes])
