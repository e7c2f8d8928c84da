"""The comparison of strategies: their results, their costs, and whether the difference is more than luck."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

from tune_jobs.analysis.comparison.cautions import find_cautions
from tune_jobs.analysis.comparison.groups import RunLike, all_runs, distinct_names, find_problems, make_group
from tune_jobs.analysis.comparison.outcomes import Strategy, summarize_run
from tune_jobs.analysis.comparison.verdicts import Verdict, judge
from tune_jobs.base.objective import Objective
from tune_jobs.errors import RequestError
from tune_jobs.results.evaluations import on_test_set
from tune_jobs.results.run import Run

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Comparison:
    """Two or more strategies side by side.

    Attributes:
        objective: The objective of all strategies.
        strategies: The strategies, in the order in which they were given; no two have the same name.
    """

    objective: Objective
    strategies: tuple[Strategy, ...]

    @cached_property
    def target(self) -> float:
        """The objective that every run reached: the best one of the worst run."""
        best = (outcome.best for strategy in self.strategies for outcome in strategy.outcomes)
        return max(best, key=self.objective.loss)

    @cached_property
    def is_tested(self) -> bool:
        """True if every run has a test score."""
        return all(strategy.tests is not None for strategy in self.strategies)

    @property
    def score(self) -> str:
        """The score of the verdicts: the metric on the test set if every run has it, else the objective."""
        return on_test_set(self.objective.metric) if self.is_tested else self.objective.metric

    @property
    def is_repeated(self) -> bool:
        """True if a strategy has more than one run. Without repeats, nothing can be said about luck."""
        return any(len(strategy.outcomes) > 1 for strategy in self.strategies)

    @cached_property
    def verdicts(self) -> list[Verdict]:
        """The verdicts of the strategy with the best median score against each other one; empty without repeats."""
        if not self.is_repeated:
            return []
        samples = {
            strategy.name: strategy.tests if self.is_tested else [outcome.best for outcome in strategy.outcomes]
            for strategy in self.strategies
        }
        return judge({name: list(values or ()) for name, values in samples.items()}, self.objective)

    @cached_property
    def cautions(self) -> list[str]:
        """The reasons why this is not like for like, a sentence each."""
        return find_cautions(self.strategies)

    def table(self) -> pd.DataFrame:
        """Return a table with a row per run.

        Returns:
            A frame with these columns. The number columns are nullable.

            - ``strategy``, ``run``, ``searcher``, ``scheduler``: names.
            - ``best``: the best objective. ``test``: the test score of that trial; missing if it was not evaluated.
            - ``trial``, ``config``: the number and the configuration of that trial.
            - ``trials``, ``epochs``, ``seconds``: the numbers of trials and epochs, and the seconds of running.
            - ``epochs_to_target``, ``seconds_to_target``: the cost until the run was as good as the worst run's best.
        """
        import pandas as pd

        names = [strategy.name for strategy in self.strategies for _ in strategy.outcomes]
        outcomes = [outcome for strategy in self.strategies for outcome in strategy.outcomes]
        reached = [outcome.reached(self.target) for outcome in outcomes]
        columns = {
            "strategy": pd.array(names, dtype="string"),
            "run": pd.array([outcome.run.name for outcome in outcomes], dtype="string"),
            "searcher": pd.array([part_name(outcome.run, "searcher") for outcome in outcomes], dtype="string"),
            "scheduler": pd.array([part_name(outcome.run, "scheduler") for outcome in outcomes], dtype="string"),
            "best": pd.array([outcome.best for outcome in outcomes], dtype="Float64"),
            "test": pd.array([outcome.test for outcome in outcomes], dtype="Float64"),
            "trial": pd.array([outcome.trial for outcome in outcomes], dtype="Int64"),
            "config": pd.Series([dict(outcome.config) for outcome in outcomes], dtype=object),
            "trials": pd.array([len(outcome.history.trials) for outcome in outcomes], dtype="Int64"),
            "epochs": pd.array([outcome.trajectory.epochs for outcome in outcomes], dtype="Int64"),
            "seconds": pd.array([outcome.trajectory.seconds for outcome in outcomes], dtype="Float64"),
            "epochs_to_target": pd.array([improvement.epochs for improvement in reached], dtype="Int64"),
            "seconds_to_target": pd.array([improvement.seconds for improvement in reached], dtype="Float64"),
        }
        return pd.DataFrame(columns)


def compare(runs: Sequence[RunLike | Sequence[RunLike]]) -> Comparison:
    """Compare strategies.

    Args:
        runs: Two or more strategies; each is a run, its folder or URI, or a list of repeats: see ``find_runs``.

    Returns:
        The comparison. Only repeats can show that a difference is more than luck.

    Raises:
        RequestError: The runs cannot be compared; all reasons are listed.
        JournalError: A journal is damaged other than by a crash.

    Example:
        >>> import tune_jobs
        >>> runs = [tune_jobs.load_run("runs/digits"), tune_jobs.load_run("runs/digits-2")]
        >>> comparison = tune_jobs.compare(runs)
        >>> comparison.objective
        Objective(metric='val_accuracy', mode='max')
        >>> comparison.table()["strategy"].tolist()
        ['digits', 'digits-2']
        >>> comparison.verdicts
        []
    """
    groups = [make_group(strategy) for strategy in runs]
    if problems := find_problems(groups):
        raise RequestError(*problems)
    outcomes = [[summarize_run(run) for run in group.runs] for group in groups]
    if problems := [
        f"The run {run.name} has no trial with a finite {run.objective.metric}{_kept(run)}: leave it out, or "
        "tune-jobs resume it."
        for run, outcome in zip(all_runs(groups), chain(*outcomes), strict=True)
        if outcome is None
    ]:
        raise RequestError(*problems)
    strategies = (
        Strategy(name, tuple(outcome for outcome in of_group if outcome is not None), group.planned)
        for name, of_group, group in zip(distinct_names(groups), outcomes, groups, strict=True)
    )
    return Comparison(groups[0].runs[0].objective, tuple(strategies))


def part_name(run: Run, part: str) -> str:
    """Return the name of a run's searcher or scheduler, "-" if the run did not record it.

    Args:
        run: The run.
        part: "searcher" or "scheduler".
    """
    recorded = run.experiment.get(part)
    return str(recorded.get("kind", "-")) if isinstance(recorded, dict) else "-"


def _kept(run: Run) -> str:
    return " that keeps its constraints" if run.objective.constraints else ""
