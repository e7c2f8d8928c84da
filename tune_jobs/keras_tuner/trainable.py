"""The trainable of a search: it builds what the hypermodel builds, and fits it as ``search`` was told."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from trainables import Data, FitOptions, InvalidTrainable, KerasTrainable
from tune_jobs.keras_tuner.define_by_run.hyperparameters import HyperParameters
from tune_jobs.keras_tuner.define_by_run.space import FoundSpace
from tune_jobs.keras_tuner.errors import FailedTrialError
from tune_jobs.keras_tuner.fit_arguments import FitArguments
from tune_jobs.keras_tuner.hypermodel import HyperModel, build
from tune_jobs.keras_tuner.objective import MultiObjective, Objective

_DATA: dict[int, Data] = {}
"""The data of the searches of this process. A class that is sent to a worker does not carry them: Ray shares them."""


@dataclass(frozen=True)
class Overrides:
    """The parts of a compiled model that the tuner was told to replace.

    Attributes:
        optimizer, loss, metrics: The arguments of ``compile``; None: those of the model.
        max_model_size: The largest number of scalars in a model's parameters; None: no limit.
    """

    optimizer: Any = None
    loss: Any = None
    metrics: Any = None
    max_model_size: int | None = None


@dataclass(frozen=True)
class Recipe:
    """Everything that a worker needs to train a configuration, apart from the data.

    Attributes:
        hypermodel: The hypermodel.
        found: The space, by which a configuration becomes an ``hp``.
        arguments: The arguments of the fit.
        objective: The objective.
        overrides: The replaced parts of the models.
        data: The number by which the driver finds the data.
    """

    hypermodel: HyperModel
    found: FoundSpace
    arguments: FitArguments
    objective: Objective
    overrides: Overrides = field(default_factory=Overrides)
    data: int = 0

    def build(self, hp: HyperParameters) -> Any:
        """Return the compiled model of a configuration.

        Raises:
            FailedTrialError: The model is too large.
            InvalidTrainable: The hypermodel built something else than a model.
        """
        import keras

        model = build(self.hypermodel, hp)
        if not isinstance(model, keras.Model):
            raise InvalidTrainable(
                f"{name_of(self.hypermodel)} returned a {type(model).__name__}, but must return a compiled "
                "keras.Model: is its `return model` missing?"
            )
        compile_again(model, self.overrides)
        size = self.overrides.max_model_size
        if size is not None and model.built and model.count_params() > size:
            raise FailedTrialError(
                f"The model has {model.count_params():,} parameters, but max_model_size allows {size:,} at most."
            )
        return model


class SearchTrainable(KerasTrainable):
    """The base of the trainables of searches; each search makes a subclass with its recipe.

    Attributes:
        recipe: The recipe of the search.
    """

    recipe: ClassVar[Recipe]

    def build_model(self, config: dict[str, Any]) -> Any:
        """Return the model that the hypermodel builds for a configuration."""
        return self.recipe.build(self.recipe.found.hyperparameters(config))

    def load_data(self) -> Data:
        """Return the data that ``search`` got."""
        if self.recipe.data not in _DATA:
            raise InvalidTrainable("The data of this search is known to the process that called search() only.")
        return _DATA[self.recipe.data]

    def fit_options(self, config: dict[str, Any]) -> FitOptions:  # noqa: ARG002 - the same for all
        """Return the options that ``search`` got; each trial has copies of the callbacks."""
        arguments = self.recipe.arguments
        options: dict[str, Any] = {}
        if arguments.validation_batch_size is not None:
            options["validation_batch_size"] = arguments.validation_batch_size
        return FitOptions(
            callbacks=[*copies(arguments.callbacks), *added_metrics(self.recipe.objective)],
            class_weight=arguments.class_weight,
            **options,
        )


def trainable_of(recipe: Recipe, data: Data) -> type[SearchTrainable]:
    """Return the trainable of a search.

    Args:
        recipe: The recipe of the search, without the number of its data.
        data: The data.
    """
    number = len(_DATA) + 1
    _DATA[number] = data
    recipe = Recipe(**{**vars(recipe), "data": number})
    return type("SearchedModel", (SearchTrainable,), {"recipe": recipe, "batch_size": recipe.arguments.batch})


def name_of(hypermodel: HyperModel) -> str:
    """Return the name by which a person knows the code that builds the models."""
    kind = type(hypermodel)
    return f"{hypermodel.name}()" if kind.__module__ == HyperModel.__module__ else f"{kind.__name__}.build()"


def copies(callbacks: Sequence[Any]) -> list[Any]:
    """Return copies of callbacks, so that no trial changes those of another.

    Raises:
        InvalidTrainable: One cannot be copied.
    """
    try:
        return copy.deepcopy(list(callbacks))
    except Exception as error:
        raise InvalidTrainable(
            f"The callbacks of search() cannot be copied ({type(error).__name__}: {error}), but each trial needs its "
            "own: keep what cannot be copied out of their attributes."
        ) from error


def added_metrics(objective: Objective) -> list[Any]:
    """Return callbacks that add metrics to those of the model: the sum of several objectives."""
    if not isinstance(objective, MultiObjective):
        return []
    import keras

    def add(epoch: int, logs: dict[str, float]) -> None:  # noqa: ARG001 - Keras's signature
        if objective.has_value(logs):
            logs[objective.name] = objective.get_value(logs)

    return [keras.callbacks.LambdaCallback(on_epoch_end=add)]


def compile_again(model: Any, overrides: Overrides) -> None:
    """Compile a model with the optimizer, loss and metrics of the tuner, where it has its own.

    Args:
        model: The model, which need not be compiled if the tuner has all that it lacks.
        overrides: What the tuner has.
    """
    import keras

    replaced: Mapping[str, Any] = {
        name: getattr(overrides, name) for name in ("optimizer", "loss", "metrics") if getattr(overrides, name)
    }
    if not replaced:
        return
    kept = {"optimizer": getattr(model, "optimizer", None), "loss": getattr(model, "loss", None)}
    if model.compiled and "metrics" not in replaced:
        kept["metrics"] = _own_metrics(model)
    arguments = {**{name: value for name, value in kept.items() if value is not None}, **replaced}
    if not isinstance(arguments.get("optimizer", ""), str):
        optimizer = arguments["optimizer"]
        if optimizer is overrides.optimizer:
            arguments["optimizer"] = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    if "metrics" in replaced:
        arguments["metrics"] = [_fresh(metric, keras.metrics) for metric in overrides.metrics]
    model.compile(**arguments)


def _fresh(metric: Any, metrics: Any) -> Any:
    return metric if not isinstance(metric, metrics.Metric) else type(metric).from_config(metric.get_config())


def _own_metrics(model: Any) -> Any:
    config: Callable[[], Any] | None = getattr(model, "get_compile_config", None)
    compiled = config() if config is not None else None
    return (compiled or {}).get("metrics")
