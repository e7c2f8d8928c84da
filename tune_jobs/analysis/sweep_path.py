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

_NOT_ENDED = (Status.RUNNING, Status.PAUSED, Status.INTERRUPTED)
_FAILED = (Status.FAILED, Status.DIVERGED, Status.REFUSED)


class StepState(StrEnum):
    """The state of a step."""

    DONE = "done"
    UNFINISHED = "not finished"
    SKIPPED = "skipped"  # its parameters were not active, so it left nothing to choose
    AHEAD = "not begun"


@dataclass(frozen=True, kw_only=True)
class StepResult:
    """The result of one step of a sweep.

    Attributes:
        number: The number of the step, from 1.
        names: The parameters that the step tries.
        state: The state of the step.
        trials: The configurations of the contenders that were tried so far, by trial. Some may be of earlier steps.
        contenders: The number of all contenders.
        ended: The number of contenders that have ended.
        own: The trials that were begun for this step.
        epochs: The number of epochs that those trials trained.
        winner: The trial that won the step; None before that.
        value: The winner's objective; None if all trials failed.
        gain: The improvement over the objective that the step began with; None if one of the two failed.
    """

    number: int
    names: tuple[str, ...]
    state: StepState
    trials: Mapping[int, Mapping[str, Any]]
    contenders: int = 0
    ended: int = 0
    own: tuple[int, ...] = ()
    epochs: int = 0
    winner: int | None = None
    value: float | None = None
    gain: float | None = None

    def values(self, trial: int) -> dict[str, Any]:
        """Return the values of the step's parameters in a trial, without those that are not active.

        Args:
            trial: The number of one of the contenders.
        """
        return {name: self.trials[trial][name] for name in self.names if name in self.trials[trial]}


def sweep_path(run: Run) -> pd.DataFrame:
    """Return the path that a sweep took, as a table with a row per step.

    Args:
        run: The run of the sweep.

    Returns:
        A frame with these columns. Values that are not known yet are missing (``pandas.NA``).

        - ``step``: the number of the step, from 1. ``parameters``: their names. ``state``: a word.
        - ``winner``: the values of these parameters that won the step. ``trial``: the trial that had them.
        - the objective's metric: the winner's value.
        - ``gain``: the improvement over the value that the step began with; more is better.
        - ``trials``, ``epochs``: the number of trials that were begun for the step, and of their epochs.

    Raises:
        RequestError: The run was not made by a sweep.
        JournalError: The journal is damaged other than by a crash.

    Example:
        >>> import tune_jobs
        >>> path = tune_jobs.sweep_path(tune_jobs.load_run("runs/digits-swept"))
        >>> path[["step", "parameters", "state"]].to_dict("records")
        [{'step': 1, 'parameters': 'layers', 'state': 'done'}, {'step': 2, 'parameters': 'optimizer', 'state': 'done'}]
    """
    import pandas as pd

    steps = read_steps(run)
    metric = run.objective.metric
    columns: dict[str, Any] = {
        "step": pd.array([step.number for step in steps], dtype="int64"),
        "parameters": pd.array([", ".join(step.names) for step in steps], dtype="string"),
        "state": pd.array([step.state.value for step in steps], dtype="string"),
        "winner": [pd.NA if step.winner is None else step.values(step.winner) for step in steps],
        "trial": pd.array([step.winner for step in steps], dtype="Int64"),
    }
    columns[f"metric_{metric}" if metric in {*columns, "gain", "trials", "epochs"} else metric] = pd.array(
        [step.value for step in steps], dtype="Float64"
    )
    columns["gain"] = pd.array([step.gain for step in steps], dtype="Float64")
    columns["trials"] = pd.array([len(step.own) for step in steps], dtype="int64")
    columns["epochs"] = pd.array([step.epochs for step in steps], dtype="int64")
    return pd.DataFrame(columns)


def read_steps(run: Run) -> list[StepResult]:
    """Return the result of each step of a sweep.

    Args:
        run: The run of the sweep.

    Raises:
        RequestError: The run was not made by a sweep.
        JournalError: The journal is damaged other than by a crash.
    """
    return list(_step_results(_plan_of(run), run.history(), run.objective))


def is_swept(run: Run) -> bool:
    """Return whether a run was made by a sweep."""
    searcher = run.experiment.get("searcher")
    return isinstance(searcher, dict) and searcher.get("kind") == Sweep.NAME


def _step_results(plan: SweepPlan, history: History, objective: Objective) -> Iterator[StepResult]:
    swept = _swept_trials(history, objective)
    path = {step.index: (step, winner) for step, winner in plan.steps_so_far(swept)}
    earlier: set[int] = set()
    for index, names in enumerate(plan.steps):
        if index in path:
            step, winner = path[index]
            result = _step_result(step, winner, swept, earlier, history, objective)
            earlier.update(result.trials)
            yield result
        else:
            is_ahead = path and path[max(path)][1] is None and index > max(path)
            state = StepState.AHEAD if is_ahead else StepState.SKIPPED
            yield StepResult(number=index + 1, names=names, state=state, trials={})


def _step_result(
    step: SweepStep, winner: int | None, swept: SweptTrials, earlier: set[int], history: History, objective: Objective
) -> StepResult:
    trials = step.trials(swept)
    own = tuple(sorted(trials.keys() - earlier))
    value = None if winner is None else _value(history.trials[winner], objective)
    before = _value(history.trials[swept.trials[identity(step.incumbent)]], objective) if winner is not None else None
    return StepResult(
        number=step.index + 1,
        names=step.names,
        state=StepState.UNFINISHED if winner is None else StepState.DONE,
        trials=trials,
        contenders=len(step.contenders),
        ended=sum(trial in swept.losses for trial in trials),
        own=own,
        epochs=sum(len(history.trials[trial].epochs) for trial in own),
        winner=winner,
        value=value,
        gain=None if value is None or before is None else objective.gain(value, before),
    )


def _swept_trials(history: History, objective: Objective) -> SweptTrials:
    """Return what the search of the run was told."""
    swept = SweptTrials()
    for number, trial in history.trials.items():
        swept.trials.setdefault(identity(trial.config), number)
        if trial.status not in _NOT_ENDED:
            value = _value(trial, objective)
            swept.losses[number] = math.inf if value is None else objective.loss(value)
    return swept


def _value(trial: TrialHistory, objective: Objective) -> float | None:
    """Return a trial's objective in a sweep. A trial that failed has none, whatever it had reached before."""
    best = trial.best(objective)
    return None if best is None or trial.status in _FAILED else best.metrics[objective.metric]


def _plan_of(run: Run) -> SweepPlan:
    if not is_swept(run):
        raise RequestError(
            f"The run {run.name} took no path, because no sweep made it: tune-jobs leaderboard shows its trials, and "
            "tune-jobs run EXPERIMENT --searcher sweep makes one."
        )
    try:
        settings = dict(run.experiment["searcher"])
        sweep = Sweep(settings.get("steps", ()), settings.get("start"))
        if problems := sweep.space_problems(run.space):
            raise InvalidDeclaration(problems)
    except InvalidDeclaration as error:
        raise RequestError(
            *error.problems, f"So the {EXPERIMENT_FILE} of {run.name} is damaged: restore it from a copy."
        ) from error
    return sweep.plan(run.space)
