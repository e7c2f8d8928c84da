"""The oracle of a search: it says how configurations are chosen, and knows the trials."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

from tune_jobs.base.named_files import read_file
from tune_jobs.base.rules import count_problem
from tune_jobs.keras_tuner.define_by_run.hyperparameters import HyperParameters
from tune_jobs.keras_tuner.define_by_run.parameters import HyperParameter
from tune_jobs.keras_tuner.define_by_run.space import FoundSpace
from tune_jobs.keras_tuner.errors import NotSupported
from tune_jobs.keras_tuner.objective import MultiObjective, Objective, create_objective
from tune_jobs.keras_tuner.trial import STATUSES, MetricsTracker, Trial, TrialStatus
from tune_jobs.keras_tuner.trials.meeting import ParameterOf, as_declared
from tune_jobs.keras_tuner.trials.run_trial import running_code
from tune_jobs.results import History, TrialHistory, ranking
from tune_jobs.results.layout import EXPERIMENT_FILE, error_file
from tune_jobs.results.run import Run
from tune_jobs.schedulers import NoScheduler, Scheduler
from tune_jobs.searchers import Searcher

_MOST_ERROR_BYTES = 16 * 2**20
_OF_THE_ENGINE = ("populate_space", "score_trial", "create_trial", "end_trial", "update_space")


class Oracle:
    """The base of the oracles.

    Args:
        objective: The objective: the name of a metric, an ``Objective``, or a list of these. None: the number that
            ``run_trial`` or ``fit`` returns, of which less is better.
        max_trials: The number of trials.
        hyperparameters: Hyperparameters that stand in for those of the same names that the model declares.
        allow_new_entries: False: a model that declares any other hyperparameter is refused.
        tune_new_entries: False: all other hyperparameters keep their defaults.
        seed: The seed; None: one that is drawn and recorded. 0 is a seed like any other.
        max_retries_per_trial: The number of times that a trial is continued after its worker died, if it is more than
            3. A trial that raised an error is not tried again: with its seed, it would fail in the same way.
        max_consecutive_failed_trials: The number of trials in a row that end the search if they failed alike.

    Attributes:
        objective, max_trials, seed, allow_new_entries, tune_new_entries: As given.
    """

    MAX_EPOCHS: ClassVar[bool] = False

    def __init__(
        self,
        objective: Any = None,
        max_trials: int | None = None,
        hyperparameters: HyperParameters | None = None,
        allow_new_entries: bool = True,
        tune_new_entries: bool = True,
        seed: int | None = None,
        max_retries_per_trial: int = 0,
        max_consecutive_failed_trials: int = 3,
    ) -> None:
        for name in _OF_THE_ENGINE:
            if hasattr(type(self), name):
                raise NotSupported(
                    f"{type(self).__name__}.{name}() is not called here, where a search runs on many workers: write a "
                    "subclass of tune_jobs.searchers.Searcher, and give it to tune_jobs.Experiment."
                )
        self.objective: Objective = create_objective(objective)
        self.max_trials = max_trials
        self.allow_new_entries = allow_new_entries
        self.tune_new_entries = tune_new_entries
        self.max_retries_per_trial = max_retries_per_trial
        self.max_consecutive_failed_trials = max_consecutive_failed_trials
        self.given = list(hyperparameters.space) if hyperparameters is not None else []
        self.given_values = dict(hyperparameters.values) if hyperparameters is not None else {}
        if not (hyperparameters is not None or (tune_new_entries and allow_new_entries)):
            raise ValueError(
                "Without `hyperparameters`, `tune_new_entries` and `allow_new_entries` must be True: there would be "
                "nothing to search."
            )
        problems = [
            None if max_trials is None else count_problem("max_trials", max_trials),
            None if seed is None else count_problem("seed", seed, least=0),
            count_problem("max_retries_per_trial", max_retries_per_trial, least=0),
            count_problem("max_consecutive_failed_trials", max_consecutive_failed_trials),
        ]
        if problems := [problem for problem in problems if problem]:
            raise ValueError("\n".join(problems))
        self.is_seed_given = seed is not None
        self.seed: int = random.SystemRandom().randrange(10_000) if seed is None else seed
        self.verbose: Any = 1
        self._found: FoundSpace | None = None
        self._folder: Path | None = None

    # The way to search.

    def searcher(self, found: FoundSpace) -> Searcher:
        """Return the searcher."""
        raise NotSupported(
            "kt.Oracle itself searches nothing: use kt.oracles.RandomSearchOracle, BayesianOptimizationOracle, "
            f"HyperbandOracle, GridSearchOracle, HyperOptOracle or ASHAOracle. Got {type(self).__name__}, with "
            f"{len(found.parameters)} hyperparameters."
        )

    def scheduler(self, max_epochs: int) -> Scheduler:  # noqa: ARG002 - for subclasses
        """Return the scheduler, which stops trials early."""
        return NoScheduler()

    def epochs(self, requested: int) -> int:
        """Return the number of epochs of a trial that nothing stops, where ``search`` asked for some."""
        return requested

    def trials_of(self, found: FoundSpace) -> int | None:  # noqa: ARG002 - for subclasses
        """Return the number of trials; None: as many as the space has."""
        return self.max_trials

    def space_of(self, found: FoundSpace) -> FoundSpace:
        """Return the space to search."""
        return found

    def parameter_of(self) -> ParameterOf | None:
        """Return what makes parameters of hyperparameters that are met late; None if these keep their defaults."""
        return as_declared if self.tune_new_entries and self.allow_new_entries else None

    # The tuner tells it what it found, and where the run is.

    def take(self, found: FoundSpace, folder: Path) -> None:
        """Take in the space and the run's folder.

        Args:
            found: The space.
            folder: The run's folder, which need not exist.
        """
        self._found, self._folder = found, folder

    @property
    def found(self) -> FoundSpace:
        """The space."""
        if self._found is None:
            raise ValueError("This oracle has no tuner yet, and so no space.")
        return self._found

    @property
    def run(self) -> Run | None:
        """The run; None before the first search."""
        has_run = self._folder is not None and (self._folder / EXPERIMENT_FILE).is_file()
        return Run(self._folder) if has_run and self._folder is not None else None

    # What users ask.

    @property
    def hyperparameters(self) -> HyperParameters:
        """The space, with the default of each hyperparameter."""
        return self.get_space()

    def get_space(self) -> HyperParameters:
        """Return the space, with the default of each hyperparameter."""
        run = self.run
        known = list(self._known(None if run is None else self._history(run)).parameters.values())
        hp = HyperParameters.of({}, known)
        for declared in known:
            if hp.is_active(declared):
                hp.values.setdefault(declared.name, declared.default)
        return hp

    @property
    def trials(self) -> dict[str, Trial]:
        """The trials by their identifiers, in the order of their numbers."""
        run = self.run
        if run is None:
            return {}
        history = self._history(run)
        known = self._known(history)
        trials = (self._trial(one, run, known) for one in history.trials.values())
        return {trial.trial_id: trial for trial in trials}

    @property
    def start_order(self) -> list[str]:
        """The identifiers of the trials in the order in which they started."""
        return list(self.trials)

    @property
    def end_order(self) -> list[str]:
        """The identifiers of the trials that have ended, in that order."""
        run = self.run
        if run is None:
            return []
        ended = [one for one in self._history(run).trials.values() if one.ended_s is not None]
        return [self.identifier(one.trial) for one in sorted(ended, key=lambda one: one.ended_s or 0.0)]

    def update_trial(self, trial_id: str, metrics: Mapping[str, float], step: int = 0) -> str:  # noqa: ARG002
        """Tell the metrics of the trial that runs, in place of returning them from ``run_trial``.

        Args:
            trial_id: The trial.
            metrics: The metrics by name.
            step: The epoch.
        """
        if (code := running_code()) is not None:
            code.reported = {**(code.reported or {}), **metrics}
        return TrialStatus.RUNNING

    def get_trial(self, trial_id: str) -> Trial:
        """Return a trial.

        Raises:
            ValueError: There is no such trial.
        """
        trials = self.trials
        if trial_id not in trials:
            raise ValueError(f"There is no trial {trial_id!r}. There are: {', '.join(trials) or 'none yet'}.")
        return trials[trial_id]

    def get_best_trials(self, num_trials: int = 1) -> list[Trial]:
        """Return the best trials, the best first.

        Args:
            num_trials: The number of trials at most.
        """
        run = self.run
        if run is None:
            return []
        history = self._history(run)
        known = self._known(history)
        ranked = [row.trial for row in ranking(history, run.objective) if row.rank is not None]
        return [trial for trial in (self._trial(one, run, known) for one in ranked) if _is_done(trial)][:num_trials]

    def remaining_trials(self) -> int | None:
        """Return the number of trials that are still to be run; None if nobody knows."""
        limit = self.trials_of(self.found)
        return None if limit is None else max(0, limit - len(self.trials))

    def reload(self) -> None:
        """Do nothing: the trials are read from the search's folder whenever they are asked for."""

    def save(self) -> None:
        """Do nothing: the trials are in the search's folder already."""

    def identifier(self, trial: int) -> str:
        """Return the identifier of a trial: its number, with as many digits as the largest needs."""
        digits = len(str(self.max_trials)) if self.max_trials else 4
        return f"{trial:0{digits}d}"

    def _history(self, run: Run) -> History:
        return run.history()

    def _known(self, history: History | None) -> FoundSpace:
        """Return the space, with what the trials of the run have met."""
        return self.found if history is None else self.found.grown(history.met)

    def _trial(self, history: TrialHistory, run: Run, known: FoundSpace) -> Trial:
        trial = Trial(
            known.hyperparameters(history.config),
            self.identifier(history.trial),
            STATUSES[history.status],
            _message(run, history),
        )
        epochs = ((number - 1, epoch.metrics) for number, epoch in history.epochs.items())
        trial.metrics = MetricsTracker.of(epochs, directions(self.objective))
        best = history.best(run.objective)
        if best is not None:
            trial.score, trial.best_step = best.metrics[run.objective.metric], best.epoch - 1
        return trial


def directions(objective: Objective) -> dict[str, Any]:
    """Return the directions of the metrics of an objective, by name."""
    objectives = [objective, *objective.objectives] if isinstance(objective, MultiObjective) else [objective]
    return {one.name: one.direction for one in objectives}


def new_entries(asked: Iterable[HyperParameter], given: Iterable[HyperParameter]) -> list[str]:
    """Return the names of hyperparameters that a model declares and that were not given."""
    known = {one.name for one in given}
    return [one.name for one in asked if one.name not in known]


def _is_done(trial: Trial) -> bool:
    return trial.status == TrialStatus.COMPLETED


def _message(run: Run, history: TrialHistory) -> str | None:
    if history.error is None:
        return None
    file = error_file(run.folder, history.trial)
    with suppress(OSError):
        return read_file(file, _MOST_ERROR_BYTES).decode(errors="replace")
    return history.error
