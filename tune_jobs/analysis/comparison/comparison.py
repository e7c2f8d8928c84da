"""Strategies side by side: what each found, what it took, and whether the difference is more than luck."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

from tune_jobs.analysis.comparison.cautions import cautions
from tune_jobs.analysis.comparison.groups import group_of, names_of, problems_of, runs_of
from tune_jobs.analysis.comparison.outcomes import Strategy, outcome
from tune_jobs.analysis.comparison.verdicts import Verdict, verdicts
from tune_jobs.base.objective import Objective
from tune_jobs.errors import RequestError
from tune_jobs.results.evaluations import on_test_set
from tune_jobs.results.run import Run

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Comparison:
    """Two or more strategies.

    Attributes:
        objective: What all of them optimised.
        strategies: In the order in which they were named; no two have the same name.
    """

    objective: Objective
    strategies: tuple[Strategy, ...]

    @cached_property
    def target(self) -> float:
        """What every run reached: the best objective of the worst of them."""
        best = (each.best for strategy in self.strategies for each in strategy.outcomes)
        return max(best, key=self.objective.loss)

    @cached_property
    def is_tested(self) -> bool:
        """Whether every run has a test score."""
        return all(strategy.tests is not None for strategy in self.strategies)

    @property
    def score(self) -> str:
        """What the verdicts are about: the metric on the test set where every run has one, else the objective."""
        return on_test_set(self.objective.metric) if self.is_tested else self.objective.metric

    @property
    def is_repeated(self) -> bool:
        """Whether any strategy has more than one run: without, nothing can be said about luck."""
        return any(len(strategy.outcomes) > 1 for strategy in self.strategies)

    @cached_property
    def verdicts(self) -> list[Verdict]:
        """Each strategy against the one with the best median score; none without repeats."""
        if not self.is_repeated:
            return []
        samples = {
            strategy.name: strategy.tests if self.is_tested else [each.best for each in strategy.outcomes]
            for strategy in self.strategies
        }
        return verdicts({name: list(values or ()) for name, values in samples.items()}, self.objective)

    @cached_property
    def cautions(self) -> list[str]:
        """Why this is not like for like, a sentence each."""
        return cautions(self.strategies)

    def table(self) -> pd.DataFrame:
        """A row a run, with typed columns.

        strategy, run, searcher, scheduler, best (the objective), test (missing where not evaluated), trial (of the
        best), config (its configuration), trials, epochs, seconds (of running), and epochs_to_target and
        seconds_to_target: what it took to be as good as the worst run's best.
        """
        import pandas as pd

        rows = [(strategy.name, each) for strategy in self.strategies for each in strategy.outcomes]
        reached = [each.reached(self.target) for _, each in rows]
        columns = {
            "strategy": pd.array([name for name, _ in rows], dtype="string"),
            "run": pd.array([each.run.name for _, each in rows], dtype="string"),
            "searcher": pd.array([part_name(each.run, "searcher") for _, each in rows], dtype="string"),
            "scheduler": pd.array([part_name(each.run, "scheduler") for _, each in rows], dtype="string"),
            "best": pd.array([each.best for _, each in rows], dtype="Float64"),
            "test": pd.array([each.test for _, each in rows], dtype="Float64"),
            "trial": pd.array([each.trial for _, each in rows], dtype="Int64"),
            "config": pd.Series([dict(each.config) for _, each in rows], dtype=object),
            "trials": pd.array([len(each.history.trials) for _, each in rows], dtype="Int64"),
            "epochs": pd.array([each.trajectory.epochs for _, each in rows], dtype="Int64"),
            "seconds": pd.array([each.trajectory.seconds for _, each in rows], dtype="Float64"),
            "epochs_to_target": pd.array([step.epochs for step in reached], dtype="Int64"),
            "seconds_to_target": pd.array([step.seconds for step in reached], dtype="Float64"),
        }
        return pd.DataFrame(columns)


def compare(runs: Sequence[Run | Sequence[Run]]) -> Comparison:
    """Compares strategies.

    Args:
        runs: Two or more; each is a run, or a list of repeats: see ``tune_jobs.results.find.find_runs``.

    Raises:
        RequestError: They cannot be compared, and why, all reasons at once.
        JournalError: A journal is damaged other than by a crash.
    """
    groups = [group_of(each) for each in runs]
    if problems := problems_of(groups):
        raise RequestError(*problems)
    outcomes = [[outcome(run) for run in group.runs] for group in groups]
    if problems := [
        f"The run {run.name} has no trial with a finite {run.objective.metric}: leave it out, or tune-jobs resume it."
        for run, found in zip(runs_of(groups), chain(*outcomes), strict=True)
        if found is None
    ]:
        raise RequestError(*problems)
    names = names_of(groups)
    return Comparison(
        groups[0].runs[0].objective,
        tuple(
            Strategy(name, tuple(each for each in found if each is not None), group.planned)
            for name, found, group in zip(names, outcomes, groups, strict=True)
        ),
    )


def part_name(run: Run, part: str) -> str:
    """The kind of a run's searcher or scheduler."""
    asked = run.experiment.get(part)
    return str(asked.get("kind", "-")) if isinstance(asked, dict) else "-"
