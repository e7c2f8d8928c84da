"""The schedule of configurations that population based training found, computed from the run's folder alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tune_jobs.errors import RequestError
from tune_jobs.results import EpochReported, Event, TrialPromoted, TrialStarted, coherent
from tune_jobs.schedulers.config_steps import ConfigSteps

if TYPE_CHECKING:
    from tune_jobs.results.run import Run


@dataclass(frozen=True)
class FoundSchedule:
    """The configurations under which the weights of a trial were trained, one after another.

    Attributes:
        first: The first configuration.
        scheduler: A scheduler with the later ones.
        trials: The trials that had the weights, in order; the last one has them still.
    """

    first: Mapping[str, Any]
    scheduler: ConfigSteps
    trials: tuple[int, ...]


def found_schedule(run: Run, trial: int | None = None) -> FoundSchedule:
    """Return the schedule of configurations that led to the weights of a trial.

    An experiment with ``searcher=HyperOpt(points=[found.first])``, ``scheduler=found.scheduler`` and ``trials=1``
    trains it again.

    Args:
        run: A run with the scheduler ``PopulationBased``. In any other run, a trial has one configuration.
        trial: The number of the trial; None: the best trial.

    Raises:
        RequestError: The run has no such trial, or no best one.

    Example:
        >>> from tune_jobs import found_schedule, load_run
        >>> run = load_run("runs/digits")
        >>> found = found_schedule(run)  # no trial of this run took over weights
        >>> found.first == run.best_config, found.scheduler.steps, found.trials == (run.best_trial,)
        (True, (), True)
    """
    number = run.best_trial if trial is None else trial
    lineage = _lineages(run.events()).get(number)
    if lineage is None:
        raise RequestError(f"The run {run.name} has no trial {number}.")
    steps: list[tuple[int, dict[str, Any]]] = []
    for epoch, _, config in lineage:
        if not steps or steps[-1][1] != config:
            steps.append((epoch, dict(config)))
    trials = [owner for _, owner, _ in lineage]
    changes = [index for index in range(1, len(trials)) if trials[index] != trials[index - 1]]
    owners = (trials[0], *(trials[index] for index in changes))
    return FoundSchedule(steps[0][1], ConfigSteps(tuple(steps[1:])), owners)


_Lineage = list[tuple[int, int, Mapping[str, Any]]]  # epochs before, trial, configuration


def _lineages(events: Iterable[Event]) -> dict[int, _Lineage]:
    """Return how the weights that each trial has now came to be."""
    lineages: dict[int, _Lineage] = {}
    epochs: dict[int, int] = {}
    for event in coherent(events):
        match event:
            case TrialStarted(trial=trial):
                lineages.setdefault(trial, [(0, trial, event.config)])
            case EpochReported(trial=trial):
                epochs[trial] = max(epochs.get(trial, 0), event.epoch)
            case TrialPromoted(trial=trial, donor=int(donor)) if donor in lineages:
                lineages[trial] = [*lineages[donor], (epochs.get(trial, 0), trial, event.config)]
    return lineages
