"""The answer to what another searcher or scheduler would have done with the journal of a run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search_spaces.messages import short_repr
from tune_jobs.base.objective import Objective
from tune_jobs.errors import RequestError
from tune_jobs.replay.fitted import LEAST_TRIALS, MOST_TRIALS, MOST_VALUES, FittedWorld, RecordedTrial
from tune_jobs.replay.simulation import replay
from tune_jobs.results import History, Status
from tune_jobs.results.history import TrialHistory
from tune_jobs.results.layout import EXPERIMENT_FILE
from tune_jobs.schedulers import SCHEDULERS, ConfigSteps, PopulationBased, Scheduler
from tune_jobs.searchers import AUTO, SEARCHERS, Searcher, automatic_searcher

CHANGING = (PopulationBased.NAME, ConfigSteps.NAME)
"""The schedulers that change the configuration of a trial while it trains: they cannot be replayed."""

PARTS = (0.25, 0.5, 1.0)
"""The parts of the epochs after which results are compared."""


@dataclass(frozen=True)
class Choice:
    """A searcher and a scheduler.

    Attributes:
        searcher: The searcher.
        scheduler: The scheduler.
    """

    searcher: Searcher
    scheduler: Scheduler

    @property
    def name(self) -> str:
        """The names of both."""
        return f"{self.searcher.NAME} + {self.scheduler.NAME}"


@dataclass(frozen=True)
class Expectation:
    """The values that a choice is expected to reach.

    Attributes:
        choice: The choice.
        best: The best objective after each of ``PARTS`` of the epochs, for each seed. Shape: (seeds, parts).
        trials: The mean number of trials.
        seconds: The mean simulated duration, in seconds.
    """

    choice: Choice
    best: NDArray[np.float64]
    trials: float
    seconds: float


def choice_of(record: Mapping[str, Any], searcher: str | None = None, scheduler: str | None = None) -> Choice:
    """Return a choice: that of a run, with another searcher or scheduler where one is named.

    Args:
        record: The run's experiment.json.
        searcher: The name of another searcher, or "auto".
        scheduler: The name of another scheduler.

    Raises:
        RequestError: The run's own searcher or scheduler is not known, or the scheduler cannot be replayed.
    """
    searcher = automatic_searcher().NAME if searcher == AUTO else searcher
    choice = Choice(
        _declared(SEARCHERS, record, "searcher", searcher), _declared(SCHEDULERS, record, "scheduler", scheduler)
    )
    if choice.scheduler.NAME in CHANGING:
        raise RequestError(
            f"The scheduler {choice.scheduler.NAME!r} changes the configuration of a trial while it trains. The run's "
            "curves do not tell what would come of that, so it cannot be replayed: choose another by --scheduler."
        )
    return choice


def recorded_kind(record: Mapping[str, Any], part: str) -> str:
    """Return the name of a run's searcher or scheduler.

    Args:
        record: The run's experiment.json.
        part: "searcher" or "scheduler".

    Raises:
        RequestError: The record is damaged.
    """
    match record.get(part):
        case {"kind": str(kind)}:
            return kind
    raise _damaged(part, record.get(part))


def recorded_epochs(record: Mapping[str, Any]) -> int:
    """Return the number of epochs of a run's trials.

    Args:
        record: The run's experiment.json.

    Raises:
        RequestError: The record is damaged.
    """
    match record.get("max_epochs"):
        case int(epochs) if epochs >= 1:
            return epochs
    raise _damaged("max_epochs", record.get("max_epochs"))


def _damaged(part: str, value: object) -> RequestError:
    return RequestError(
        f"The run's {EXPERIMENT_FILE} is damaged ({part} is {short_repr(value)}): restore it from a copy."
    )


def _declared(kinds: Mapping[str, Any], record: Mapping[str, Any], part: str, name: str | None) -> Any:
    kind = recorded_kind(record, part)
    settings = {key: value for key, value in record[part].items() if key != "kind"}
    if name is not None and name != kind:
        return kinds[name]()
    if kind not in kinds:
        raise RequestError(
            f"The run has the searcher or scheduler {kind!r}, which no name stands for, so it cannot be replayed: "
            "choose another by --searcher or --scheduler."
        )
    try:
        return kinds[kind](**settings)
    except (TypeError, ValueError) as error:
        raise _damaged(part, record[part]) from error


def fitted_world(name: str, space: Any, objective: Objective, max_epochs: int, history: History) -> FittedWorld:
    """Return a world that is fitted to a run.

    Args:
        name: The run's name.
        space: The run's space.
        objective: The run's objective.
        max_epochs: The number of epochs of a trial that nothing stops.
        history: The run's history.

    Raises:
        RequestError: The run has too few trials, or too many epochs.
    """
    known = [trial for trial in history.trials.values() if space.contains(trial.config)]
    trials = [_recorded(trial, objective) for trial in known if trial.status is not Status.REFUSED]
    sound = [trial for trial in trials if np.isfinite(trial.losses).any()]
    if len(sound) < LEAST_TRIALS:
        raise RequestError(
            f"The run {name} has {len(sound)} trials with a finite {objective.metric}, but a replay needs at least "
            f"{LEAST_TRIALS} to learn from: let the run try more."
        )
    most = min(MOST_TRIALS, MOST_VALUES // max_epochs)
    if most < LEAST_TRIALS:
        raise RequestError(
            f"The trials of the run {name} have up to {max_epochs:,} epochs, but only runs of up to "
            f"{MOST_VALUES // LEAST_TRIALS:,} can be replayed."
        )
    return FittedWorld(name, space, max_epochs, _drawn(trials, most))


def _drawn(trials: list[RecordedTrial], most: int) -> list[RecordedTrial]:
    """Return some of the trials, in their order. The best is one of them, because nothing better can come out."""
    if len(trials) <= most:
        return trials
    best = min(range(len(trials)), key=lambda index: np.min(trials[index].losses, initial=math.inf))
    others = [index for index in range(len(trials)) if index != best]
    kept = [best, *np.random.default_rng(0).choice(others, most - 1, replace=False).tolist()]
    return [trials[index] for index in sorted(kept)]


def _recorded(trial: TrialHistory, objective: Objective) -> RecordedTrial:
    values = [epoch.metrics.get(objective.metric, math.nan) for epoch in trial.epochs.values()]
    losses = np.array([objective.loss(value) if math.isfinite(value) else math.inf for value in values])
    seconds = [epoch.seconds for epoch in trial.epochs.values()]
    return RecordedTrial(
        trial.config,
        np.minimum.accumulate(losses) if len(losses) else losses,
        max(float(np.median(seconds)), 1e-6) if seconds else 1.0,
        trial.status is Status.DIVERGED,
    )


def expectation(
    world: FittedWorld, choice: Choice, objective: Objective, *, epochs: int, workers: int, seeds: Sequence[int]
) -> Expectation:
    """Return what a choice is expected to reach in a world that was fitted to a run.

    Args:
        world: The world.
        choice: The choice.
        objective: The run's objective.
        epochs: The number of epochs of all trials together.
        workers: The number of trials side by side.
        seeds: The seeds, each of which makes one replay.
    """
    courses = [
        replay(world, choice.searcher, choice.scheduler, epochs=epochs, workers=workers, seed=seed) for seed in seeds
    ]
    marks = [max(1, round(part * epochs)) for part in PARTS]
    best = np.array([[course.best_losses()[min(mark, len(course.losses)) - 1] for mark in marks] for course in courses])
    sign = objective.loss(1.0)
    return Expectation(
        choice,
        sign * best,
        float(np.mean([course.proposals for course in courses])),
        float(np.mean([course.time_s[-1] for course in courses])),
    )
