"""The path that a sweep took through its space, computed from the run's folder alone."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from search_spaces import InvalidDeclaration
from search_spaces.json_values import identity
from tune_jobs.base.objective import Objective
from tune_jobs.errors import RequestError
from tune_jobs.results import History, Status, TrialHistory
from tune_jobs.results.layout import EXPERIMENT_FILE
from tune_jobs.searchers.sweep import Sweep
from tune_jobs.searchers.sweep_steps import SweepPlan, SweepStep, SweptTrials

if TYPE_CHECKING:
    import pandas as pd

    from tune_jobs.results.run import Run

_UNENDED = (Status.RUNNING, Status.INTERRUPTED)
_LOST = (Status.FAILED, Status.DIVERGED)


class State(StrEnum):
    """How a step stands."""

    DONE = "done"
    UNFINISHED = "not finished"
    SKIPPED = "skipped"  # it left nothing to choose: its parameters were not active
    AHEAD = "not begun"


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What came of one step.

    Attributes:
        number: From 1.
        names: The parameters that it tries.
        state: How it stands.
        trials: The contenders that were tried so far, with their configurations; also those of earlier steps.
        contenders: How many there are.
        ended: How many of them have ended.
        own: The trials that were begun for this step.
        epochs: How many epochs those took.
        winner: The trial that won it; None before that.
        value: The winner's objective; None when all failed.
        gain: How much better that is than what the step began with; None when one of the two failed.
    """

    number: int
    names: tuple[str, ...]
    state: State
    trials: Mapping[int, Mapping[str, Any]]
    contenders: int = 0
    ended: int = 0
    own: tuple[int, ...] = ()
    epochs: int = 0
    winner: int | None = None
    value: float | None = None
    gain: float | None = None

    def values(self, trial: int) -> dict[str, Any]:
        """The values of its parameters in a trial; those that are not active are left out."""
        return {name: self.trials[trial][name] for name in self.names if name in self.trials[trial]}


def sweep_path(run: Run) -> pd.DataFrame:
    """The path that a sweep took: a row a step.

    The columns are step, parameters, state, winner (the values of the step's parameters that won it), trial (that had
    them), the objective's metric, gain (over what the step began with; more is better), trials (begun for this step)
    and epochs (that those took). Of a step that is not done, what is not known yet is missing (pandas.NA).

    Raises:
        RequestError: No sweep made the run.
        JournalError: The journal is damaged other than by a crash.
    """
    import pandas as pd

    stages = stages_of(run)
    metric = run.objective.metric
    columns: dict[str, Any] = {
        "step": pd.array([stage.number for stage in stages], dtype="int64"),
        "parameters": pd.array([", ".join(stage.names) for stage in stages], dtype="string"),
        "state": pd.array([stage.state.value for stage in stages], dtype="string"),
        "winner": [pd.NA if stage.winner is None else stage.values(stage.winner) for stage in stages],
        "trial": pd.array([stage.winner for stage in stages], dtype="Int64"),
    }
    columns[f"metric_{metric}" if metric in {*columns, "gain", "trials", "epochs"} else metric] = pd.array(
        [stage.value for stage in stages], dtype="Float64"
    )
    columns["gain"] = pd.array([stage.gain for stage in stages], dtype="Float64")
    columns["trials"] = pd.array([len(stage.own) for stage in stages], dtype="int64")
    columns["epochs"] = pd.array([stage.epochs for stage in stages], dtype="int64")
    return pd.DataFrame(columns)


def stages_of(run: Run) -> list[Stage]:
    """What came of each step of a run that a sweep made.

    Raises:
        RequestError: No sweep made it.
        JournalError: The journal is damaged other than by a crash.
    """
    return list(stages(_course(run), run.history(), run.objective))


def is_swept(run: Run) -> bool:
    """Whether a sweep made the run."""
    asked = run.experiment.get("searcher")
    return isinstance(asked, dict) and asked.get("kind") == Sweep.NAME


def stages(course: SweepPlan, history: History, objective: Objective) -> Iterator[Stage]:
    """What came of each step of a course."""
    tried = _tried(history, objective)
    path = {step.index: (step, winner) for step, winner in course.steps_so_far(tried)}
    earlier: set[int] = set()
    for place, names in enumerate(course.steps):
        if place in path:
            step, winner = path[place]
            stage = _stage(step, winner, tried, earlier, history, objective)
            earlier.update(stage.trials)
            yield stage
        else:
            undecided = path and path[max(path)][1] is None and place > max(path)
            yield Stage(number=place + 1, names=names, state=State.AHEAD if undecided else State.SKIPPED, trials={})


def _stage(
    step: SweepStep, winner: int | None, tried: SweptTrials, earlier: set[int], history: History, objective: Objective
) -> Stage:
    trials = step.trials(tried)
    own = tuple(sorted(trials.keys() - earlier))
    value = None if winner is None else _value(history.trials[winner], objective)
    before = _value(history.trials[tried.trials[identity(step.incumbent)]], objective) if winner is not None else None
    return Stage(
        number=step.index + 1,
        names=step.names,
        state=State.UNFINISHED if winner is None else State.DONE,
        trials=trials,
        contenders=len(step.contenders),
        ended=sum(trial in tried.losses for trial in trials),
        own=own,
        epochs=sum(len(history.trials[trial].epochs) for trial in own),
        winner=winner,
        value=value,
        gain=None if value is None or before is None else objective.gain(value, before),
    )


def _tried(history: History, objective: Objective) -> SweptTrials:
    """What the search of the run heard."""
    tried = SweptTrials()
    for number, trial in history.trials.items():
        tried.trials.setdefault(identity(trial.config), number)
        if trial.status not in _UNENDED:
            value = _value(trial, objective)
            tried.losses[number] = math.inf if value is None else objective.loss(value)
    return tried


def _value(trial: TrialHistory, objective: Objective) -> float | None:
    """What a trial is worth in a sweep: nothing when it failed, whatever it had reached before."""
    best = trial.best(objective)
    return None if best is None or trial.status in _LOST else best.metrics[objective.metric]


def _course(run: Run) -> SweepPlan:
    if not is_swept(run):
        raise RequestError(
            f"The run {run.name} took no path, because no sweep made it: tune-jobs leaderboard shows its trials, and "
            "tune-jobs run EXPERIMENT --searcher sweep makes one."
        )
    try:
        asked = dict(run.experiment["searcher"])
        sweep = Sweep(asked.get("steps", ()), asked.get("start"))
        if problems := sweep.space_problems(run.space):
            raise InvalidDeclaration(problems)
    except InvalidDeclaration as error:
        raise RequestError(
            *error.problems, f"So the {EXPERIMENT_FILE} of {run.name} is damaged: restore it from a copy."
        ) from error
    return sweep.plan(run.space)
