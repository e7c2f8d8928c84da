"""A KerasTrainable of a ``build_model(hp)``, with the space that it asks for: for experiments of our own form."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from typing import Any, ClassVar

from search_spaces import SearchSpace
from trainables import Data, FitOptions, InvalidTrainable, KerasTrainable
from tune_jobs.keras_tuner.define_by_run.hyperparameters import HyperParameters
from tune_jobs.keras_tuner.define_by_run.space import FoundSpace, find_space
from tune_jobs.keras_tuner.hypermodel import HyperModel, build, code_of, get_hypermodel
from tune_jobs.keras_tuner.trials.meeting import MeetsParameters


class HyperModelTrainable(MeetsParameters):
    """The base of the trainables that a hypermodel makes.

    Attributes:
        hypermodel: The hypermodel.
        found: The space, by which a configuration becomes an ``hp``.
        space: The space, which an experiment takes if it has no other.
        data: Returns the data.
        options: Returns the options of the fit for an ``hp``; None: there are none.
    """

    hypermodel: ClassVar[HyperModel]
    found: ClassVar[FoundSpace]
    space: ClassVar[SearchSpace]
    data: ClassVar[Callable[[], Data]]
    options: ClassVar[Callable[[HyperParameters], FitOptions] | None]

    def build_model(self, config: dict[str, Any]) -> Any:
        """Return the model that the hypermodel builds."""
        return build(self.hypermodel, self._hp(config))

    def load_data(self) -> Data:
        """Return the data."""
        return type(self).data()

    def fit_options(self, config: dict[str, Any]) -> FitOptions:
        """Return the options of the fit."""
        options = type(self).options
        return FitOptions() if options is None else options(self._hp(config))

    @classmethod
    def user_code(cls) -> tuple[Any, ...]:
        """Return the code of the hypermodel, the data and the options."""
        return (*code_of(cls.hypermodel), *(one for one in (cls.data, cls.options) if one is not None))

    @property
    def _found(self) -> FoundSpace:
        return self.found


def trainable_from_hypermodel(
    base: type[KerasTrainable],
    build_model: Any,
    load_data: Callable[[], Data],
    *,
    fit_options: Callable[[HyperParameters], FitOptions] | None = None,
    batch_size: int | None = None,
) -> type[KerasTrainable]:
    """Return the trainable of a hypermodel.

    Args:
        base: The class whose ``batch_size`` and ``reuse_models`` it takes over.
        build_model: A function of ``hp`` that returns a compiled model, or a ``HyperModel``.
        load_data: Returns the data.
        fit_options: Returns the options of the fit for an ``hp``, which it may ask, too; None: there are none.
        batch_size: Examples per batch if no hyperparameter has this name; None: that of ``base``.

    Example:
        >>> import keras
        >>> import numpy as np
        >>> from trainables import Data, KerasTrainable
        >>> def build_model(hp):
        ...     model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(hp.Choice("units", [1, 2]))])
        ...     model.compile("sgd", "mse")
        ...     return model
        >>> Line = KerasTrainable.from_hypermodel(build_model, lambda: Data(train=(np.ones((8, 1)), np.ones(8))))
        >>> Line.space
        SearchSpace(units=Choice(1, 2))
    """
    hypermodel = get_hypermodel(build_model)
    if hypermodel is None:
        raise InvalidTrainable("The value of `build_model` is None, but must be a function build_model(hp).")

    def ask(hp: HyperParameters) -> None:
        hypermodel.declare_hyperparameters(hp)
        build(hypermodel, hp)
        if fit_options is not None:
            fit_options(hp)

    with redirect_stdout(StringIO()):  # the model is built many times, and what it prints would come as often
        found = find_space(ask)
    attributes: dict[str, Any] = {
        "hypermodel": hypermodel,
        "found": found,
        "space": found.space,
        "data": staticmethod(load_data),
        "options": None if fit_options is None else staticmethod(fit_options),
        "batch_size": base.batch_size if batch_size is None else batch_size,
    }
    name = "".join(part.capitalize() for part in str(hypermodel.name or type(hypermodel).__name__).split("_"))
    return type(name, (HyperModelTrainable,) if base is KerasTrainable else (HyperModelTrainable, base), attributes)
