"""A trial as KerasTuner runs it: ``run_trial`` of the tuner builds a model, and the hypermodel fits it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np

from trainables import InvalidTrainable
from trainables.data.forks import without_forks
from trainables.internals.global_state import set_seed
from trainables.random_streams import trial_seed
from trainables.steps import OwnStep, last_marked
from tune_jobs.keras_tuner.define_by_run.hyperparameters import HyperParameters
from tune_jobs.keras_tuner.errors import FatalError, FatalRuntimeError
from tune_jobs.keras_tuner.fit_arguments import listed
from tune_jobs.keras_tuner.hypermodel import HyperModel
from tune_jobs.keras_tuner.trial import Trial
from tune_jobs.keras_tuner.trials.callbacks import BestWeights, copies, hooks_of
from tune_jobs.keras_tuner.trials.live_code import LiveCode
from tune_jobs.keras_tuner.trials.probing import active_probe
from tune_jobs.keras_tuner.trials.recipe import Recipe
from tune_jobs.keras_tuner.trials.results import Metrics, epochs_of

_EPOCHS_POSITION = 3  # of fit(x, y, batch_size, epochs, …)
_RUNNING: list[TrialCode] = []


class SetsEpochs(Protocol):
    """The part of an oracle that a trial needs."""

    def epochs(self, requested: int) -> int:
        """Return the number of epochs of a trial that nothing stops, where ``search`` asked for some."""


class BuildsAndFits(Protocol):
    """The part of a tuner that a trial needs.

    Attributes:
        hypermodel: The hypermodel.
        executions_per_trial: The number of times that each configuration is trained.
        oracle: The oracle, which may say how many epochs a trial has.
    """

    hypermodel: HyperModel | None
    executions_per_trial: int

    @property
    def oracle(self) -> SetsEpochs:
        """The oracle."""

    def build(self, hp: HyperParameters) -> Any:
        """Return the compiled model of a configuration."""


def run_trial(tuner: BuildsAndFits, trial: Trial, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Build and fit the model of a trial, as often as the tuner says; in a probe, only look what would be done.

    Args:
        tuner: The tuner.
        trial: The trial.
        args: The arguments of the fit.
        kwargs: The arguments of the fit by name.
    """
    hypermodel = tuner.hypermodel
    if hypermodel is None:
        raise FatalRuntimeError("run_trial() needs a hypermodel, or must be overridden.")
    hp, probe, code = trial.hyperparameters, active_probe(), running_code()
    others = {name: value for name, value in kwargs.items() if name != "callbacks"}
    if (epochs := tuner.oracle.epochs(0)) and len(args) <= _EPOCHS_POSITION:
        others["epochs"] = epochs  # as KerasTuner's Hyperband does
    callbacks = listed(kwargs.get("callbacks"))
    if probe is not None:
        model = probe.built()
        model = tuner.build(hp) if model is None else model
        return hypermodel.fit(hp, model, *args, callbacks=callbacks, **others)
    best = [] if code is None else [code.best.callback()]
    results = []
    for execution in range(tuner.executions_per_trial):
        if code is not None:
            code.seed_execution(execution)
        model = tuner.build(hp)
        added = [*hooks_of(tuner, trial), *best]
        results.append(hypermodel.fit(hp, model, *args, callbacks=[*copies(callbacks), *added], **others))
    return results


class TrialCode:
    """The code of one trial.

    Args:
        recipe: The recipe of the search.
        hp: The hyperparameters.
        number: The number of the trial.
        seed: The seed of the run.

    Attributes:
        model: The Keras model that was trained, if there is one; else None.
        best: The best weights.
        reported: The metrics that the code told the oracle, instead of returning them.
    """

    def __init__(self, recipe: Recipe, hp: HyperParameters, number: int, seed: int) -> None:
        self.best = BestWeights(recipe.objective)
        self.reported: dict[str, float] | None = None
        self._recipe = recipe
        self._args = [without_forks(value) for value in recipe.args]
        self._kwargs = {name: without_forks(value) for name, value in recipe.kwargs.items()}
        self._trial = Trial(hp, str(number))
        self._number = number
        self._seed = seed

    @property
    def model(self) -> Any:
        """The Keras model that was trained; None if there is none."""
        return self.best.model

    def weights(self) -> list[np.ndarray]:
        """Return the best weights."""
        return list(self.best.weights)

    def seed_execution(self, execution: int) -> None:
        """Seed Keras, NumPy and Python for one execution of the trial."""
        set_seed(trial_seed(self._seed, self._number, execution))

    def steps(self) -> Iterator[OwnStep]:
        """Run the trial, and yield its epochs.

        Raises:
            InvalidTrainable: The code raised a ``FatalError``, or returned something that is no result.
        """
        recipe = self._recipe
        in_steps = getattr(recipe.tuner, "trial_steps", None)
        if in_steps is not None:
            self.seed_execution(0)
            yield from in_steps(self._trial, *self._args, **self._kwargs)
            return
        if not recipe.is_live:
            yield from last_marked(self._run())
            return
        live = LiveCode(self._run, recipe.max_epochs, recipe.objective)
        self.best.listener = live
        yield from live.steps()

    def _run(self) -> list[Metrics]:
        recipe = self._recipe
        assert recipe.tuner is not None  # noqa: S101 - such a search has one
        self.seed_execution(0)  # in the thread of the code: Keras keeps its generators by thread
        try:
            with _running(self):
                results = recipe.tuner.run_trial(self._trial, *self._args, **self._kwargs)
            if results is None and self.reported is not None:
                results = self.reported
            return epochs_of(results, recipe.objective, f"{type(recipe.tuner).__name__}.run_trial() or fit()")
        except FatalError as error:
            raise InvalidTrainable(str(error)) from error


def running_code() -> TrialCode | None:
    """Return the code of the trial that this process runs; None if it runs none."""
    return _RUNNING[-1] if _RUNNING else None


@contextmanager
def _running(code: TrialCode) -> Iterator[None]:
    _RUNNING.append(code)
    try:
        yield
    finally:
        _RUNNING.pop()
