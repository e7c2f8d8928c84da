"""Overrides: the changes that a command line makes to an experiment."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from tune_jobs.experiment.experiment import Experiment
from tune_jobs.experiment.resources import Gpus, Resources
from tune_jobs.schedulers import SCHEDULERS
from tune_jobs.searchers import AUTO, SEARCHERS, automatic_searcher

_Part = TypeVar("_Part")


@dataclass(frozen=True)
class Overrides:
    """Values that replace those of an experiment. None keeps the declared value.

    Attributes:
        searcher: A name of ``SEARCHERS``, or "auto".
        scheduler: A name of ``SCHEDULERS``.
        cpus: The CPUs of a trial.
        gpus: The GPUs of a trial, or "auto".
        memory_bytes: The main memory of a trial.
        fields: Other fields of the experiment, by name.
    """

    searcher: str | None = None
    scheduler: str | None = None
    cpus: float | None = None
    gpus: Gpus | None = None
    memory_bytes: int | None = None
    fields: dict[str, Any] = field(default_factory=dict)

    def apply(self, experiment: Experiment) -> Experiment:
        """Return the experiment with these values.

        A searcher or scheduler that is of the named kind already keeps its settings.

        Args:
            experiment: The declared experiment. It may never have been checked.

        Raises:
            InvalidDeclaration: A part is wrong; all mistakes are listed.
        """
        searcher = automatic_searcher().NAME if self.searcher == AUTO else self.searcher
        return experiment.override(
            searcher=_replacement(experiment.searcher, SEARCHERS, searcher),
            scheduler=_replacement(experiment.scheduler, SCHEDULERS, self.scheduler),
            resources=self._resources(experiment.resources),
            **self.fields,
        )

    def _resources(self, declared: Any) -> Resources | None:
        amounts = {"cpus": self.cpus, "gpus": self.gpus, "memory_bytes": self.memory_bytes}
        changes: dict[str, Any] = {name: value for name, value in amounts.items() if value is not None}
        if not changes:
            return None
        return replace(declared, **changes) if isinstance(declared, Resources) else Resources(**changes)


def _replacement(declared: _Part, registry: dict[str, type[_Part]], name: str | None) -> _Part | None:
    if name is None or type(declared) is registry[name]:
        return None
    return registry[name]()
