"""The recipe of a search: everything that a worker needs to train a configuration, apart from the data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from trainables import InvalidTrainable
from tune_jobs.keras_tuner.define_by_run.hyperparameters import HyperParameters
from tune_jobs.keras_tuner.define_by_run.space import FoundSpace
from tune_jobs.keras_tuner.errors import FailedTrialError
from tune_jobs.keras_tuner.fit_arguments import FitArguments
from tune_jobs.keras_tuner.hypermodel import HyperModel, build
from tune_jobs.keras_tuner.objective import Objective
from tune_jobs.keras_tuner.trial import Trial
from tune_jobs.keras_tuner.trials.meeting import ParameterOf
from tune_jobs.keras_tuner.trials.sent_data import SentData

MOST_STEPS = 100_000
"""The number of steps that code of the user's own may have which nothing stops."""


class RunsTrials(Protocol):
    """The part of a tuner that a worker needs."""

    def run_trial(self, trial: Trial, *args: Any, **kwargs: Any) -> Any:
        """Train a configuration, and return the results."""


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
        sent: The data that workers open by themselves; None: Ray shares them.
        tuner: The tuner, where its ``run_trial``, or the ``fit`` of the hypermodel, is the user's own.
        args, kwargs: What ``search`` got, where the tuner has to see it. ``DataPart`` stands for the data.
        has_own_code: True if the tuner's ``run_trial`` makes the arguments of each trial, or is the trial.
        max_epochs: The number of epochs after which every trial has ended.
        oracle_sets_epochs: True if the oracle says how many epochs a trial has, as Hyperband does.
        is_live: True if code of the user's own tells its epochs while it trains, so that a scheduler can stop it.
        parameter_of: Makes the parameters with which the space grows; None: it does not grow.
    """

    hypermodel: HyperModel | None
    found: FoundSpace
    arguments: FitArguments
    objective: Objective
    overrides: Overrides = field(default_factory=Overrides)
    data: int = 0
    sent: SentData | None = None
    tuner: RunsTrials | None = None
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    has_own_code: bool = False
    max_epochs: int = 1
    oracle_sets_epochs: bool = False
    is_live: bool = False
    parameter_of: ParameterOf | None = None

    def build(self, hp: HyperParameters) -> Any:
        """Return the compiled model of a configuration.

        Raises:
            FailedTrialError: The model is too large.
            InvalidTrainable: The hypermodel built something else than a model.
        """
        import keras

        if self.hypermodel is None:
            raise InvalidTrainable("This tuner has no hypermodel, so no model can be built.")
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


@dataclass(frozen=True)
class DataPart:
    """Stands for a part of the data that ``search`` got.

    Attributes:
        name: The argument of ``fit``: x, y, sample_weight or validation_data.
    """

    name: str


def name_of(hypermodel: HyperModel) -> str:
    """Return the name by which a person knows the code that builds the models."""
    kind = type(hypermodel)
    return f"{hypermodel.name}()" if kind.__module__ == HyperModel.__module__ else f"{kind.__name__}.build()"


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
