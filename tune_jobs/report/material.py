"""The material of a run's figures: its journal, folded once, and what several figures compute from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from search_spaces import InvalidDeclaration
from tune_jobs.analysis.importance import Importances, measure_importance
from tune_jobs.analysis.parameter_axes import ParameterAxis, parameter_axes
from tune_jobs.base.objective import Objective
from tune_jobs.errors import RequestError
from tune_jobs.experiment.fields import FIELDS
from tune_jobs.results.coherence import coherent
from tune_jobs.results.history import History, TrialHistory, fold
from tune_jobs.results.journal.events import Event
from tune_jobs.results.ranking import RankedTrial, ranking
from tune_jobs.results.run import Run


@dataclass(frozen=True)
class Material:
    """The journal of a run as its figures need it.

    Attributes:
        run: The run.
        events: The events that hold together, in order.
        history: The same, folded.
        known_importances: The importance of the parameters as it was measured a moment ago.
        is_measured: Whether somebody else measures the importance; None then means that it is not known yet.
    """

    run: Run
    events: Sequence[Event]
    history: History
    known_importances: Importances | None = None
    is_measured: bool = False

    @classmethod
    def of(cls, run: Run, events: Sequence[Event] | None = None) -> Material:
        """Return the material of a run as it is now.

        Args:
            run: The run.
            events: The events of its journal; None: they are read.

        Raises:
            JournalError: The journal is damaged, and not by a crash.
        """
        whole = list(coherent(run.events() if events is None else events))
        return cls(run, whole, fold(whole, run.experiment["space"]))

    @cached_property
    def objective(self) -> Objective:
        """The objective of the run."""
        return self.run.objective

    @property
    def metric(self) -> str:
        """The metric of the objective."""
        return self.objective.metric

    @cached_property
    def ranked(self) -> list[RankedTrial]:
        """All trials, the best first; those without a finite objective come last."""
        return ranking(self.history, self.objective)

    @cached_property
    def best_values(self) -> Mapping[int, float]:
        """The objective of each ranked trial at its best epoch, the best first."""
        return {row.trial.trial: row.best.metrics[self.metric] for row in self.ranked if row.best is not None}

    @cached_property
    def ranked_trials(self) -> list[TrialHistory]:
        """The trials that have a rank, the best first."""
        return [self.history.trials[trial] for trial in self.best_values]

    @cached_property
    def axes(self) -> list[ParameterAxis]:
        """An axis for each value in which the ranked trials differ; positions are in the order of their ranks."""
        return parameter_axes(self.run.space, [trial.config for trial in self.ranked_trials])

    @cached_property
    def metrics(self) -> list[str]:
        """The metrics that trials reported, the objective first, then its partner, in the order of the reports."""
        names: dict[str, None] = {}
        for trial in self.history.trials.values():
            for epoch in trial.epochs.values():
                names.update(dict.fromkeys(epoch.metrics))
        partner = self.metric.removeprefix("val_") if self.metric.startswith("val_") else f"val_{self.metric}"
        first = [name for name in (self.metric, partner) if name in names]
        return [*first, *(name for name in names if name not in first)]

    @cached_property
    def max_epochs(self) -> int:
        """The number of epochs of a trial at most: as it was asked, or as it was reached."""
        reached = max((max(trial.epochs, default=0) for trial in self.history.trials.values()), default=0)
        asked = self.run.experiment.get("max_epochs")
        return max(asked, reached) if type(asked) is int else max(reached, 1)

    @cached_property
    def rungs(self) -> tuple[int, ...]:
        """The epochs after which the scheduler compares trials; none if it never does, or is not known."""
        try:
            scheduler = FIELDS["scheduler"].recorded(self.run.experiment)
            return tuple(scheduler.rungs(self.max_epochs))
        except (KeyError, TypeError, AttributeError, ValueError, InvalidDeclaration, RequestError):
            return ()

    @cached_property
    def importances(self) -> Importances | None:
        """The importance of the parameters; None while there are too few trials to tell it."""
        if self.is_measured:
            return self.known_importances
        try:
            return measure_importance(self.run, self.history)
        except RequestError:
            return None

    @cached_property
    def axes_by_importance(self) -> list[ParameterAxis]:
        """The axes, those of the more important parameters first."""
        if self.importances is None:
            return self.axes
        order = {row.name: index for index, row in enumerate(self.importances.parameters)}
        return sorted(self.axes, key=lambda axis: order.get(axis.name, len(order)))
