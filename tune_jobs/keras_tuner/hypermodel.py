"""The model of a search: a function of ``hp``, or a class with ``build`` and ``fit``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tune_jobs.keras_tuner.define_by_run.hyperparameters import HyperParameters
from tune_jobs.keras_tuner.errors import FatalValueError

_ROOM = __name__.rpartition(".")[0]


class HyperModel:
    """A space of models. Override ``build``; override ``fit`` to train in a way of its own.

    Args:
        name: A name, for people.
        tunable: False: nothing that ``build`` asks for is searched; all of it has its default.

    Attributes:
        name, tunable: As given.

    Example:
        >>> import keras
        >>> import tune_jobs.keras_tuner as kt
        >>> class Line(kt.HyperModel):
        ...     def build(self, hp):
        ...         model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        ...         model.compile(keras.optimizers.SGD(hp.Choice("learning_rate", [0.1, 0.01])), "mse")
        ...         return model
        >>> Line(name="line").build(kt.HyperParameters()).count_params()
        2
    """

    name: str | None = None
    tunable: bool = True

    def __init__(self, name: str | None = None, tunable: bool = True) -> None:
        self.name = name
        self.tunable = tunable

    def build(self, hp: HyperParameters) -> Any:
        """Return the model.

        Args:
            hp: The hyperparameters to ask for values.
        """
        raise NotImplementedError(f"{type(self).__name__}.build(hp) must be overridden: return a compiled model.")

    def declare_hyperparameters(self, hp: HyperParameters) -> None:
        """Declare hyperparameters before the first build.

        Args:
            hp: The hyperparameters to declare them on.
        """

    def fit(self, hp: HyperParameters, model: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        """Train a model that ``build`` returned.

        Args:
            hp: The hyperparameters.
            model: The model.
            args: What ``search`` got.
            kwargs: What ``search`` got by name; ``callbacks`` is always among them.

        Returns:
            A ``History``, a number, a dictionary of metrics, or a list of these.
        """
        return model.fit(*args, **kwargs)


class FunctionHyperModel(HyperModel):
    """A space of models that a function builds.

    Args:
        build: The function of ``hp``.
    """

    def __init__(self, build: Callable[[HyperParameters], Any]) -> None:
        super().__init__(name=getattr(build, "__name__", type(build).__name__))
        self.build = build  # type: ignore[method-assign, assignment]


def get_hypermodel(hypermodel: Any) -> HyperModel | None:
    """Return a hypermodel from one, or from a function; None from None.

    Raises:
        FatalValueError: It is something else.
    """
    if hypermodel is None or isinstance(hypermodel, HyperModel):
        return hypermodel
    if isinstance(hypermodel, type) and issubclass(hypermodel, HyperModel):
        raise FatalValueError(
            f"The value of `hypermodel` is the class {hypermodel.__name__}, but must be an instance: "
            f"{hypermodel.__name__}()."
        )
    if hasattr(hypermodel, "build") and hasattr(hypermodel, "fit"):
        return _Adapted(hypermodel)
    if callable(hypermodel):
        return FunctionHyperModel(hypermodel)
    raise FatalValueError(
        f"The value of `hypermodel` is {hypermodel!r}, but must be a function build_model(hp) that returns a model, or "
        "an instance of kt.HyperModel."
    )


class _Adapted(HyperModel):
    """A hypermodel of KerasTuner's own class, or another object that builds and fits models."""

    def __init__(self, other: Any) -> None:
        super().__init__(getattr(other, "name", None), getattr(other, "tunable", True))
        self.build = other.build  # type: ignore[method-assign]
        self.fit = other.fit  # type: ignore[method-assign]
        if hasattr(other, "declare_hyperparameters"):
            self.declare_hyperparameters = other.declare_hyperparameters  # type: ignore[method-assign]


def build(hypermodel: HyperModel, hp: HyperParameters) -> Any:
    """Return the model of a hypermodel; one that is not tunable asks a copy of ``hp``.

    Args:
        hypermodel: The hypermodel.
        hp: The hyperparameters.
    """
    return hypermodel.build(hp if hypermodel.tunable else untuned(hp))


def untuned(hp: HyperParameters) -> HyperParameters:
    """Return hyperparameters that have the values of others, and defaults for all else."""
    return HyperParameters.of(hp.values, hp.space)


def code_of(owner: Any) -> tuple[Any, ...]:
    """Return the functions and classes that make a hypermodel or a tuner: those of the user's own.

    Args:
        owner: The hypermodel, or the tuner; None: there is none.
    """
    function = vars(owner).get("build") if isinstance(owner, FunctionHyperModel) else None
    if function is not None:
        return (getattr(function, "__func__", function),)
    kinds = type(owner).__mro__ if owner is not None else ()
    return tuple(kind for kind in kinds if not kind.__module__.startswith(_ROOM) and kind is not object)
