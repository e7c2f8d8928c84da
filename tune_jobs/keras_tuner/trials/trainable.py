"""The trainables of a search: one whose epochs are Keras's, and one whose trials are code of the user's own."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from trainables import Data, FitOptions, InvalidTrainable, TrialSettings
from trainables.data.kinds import is_source
from trainables.steps import OwnTraining
from trainables.trial import Trial as WorkerTrial
from trainables.trial import TrialTraining
from tune_jobs.keras_tuner.define_by_run.space import FoundSpace
from tune_jobs.keras_tuner.fit_arguments import FitArguments, bound, fit_arguments
from tune_jobs.keras_tuner.hypermodel import code_of
from tune_jobs.keras_tuner.trial import Trial
from tune_jobs.keras_tuner.trials.callbacks import added_metrics, copies, end_after, hooks_of
from tune_jobs.keras_tuner.trials.meeting import MeetsParameters, ParameterOf
from tune_jobs.keras_tuner.trials.probing import probing
from tune_jobs.keras_tuner.trials.recipe import DataPart, Recipe
from tune_jobs.keras_tuner.trials.run_trial import TrialCode
from tune_jobs.keras_tuner.trials.sent_data import SentData

_DATA: dict[int, Data] = {}
"""The data of the searches of this process. A class that is sent to a worker does not carry them: Ray shares them."""


class SearchTrainable(MeetsParameters):
    """The base of the trainables of searches; each search makes a subclass with its recipe.

    Attributes:
        recipe: The recipe of the search.
    """

    recipe: ClassVar[Recipe]

    def build_model(self, config: dict[str, Any]) -> Any:
        """Return the model that the hypermodel builds for a configuration."""
        model = self.recipe.build(self._hp(config))
        self._built = weakref.ref(model)
        return model

    def load_data(self) -> Data:
        """Return the data that ``search`` got."""
        if self.recipe.data in _DATA:
            return _DATA[self.recipe.data]
        if self.recipe.sent is not None:
            return self.recipe.sent.restore()
        raise InvalidTrainable("The data of this search is known to the process that called search() only.")

    def fit_options(self, config: dict[str, Any]) -> FitOptions:
        """Return the options that ``search`` got, or those that the user's own ``fit`` makes of them."""
        recipe = self.recipe
        arguments = self._own_arguments(config) if recipe.has_own_code else recipe.arguments
        self.batch_size = arguments.batch
        options: dict[str, Any] = {
            "steps_per_epoch": arguments.steps_per_epoch,
            "validation_steps": arguments.validation_steps,
            "shuffle": arguments.shuffle,
        }
        if arguments.validation_batch_size is not None:
            options["validation_batch_size"] = arguments.validation_batch_size
        callbacks = [*copies(arguments.callbacks), *added_metrics(recipe.objective)]
        if recipe.tuner is not None:
            callbacks += hooks_of(recipe.tuner, self._trial(config))
            if arguments.epochs < recipe.max_epochs and not recipe.oracle_sets_epochs:
                callbacks.append(end_after(arguments.epochs))
        return FitOptions(callbacks=callbacks, class_weight=arguments.class_weight, **options)

    def setup(self, config: dict[str, Any], data: Data | None = None, settings: TrialSettings | None = None) -> None:
        """Begin the first trial of this worker."""
        self._seen = data
        super().setup(config, data, settings)

    def _trial(self, config: Mapping[str, Any]) -> Trial:
        return Trial(self._hp(config), "0")

    @property
    def _found(self) -> FoundSpace:
        return self.recipe.found

    @classmethod
    def user_code(cls) -> tuple[Any, ...]:
        """Return the code of the hypermodel, and that of the tuner."""
        return code_of(cls.recipe.hypermodel) + code_of(cls.recipe.tuner)

    def _parameter_of(self) -> ParameterOf | None:
        return self.recipe.parameter_of

    def _own_arguments(self, config: Mapping[str, Any]) -> FitArguments:
        """Return the arguments with which the user's own ``fit`` or ``run_trial`` fits a configuration."""
        recipe = self.recipe
        assert recipe.tuner is not None  # noqa: S101 - the caller has looked
        parts = self._parts()
        args = [parts[part.name] if isinstance(part, DataPart) else part for part in recipe.args]
        kwargs = {
            name: parts[part.name] if isinstance(part, DataPart) else part for name, part in recipe.kwargs.items()
        }
        with probing(getattr(self, "_built", lambda: None)) as probe:
            recipe.tuner.run_trial(self._trial(config), *args, **kwargs)
        if len(probe.calls) != 1:
            raise InvalidTrainable("The fit of this search called model.fit in another way than before it began.")
        call_args, call_kwargs = probe.calls[0]
        return fit_arguments(bound(call_args, call_kwargs, "fit"))

    def _parts(self) -> dict[str, Any]:
        data = self._seen if self._seen is not None else self.load_data()
        if is_source(data.train):
            return {"x": data.train, "y": None, "sample_weight": None, "validation_data": data.validation}
        x, y, *weight = data.train
        return {"x": x, "y": y, "sample_weight": weight[0] if weight else None, "validation_data": data.validation}


class OwnCodeTrainable(SearchTrainable):
    """The base of the trainables of searches whose trials are code of the user's own."""

    asks_at_once = False

    def _begin_training(self, trial: WorkerTrial) -> TrialTraining:
        self._watch(trial)
        settings = self._settings
        return OwnTraining(TrialCode(self.recipe, self._hp(trial.parameters), trial.number, settings.seed), settings)

    def setup(self, config: dict[str, Any], data: Data | None = None, settings: TrialSettings | None = None) -> None:
        """Begin the first trial of this worker."""
        self._settings = settings or TrialSettings()
        super().setup(config, data, settings)


def trainable_of(recipe: Recipe, data: Data | None) -> type[SearchTrainable]:
    """Return the trainable of a search.

    Args:
        recipe: The recipe of the search, without the number of its data.
        data: The data; None: the trials are code of the user's own, which has its data.
    """
    number = len(_DATA) + 1
    _DATA[number] = data if data is not None else _no_data()
    base = OwnCodeTrainable if data is None else SearchTrainable
    sent = None if data is None else SentData.of(data)
    attributes = {"recipe": replace(recipe, data=number, sent=sent), "batch_size": recipe.arguments.batch}
    return type("SearchedModel", (base,), attributes)


def _no_data() -> Data:
    return Data(train=(np.zeros((1, 1)), np.zeros(1)))
