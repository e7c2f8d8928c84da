"""The rates of a compiled model: where each is found, what its value is, and how it is changed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from trainables.hypergradient.declaration import Hypergradient
from trainables.hypergradient.strengths import make_adjustable, set_start
from trainables.settings import InvalidTrainable

_DECAYS = ("weight_decay", "adam_weight_decay")  # Muon has a second one, for what it leaves to Adam


@dataclass(frozen=True)
class Rate:
    """A rate of a compiled model: one variable, or several that are multiplied alike.

    Attributes:
        name: Its name, which is the name of the metric that reports it.
        variables: The variables.
        owners: For each variable the object and the attribute that had the number; none for the learning rate.
        pulled: The positions of the weights that the rate pulls to zero, among the trainable ones.
    """

    name: str
    variables: Sequence[Any]
    owners: Sequence[tuple[Any, str]] = ()
    pulled: Sequence[int] = ()

    @property
    def value(self) -> float:
        """The rate: the geometric mean, where several are multiplied alike."""
        values = [float(np.array(variable)) for variable in self.variables]
        return values[0] if len(set(values)) == 1 else math.exp(sum(map(math.log, values)) / len(values))

    def set(self, value: float) -> None:
        """Set the rate; several variables keep their proportions."""
        before = self.value
        for variable in self.variables:
            own = float(np.array(variable))
            variable.assign(value if own == before else own * value / before)

    def begin_as(self, other: Rate) -> None:
        """Begin with the values of the same rate of an equal model."""
        for variable, source in zip(self.variables, other.variables, strict=True):
            variable.assign(source)
        for (owner, attribute), (source, _), variable in zip(self.owners, other.owners, self.variables, strict=False):
            set_start(owner, attribute, float(getattr(source, attribute)), variable)


def rates_of(model: Any, declared: Hypergradient) -> list[Rate]:
    """Return the rates that are to be adjusted. Strengths of regularization are made variables.

    Args:
        model: A compiled ``keras.Model``, with its weights, whose steps are not made yet.
        declared: What is to be adjusted.

    Raises:
        InvalidTrainable: A rate cannot be adjusted; all reasons are listed.
    """
    if problems := _problems(model, declared):
        raise InvalidTrainable("Hypergradient: " + " ".join(problems))
    makers = {"learning_rate": _learning_rate, "weight_decay": _weight_decay, "l2": _l2}
    return [makers[name](model) for name in declared.rates]


def _learning_rate(model: Any) -> Rate:
    return Rate("learning_rate", _rate_variables(model.optimizer))


def _weight_decay(model: Any) -> Rate:
    owners = [(model.optimizer, name) for name in _DECAYS if _is_strength(getattr(model.optimizer, name, None))]
    return Rate("weight_decay", _adjustable(owners), owners, range(len(model.trainable_variables)))


def _l2(model: Any) -> Rate:
    pulled = [index for index, weight in enumerate(model.trainable_variables) if _has_l2(weight)]
    regularizers = {id(each): each for each in (model.trainable_variables[index].regularizer for index in pulled)}
    owners = [(regularizer, "l2") for regularizer in regularizers.values()]
    return Rate("l2", _adjustable(owners), owners, pulled)


def _adjustable(owners: Sequence[tuple[Any, str]]) -> list[Any]:
    return [make_adjustable(owner, attribute) for owner, attribute in owners]


def _rate_variables(optimizer: Any) -> list[Any]:
    return [variable for variable in optimizer.variables if variable.name == "learning_rate"]


def _has_l2(weight: Any) -> bool:
    regularizer = getattr(weight, "regularizer", None)
    is_l2 = isinstance(regularizer, keras.regularizers.L2 | keras.regularizers.L1L2)
    return is_l2 and _is_strength(getattr(regularizer, "l2", None))


def _is_strength(value: Any) -> bool:
    return isinstance(value, int | float) and value > 0


def _problems(model: Any, declared: Hypergradient) -> list[str]:
    optimizer = model.optimizer
    name = type(optimizer).__name__
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return [
            f"The optimizer is a {name}, which changes the scale of the loss by itself and skips steps: train in "
            "float32 or mixed_bfloat16, which need none."
        ]
    if name == "MultiOptimizer":
        return ["The optimizer is a MultiOptimizer, which has several learning rates: compile the model with one."]
    problems = []
    if "learning_rate" in declared.rates and not _rate_variables(optimizer):
        problems.append(
            f"The learning rate of {name} is a schedule or a function, but must be a number to be adjusted: give the "
            "number that a trial starts with, or set learning_rate=False."
        )
    if "learning_rate" in declared.rates and getattr(optimizer, "relative_step", False):
        problems.append(
            f"{name} limits its own learning rate by the number of steps (relative_step): set relative_step=False."
        )
    if "weight_decay" in declared.rates and not any(_is_strength(getattr(optimizer, each, None)) for each in _DECAYS):
        problems.append(
            f"The weight_decay of {name} is {getattr(optimizer, 'weight_decay', None)!r}, but must be a number > 0 to "
            "be multiplied: give a start, such as 1e-4, or set weight_decay=False."
        )
    if "l2" in declared.rates and not any(_has_l2(weight) for weight in model.trainable_variables):
        problems.append(
            "No layer has an L2 regularizer with a strength > 0: give its kernel_regularizer a start, such as "
            "keras.regularizers.L2(1e-4), or set l2=False."
        )
    if "l2" in declared.rates and not has_kerass_loss(model):
        problems.append(
            f"{type(model).__name__} has a compute_loss of its own, which may count the L2 penalty or not: set "
            "l2=False."
        )
    return problems


def has_kerass_loss(model: Any) -> bool:
    """Return whether the loss of a model is computed by Keras's own ``compute_loss``, which adds the penalties."""
    return getattr(type(model), "compute_loss", None) is keras.Model.compute_loss and "compute_loss" not in vars(model)
