"""The next configuration of a run, without running it: the journal is replayed, and the searcher is asked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from search_spaces import InvalidDeclaration
from search_spaces.space import Config
from tune_jobs.engine.decisions.coordinator import Coordinator
from tune_jobs.engine.run_folder.warm_start_file import read_lessons
from tune_jobs.engine.study import TrainedByHand
from tune_jobs.errors import RequestError
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.experiment.fields import FIELDS
from tune_jobs.experiment.record import restore_experiment
from tune_jobs.results import Event, TrialStarted, coherent
from tune_jobs.results.find import load_run
from tune_jobs.results.layout import EXPERIMENT_FILE, WARM_START_FILE
from tune_jobs.results.run import Run
from tune_jobs.schedulers import SCHEDULERS
from tune_jobs.searchers import SEARCHERS

_NO_BUDGETS = ("trials", "time_budget_s", "total_epochs")


@dataclass(frozen=True)
class Suggestion:
    """The configuration that a run would try next.

    Attributes:
        trial: The number that the trial would have.
        config: The configuration.
    """

    trial: int
    config: Config


def suggest(run: Run | str | Path, experiment: Experiment | None = None) -> Suggestion:
    """Return the configuration that a run would try next if another worker were free. Nothing is written.

    The journal is replayed as if the run were resumed, whatever is left of its budgets. The searcher, the space and the
    objective are in the run's record, so the code of the experiment is not needed.

    Args:
        run: The run, or its folder.
        experiment: The experiment of the run. It is needed if its searcher or scheduler is one of the user's own, which
            a record cannot hold: its settings are the run's all the same. None: the record is enough.

    Raises:
        RequestError: The space is exhausted, the searcher waits for running trials, or the record is not enough.
        JournalError: The journal is damaged, and not by a crash.

    Example:
        >>> import tune_jobs
        >>> from search_spaces import Float, SearchSpace
        >>> from tune_jobs import Objective
        >>> space = SearchSpace(x=Float(-1.0, 1.0))
        >>> with tune_jobs.ask_tell(space, Objective("loss", "min"), name="next", trials=2) as study:
        ...     for trial in study:
        ...         goes_on = study.observe(trial, trial.config["x"] ** 2)
        >>> suggestion = tune_jobs.suggest(study.run)
        >>> suggestion.trial, space.contains(suggestion.config)
        (2, True)
    """
    found = run if isinstance(run, Run) else load_run(run)
    asked = _recorded_experiment(found, experiment)
    events = list(coherent(found.events()))
    lessons = read_lessons(found.folder) if (found.folder / WARM_START_FILE).exists() else []
    coordinator = Coordinator(asked, _NoLog(), lessons=lessons)
    coordinator.replay(events)
    started = {event.trial for event in events if isinstance(event, TrialStarted)}
    while isinstance(proposal := coordinator.propose(), tuple):
        number, config = proposal
        if number not in started:  # else it waits for a worker to go on
            return Suggestion(number, config)
    searcher = type(asked.searcher).__name__
    if proposal is None:
        raise RequestError(f"{searcher} has nothing left to propose after {len(started)} trials of {found.name}.")
    raise RequestError(
        f"{searcher} needs the results of running trials of {found.name} first: ask again when one has ended."
    )


class _NoLog:
    def event(self, event: Event) -> None:
        """Keep nothing: the journal has these events, or the run will write its own."""

    def traceback(self, trial: int, text: str) -> None:
        """Keep nothing."""


def needs_experiment(run: Run) -> bool:
    """Return whether a run's searcher or scheduler is one that a record cannot hold."""
    is_known = _kind(run, "searcher") in SEARCHERS and _kind(run, "scheduler") in SCHEDULERS
    return not is_known or _is_object(run)


def _recorded_experiment(run: Run, experiment: Experiment | None) -> Experiment:
    """Return the experiment that a run's record holds, without its code and its budgets.

    Raises:
        RequestError: The record is damaged, has parts of the user's own, or the experiment is another.
    """
    if experiment is None and needs_experiment(run):
        kinds = f"`{_kind(run, 'searcher')}` and `{_kind(run, 'scheduler')}`"
        raise RequestError(
            f"The run {run.name} has the searcher and the scheduler {kinds}, and its record cannot hold objects of "
            "your own: name its experiment (--experiment FILE; in Python: suggest(run, EXPERIMENT))."
        )
    record: dict[str, Any] = dict(run.experiment) | dict.fromkeys(_NO_BUDGETS)
    try:
        declared = Experiment(
            trainable=TrainedByHand,
            space=run.space,
            objective=FIELDS["objective"].recorded(record),
            objectives=FIELDS["objectives"].recorded(record),
            constraints=FIELDS["constraints"].recorded(record),
            trials=1,
        )
        if experiment is not None:
            declared = _with_parts_of(experiment, declared, run)
        return restore_experiment(declared, record, trials=10**9)
    except (KeyError, TypeError, InvalidDeclaration) as error:
        raise RequestError(f"The run's {EXPERIMENT_FILE} cannot be used ({error}): restore it from a copy.") from error


def _with_parts_of(experiment: Experiment, declared: Experiment, run: Run) -> Experiment:
    try:
        return replace(declared, searcher=experiment.searcher, scheduler=experiment.scheduler)
    except InvalidDeclaration as error:
        raise RequestError(
            f"The experiment is not that of the run {run.name}: its searcher or scheduler does not fit the run's space "
            f"({error}). Name the run's own."
        ) from error


def _kind(run: Run, part: str) -> object:
    recorded = run.experiment.get(part)
    kind = recorded.get("kind") if isinstance(recorded, dict) else None
    return kind if isinstance(kind, str) else None


def _is_object(run: Run) -> bool:
    """Return whether a run's searcher is Optuna with a sampler that was an object."""
    recorded = run.experiment.get("searcher")
    return isinstance(recorded, dict) and str(recorded.get("sampler", "")).endswith("(…)")
