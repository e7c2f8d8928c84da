"""A model whose rates are adjusted: what a worker keeps of it, and what its trials add."""

from __future__ import annotations

from typing import Any

import keras

from trainables.devices.replicas import is_distributed
from trainables.fit_options import FitOptions
from trainables.hypergradient.callback import AdjustRates
from trainables.hypergradient.declaration import Hypergradient
from trainables.hypergradient.held_out import HeldOut
from trainables.hypergradient.measure import make_measure
from trainables.hypergradient.rates import rates_of
from trainables.settings import InvalidTrainable

_OF_THE_LOSS = ("train_step", "test_step")
_SET_RATES = ("LearningRateScheduler", "ReduceLROnPlateau")


class AdjustableModel:
    """A compiled model whose rates are adjusted. It is kept with the model, for later trials.

    Args:
        model: A compiled ``keras.Model``, with its weights, whose steps are not made yet.
        declared: What is adjusted.

    Attributes:
        rates: The rates.
        measure: The compiled function that measures.

    Raises:
        InvalidTrainable: The rates of this model cannot be adjusted.
    """

    def __init__(self, model: Any, declared: Hypergradient) -> None:
        if problems := _model_problems(model):
            raise InvalidTrainable("Hypergradient: " + " ".join(problems))
        self._declared = declared
        self._optimizer = model.optimizer
        self.rates = rates_of(model, declared)
        self.measure = make_measure(model, self.rates)

    @property
    def variables(self) -> list[Any]:
        """The variables of the rates that belong to neither the model nor its optimizer."""
        return [variable for rate in self.rates if rate.owners for variable in rate.variables]

    def begin_as(self, fresh: AdjustableModel) -> None:
        """Begin as an equal model that was just built."""
        self._declared = fresh._declared
        for rate, other in zip(self.rates, fresh.rates, strict=True):
            rate.begin_as(other)

    def callback(self, held_out: HeldOut) -> AdjustRates:
        """Return the callback of a trial."""
        return AdjustRates(self._declared, self.rates, self.measure, held_out, self._optimizer)


def check_declared(trainable: Any, declared: Any) -> None:
    """Check what a trainable declares, and that it can work here.

    Raises:
        InvalidTrainable: It is something else than a ``Hypergradient``, Keras does not run on TensorFlow, or a trial
            has several devices.
    """
    if not isinstance(declared, Hypergradient):
        raise InvalidTrainable(
            f"The value of `{type(trainable).__name__}.hypergradient` is a {type(declared).__name__}, but must be a "
            "Hypergradient, or None."
        )
    if (backend := keras.backend.backend()) != "tensorflow":
        raise InvalidTrainable(
            f"Hypergradient works on TensorFlow only, and Keras runs on {backend} here: unset KERAS_BACKEND, or set "
            "hypergradient = None."
        )
    if is_distributed():
        raise InvalidTrainable("Hypergradient works on one device: give each trial one GPU at most.")


def check_options(declared: Hypergradient, options: FitOptions) -> None:
    """Check that nothing else sets the rates, and that weights fit what a trial is trained on.

    Raises:
        InvalidTrainable: Something does, or they do not; all mistakes are listed.
    """
    if problems := _option_problems(declared, options):
        raise InvalidTrainable("Hypergradient: " + " ".join(problems))


def _model_problems(model: Any) -> list[str]:
    own = [
        name
        for name in _OF_THE_LOSS
        if name in vars(model) or getattr(type(model), name, None) is not getattr(keras.Model, name)
    ]
    return [
        f"{type(model).__name__} has a {name} of its own, whose loss is not known: override compute_loss instead, or "
        "set hypergradient = None."
        for name in own
    ]


def _option_problems(declared: Hypergradient, options: FitOptions) -> list[str]:
    problems = []
    if declared.on != "validation" and options.sample_weight is not None:
        problems.append(
            f"FitOptions.sample_weight does not follow the share that on={declared.on} sets aside: give the weights as "
            "the third member of Data.train."
        )
    if not declared.learning_rate:
        return problems
    problems += [
        f"{type(each).__name__} sets the learning rate too: leave it out, or set learning_rate=False."
        for each in options.callbacks
        if any(kind.__name__ in _SET_RATES for kind in type(each).__mro__)
    ]
    if any(isinstance(each, keras.callbacks.TerminateOnNaN) for each in options.callbacks):
        problems.append("TerminateOnNaN ends a trial before its steps are taken back: leave it out.")
    return problems
